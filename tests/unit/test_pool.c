/* SPDX-License-Identifier: MIT */
/* test_pool.c - src/resilience/pool*.c: what is lent, made, checked and destroyed, and when, in virtual time. */
#include "unit/pool_run.h"

PROGRAM(lends)
{
	MAG_BEGIN(lends);
	CHECK(mag_pool_try_take(&pool, &self->a) == -EAGAIN); /* it would have to make one */
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->a);
	CHECK(self->rc == 0 && conn_in(&self->a)->id == 0);
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->b);
	CHECK(self->rc == 0 && conn_in(&self->b)->id == 1);
	CHECK(pool_counts(&pool).lent == 2 && pool_counts(&pool).made == 2);
	MAG_AWAIT(self->rc, mag_pool_give, &self->a);
	CHECK(self->rc == 0 && !self->a.pool);
	MAG_AWAIT(self->rc, mag_pool_give, &self->b);
	CHECK(self->rc == 0 && pool_counts(&pool).idle == 2 && pool_counts(&pool).lent == 0);
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->c);
	CHECK(self->rc == 0 && conn_in(&self->c)->id == 1); /* the newest */
	CHECK(mag_pool_try_take(&pool, &self->a) == 0 && conn_in(&self->a)->id == 0);
	CHECK(mag_pool_try_take(&pool, &self->b) == -EAGAIN && !self->b.pool);
	self->a.broken = true;
	MAG_AWAIT(self->rc, mag_pool_give, &self->a);
	CHECK(self->rc == 0 && db.destroyed == 1 && pool_counts(&pool).dropped == 1 && pool_counts(&pool).idle == 0);
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->b);
	CHECK(self->rc == 0 && conn_in(&self->b)->id == 2);
	MAG_AWAIT(self->rc, mag_pool_give, &self->b);
	MAG_AWAIT(self->rc, mag_pool_give, &self->c);
	CLOSE;
	CHECK(db.checked == 0 && db.made == 3 && db.destroyed == 3 && pool_counts(&pool).dropped == 3);
	MAG_RETURN(0);
	MAG_END;
}

Test(pool, lends_the_newest_and_makes_one_when_there_is_none, .timeout = 20)
{
	RUN_WITH(1, lends, .max = 2, .check_ns = 1);
}

/* What has been idle. */

PROGRAM(ages)
{
	MAG_BEGIN(ages);
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->a);
	MAG_AWAIT(self->rc, mag_pool_give, &self->a);
	MAG_AWAIT(self->rc, mag_sleep, MAG_SECOND - 1);
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->a);
	CHECK(self->rc == 0 && conn_in(&self->a)->id == 0 && db.checked == 0);
	MAG_AWAIT(self->rc, mag_pool_give, &self->a);
	MAG_AWAIT(self->rc, mag_sleep, MAG_SECOND);
	CHECK(mag_pool_try_take(&pool, &self->a) == -EAGAIN); /* it would have to be checked */
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->a);
	CHECK(self->rc == 0 && conn_in(&self->a)->id == 0 && db.checked == 1);
	MAG_AWAIT(self->rc, mag_pool_give, &self->a);
	MAG_AWAIT(self->rc, mag_sleep, MAG_SECOND);
	db.check = -EPIPE;
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->a);
	CHECK(self->rc == 0 && conn_in(&self->a)->id == 1 && db.checked == 2 && db.destroyed == 1);
	db.check = 1;
	MAG_AWAIT(self->rc, mag_pool_give, &self->a);
	MAG_AWAIT(self->rc, mag_sleep, 5 * MAG_SECOND);
	CHECK(mag_pool_try_take(&pool, &self->a) == -EAGAIN);
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->a); /* it has been idle for too long */
	CHECK(self->rc == 0 && conn_in(&self->a)->id == 2 && db.checked == 2 && db.destroyed == 2);
	for (self->i = 0; self->i < 3; self->i++) {
		MAG_AWAIT(self->rc, mag_pool_give, &self->a);
		MAG_AWAIT(self->rc, mag_sleep, 3 * MAG_SECOND + self->i);
		MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->a);
		CHECK(self->rc == 0 && conn_in(&self->a)->id == 2 && db.checked == 3 + self->i);
	}
	MAG_AWAIT(self->rc, mag_sleep, MAG_SECOND);
	MAG_AWAIT(self->rc, mag_pool_give, &self->a); /* it is too old */
	CHECK(self->rc == 0 && db.destroyed == 3 && pool_counts(&pool).idle == 0);
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->a);
	MAG_AWAIT(self->rc, mag_sleep, 8 * MAG_SECOND);
	MAG_AWAIT(self->rc, mag_pool_give, &self->a);
	MAG_AWAIT(self->rc, mag_sleep, 3 * MAG_SECOND);
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->a); /* it has become too old */
	CHECK(self->rc == 0 && conn_in(&self->a)->id == 4 && db.destroyed == 4);
	MAG_AWAIT(self->rc, mag_pool_give, &self->a);
	CLOSE;
	MAG_RETURN(0);
	MAG_END;
}

Test(pool, idle_ones_are_checked_and_old_ones_replaced, .timeout = 20)
{
	RUN_WITH(1, ages, .max = 1, .check_ns = MAG_SECOND, .idle_ns = 5 * MAG_SECOND, .life_ns = 10 * MAG_SECOND);
}

/* Those that wait. */

struct borrower {
	mag_frame frame;
	MAG_ARGS(borrower, uint64_t until; uint64_t ns; int64_t *got; uint64_t *at;);
	mag_pool_loan loan;
	mag_using use;
	int64_t rc;
};

MAG_TASK(borrower)
{
	MAG_BEGIN(borrower);
	MAG_USING_BEGIN(self->rc, &self->use, mag_pool_loan, &self->loan, .pool = &pool, .until = self->until);
	*self->got = self->rc == 0 ? conn_in(&self->loan)->id : self->rc;
	*self->at = mag_now();
	if (self->rc == 0) {
		CHECK(magi_add_ar(&conn_in(&self->loan)->users, 1u) == 0);
		MAG_AWAIT(self->rc, mag_sleep, self->ns);
		CHECK(magi_sub_ar(&conn_in(&self->loan)->users, 1u) == 1);
	}
	MAG_USING_END(self->rc, &self->use, self->rc);
	MAG_RETURN(0);
	MAG_END;
}

#define SPAWN(i_, ...) \
	MAG_SPAWN(self->rc, &self->group, borrower, .got = &self->got[i_], .at = &self->at[i_], __VA_ARGS__)

/* Until what was spawned waits. */
#define PAUSE MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND)

PROGRAM(in_turn, int64_t got[4]; uint64_t at[4];)
{
	MAG_BEGIN(in_turn);
	self->began = mag_now();
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 4; self->i++) {
		MAG_SPAWN(self->rc, &self->group, borrower, .got = &self->got[self->i], .at = &self->at[self->i],
			  .ns = 10 * MAG_MILLISECOND);
		MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
	}
	CHECK(pool_counts(&pool).waiting == 3 && pool_counts(&pool).lent == 1);
	CHECK(mag_pool_try_take(&pool, &self->a) == -EAGAIN);
	MAG_GROUP_END(self->rc, &self->group);
	for (self->i = 0; self->i < 4; self->i++)
		CHECK(self->got[self->i] == 0 && self->at[self->i] - self->began == (uint64_t)self->i * 10 * MAG_MILLISECOND);
	CLOSE;
	MAG_RETURN(0);
	MAG_END;
}

Test(pool, waiters_are_served_in_order, .timeout = 20)
{
	EACH_WORKERS(n)
		RUN_WITH(n, in_turn, .max = 1);
}

PROGRAM(too_late, int64_t got[4]; uint64_t at[4];)
{
	MAG_BEGIN(too_late);
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->a);
	self->began = mag_now();
	MAG_AWAIT(self->rc, mag_pool_take_until, &pool, &self->b, self->began);
	CHECK(self->rc == MAG_ETIMEDOUT);
	MAG_AWAIT(self->rc, mag_pool_take_until, &pool, &self->b, self->began + MAG_SECOND);
	CHECK(self->rc == MAG_ETIMEDOUT && mag_now() == self->began + MAG_SECOND && !self->b.pool);
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->b);
	CHECK(self->rc == MAG_ETIMEDOUT && mag_now() == self->began + 6 * MAG_SECOND && pool_counts(&pool).timeouts == 3);
	MAG_GROUP_BEGIN(&self->group);
	SPAWN(0, .until = mag_deadline_in(MAG_SECOND));
	PAUSE;
	SPAWN(1, .ns = 1);
	PAUSE;
	MAG_AWAIT(self->rc, mag_sleep, 2 * MAG_SECOND);
	CHECK(self->got[0] == MAG_ETIMEDOUT && pool_counts(&pool).waiting == 1);
	MAG_AWAIT(self->rc, mag_pool_give, &self->a);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(self->got[1] == 0 && pool_counts(&pool).idle == 1);
	MAG_AWAIT(self->rc, mag_pool_take_until, &pool, &self->a, 0); /* what is there is lent, however late */
	CHECK(self->rc == 0);
	self->a.broken = true;
	MAG_AWAIT(self->rc, mag_pool_give, &self->a);
	db.create_ns = 10 * MAG_SECOND;
	self->began = mag_now();
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->a); /* a creation that takes too long */
	CHECK(self->rc == MAG_ETIMEDOUT && mag_now() == self->began + 5 * MAG_SECOND && pool_counts(&pool).made == 1);
	db.stubborn = true;
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->a); /* what was made all the same is lent */
	CHECK(self->rc == 0 && mag_now() == self->began + 10 * MAG_SECOND);
	MAG_AWAIT(self->rc, mag_pool_give, &self->a);
	db.check_ns = 10 * MAG_SECOND;
	PAUSE;
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->a); /* a check that does: who knows what it has left */
	CHECK(self->rc == MAG_ETIMEDOUT && db.destroyed == 2 && pool_counts(&pool).timeouts == 6);
	CLOSE;
	MAG_RETURN(0);
	MAG_END;
}

Test(pool, deadline_holds_for_waiting_checking_and_making, .timeout = 20)
{
	RUN_WITH(1, too_late, .max = 1, .check_ns = 1, .wait_ns = 5 * MAG_SECOND);
}

PROGRAM(fails, int64_t got[4]; uint64_t at[4];)
{
	MAG_BEGIN(fails);
	db.create_ns = 10 * MAG_MILLISECOND;
	db.create = -ECONNREFUSED;
	self->began = mag_now();
	MAG_GROUP_BEGIN(&self->group);
	SPAWN(0, .ns = MAG_SECOND);
	PAUSE;
	SPAWN(1, .ns = MAG_SECOND);
	PAUSE;
	SPAWN(2, .ns = MAG_SECOND);
	PAUSE;
	MAG_AWAIT(self->rc, mag_sleep_until, self->began + 15 * MAG_MILLISECOND);
	CHECK(self->got[0] == -ECONNREFUSED && pool_counts(&pool).waiting == 1);
	db.create = 1;
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(self->got[1] == 0 && self->at[1] == self->began + 20 * MAG_MILLISECOND);
	CHECK(self->got[2] == 0 && pool_counts(&pool).made == 1);
	CLOSE;
	MAG_RETURN(0);
	MAG_END;
}

Test(pool, failed_creation_is_its_callers_and_the_next_one_tries, .timeout = 20)
{
	EACH_WORKERS(n)
		RUN_WITH(n, fails, .max = 1);
}

/* What a task has used when it was cancelled. */

PROGRAM(cut_short, int64_t got[4]; uint64_t at[4];)
{
	MAG_BEGIN(cut_short);
	MAG_WITH_TIMEOUT(&self->scope, MAG_SECOND);
	MAG_CALL(self->rc, borrower, .got = &self->got[0], .at = &self->at[0], .ns = 2 * MAG_SECOND);
	MAG_SCOPE_END(self->rc, &self->scope);
	CHECK(self->rc == MAG_ETIMEDOUT && self->got[0] == 0);
	CHECK(db.destroyed == !pool.options.keep_cancelled && pool_counts(&pool).lent == 0);
	MAG_USING_BEGIN(self->rc, &self->use, mag_pool_loan, &self->a, .pool = &pool, .until = MAG_NEVER);
	CHECK(self->rc == 0 && conn_in(&self->a)->id == db.destroyed);
	MAG_AWAIT(self->rc, mag_pool_give, &self->a);   /* earlier than at the end */
	MAG_USING_END(self->rc, &self->use, -EPROTO); /* an error of the body's own says nothing of the item */
	CHECK(self->rc == -EPROTO && pool_counts(&pool).idle == 1);
	CLOSE;
	MAG_RETURN(0);
	MAG_END;
}

Test(pool, what_was_in_use_when_its_task_was_cancelled_is_dropped, .timeout = 20)
{
	RUN_WITH(1, cut_short, .max = 1);
}

Test(pool, what_was_in_use_is_kept_when_that_is_asked_for, .timeout = 20)
{
	RUN_WITH(1, cut_short, .max = 1, .keep_cancelled = true);
}

/* The end. */

PROGRAM(closes, int64_t got[4]; uint64_t at[4];)
{
	MAG_BEGIN(closes);
	db.destroy_ns = 50 * MAG_MILLISECOND;
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->a);
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->b);
	MAG_GROUP_BEGIN(&self->group);
	SPAWN(0, .ns = 1);
	PAUSE;
	SPAWN(1, .ns = 1);
	PAUSE;
	SPAWN(2, .ns = 1);
	PAUSE;
	MAG_AWAIT(self->rc, mag_pool_give, &self->b); /* all three use it in turn */
	MAG_AWAIT(self->rc, mag_sleep, MAG_SECOND);
	CHECK(self->got[0] == 1 && self->got[1] == 1 && self->got[2] == 1 && pool_counts(&pool).idle == 1);
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->b);
	SPAWN(0, .ns = 1);
	PAUSE;
	SPAWN(1, .ns = 1);
	PAUSE;
	self->began = mag_now();
	MAG_AWAIT(self->rc, mag_pool_close_until, &pool, mag_deadline_in(MAG_SECOND));
	CHECK(self->rc == MAG_ETIMEDOUT && mag_now() == self->began + MAG_SECOND);
	CHECK(self->got[0] == MAG_ECLOSED && self->at[0] == self->began);
	CHECK(self->got[1] == MAG_ECLOSED && self->at[1] == self->began);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->c);
	CHECK(self->rc == MAG_ECLOSED && mag_pool_try_take(&pool, &self->c) == MAG_ECLOSED);
	MAG_AWAIT(self->rc, mag_pool_give, &self->a);
	CHECK(self->rc == 0 && db.destroyed == 1 && pool_counts(&pool).idle == 0);
	MAG_SCOPE_BEGIN(&self->scope);
	mag_scope_cancel(&self->scope);
	MAG_AWAIT(self->rc, mag_pool_close, &pool);
	CHECK(self->rc == MAG_ECANCELED);
	MAG_AWAIT(self->rc, mag_pool_give, &self->b); /* never cut short */
	CHECK(self->rc == 0 && db.destroyed == 2);
	MAG_AWAIT(self->rc, mag_pool_close, &pool);
	CHECK(self->rc == 0); /* nothing to wait for */
	MAG_SCOPE_END(self->rc, &self->scope);
	CLOSE;
	MAG_RETURN(0);
	MAG_END;
}

Test(pool, closing_wakes_who_waits_and_waits_for_what_is_lent, .timeout = 20)
{
	EACH_WORKERS(n)
		RUN_WITH(n, closes, .max = 2);
}

/* Closed while items are made, checked, waited for: none is left. */
PROGRAM(closes_amid, int64_t got[8]; uint64_t at[8];)
{
	MAG_BEGIN(closes_amid);
	db.create_ns = db.destroy_ns = 10 * MAG_MILLISECOND;
	db.check_ns = 3 * MAG_MILLISECOND;
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, mag_pool_keep, .pool = &pool, .every_ns = MAG_MILLISECOND);
	for (self->i = 0; self->i < 8; self->i++) {
		MAG_SPAWN(self->rc, &self->group, borrower, .got = &self->got[self->i], .at = &self->at[self->i],
			  .ns = 7 * MAG_MILLISECOND);
		MAG_AWAIT(self->rc, mag_sleep, 4 * MAG_MILLISECOND);
	}
	CLOSE;
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(db.most <= 3);
	MAG_RETURN(0);
	MAG_END;
}

Test(pool, closing_amid_it_all_leaves_nothing, .timeout = 20)
{
	EACH_WORKERS(n)
		RUN_WITH(n, closes_amid, .max = 3, .min = 2);
}

/* What it may be. */

struct conn_three {
	mag_frame frame;
	MAG_ARGS(conn_three, struct db *db; struct conn *item; void *more;);
};
MAG_TASK(conn_three)
{
	MAG_BEGIN(conn_three);
	MAG_RETURN(0);
	MAG_END;
}

Test(pool, bad_options_are_refused)
{
	mag_pool_options later[2] = { { .size = sizeof(later) } };
	mag_pool_counts counts = { .size = sizeof(counts) + 1 };
	const mag_pool_fn three = MAG_POOL_FN(conn_three);

	cr_assert_eq(mag_pool_init(&pool, later), -EINVAL);
	later[0].size = sizeof(size_t) - 1;
	cr_assert_eq(mag_pool_init(&pool, later), -EINVAL);
	cr_assert_eq(mag_pool_init(&pool, &(mag_pool_options){ .size = sizeof(mag_pool_options) }), -EINVAL);
	cr_assert_eq(mag_pool_init(&pool, DB_POOL(&db, .max = MAG_POOL_MAX + 1)), -EINVAL);
	cr_assert_eq(mag_pool_init(&pool, DB_POOL(&db, .max = 2, .min = 3)), -EINVAL);
	for (int i = 0; i < 3; i++) {
		mag_pool_options o = *DB_POOL(&db, .max = 2);

		*(i == 0 ? &o.create : i == 1 ? &o.check : &o.destroy) = three;
		cr_assert_eq(mag_pool_init(&pool, &o), -EINVAL);
	}
	cr_assert_eq(mag_pool_init(&pool, DB_POOL(&db, .min = 10)), 0);
	cr_assert_eq(pool.options.max, MAG_POOL_MAX_DEFAULT);
	cr_assert_eq(mag_pool_stats(&pool, &counts), -EINVAL);
	counts.size = sizeof(size_t) - 1;
	cr_assert_eq(mag_pool_stats(&pool, &counts), -EINVAL);
	cr_assert_eq(mag_pool_fini(&pool), 0);
}

/* Without check and destroy. */
PROGRAM(plain)
{
	MAG_BEGIN(plain);
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->a);
	CHECK(self->rc == 0);
	MAG_AWAIT(self->rc, mag_pool_give, &self->a);
	CHECK(mag_pool_try_take(&pool, &self->a) == 0);
	self->a.broken = true;
	MAG_AWAIT(self->rc, mag_pool_give, &self->a);
	CHECK(pool_counts(&pool).dropped == 1 && db.destroyed == 0);
	CLOSE;
	MAG_RETURN(0);
	MAG_END;
}

Test(pool, needs_no_check_and_no_destruction, .timeout = 20)
{
	cr_assert_eq(mag_pool_init(&pool, &(mag_pool_options){ .size = sizeof(mag_pool_options), .ctx = &db,
							       .create = MAG_POOL_FN(conn_create) }), 0);
	cr_assert_eq(RUN(1, plain), 0);
	cr_assert_eq(mag_pool_fini(&pool), 0);
}
