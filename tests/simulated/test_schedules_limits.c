/* SPDX-License-Identifier: MIT */
/* test_schedules_limits.c - as test_schedules.c: rate limiter, pool. */
#include <criterion/criterion.h>
#include <errno.h>
#include <magpie/magpie.h>
#include <magpie/sim.h>

#include "simulated/seeds.h"

#define SOON mag_deadline_in((uint64_t)(5 + self->i * 9) * MAG_MICROSECOND) /* before, amid or after what the others do */

/* Tokens and places: no more than there can have been, at any time, and all places are back. (When a task sees that it has
 * its token is another matter: its worker may be held up.) */

enum { CLIENTS = 7, PLACES = 2, BURST = 2, INTERVAL_NS = 10000 };

struct site {
	mag_limiter limiter;
	uint64_t start, begun;
	int inside;
};

struct client {
	mag_frame frame;
	MAG_ARGS(client, struct site *site; int i;);
	mag_using use;
	int64_t rc;
};

MAG_TASK(client)
{
	MAG_BEGIN(client);
	MAG_USING_BEGIN(self->rc, &self->use, mag_limiter_permit, &self->site->limiter, .until = self->i % 3 ? SOON : 0);
	if (self->rc == 0) {
		mag_sim_assert(++self->site->begun <= BURST + (mag_now() - self->site->start) / INTERVAL_NS);
		mag_sim_assert(++self->site->inside <= PLACES);
		MAG_AWAIT(self->rc, mag_sleep, self->i * MAG_MICROSECOND);
		self->site->inside--;
	}
	MAG_USING_END(self->rc, &self->use, self->rc);
	mag_sim_assert(self->rc == 0 || (self->rc == MAG_ETIMEDOUT && self->i % 3));
	MAG_RETURN(0);
	MAG_END;
}

struct limited {
	mag_frame frame;
	MAG_NO_ARGS(limited);
	mag_group group;
	struct site site;
	int64_t rc;
	int i;
};

MAG_TASK(limited)
{
	MAG_BEGIN(limited);
	self->site = (struct site){ .limiter = MAG_LIMITER_INIT(MAG_SECOND / INTERVAL_NS, BURST, PLACES),
				    .start = mag_now() };
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < CLIENTS; self->i++)
		MAG_SPAWN(self->rc, &self->group, client, .site = &self->site, .i = self->i);
	MAG_GROUP_END(self->rc, &self->group);
	mag_sim_assert(self->rc == 0 && mag_limiter_fini(&self->site.limiter) == 0);
	mag_sim_assert(self->site.begun >= (CLIENTS + 2) / 3);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

/* A pool whose connections break, which cannot always be made, whose borrowers are too late at times, and which is closed
 * amid all that. */

enum { BORROWERS = 6, CONNECTIONS = 2 };

struct store {
	mag_pool pool;
	int alive, made, used[64];
};

struct thing_create {
	mag_frame frame;
	MAG_ARGS(thing_create, struct store *store; int **item;);
	int64_t rc;
};

MAG_TASK(thing_create)
{
	MAG_BEGIN(thing_create);
	mag_sim_assert(++self->store->alive <= CONNECTIONS);
	MAG_AWAIT(self->rc, mag_sleep, 3 * MAG_MICROSECOND);
	if (self->rc == 0 && self->store->made++ % 4 == 2)
		self->rc = -ECONNREFUSED;
	if (self->rc == 0)
		*self->item = &self->store->used[self->store->made];
	else
		self->store->alive--;
	MAG_RETURN(self->rc);
	MAG_END;
}

struct thing_check {
	mag_frame frame;
	MAG_ARGS(thing_check, struct store *store; int *item;);
	int64_t rc;
};

MAG_TASK(thing_check)
{
	MAG_BEGIN(thing_check);
	mag_sim_assert(++*self->item == 1);
	MAG_AWAIT(self->rc, mag_sleep, MAG_MICROSECOND);
	mag_sim_assert(--*self->item == 0);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct thing_destroy {
	mag_frame frame;
	MAG_ARGS(thing_destroy, struct store *store; int *item;);
	int64_t rc;
};

MAG_TASK(thing_destroy)
{
	MAG_BEGIN(thing_destroy);
	mag_sim_assert(++*self->item == 1);
	MAG_AWAIT(self->rc, mag_sleep, 2 * MAG_MICROSECOND);
	self->store->alive--;
	MAG_RETURN(0);
	MAG_END;
}

struct borrower {
	mag_frame frame;
	MAG_ARGS(borrower, struct store *store; int i;);
	mag_using use;
	mag_pool_loan loan;
	int64_t rc;
	int k;
};

MAG_TASK(borrower)
{
	MAG_BEGIN(borrower);
	for (self->k = 0; self->k < 2; self->k++) {
		MAG_USING_BEGIN(self->rc, &self->use, mag_pool_loan, &self->loan, .pool = &self->store->pool,
				.until = self->i % 3 ? SOON : 0);
		if (self->rc == 0) {
			mag_sim_assert(++*(int *)self->loan.item == 1);
			MAG_AWAIT(self->rc, mag_sleep, 4 * MAG_MICROSECOND);
			mag_sim_assert(--*(int *)self->loan.item == 0);
			self->loan.broken = self->i == self->k;
		}
		MAG_USING_END(self->rc, &self->use, self->rc);
		mag_sim_assert(self->rc == 0 || self->rc == MAG_ETIMEDOUT || self->rc == MAG_ECLOSED ||
			       self->rc == -ECONNREFUSED);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct pool {
	mag_frame frame;
	MAG_NO_ARGS(pool);
	mag_group group;
	struct store store;
	int64_t rc;
	int i;
};

MAG_TASK(pool)
{
	MAG_BEGIN(pool);
	self->store = (struct store){ .alive = 0 };
	mag_sim_assert(mag_pool_init(&self->store.pool,
				     &(mag_pool_options){ .size = sizeof(mag_pool_options), .max = CONNECTIONS, .min = 1,
							  .check_ns = 1, .ctx = &self->store,
							  .create = MAG_POOL_FN(thing_create),
							  .check = MAG_POOL_FN(thing_check),
							  .destroy = MAG_POOL_FN(thing_destroy) }) == 0);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, mag_pool_keep, .pool = &self->store.pool, .every_ns = 7 * MAG_MICROSECOND);
	for (self->i = 0; self->i < BORROWERS; self->i++)
		MAG_SPAWN(self->rc, &self->group, borrower, .store = &self->store, .i = self->i);
	MAG_AWAIT(self->rc, mag_sleep, 23 * MAG_MICROSECOND);
	MAG_AWAIT(self->rc, mag_pool_close, &self->store.pool);
	mag_sim_assert(self->rc == 0 && self->store.alive == 0);
	MAG_GROUP_END(self->rc, &self->group);
	mag_sim_assert(self->rc == 0 && mag_pool_fini(&self->store.pool) == 0);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

PROGRAM(limited)
PROGRAM(pool)

ALL(schedules_limits, limited, tokens_and_places_are_no_more_than_there_are)
ALL(schedules_limits, pool, nothing_is_left_of_it)
