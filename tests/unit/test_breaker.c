/* SPDX-License-Identifier: MIT */
/* test_breaker.c - src/resilience/breaker.c: when it opens, whom it lets through, when it closes. */
#include "gates.h"

#include <errno.h>
#include <signal.h>

#define MS MAG_MILLISECOND

enum { CHANGES_MAX = 32 };

/* A breaker that notes what it was told, and by whom it was asked. */
struct watched {
	mag_breaker breaker;
	enum mag_breaker_state to[CHANGES_MAX];
	uint32_t changes;
	uint32_t asked;
};

static void changed(mag_breaker *b, enum mag_breaker_state to, uint64_t n, void *arg)
{
	struct watched *x = arg;

	CHECK(b == &x->breaker && n == x->changes + 1 && n < CHANGES_MAX);
	CHECK(mag_breaker_state(b) == to); /* no lock is held */
	x->to[x->changes++] = to;
}

static enum mag_breaker_outcome outcome(int64_t result, void *arg)
{
	struct watched *x = arg;

	x->asked++;
	return result == -ENOENT ? MAG_BREAKER_SUCCESS : result == -EACCES ? MAG_BREAKER_IGNORED : MAG_BREAKER_FAILURE;
}

static void watch(struct watched *x, mag_breaker_options options)
{
	options.size = sizeof(options);
	options.changed = changed;
	options.arg = x;
	*x = (struct watched){ 0 };
	CHECK(mag_breaker_init(&x->breaker, &options) == 0);
}

#define WATCH(x, ...) watch((x), (mag_breaker_options){ __VA_ARGS__ })

/* n calls with this result, all let through. */
static void calls(mag_breaker *b, int n, int64_t result)
{
	mag_breaker_permit permit;

	while (n-- > 0) {
		CHECK(mag_breaker_allow(b, &permit) == 0);
		CHECK(mag_breaker_end(&permit, result) == 0);
	}
}

static bool refuses(mag_breaker *b, uint64_t wait_ns)
{
	mag_breaker_permit permit;

	CHECK(mag_breaker_allow(b, &permit) == MAG_EREFUSED);
	return permit.wait_ns == wait_ns && !permit.breaker;
}

static bool is(const struct watched *x, enum mag_breaker_state state, uint32_t changes)
{
	return mag_breaker_state(&x->breaker) == state && x->changes == changes;
}

/* A test in virtual time. */
#define STEPS(name)                               \
	struct name {                             \
		mag_frame frame;                  \
		MAG_NO_ARGS(name);                \
		struct watched x;                 \
		mag_breaker_permit permits[4];    \
		struct mag_breaker_counts counts; \
		int64_t rc;                       \
		int i;                            \
	};                                        \
	MAG_TASK(name)

#define SLEEP(ns)                                               \
	do {                                                    \
		MAG_AWAIT(self->rc, mag_sleep, (uint64_t)(ns)); \
		CHECK(self->rc == 0);                           \
	} while (0)

STEPS(in_a_row)
{
	MAG_BEGIN(in_a_row);
	WATCH(&self->x, .failures = 3, .open_ns = 100 * MS);
	calls(&self->x.breaker, 2, -EIO);
	calls(&self->x.breaker, 1, 0);
	calls(&self->x.breaker, 2, -EIO);
	CHECK(is(&self->x, MAG_BREAKER_CLOSED, 0));
	calls(&self->x.breaker, 1, -EIO);
	CHECK(is(&self->x, MAG_BREAKER_OPEN, 1));
	CHECK(refuses(&self->x.breaker, 100 * MS));
	SLEEP(60 * MS);
	CHECK(refuses(&self->x.breaker, 40 * MS));
	SLEEP(40 * MS - 1);
	CHECK(refuses(&self->x.breaker, 1));
	SLEEP(1);
	CHECK(mag_breaker_allow(&self->x.breaker, &self->permits[0]) == 0);
	CHECK(is(&self->x, MAG_BREAKER_HALF_OPEN, 2));
	CHECK(refuses(&self->x.breaker, 0));
	CHECK(mag_breaker_end(&self->permits[0], -EIO) == 0);
	CHECK(is(&self->x, MAG_BREAKER_OPEN, 3));
	CHECK(refuses(&self->x.breaker, 100 * MS)); /* it does not grow unless that is asked for */
	SLEEP(100 * MS);
	calls(&self->x.breaker, 1, 5);
	CHECK(is(&self->x, MAG_BREAKER_CLOSED, 5));
	calls(&self->x.breaker, 2, -EIO); /* those before are forgotten */
	CHECK(is(&self->x, MAG_BREAKER_CLOSED, 5));
	mag_breaker_counts(&self->x.breaker, &self->counts);
	CHECK(self->counts.successes == 2 && self->counts.failures == 8 && self->counts.ignored == 0);
	CHECK(self->counts.refused == 5 && self->counts.opened == 2 && self->counts.late == 0);
	CHECK(self->counts.window_calls == 2 && self->counts.window_failures == 2);
	MAG_RETURN(0);
	MAG_END;
}

Test(breaker, opens_after_failures_in_a_row_and_closes_by_a_trial, .timeout = 20)
{
	cr_assert_eq(RUN(1, in_a_row), 0);
}

STEPS(growing)
{
	MAG_BEGIN(growing);
	WATCH(&self->x, .failures = 1, .open_ns = 100 * MS, .open_most_ns = 350 * MS);
	calls(&self->x.breaker, 1, -EIO);
	for (self->i = 0; self->i < 4; self->i++) {
		static const uint64_t open[] = { 100, 200, 350, 350 };

		CHECK(refuses(&self->x.breaker, open[self->i] * MS));
		SLEEP(open[self->i] * MS);
		calls(&self->x.breaker, 1, -EIO);
	}
	SLEEP(350 * MS);
	calls(&self->x.breaker, 1, 0);
	CHECK(mag_breaker_state(&self->x.breaker) == MAG_BREAKER_CLOSED);
	calls(&self->x.breaker, 1, -EIO);
	CHECK(refuses(&self->x.breaker, 100 * MS));
	MAG_RETURN(0);
	MAG_END;
}

Test(breaker, is_open_for_longer_while_trials_fail, .timeout = 20)
{
	cr_assert_eq(RUN(1, growing), 0);
}

STEPS(tripped_twice)
{
	MAG_BEGIN(tripped_twice);
	WATCH(&self->x, .failures = 1, .open_ns = 100 * MS, .open_most_ns = 350 * MS);
	mag_breaker_trip(&self->x.breaker);
	mag_breaker_trip(&self->x.breaker);
	CHECK(refuses(&self->x.breaker, 100 * MS));
	SLEEP(100 * MS);
	calls(&self->x.breaker, 1, -EIO);
	CHECK(refuses(&self->x.breaker, 200 * MS));
	MAG_RETURN(0);
	MAG_END;
}

Test(breaker, only_failed_trials_make_it_open_for_longer, .timeout = 20)
{
	cr_assert_eq(RUN(1, tripped_twice), 0);
}

STEPS(share)
{
	MAG_BEGIN(share);
	WATCH(&self->x, .percent = 50, .least = 10, .window_ns = 1000 * MS);
	SLEEP(12345 * MS);                /* somewhere in a window */
	calls(&self->x.breaker, 9, -EIO); /* too few */
	CHECK(is(&self->x, MAG_BREAKER_CLOSED, 0));
	SLEEP(500 * MS);
	calls(&self->x.breaker, 10, 0); /* now enough, but a success opens nothing */
	mag_breaker_counts(&self->x.breaker, &self->counts);
	CHECK(self->counts.window_calls == 19 && self->counts.window_failures == 9);
	SLEEP(600 * MS); /* the failures have left */
	calls(&self->x.breaker, 9, -EIO);
	mag_breaker_counts(&self->x.breaker, &self->counts);
	CHECK(self->counts.window_calls == 19 && self->counts.window_failures == 9);
	CHECK(is(&self->x, MAG_BREAKER_CLOSED, 0));
	calls(&self->x.breaker, 1, -EIO); /* half of them */
	CHECK(is(&self->x, MAG_BREAKER_OPEN, 1));
	SLEEP(MAG_BREAKER_OPEN_NS);
	calls(&self->x.breaker, 1, 0);
	mag_breaker_counts(&self->x.breaker, &self->counts);
	CHECK(self->counts.window_calls == 0 && self->counts.window_failures == 0); /* from its closing on */
	SLEEP(3600 * MAG_SECOND);
	calls(&self->x.breaker, 9, -EIO);
	SLEEP(3600 * MAG_SECOND); /* many windows */
	calls(&self->x.breaker, 1, -EIO);
	CHECK(is(&self->x, MAG_BREAKER_CLOSED, 3));
	MAG_RETURN(0);
	MAG_END;
}

Test(breaker, opens_by_the_share_of_failures_in_the_window, .timeout = 20)
{
	cr_assert_eq(RUN(1, share), 0);
}

STEPS(three)
{
	MAG_BEGIN(three);
	WATCH(&self->x, .failures = 1, .trials = 3);
	mag_breaker_trip(&self->x.breaker);
	SLEEP(MAG_BREAKER_OPEN_NS);
	for (self->i = 0; self->i < 3; self->i++)
		CHECK(mag_breaker_allow(&self->x.breaker, &self->permits[self->i]) == 0);
	CHECK(refuses(&self->x.breaker, 0));
	CHECK(mag_breaker_end(&self->permits[0], 0) == 0);
	CHECK(refuses(&self->x.breaker, 0)); /* it has shown what it had to */
	CHECK(mag_breaker_end(&self->permits[1], MAG_ECANCELED) == 0);
	CHECK(mag_breaker_allow(&self->x.breaker, &self->permits[1]) == 0); /* its place is another's */
	CHECK(refuses(&self->x.breaker, 0));
	CHECK(mag_breaker_end(&self->permits[1], 0) == 0);
	CHECK(is(&self->x, MAG_BREAKER_HALF_OPEN, 2));
	CHECK(mag_breaker_end(&self->permits[2], 0) == 0);
	CHECK(is(&self->x, MAG_BREAKER_CLOSED, 3));
	mag_breaker_counts(&self->x.breaker, &self->counts);
	CHECK(self->counts.successes == 3 && self->counts.ignored == 1 && self->counts.refused == 3);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: a place that goes with a cancelled trial. */
Test(breaker, place_of_a_cancelled_trial_is_anothers, .timeout = 20)
{
	cr_assert_eq(RUN(1, three), 0);
}

STEPS(late)
{
	MAG_BEGIN(late);
	WATCH(&self->x, .failures = 2);
	for (self->i = 0; self->i < 4; self->i++)
		CHECK(mag_breaker_allow(&self->x.breaker, &self->permits[self->i]) == 0);
	calls(&self->x.breaker, 2, -EIO);
	CHECK(is(&self->x, MAG_BREAKER_OPEN, 1));
	CHECK(mag_breaker_end(&self->permits[0], 0) == 0); /* of before: it closes nothing */
	CHECK(is(&self->x, MAG_BREAKER_OPEN, 1));
	SLEEP(MAG_BREAKER_OPEN_NS);
	CHECK(mag_breaker_allow(&self->x.breaker, &self->permits[0]) == 0);
	CHECK(mag_breaker_end(&self->permits[1], 0) == 0);
	CHECK(mag_breaker_end(&self->permits[2], -EIO) == 0);
	CHECK(is(&self->x, MAG_BREAKER_HALF_OPEN, 2));
	CHECK(refuses(&self->x.breaker, 0));
	CHECK(mag_breaker_end(&self->permits[0], 0) == 0);
	CHECK(is(&self->x, MAG_BREAKER_CLOSED, 3));
	CHECK(mag_breaker_end(&self->permits[3], -EIO) == 0);
	calls(&self->x.breaker, 1, -EIO);
	CHECK(is(&self->x, MAG_BREAKER_CLOSED, 3)); /* one in a row */
	mag_breaker_counts(&self->x.breaker, &self->counts);
	CHECK(self->counts.late == 4 && self->counts.failures == 5 && self->counts.successes == 3);
	MAG_RETURN(0);
	MAG_END;
}

Test(breaker, results_of_before_its_change_are_not_heeded, .timeout = 20)
{
	cr_assert_eq(RUN(1, late), 0);
}

STEPS(undecided)
{
	MAG_BEGIN(undecided);
	WATCH(&self->x, .failures = 1, .trial_ns = 1000 * MS, .open_ns = 300 * MS);
	mag_breaker_trip(&self->x.breaker);
	SLEEP(300 * MS);
	CHECK(mag_breaker_allow(&self->x.breaker, &self->permits[0]) == 0); /* and hangs */
	SLEEP(1000 * MS - 1);
	CHECK(refuses(&self->x.breaker, 0));
	SLEEP(1);
	CHECK(refuses(&self->x.breaker, 300 * MS));
	CHECK(is(&self->x, MAG_BREAKER_OPEN, 3));
	CHECK(mag_breaker_end(&self->permits[0], 0) == 0);
	CHECK(is(&self->x, MAG_BREAKER_OPEN, 3));
	SLEEP(300 * MS);
	calls(&self->x.breaker, 1, 0);
	CHECK(is(&self->x, MAG_BREAKER_CLOSED, 5));
	MAG_RETURN(0);
	MAG_END;
}

Test(breaker, trial_without_an_end_does_not_hold_it_for_ever, .timeout = 20)
{
	cr_assert_eq(RUN(1, undecided), 0);
}

STEPS(outcomes)
{
	MAG_BEGIN(outcomes);
	WATCH(&self->x, .failures = 3, .outcome = outcome);
	calls(&self->x.breaker, 2, -EIO);
	calls(&self->x.breaker, 1, MAG_ECANCELED);
	CHECK(self->x.asked == 2); /* of a cancellation nobody is asked */
	calls(&self->x.breaker, 1, -EACCES);
	mag_breaker_counts(&self->x.breaker, &self->counts);
	CHECK(self->counts.ignored == 2 && self->counts.window_calls == 2);
	calls(&self->x.breaker, 1, -ENOENT); /* an answer is an answer */
	calls(&self->x.breaker, 2, -EIO);
	CHECK(is(&self->x, MAG_BREAKER_CLOSED, 0));
	CHECK(mag_breaker_allow(&self->x.breaker, &self->permits[0]) == 0);
	CHECK(mag_breaker_end_as(&self->permits[0], MAG_BREAKER_FAILURE) == 0);
	CHECK(is(&self->x, MAG_BREAKER_OPEN, 1));
	mag_breaker_reset(&self->x.breaker);
	CHECK(is(&self->x, MAG_BREAKER_CLOSED, 2));
	calls(&self->x.breaker, 2, -EIO);
	mag_breaker_trip(&self->x.breaker);
	mag_breaker_trip(&self->x.breaker);
	CHECK(is(&self->x, MAG_BREAKER_OPEN, 3)); /* the second was no change, and nobody is told of one */
	mag_breaker_counts(&self->x.breaker, &self->counts);
	CHECK(self->counts.opened == 2);
	mag_breaker_reset(&self->x.breaker);
	calls(&self->x.breaker, 2, -EIO);
	mag_breaker_reset(&self->x.breaker);
	CHECK(is(&self->x, MAG_BREAKER_CLOSED, 4));
	mag_breaker_counts(&self->x.breaker, &self->counts);
	CHECK(self->counts.window_failures == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(breaker, what_counts_is_the_callers_to_say, .timeout = 20)
{
	cr_assert_eq(RUN(1, outcomes), 0);
}

STEPS(defaults)
{
	MAG_BEGIN(defaults);
	CHECK(mag_breaker_init(&self->x.breaker, NULL) == 0);
	calls(&self->x.breaker, MAG_BREAKER_FAILURES - 1, MAG_ETIMEDOUT);
	CHECK(mag_breaker_state(&self->x.breaker) == MAG_BREAKER_CLOSED);
	calls(&self->x.breaker, 1, MAG_ETIMEDOUT);
	CHECK(refuses(&self->x.breaker, MAG_BREAKER_OPEN_NS));
	MAG_RETURN(0);
	MAG_END;
}

Test(breaker, defaults_are_finite, .timeout = 20)
{
	cr_assert_eq(RUN(1, defaults), 0);
}

STEPS(for_ever)
{
	MAG_BEGIN(for_ever);
	WATCH(&self->x, .failures = 1, .open_ns = MAG_NEVER, .trial_ns = MAG_NEVER);
	SLEEP(MS);
	calls(&self->x.breaker, 1, -EIO);
	CHECK(refuses(&self->x.breaker, MAG_NEVER - mag_now()));
	SLEEP(1000000 * MAG_SECOND);
	CHECK(refuses(&self->x.breaker, MAG_NEVER - mag_now()));
	WATCH(&self->x, .failures = 1, .trial_ns = MAG_NEVER);
	mag_breaker_trip(&self->x.breaker);
	SLEEP(MAG_BREAKER_OPEN_NS);
	CHECK(mag_breaker_allow(&self->x.breaker, &self->permits[0]) == 0);
	SLEEP(1000000 * MAG_SECOND);
	CHECK(refuses(&self->x.breaker, 0));
	CHECK(mag_breaker_end(&self->permits[0], 0) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(breaker, is_open_until_it_is_reset_when_that_is_said, .timeout = 20)
{
	cr_assert_eq(RUN(1, for_ever), 0);
}

Test(breaker, options_that_make_no_sense_are_refused, .timeout = 20)
{
	mag_breaker b;
	mag_breaker_options o = { .size = 4 };

	cr_assert_eq(mag_breaker_init(&b, &o), -EINVAL);
	o = (mag_breaker_options){ .size = sizeof(o), .percent = 101 };
	cr_assert_eq(mag_breaker_init(&b, &o), -EINVAL);
	o = (mag_breaker_options){ .size = sizeof(o), .open_ns = 2, .open_most_ns = 1 };
	cr_assert_eq(mag_breaker_init(&b, &o), -EINVAL);
	o = (mag_breaker_options){ .size = sizeof(o), .percent = 100, .least = 1, .window_ns = 3 };
	cr_assert_eq(mag_breaker_init(&b, &o), 0);
	calls(&b, 1, -EIO);
	cr_assert_eq(mag_breaker_state(&b), MAG_BREAKER_OPEN);
}

#ifdef MAGPIE_DEBUG
#define MISUSE(...) .signal = SIGABRT, __VA_ARGS__
#else
#define MISUSE(...) __VA_ARGS__
#endif

Test(breaker, permit_is_ended_once, MISUSE(.timeout = 20))
{
	mag_breaker b;
	mag_breaker_permit permit;

	cr_assert_eq(mag_breaker_init(&b, NULL), 0);
	cr_assert_eq(mag_breaker_allow(&b, &permit), 0);
	cr_assert_eq(mag_breaker_end(&permit, 0), 0);
	cr_assert_eq(mag_breaker_end(&permit, 0), -EPERM);
}
