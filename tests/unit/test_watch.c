/* SPDX-License-Identifier: MIT */
/* test_watch.c - somebody looks after a worker that was asleep, wakes, and is then in one step for long. */
#include "unit/play.h"

#include "sched/types.h"

enum { LONG_S = 1000000 };

struct nap {
	mag_frame frame;
	MAG_ARGS(nap, int *worker; uint32_t * asleep; uint32_t * woke;);
	int64_t rc;
};

MAG_TASK(nap)
{
	MAG_BEGIN(nap);
	*self->worker = mag_worker_index();
	raise_flag(self->asleep);
	MAG_AWAIT(self->rc, mag_sleep, LONG_S * MAG_SECOND);
	raise_flag(self->woke);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct hog {
	mag_frame frame;
	MAG_ARGS(hog, mag_future *begin; uint32_t * waits; uint32_t * busy; uint32_t * until;);
	int64_t rc;
};

MAG_TASK(hog)
{
	MAG_BEGIN(hog);
	raise_flag(self->waits);
	MAG_AWAIT(self->rc, mag_future_await, self->begin);
	raise_flag(self->busy);
	if (!busy_until(self->until, MAG_SECOND))
		MAG_RETURN(-ETIME);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct flags {
	uint32_t asleep, woke, waits, busy; /* atomic */
	mag_future begin;
};

/* A task that sleeps, and on the worker that has its timer one that will be busy. */
struct nap_and_hog {
	mag_frame frame;
	MAG_ARGS(nap_and_hog, struct flags *flags;);
	mag_group group;
	int64_t rc, end;
	int worker;
};

MAG_TASK(nap_and_hog)
{
	MAG_BEGIN(nap_and_hog);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, nap, .worker = &self->worker, .asleep = &self->flags->asleep,
		  .woke = &self->flags->woke);
	while (!is_raised(&self->flags->asleep))
		MAG_YIELD(self->rc);
	MAG_SPAWN_ON(self->rc, (uint32_t)self->worker, &self->group, hog, .begin = &self->flags->begin,
		     .waits = &self->flags->waits, .busy = &self->flags->busy, .until = &self->flags->woke);
	MAG_GROUP_END(self->end, &self->group);
	MAG_RETURN(self->end);
	MAG_END;
}

static bool all_sleep(mag_runtime *rt)
{
	return magi_load_acq(&rt->idle.sleepers) == 3 && !magi_load_acq(&rt->idle.watchers); /* [sleep] [watch] */
}

/* Tried: watchers not asked for in magi_search_found; the timer then waits for the whole second. */
Test(watch, timer_of_a_worker_that_wakes_into_a_long_step_is_served_by_another, .timeout = 30)
{
	struct flags flags = { 0 };
	mag_future done;
	struct play p;

	play_begin(&p, 2);
	magi_world_auto_advance(p.world, false);
	mag_future_init(&flags.begin);
	mag_future_init(&done);
	cr_assert_eq(mag_spawn_from(p.rt, &done, nap_and_hog, .flags = &flags), 0);
	while (!is_raised(&flags.waits))
		sched_yield();
	while (!all_sleep(p.rt)) { /* for good: nobody watches any more */
		magi_world_advance(p.world, 20 * MAG_MILLISECOND);
		sched_yield();
	}
	cr_assert_not(is_raised(&flags.woke));
	mag_future_complete(&flags.begin, 0);
	while (!is_raised(&flags.busy))
		sched_yield();
	magi_world_advance(p.world, LONG_S * MAG_SECOND);
	while (!mag_future_poll(&done, NULL)) {
		magi_world_advance(p.world, 20 * MAG_MILLISECOND);
		sched_yield();
	}
	cr_assert_eq(play_wait(&done), 0, "the timer waited for the end of the step");
	magi_world_auto_advance(p.world, true);
	play_end(&p);
}
