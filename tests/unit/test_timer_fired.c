/* SPDX-License-Identifier: MIT */
/* test_timer_fired.c - src/task/timer.c: a timer that fires when its task is not parked: between being armed and the
 * park, and between being claimed by a canceller and disarmed. Another worker does that when it serves the wheel of a
 * busy one; here the task's own does it, at that very moment. */
#include "gates.h"

#include "sched/ready.h"
#include "task/cancel.h"
#include "task/timer.h"
#include "task/wait.h"

static __thread uint64_t fire_until; /* this thread's next sleeper is overtaken by its timer; 0: it is not */
static __thread mag_scope *cancel_first;
static uint32_t overtaken; /* atomic */

static void fire_now(mag_worker *w, struct magi_worker *of, uint64_t until)
{
	CHECK(magi_timers_expire(magi_worker_of(w), of, until) == 1);
}

static bool park_after_fire(mag_frame *leader, uint32_t how, uint64_t what)
{
	uint64_t until = fire_until;

	fire_until = 0;
	if (until) {
		fire_now(magi_self(), magi_worker_of(magi_self()), until);
		if (cancel_first)
			mag_scope_cancel(cancel_first);
		count(&overtaken);
	}
	return magi_park(leader, how, what);
}

#define magi_park park_after_fire
#include "task/timer.c"
#undef magi_park

/* Not inlined: a step may go on in another thread after each await, and its compiler does not know that. */
static void __attribute__((noinline)) overtake(uint64_t until, mag_scope *cancel)
{
	fire_until = until;
	cancel_first = cancel;
}

/* Afterwards nothing is left of the timer: the next awaits wait as they should. */
struct sleeper {
	mag_frame frame;
	MAG_ARGS(sleeper, bool cancelled;);
	mag_scope scope;
	mag_group group;
	mag_future gate;
	uint64_t began;
	int64_t rc, end;
};

MAG_TASK(sleeper)
{
	MAG_BEGIN(sleeper);
	mag_future_init(&self->gate);
	MAG_SCOPE_BEGIN(&self->scope);
	overtake(mag_now() + REST, self->cancelled ? &self->scope : NULL);
	MAG_AWAIT(self->rc, mag_sleep, REST);
	CHECK(self->rc == 0); /* it is over: completion beats cancellation */
	CHECK(counted(&overtaken) == 1);
	MAG_SCOPE_END(self->end, &self->scope);
	CHECK(self->end == (self->cancelled ? MAG_ECANCELED : 0));
	self->began = mag_now();
	MAG_AWAIT(self->rc, mag_sleep, 2 * REST);
	CHECK(self->rc == 0 && mag_now() >= self->began + 2 * REST);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, opener, .gate = &self->gate, .after = REST, .result = 4);
	CHECK(self->rc == 0);
	MAG_AWAIT(self->rc, mag_future_await, &self->gate);
	CHECK(self->rc == 4);
	MAG_GROUP_END(self->rc, &self->group);
	mag_future_fini(&self->gate);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: sleep_over without FIRED, magi_park that does not look at it (both sleep for ever), FIRED left behind by
 * mag_sleep_until (the next await ends at once), MAG_ECANCELED as its result. */
Test(timer_fired, sleep_whose_timer_fires_before_the_park_is_over, .timeout = 10)
{
	EACH_WORKERS(n) {
		magi_store_rel(&overtaken, 0u); /* [counted] */
		cr_assert_eq(RUN(n, sleeper), 0);
	}
}

/* Tried: MAG_ECANCELED when CANCEL is set. */
Test(timer_fired, sleep_that_is_over_before_it_is_cancelled_is_not_cancelled, .timeout = 10)
{
	EACH_WORKERS(n) {
		magi_store_rel(&overtaken, 0u); /* [counted] */
		cr_assert_eq(RUN(n, sleeper, .cancelled = true), 0);
	}
}

/* Sleeps in a scope, then needs awaits that are not cut short. */
struct dreamer {
	mag_frame frame;
	MAG_ARGS(dreamer, mag_scope *scope; uint32_t *asleep; mag_future *open;);
	uint64_t began;
	int64_t rc;
};

MAG_TASK(dreamer)
{
	MAG_BEGIN(dreamer);
	MAG_SCOPE_BEGIN(self->scope);
	count(self->asleep);
	MAG_AWAIT(self->rc, mag_sleep, 100 * REST);
	CHECK(self->rc == MAG_ECANCELED);
	MAG_SCOPE_END(self->rc, self->scope);
	CHECK(self->rc == MAG_ECANCELED);
	MAG_AWAIT(self->rc, mag_future_await, self->open);
	CHECK(self->rc == 4);
	MAG_RETURN(0);
	MAG_END;
}

struct claims {
	mag_frame frame;
	MAG_NO_ARGS(claims);
	struct magi_cancel cancel;
	mag_group group;
	mag_scope scope;
	mag_future open;
	uint32_t asleep;
	int64_t rc;
};

MAG_TASK(claims)
{
	MAG_BEGIN(claims);
	self->asleep = 0;
	mag_future_init(&self->open);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN_ON(self->rc, 0u, &self->group, dreamer, .scope = &self->scope, .asleep = &self->asleep,
		     .open = &self->open);
	CHECK(self->rc == 0);
	MAG_AWAIT(self->rc, mag_sleep, REST); /* until it has parked */
	CHECK(counted(&self->asleep) == 1);
	self->cancel = (struct magi_cancel){ .rt = magi_runtime_of(w) };
	magi_cancel_mark(&self->cancel, &self->scope, MAG_ECANCELED);
	CHECK(self->cancel.claimed);
	fire_now(w, magi_runtime_of(w)->workers[0], mag_now() + 100 * REST);
	magi_cancel_finish(&self->cancel, w);
	MAG_AWAIT(self->rc, mag_sleep, REST);
	CHECK(self->rc == 0);
	mag_future_complete(&self->open, 4);
	MAG_GROUP_END(self->rc, &self->group);
	mag_future_fini(&self->open);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: magi_sleep_cancel that leaves FIRED; the await after the scope is cut short. */
Test(timer_fired, timer_that_fires_after_its_sleeper_was_claimed_leaves_nothing_behind, .timeout = 10)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, claims), 0);
}
