/* SPDX-License-Identifier: MIT */
/* test_pool_tend.c - src/resilience/pool_tend.c: what is done to items while nobody asks for one. */
#include "unit/pool_run.h"

PROGRAM(tended)
{
	MAG_BEGIN(tended);
	MAG_AWAIT(self->rc, mag_pool_tend, &pool);
	CHECK(self->rc == 0 && db.made == 2 && pool_counts(&pool).idle == 2);
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->a);
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->b);
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->c);
	MAG_AWAIT(self->rc, mag_pool_tend, &pool); /* all are lent: nothing to do */
	CHECK(self->rc == 0 && db.made == 3);
	MAG_AWAIT(self->rc, mag_pool_give, &self->a);
	MAG_AWAIT(self->rc, mag_sleep, MAG_SECOND);
	MAG_AWAIT(self->rc, mag_pool_give, &self->b);
	MAG_AWAIT(self->rc, mag_pool_give, &self->c);
	MAG_AWAIT(self->rc, mag_sleep, 4 * MAG_SECOND);
	MAG_AWAIT(self->rc, mag_pool_tend, &pool); /* the oldest goes */
	CHECK(self->rc == 0 && db.destroyed == 1 && pool_counts(&pool).idle == 2 && !db.conns[conn_in(&self->a)->id].alive);
	MAG_AWAIT(self->rc, mag_sleep, 2 * MAG_SECOND);
	MAG_AWAIT(self->rc, mag_pool_tend, &pool); /* the least number stays */
	CHECK(self->rc == 0 && db.destroyed == 1 && db.made == 3);
	MAG_AWAIT(self->rc, mag_sleep, 10 * MAG_SECOND);
	MAG_AWAIT(self->rc, mag_pool_tend, &pool); /* but not the old ones */
	CHECK(self->rc == 0 && db.destroyed == 3 && db.made == 5 && pool_counts(&pool).idle == 2);
	db.create = -ECONNREFUSED;
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->a);
	self->a.broken = true;
	MAG_AWAIT(self->rc, mag_pool_give, &self->a);
	MAG_AWAIT(self->rc, mag_pool_tend, &pool);
	CHECK(self->rc == -ECONNREFUSED && pool_counts(&pool).idle == 1);
	MAG_SCOPE_BEGIN(&self->scope);
	mag_scope_cancel(&self->scope);
	MAG_AWAIT(self->rc, mag_pool_tend, &pool);
	CHECK(self->rc == MAG_ECANCELED);
	MAG_SCOPE_END(self->rc, &self->scope);
	CLOSE;
	MAG_AWAIT(self->rc, mag_pool_tend, &pool);
	CHECK(self->rc == MAG_ECLOSED);
	MAG_RETURN(0);
	MAG_END;
}

Test(pool, tending_keeps_the_least_number_and_drops_what_is_old, .timeout = 20)
{
	RUN_WITH(1, tended, .max = 3, .min = 2, .check_ns = MAG_NEVER, .idle_ns = 5 * MAG_SECOND, .life_ns = 15 * MAG_SECOND);
}

/* Whoever asks for one of the least number after a long time gets it. */
PROGRAM(kept_though_idle)
{
	MAG_BEGIN(kept_though_idle);
	MAG_AWAIT(self->rc, mag_pool_tend, &pool);
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->a);
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->b);
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->c);
	MAG_AWAIT(self->rc, mag_pool_give, &self->a);
	MAG_AWAIT(self->rc, mag_pool_give, &self->b);
	MAG_AWAIT(self->rc, mag_pool_give, &self->c);
	MAG_AWAIT(self->rc, mag_sleep, 6 * MAG_SECOND);
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->a); /* the third is one too many */
	CHECK(self->rc == 0 && db.made == 3 && db.destroyed == 1);
	CHECK(mag_pool_try_take(&pool, &self->b) == 0);
	MAG_AWAIT(self->rc, mag_pool_give, &self->a);
	MAG_AWAIT(self->rc, mag_pool_give, &self->b);
	CLOSE;
	MAG_RETURN(0);
	MAG_END;
}

Test(pool, least_number_is_lent_however_long_it_was_idle, .timeout = 20)
{
	RUN_WITH(1, kept_though_idle, .max = 3, .min = 2, .check_ns = MAG_NEVER, .idle_ns = 5 * MAG_SECOND);
}

PROGRAM(never_made)
{
	MAG_BEGIN(never_made);
	db.create_ns = 60 * MAG_SECOND;
	self->began = mag_now();
	MAG_AWAIT(self->rc, mag_pool_tend, &pool);
	CHECK(self->rc == MAG_ETIMEDOUT && mag_now() == self->began + MAG_SECOND);
	CLOSE;
	MAG_RETURN(0);
	MAG_END;
}

Test(pool, tending_does_not_wait_for_ever_for_a_new_one, .timeout = 20)
{
	RUN_WITH(1, never_made, .max = 1, .min = 1, .wait_ns = MAG_SECOND);
}

PROGRAM(kept)
{
	MAG_BEGIN(kept);
	db.create = -ECONNREFUSED;
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, mag_pool_keep, .pool = &pool);
	MAG_AWAIT(self->rc, mag_sleep, 15 * MAG_SECOND);
	CHECK(pool_counts(&pool).idle == 0);
	db.create = 0;
	MAG_AWAIT(self->rc, mag_sleep, 10 * MAG_SECOND);
	CHECK(pool_counts(&pool).idle == 1);
	self->began = mag_now();
	CLOSE;
	MAG_GROUP_END(self->rc, &self->group); /* by itself, and at once */
	CHECK(self->rc == 0 && mag_now() == self->began);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, mag_pool_keep, .pool = &pool, .every_ns = MAG_SECOND);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(self->rc == 0);
	MAG_RETURN(0);
	MAG_END;
}

/* Cancelled: it goes. Closed while it makes one: that is destroyed. */
PROGRAM(kept_no_longer)
{
	MAG_BEGIN(kept_no_longer);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, mag_pool_keep, .pool = &pool);
	MAG_AWAIT(self->rc, mag_sleep, MAG_SECOND);
	mag_group_cancel(&self->group);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->a);
	self->a.broken = true;
	db.destroy_ns = MAG_SECOND;
	self->began = mag_now();
	MAG_AWAIT(self->rc, mag_pool_give, &self->a);
	CHECK(self->rc == 0 && mag_now() == self->began + MAG_MILLISECOND); /* its time to go is over */
	db.create = MAG_ECANCELED;
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->a);
	CHECK(self->rc == MAG_ECANCELED); /* by itself */
	db.create = 0;
	db.create_ns = MAG_MILLISECOND;
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, mag_pool_keep, .pool = &pool);
	MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND / 2);
	CLOSE;
	CHECK(db.made == 2 && db.destroyed == 2);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(0);
	MAG_END;
}

Test(pool, keeper_leaves_nothing, .timeout = 20)
{
	RUN_WITH(1, kept_no_longer, .max = 3, .min = 1, .check_ns = MAG_NEVER, .grace_ns = MAG_MILLISECOND);
}

Test(pool, keeper_tends_until_it_is_closed, .timeout = 20)
{
	RUN_WITH(1, kept, .max = 3, .min = 1);
}
