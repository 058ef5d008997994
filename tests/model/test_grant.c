/* SPDX-License-Identifier: MIT */
/* test_grant.c - the grant to search, src/sched/idle.c in every order: it is taken by whoever was woken, or taken back,
 * so the count of searchers comes down again; it is given to the same worker anew only when it is over; and no wake that
 * was skipped for its sake is lost. */
#include <criterion/criterion.h>

#include <string.h>

#define MAGI_DEQUE_CAPACITY 2

#include "base/clock.h"
#define magi_ticks() UINT64_C(1)
#include "sched/deque.c"
#include "sched/idle.c"
#include "sched/ready.c"

#include "model/explore.h"

enum { WORKERS = 3, SLEEPER = 1 };

static struct magi_worker worker[WORKERS];
static struct magi_worker *workers[WORKERS];
static mag_runtime runtime;

bool magi_barrier_works(void)
{
	return false;
}

static void wake(struct magi_io *io, struct magi_io *from)
{
	(void)io;
	(void)from;
	explore_ring(SLEEPER);
}

static const struct magi_io_ops ops = { .wake = wake };

static void one_asleep(void)
{
	memset(worker, 0, sizeof(worker));
	memset(&runtime, 0, sizeof(runtime));
	runtime.n = WORKERS;
	runtime.workers = workers;
	runtime.idle.fenced = true;
	runtime.idle.sleepers = UINT64_C(1) << SLEEPER;
	for (uint32_t i = 0; i < WORKERS; i++) {
		workers[i] = &worker[i];
		worker[i].rt = &runtime;
		worker[i].ops = &ops;
		worker[i].pub.index = i;
	}
	explore_shared(&runtime.idle, sizeof(runtime.idle));
	explore_shared(&worker[SLEEPER].search_granted, sizeof(worker[SLEEPER].search_granted));
	explore_shared(&worker[SLEEPER].searching, sizeof(worker[SLEEPER].searching));
	explore_ordered(&worker[SLEEPER].search_granted);
}

static void wakes(uint32_t i)
{
	wake_for_work(&worker[i].pub);
}

static void first_wakes(void)
{
	wakes(0);
}

static void second_wakes(void)
{
	wakes(2);
}

/* By the bell, or because its time is over. */
static void wakes_up(void)
{
	magi_sleep_end(&worker[SLEEPER]);
	magi_search_end(&worker[SLEEPER]);
	explore_point();
}

static void wakes_up_twice(void)
{
	wakes_up();
	magi_sleep_begin(&worker[SLEEPER]);
	wakes_up();
}

static void nobody_searches(void)
{
	explore_assert(!worker[SLEEPER].search_granted);
	explore_assert(!runtime.idle.searching);
}

static const struct explore_model granted = {
	.name = "granted",
	.start = one_asleep,
	.thread = { first_wakes, wakes_up_twice, second_wakes },
	.end = nobody_searches,
	.preemptions = EXPLORE_ALL,
	.quick = 3,
	.only_views = true,
};

/* Two add work and go on with a long step: nobody but the sleeper is there to take it. */

static uint32_t work[WORKERS];
static int seen;

static void nothing_to_do(void)
{
	one_asleep();
	memset(work, 0, sizeof(work));
	seen = 0;
	explore_shared(work, sizeof(work));
	explore_ghost(&seen, sizeof(seen));
	for (uint32_t i = 0; i < WORKERS; i++)
		explore_constant(&worker[i].pub.deque, sizeof(worker[i].pub.deque));
}

static void adds(uint32_t i)
{
	magi_store_rlx(&work[i], 1u);
	wakes(i);
}

static void first_adds(void)
{
	adds(0);
}

static void second_adds(void)
{
	adds(2);
}

/* As in run/worker.c: what is found is taken, then it looks again. */
static void looks(struct magi_worker *w)
{
	seen = (magi_load_rlx(&work[0]) ? 1 : 0) | (magi_load_rlx(&work[2]) ? 4 : 0);
	magi_search_end(w);
}

/* The first time because its time is over, or by the bell; then by the bell alone. */
static void wakes_up_and_looks(void)
{
	struct magi_worker *w = &worker[SLEEPER];

	for (;;) {
		magi_sleep_end(w);
		explore_point();
		looks(w);
		magi_sleep_begin(w);
		explore_point();
		looks(w);
		explore_sleep();
	}
}

static bool all_is_seen(void)
{
	return seen == 5;
}

static const struct explore_model skipped = {
	.name = "skipped",
	.start = nothing_to_do,
	.thread = { first_adds, wakes_up_and_looks, second_adds },
	.end = nobody_searches,
	.quiet = all_is_seen,
	.preemptions = EXPLORE_ALL,
	.quick = 3,
	.only_views = true,
};

Test(grant, a_wake_that_was_skipped_is_made_up_for, .timeout = 300)
{
	cr_assert(explore_holds(&skipped));
}

Test(grant, one_is_over_before_the_next, .timeout = 300)
{
	cr_assert(explore_holds(&granted));
}
