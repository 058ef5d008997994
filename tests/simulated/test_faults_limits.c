/* SPDX-License-Identifier: MIT */
/* test_faults_limits.c - every fault in turn: rate limiter, bulkhead and pool, whose frames may be refused. */
#include "simulated/turns.h"

enum { MEMBERS = 4 };

struct all {
	mag_limiter limiter;
	mag_bulkhead bulkhead;
	mag_pool pool;
	int items; /* that are */
};

struct thing_create {
	mag_frame frame;
	MAG_ARGS(thing_create, struct all *all; void **item;);
	int64_t rc;
};

MAG_TASK(thing_create)
{
	MAG_BEGIN(thing_create);
	MAG_AWAIT(self->rc, mag_sleep, 3 * MAG_MICROSECOND);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->all->items++;
	*self->item = self->all;
	MAG_RETURN(0);
	MAG_END;
}

struct thing_check {
	mag_frame frame;
	MAG_ARGS(thing_check, struct all *all; void *item;);
	int64_t rc;
};

MAG_TASK(thing_check)
{
	MAG_BEGIN(thing_check);
	MAG_AWAIT(self->rc, mag_sleep, 1);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct thing_destroy {
	mag_frame frame;
	MAG_ARGS(thing_destroy, struct all *all; void *item;);
	int64_t rc;
};

MAG_TASK(thing_destroy)
{
	MAG_BEGIN(thing_destroy);
	MAG_AWAIT(self->rc, mag_sleep, 1);
	self->all->items--;
	MAG_RETURN(0);
	MAG_END;
}

struct member {
	mag_frame frame;
	MAG_ARGS(member, struct all *all; int i;);
	mag_pool_loan loan;
	int64_t rc;
};

#define SOON mag_deadline_in((uint64_t)(5 + self->i * 9) * MAG_MICROSECOND)

MAG_TASK(member)
{
	MAG_BEGIN(member);
	MAG_AWAIT(self->rc, mag_limiter_enter_until, &self->all->limiter, 1, SOON);
	if (self->rc == 0) {
		MAG_AWAIT(self->rc, mag_sleep, 2 * MAG_MICROSECOND);
		mag_sim_assert(mag_limiter_leave(&self->all->limiter) == 0);
	}
	MAG_AWAIT(self->rc, mag_limiter_acquire, &self->all->limiter, 1);
	MAG_AWAIT(self->rc, mag_bulkhead_enter_until, &self->all->bulkhead, SOON);
	if (self->rc == 0) {
		MAG_AWAIT(self->rc, mag_sleep, 2 * MAG_MICROSECOND);
		mag_sim_assert(mag_bulkhead_leave(&self->all->bulkhead) == 0);
	}
	MAG_AWAIT(self->rc, mag_pool_take_until, &self->all->pool, &self->loan, SOON);
	if (self->rc == 0) {
		MAG_AWAIT(self->rc, mag_sleep, 2 * MAG_MICROSECOND);
		self->loan.broken = self->i % 2;
		MAG_AWAIT(self->rc, mag_pool_give, &self->loan);
		mag_sim_assert(self->rc == 0); /* whatever there is memory for */
	}
	MAG_AWAIT(self->rc, mag_pool_tend, &self->all->pool);
	MAG_RETURN(0);
	MAG_END;
}

struct club {
	mag_frame frame;
	MAG_NO_ARGS(club);
	struct all all;
	mag_group group;
	int64_t rc;
	int i;
};

MAG_TASK(club)
{
	MAG_BEGIN(club);
	self->all = (struct all){ .limiter = MAG_LIMITER_INIT(100000, 1, 1), .bulkhead = MAG_BULKHEAD_INIT(1, 1) };
	self->rc = mag_pool_init(&self->all.pool, &(mag_pool_options){ .size = sizeof(mag_pool_options), .max = 2,
								       .min = 1, .ctx = &self->all,
								       .create = MAG_POOL_FN(thing_create),
								       .check = MAG_POOL_FN(thing_check),
								       .destroy = MAG_POOL_FN(thing_destroy) });
	if (self->rc < 0)
		MAG_RETURN(0);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < MEMBERS; self->i++)
		MAG_SPAWN(self->rc, &self->group, member, .all = &self->all, .i = self->i);
	MAG_GROUP_END(self->rc, &self->group);
	do {
		MAG_AWAIT(self->rc, mag_pool_close, &self->all.pool);
	} while (self->rc == -ENOMEM); /* there will be some again */
	mag_sim_assert(self->rc == 0 && self->all.items == 0 && mag_pool_fini(&self->all.pool) == 0);
	mag_sim_assert(mag_limiter_fini(&self->all.limiter) == 0 && mag_bulkhead_fini(&self->all.bulkhead) == 0);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

TURNS(faults_limits, nothing_is_held_in_the_end, club, 1.0)
