/* SPDX-License-Identifier: MIT */
/* test_timer.c - sleeping tasks. Deadlines of scopes: test_scope.c; the wheel itself: test_wheel.c. */
#include "gates.h"

struct doze {
	mag_frame frame;
	MAG_ARGS(doze, uint64_t ns; uint32_t *order; uint32_t want;);
	uint64_t began;
	int64_t rc;
};

MAG_TASK(doze)
{
	MAG_BEGIN(doze);
	self->began = mag_now();
	MAG_AWAIT(self->rc, mag_sleep, self->ns);
	CHECK(self->rc == 0);
	CHECK(mag_now() >= self->began + self->ns);
	if (self->order)
		CHECK(magi_add_ar(self->order, 1u) == self->want); /* [counted] */
	MAG_RETURN(0);
	MAG_END;
}

struct dozers {
	mag_frame frame;
	MAG_NO_ARGS(dozers);
	mag_group group;
	uint32_t order;
	int64_t rc;
	uint32_t i;
};

enum { DOZERS = 50 };

MAG_TASK(dozers)
{
	MAG_BEGIN(dozers);
	self->order = 0;
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < DOZERS; self->i++)
		MAG_SPAWN(self->rc, &self->group, doze, .ns = (1 + self->i * 7 % DOZERS) * MAG_MILLISECOND,
			  .order = &self->order, .want = self->i * 7 % DOZERS);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(self->order == DOZERS);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(timer, tasks_wake_in_the_order_of_their_deadlines_and_not_before, .timeout = 10)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, dozers), 0);
}

struct past {
	mag_frame frame;
	MAG_NO_ARGS(past);
	mag_group group;
	uint64_t began;
	uint32_t ran;
	int64_t rc;
};

MAG_TASK(past)
{
	MAG_BEGIN(past);
	self->ran = 0;
	self->began = mag_now();
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, idler, .ran = &self->ran);
	while (!counted(&self->ran)) {
		MAG_AWAIT(self->rc, mag_sleep_until, self->began - 1); /* lets others run, all the same */
		CHECK(self->rc == 0);
	}
	MAG_AWAIT(self->rc, mag_sleep, 0);
	CHECK(self->rc == 0 && mag_now() == self->began);
	mag_group_cancel(&self->group);
	MAG_AWAIT(self->rc, mag_sleep, 0);
	CHECK(self->rc == MAG_ECANCELED);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: returning at once for a deadline that has passed: the loop spins for ever on one worker. */
Test(timer, a_deadline_that_has_passed_is_a_yield, .timeout = 10)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, past), 0);
}

struct for_ever {
	mag_frame frame;
	MAG_ARGS(for_ever, uint64_t until;);
	mag_scope scope;
	uint64_t began;
	int64_t rc;
};

MAG_TASK(for_ever)
{
	MAG_BEGIN(for_ever);
	self->began = mag_now();
	MAG_WITH_TIMEOUT(&self->scope, 1000 * MAG_SECOND);
	MAG_AWAIT(self->rc, mag_sleep_until, self->until);
	CHECK(self->rc == MAG_ECANCELED && mag_now() >= self->began + 1000 * MAG_SECOND);
	MAG_AWAIT(self->rc, mag_sleep, MAG_NEVER);
	CHECK(self->rc == MAG_ECANCELED);
	MAG_SCOPE_END(self->rc, &self->scope);
	MAG_AWAIT(self->rc, mag_sleep, MAG_SECOND);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(timer, never_is_never_and_sums_saturate, .timeout = 10)
{
	EACH_WORKERS(n) {
		cr_assert_eq(RUN(n, for_ever, .until = MAG_NEVER), 0);
		cr_assert_eq(RUN(n, for_ever, .until = MAG_NEVER - 1), 0);
	}
	cr_assert_eq(mag_deadline_in(MAG_NEVER), MAG_NEVER);
	cr_assert_eq(mag_deadline_in(MAG_NEVER - 1), MAG_NEVER);
}

/* Sleeps that start on one worker and are cancelled from another just as they fire; nothing may be left armed. */
struct short_naps {
	mag_frame frame;
	MAG_ARGS(short_naps, int rounds; int i;);
	mag_scope scope;
	int64_t rc;
};

MAG_TASK(short_naps)
{
	MAG_BEGIN(short_naps);
	for (; self->rounds; self->rounds--) {
		MAG_WITH_TIMEOUT(&self->scope, (uint64_t)(100 + self->i) * MAG_MICROSECOND);
		MAG_AWAIT(self->rc, mag_sleep, 100 * MAG_MICROSECOND);
		CHECK(self->rc == 0 || self->rc == MAG_ECANCELED);
		if (self->rc < 0) {
			MAG_AWAIT(self->rc, mag_sleep, 0);
			CHECK(self->rc == MAG_ECANCELED);
		}
		MAG_SCOPE_END(self->rc, &self->scope);
		CHECK(self->rc == 0 || self->rc == MAG_ETIMEDOUT);
		MAG_YIELD(self->rc);
		CHECK(self->rc == 0);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct nappers {
	mag_frame frame;
	MAG_ARGS(nappers, int rounds;);
	mag_group group;
	int64_t rc;
	int i;
};

MAG_TASK(nappers)
{
	MAG_BEGIN(nappers);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 40; self->i++)
		MAG_SPAWN(self->rc, &self->group, short_naps, .rounds = self->rounds, .i = self->i % 2);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(timer, a_sleep_and_the_deadline_around_it_end_at_the_same_time, .timeout = 60)
{
	EACH_WORKERS(n) {
		mag_stats stats = { .size = sizeof(stats) };
		struct play p;
		int64_t rc;

		play_begin(&p, n);
		play_run(&p, rc, nappers, .rounds = 500 / PLAY_SLOWDOWN);
		cr_assert_eq(rc, 0);
		cr_assert_eq(mag_runtime_stats(p.rt, &stats), 0);
		cr_assert_eq(stats.timers, 0);
		play_end(&p);
	}
}

/* Many far timers and one that is near: timers are served together, but none is put off to the far ones. Tried: the next
 * service is counted from the deadline that was slept for last, an hour away. */
struct far_sleeper {
	mag_frame frame;
	MAG_NO_ARGS(far_sleeper);
	int64_t rc;
};

MAG_TASK(far_sleeper)
{
	MAG_BEGIN(far_sleeper);
	MAG_AWAIT(self->rc, mag_sleep, 3600 * MAG_SECOND);
	MAG_RETURN(0);
	MAG_END;
}

struct near_sleeper {
	mag_frame frame;
	MAG_ARGS(near_sleeper, uint64_t *latest;);
	mag_group group;
	uint64_t slept_at;
	int64_t rc;
	int i;
};

MAG_TASK(near_sleeper)
{
	MAG_BEGIN(near_sleeper);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 2000; self->i++)
		MAG_SPAWN(self->rc, &self->group, far_sleeper);
	for (self->i = 0; self->i < 20; self->i++) {
		self->slept_at = mag_now();
		MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
		if (mag_now() - self->slept_at > *self->latest)
			*self->latest = mag_now() - self->slept_at;
	}
	mag_group_cancel(&self->group);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(0);
	MAG_END;
}

Test(timer, near_one_among_many_far_ones_is_on_time, .timeout = 60)
{
	const mag_runtime_options options = { .size = sizeof(options), .workers = 2 };
	uint64_t latest = 0;

	cr_assert_eq(mag_run(&options, near_sleeper, .latest = &latest), 0);
	cr_assert_lt(latest, 5 * MAG_SECOND);
}
