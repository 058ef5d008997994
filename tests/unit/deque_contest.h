/* SPDX-License-Identifier: MIT */
/* deque_contest.h - one owner against three thieves; the same contest is held with a large and with a tiny deque. */
#ifndef MAGPIE_TESTS_DEQUE_CONTEST_H
#define MAGPIE_TESTS_DEQUE_CONTEST_H

#include <criterion/criterion.h>

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "base/barrier.h"
#include "sched/deque.h"
#include "unit/cold.h"

enum { CONTEST_THIEVES = 3 };

struct contest {
	struct magi_deque deque;
	mag_frame *frames;
	uint32_t *taken; /* atomic, one an item: how often it left */
	uint32_t items;
	uint32_t over; /* atomic */
	bool revokes;  /* there is a membarrier */
};

static inline void contest_count(struct contest *c, mag_frame *f)
{
	/* what the owner wrote before the push is there */
	cr_assert_eq(f->id, (uint32_t)(f - c->frames) + 1);
	magi_add_ar(&c->taken[f - c->frames], 1u); /* [taken] */
}

/* What is private: most times the owner is asked, now and then some is taken without it. */
static inline void contest_beg(struct contest *c, uint32_t idle)
{
	if (idle % 64 == 0 && c->revokes)
		magi_deque_revoke(&c->deque);
	else
		magi_deque_ask(&c->deque);
}

static inline void *contest_thief(void *arg)
{
	struct contest *c = arg;
	uint32_t idle = 0;

	while (!magi_load_acq(&c->over)) { /* [over] */
		bool lost;
		mag_frame *f = magi_deque_steal(&c->deque, &lost);

		if (f)
			contest_count(c, f);
		else if (!lost && magi_deque_count(&c->deque))
			contest_beg(c, idle);
		if (!f && !lost && ++idle % 1024 == 0)
			sched_yield(); /* else it would rarely be there when the owner pops the last */
	}
	return NULL;
}

static inline void contest_pop(struct contest *c)
{
	mag_frame *f = magi_deque_pop(&c->deque);

	if (f)
		contest_count(c, f);
}

/* burst: how many the owner pushes before it pops as many. */
static inline void contest_hold(struct contest *c, uint32_t items, uint32_t burst, int64_t start)
{
	pthread_t thief[CONTEST_THIEVES];
	uint32_t next = 0;
	struct cold cold;

	cold_init(&cold, burst);
	c->items = items;
	c->revokes = magi_barrier_works();
	c->deque.bottom = c->deque.top = c->deque.top_seen = c->deque.split = c->deque.limit = start;
	c->frames = calloc(items, sizeof(*c->frames));
	c->taken = calloc(items, sizeof(*c->taken));
	cr_assert(c->frames && c->taken);
	for (int i = 0; i < CONTEST_THIEVES; i++)
		cr_assert_eq(pthread_create(&thief[i], NULL, contest_thief, c), 0);
	while (next < items) {
		for (uint32_t i = 0; i < burst && next < items; i++) {
			c->frames[next].id = next + 1;
			if (!magi_deque_push(&c->deque, &c->frames[next]))
				break; /* full: pop some */
			next++;
			if (magi_load_rlx(&c->deque.asked)) /* [hint] */
				magi_deque_share(&c->deque);
		}
		for (uint32_t i = 0; i < burst; i++) {
			cold_stores(&cold);
			contest_pop(c);
		}
	}
	while (magi_deque_count(&c->deque))
		contest_pop(c);
	magi_store_rel(&c->over, 1u); /* [over] */
	for (int i = 0; i < CONTEST_THIEVES; i++)
		pthread_join(thief[i], NULL);
	for (uint32_t i = 0; i < items; i++)
		cr_assert_eq(magi_load_acq(&c->taken[i]), 1, "item %u left %u times", i, c->taken[i]); /* [taken] */
	free(c->frames);
	free(c->taken);
	cold_fini(&cold);
}

#endif
