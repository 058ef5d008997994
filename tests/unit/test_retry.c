/* SPDX-License-Identifier: MIT */
/* test_retry.c - src/resilience/retry.c: how often, after which pauses, for which errors, and how long. */
#include "trial.h"

#include <errno.h>
#include <signal.h>

/* In both forms; the block's times are what is left in *t. */
static struct told told_of(struct trials *t, const mag_retry_policy *policy)
{
	struct trials again = *t;
	struct told one, two;

	cr_assert_eq(RUN(2, trying, .t = &again, .policy = policy, .told = &one), 0);
	cr_assert_eq(RUN(2, trying, .t = t, .policy = policy, .block = true, .told = &two), 0);
	cr_assert_eq(one.rc, two.rc);
	cr_assert_eq(one.retry.over, two.retry.over);
	cr_assert_eq(one.retry.error, two.retry.error);
	cr_assert_eq(one.retry.attempt, two.retry.attempt);
	return two;
}

Test(retry, what_succeeds_at_last_is_the_result, .timeout = 20)
{
	const mag_retry_policy policy = MAG_RETRY_POLICY(.first_ns = 10 * MS, .jitter = MAG_JITTER_NONE);
	struct trials t = failing(2, -ECONNRESET);
	struct told told = told_of(&t, &policy);

	cr_assert_eq(told.rc, 7);
	cr_assert_eq(told.retry.over, MAG_RETRY_DONE);
	cr_assert_eq(told.retry.attempt, 3);
	cr_assert_eq(told.retry.error, -ECONNRESET);
	cr_assert_eq(told.retry.waited_ns, 30 * MS);
	cr_assert_eq(told.took_ns, 39 * MS);
}

Test(retry, what_succeeds_at_once_costs_nothing_more, .timeout = 20)
{
	const mag_retry_policy policy = MAG_RETRY_POLICY(.attempts = 9);
	struct trials t = failing(0, 0);
	struct told told = told_of(&t, &policy);

	cr_assert_eq(told.rc, 7);
	cr_assert_eq(told.retry.attempt, 1);
	cr_assert_eq(told.retry.error, 0);
	cr_assert_eq(told.retry.waited_ns, 0);
}

Test(retry, after_all_attempts_the_last_error_is_the_result, .timeout = 20)
{
	const mag_retry_policy policy = MAG_RETRY_POLICY(.attempts = 5);
	struct trials t = failing(4, -ECONNRESET);
	struct told told;

	t.plan[4].result = -ETIMEDOUT;
	told = told_of(&t, &policy);
	cr_assert_eq(told.rc, -ETIMEDOUT);
	cr_assert_eq(told.retry.over, MAG_RETRY_USED_UP);
	cr_assert_eq(told.retry.attempt, 5);
	/* finite where nothing is said */
	t = failing(TRIALS_MAX, -EAGAIN);
	told = told_of(&t, &(mag_retry_policy)MAG_RETRY_POLICY());
	cr_assert_eq(told.retry.attempt, MAG_RETRY_ATTEMPTS);
}

/* Which errors. */

Test(retry, errors_that_stay_are_not_tried_again, .timeout = 20)
{
	static const int64_t stay[] = { -EACCES, -ENOENT, -EINVAL, -ENOMEM, MAG_ECLOSED, MAG_EEOF, MAG_EDEADLK };
	static const int64_t pass[] = { MAG_ETIMEDOUT, -ETIMEDOUT, -ECONNREFUSED, -ECONNRESET,  -ECONNABORTED,
					-EPIPE,        -ENETDOWN,  -ENETRESET,    -ENETUNREACH, -EHOSTDOWN,
					-EHOSTUNREACH, -EAGAIN,    -EINTR,        -EBUSY,       -ENOBUFS };
	const mag_retry_policy policy = MAG_RETRY_POLICY(.attempts = 2);

	for (size_t i = 0; i < sizeof(stay) / sizeof(stay[0]); i++) {
		struct trials t = failing(1, stay[i]);
		struct told told = told_of(&t, &policy);

		cr_assert_eq(told.rc, stay[i]);
		cr_assert_eq(told.retry.over, MAG_RETRY_FINAL);
		cr_assert_eq(told.retry.attempt, 1);
	}
	for (size_t i = 0; i < sizeof(pass) / sizeof(pass[0]); i++) {
		struct trials t = failing(1, pass[i]);

		cr_assert_eq(told_of(&t, &policy).rc, 7, "%s", mag_errname(pass[i]));
	}
	cr_assert(!mag_retry_transient(MAG_ECANCELED) && !mag_retry_transient(0));
}

static bool as_long_as(int64_t error, void *arg)
{
	int *times = arg;

	return error == -EACCES && --*times >= 0;
}

Test(retry, function_of_the_policy_decides, .timeout = 20)
{
	int times = 2 + 2; /* told_of tries twice */
	const mag_retry_policy policy = MAG_RETRY_POLICY(.attempts = 9, .again = as_long_as, .arg = &times);
	struct trials t = failing(2, -EACCES);

	cr_assert_eq(told_of(&t, &policy).rc, 7);
	times = 0;
	t = failing(1, -EACCES);
	cr_assert_eq(told_of(&t, &policy).rc, -EACCES);
	times = 9;
	t = failing(1, -ECONNRESET);
	cr_assert_eq(told_of(&t, &policy).rc, -ECONNRESET);
}

/* Pauses. */

Test(retry, pauses_grow_by_the_factor_up_to_the_greatest, .timeout = 20)
{
	const mag_retry_policy policy = MAG_RETRY_POLICY(.attempts = 8, .first_ns = 10 * MS, .most_ns = 100 * MS,
							 .jitter = MAG_JITTER_NONE);
	const mag_retry_policy flat = MAG_RETRY_POLICY(.attempts = 4, .first_ns = 10 * MS, .factor = 1,
						       .jitter = MAG_JITTER_NONE);
	const mag_retry_policy steep = MAG_RETRY_POLICY(.attempts = 8, .first_ns = 1, .most_ns = MAG_NEVER - 1,
							.factor = 1000, .within_ns = MAG_NEVER,
							.jitter = MAG_JITTER_NONE);
	static const uint64_t want[] = { 10, 20, 40, 80, 100, 100, 100 };
	struct trials t = failing(7, -EAGAIN);

	cr_assert_eq(told_of(&t, &policy).rc, 7);
	for (uint32_t i = 0; i < 7; i++)
		cr_assert_eq(pause_of(&t, i), want[i] * MS);
	t = failing(3, -EAGAIN);
	cr_assert_eq(told_of(&t, &flat).retry.waited_ns, 30 * MS);
	t = failing(8, -EAGAIN); /* 1 ns … 1000 s, 11 days, 31 years */
	cr_assert_eq(told_of(&t, &steep).rc, -EAGAIN);
	cr_assert_eq(pause_of(&t, 6), UINT64_C(1000000000000000000));
}

/* Tried: full jitter that is none; equal jitter that is full. */
Test(retry, jitter_spreads_the_pauses_within_their_bounds, .timeout = 20)
{
	enum { ROUNDS = 40, PAUSES = 5 };
	const uint64_t most[PAUSES] = { 100 * MS, 200 * MS, 400 * MS, 400 * MS, 400 * MS };

	for (int jitter = MAG_JITTER_FULL; jitter <= MAG_JITTER_EQUAL; jitter++) {
		const mag_retry_policy policy = MAG_RETRY_POLICY(.attempts = PAUSES + 1, .first_ns = 100 * MS,
								 .most_ns = 400 * MS,
								 .jitter = (enum mag_jitter)jitter);
		uint32_t low = 0, high = 0, same = 0;
		uint64_t before = 0, sum = 0;

		for (int round = 0; round < ROUNDS; round++) {
			struct trials t = failing(PAUSES, -EAGAIN);
			struct told told;

			cr_assert_eq(RUN(1, trying, .t = &t, .policy = &policy, .told = &told), 0);
			for (uint32_t i = 0; i < PAUSES; i++) {
				uint64_t pause = pause_of(&t, i), least = jitter == MAG_JITTER_EQUAL ? most[i] / 2 : 0;

				cr_assert(pause >= least && pause <= most[i], "%d: %llu", jitter,
					  (unsigned long long)pause);
				low += pause < least + (most[i] - least) / 4;
				high += pause > most[i] - (most[i] - least) / 4;
				same += pause == before;
				before = pause;
				sum += pause;
			}
			cr_assert_geq(told.retry.waited_ns, sum);
			sum = 0;
		}
		/* a quarter of 200 each, on average */
		cr_assert_gt(low, 20);
		cr_assert_gt(high, 20);
		cr_assert_lt(same, 5);
	}
}

Test(retry, hint_of_an_attempt_is_waited_for, .timeout = 20)
{
	mag_retry_policy policy = MAG_RETRY_POLICY(.attempts = 4, .first_ns = 10 * MS, .most_ns = 20 * MS);
	struct trials t = failing(3, -EAGAIN);

	t.plan[0].hint_ns = 5000 * MS; /* above most_ns */
	t.plan[1].hint_ns = 1;         /* below what the delay may be */
	cr_assert_eq(told_of(&t, &policy).rc, 7);
	cr_assert(pause_of(&t, 0) >= 5000 * MS && pause_of(&t, 0) <= 5010 * MS);
	cr_assert_leq(pause_of(&t, 1), 20 * MS);
	cr_assert_leq(pause_of(&t, 2), 20 * MS); /* it was for the one attempt */
	policy.jitter = MAG_JITTER_NONE;
	t = failing(2, -EAGAIN);
	t.plan[0].hint_ns = 50 * MS;
	t.plan[1].hint_ns = 5 * MS;
	cr_assert_eq(told_of(&t, &policy).rc, 7);
	cr_assert_eq(pause_of(&t, 0), 50 * MS);
	cr_assert_eq(pause_of(&t, 1), 20 * MS);
}

Test(retry, hint_that_never_ends_ends_it, .timeout = 20)
{
	const mag_retry_policy policy = MAG_RETRY_POLICY(.within_ns = MAG_NEVER);
	struct trials t = failing(1, -EAGAIN);
	struct told told;

	t.plan[0].hint_ns = MAG_NEVER;
	told = told_of(&t, &policy);
	cr_assert_eq(told.rc, -EAGAIN);
	cr_assert_eq(told.retry.over, MAG_RETRY_TOO_LATE);
}

/* Time. */

Test(retry, attempt_has_its_own_time, .timeout = 20)
{
	const mag_retry_policy policy = MAG_RETRY_POLICY(.first_ns = 10 * MS, .attempt_ns = 50 * MS,
							 .jitter = MAG_JITTER_NONE);
	struct trials t = failing(0, 0);
	struct told told;

	t.plan[0].ns = t.plan[1].ns = 70 * MS;
	told = told_of(&t, &policy);
	cr_assert_eq(told.rc, 7);
	cr_assert_eq(told.retry.error, MAG_ETIMEDOUT);
	cr_assert_eq(told.took_ns, (50 + 10 + 50 + 20 + 3) * MS);
	/* what it has done in spite of that is kept */
	t = failing(0, 0);
	t.plan[0].ns = 70 * MS;
	t.plan[0].deaf = true;
	cr_assert_eq(told_of(&t, &policy).retry.attempt, 1);
	t = failing(1, -EACCES);
	t.plan[0].ns = 70 * MS;
	t.plan[0].deaf = true;
	cr_assert_eq(told_of(&t, &policy).rc, -EACCES);
}

/* Tried: sleeping until the deadline. */
Test(retry, ends_at_once_when_the_pause_would_be_too_long, .timeout = 20)
{
	mag_retry_policy policy = MAG_RETRY_POLICY(.attempts = 9, .first_ns = 10 * MS, .within_ns = 46 * MS,
						   .jitter = MAG_JITTER_NONE);
	struct trials t = failing(9, -ECONNREFUSED);
	struct told told = told_of(&t, &policy);

	cr_assert_eq(told.rc, -ECONNREFUSED);
	cr_assert_eq(told.retry.over, MAG_RETRY_TOO_LATE);
	cr_assert_eq(told.took_ns, (3 + 10 + 3 + 20 + 3) * MS); /* 40 more are too many */
	policy.within_ns = (39 + 40) * MS;                      /* nothing could be done then */
	t = failing(9, -ECONNREFUSED);
	cr_assert_eq(told_of(&t, &policy).retry.attempt, 3);
	policy.within_ns++;
	t = failing(9, -ECONNREFUSED);
	told = told_of(&t, &policy);
	cr_assert_eq(told.retry.attempt, 4);
	cr_assert_eq(told.rc, MAG_ETIMEDOUT);
	cr_assert_eq(told.retry.over, MAG_RETRY_TOO_LATE);
	cr_assert_eq(told.took_ns, policy.within_ns);
	/* a hint, too */
	policy.within_ns = 5000 * MS;
	t = failing(9, -ECONNREFUSED);
	t.plan[1].hint_ns = 5000 * MS;
	told = told_of(&t, &policy);
	cr_assert_eq(told.retry.attempt, 2);
	cr_assert_eq(told.took_ns, 16 * MS);
}

Test(retry, all_attempts_end_within_the_time_for_all, .timeout = 20)
{
	const mag_retry_policy policy = MAG_RETRY_POLICY(.attempts = 100, .attempt_ns = 1000 * MS,
							 .within_ns = 1500 * MS);
	struct trials t = failing(0, 0);
	struct told told;

	for (int i = 0; i < TRIALS_MAX; i++)
		t.plan[i].ns = 9000 * MS;
	told = told_of(&t, &policy);
	cr_assert_eq(told.rc, MAG_ETIMEDOUT);
	cr_assert_eq(told.retry.over, MAG_RETRY_TOO_LATE);
	cr_assert_leq(told.took_ns, 1500 * MS);
	cr_assert_geq(told.retry.attempt, 2);
}

/* Budget. */

Test(retry, budget_is_a_share_of_the_calls, .timeout = 20)
{
	mag_budget budget = MAG_BUDGET_INIT(10, 5);
	const mag_retry_policy policy = MAG_RETRY_POLICY(.first_ns = MS, .budget = &budget);
	uint32_t again = 0, refused = 0;

	for (int i = 0; i < 100; i++) {
		struct trials t = failing(TRIALS_MAX, -EAGAIN);
		struct told told;

		cr_assert_eq(RUN(1, trying, .t = &t, .policy = &policy, .told = &told), 0);
		cr_assert_eq(told.rc, -EAGAIN);
		again += told.retry.attempt - 1;
		refused += told.retry.over == MAG_RETRY_NO_BUDGET;
	}
	cr_assert_eq(again, 5 + 10 - 1); /* what the first call adds is too much */
	cr_assert_geq(refused, 90);
	cr_assert_eq(mag_budget_left(&budget), 0);
}

/* Policies. */

Test(retry, policies_that_make_no_sense_are_told, .timeout = 20)
{
	mag_retry_policy p = MAG_RETRY_POLICY();

	cr_assert_eq(mag_retry_policy_check(&p), 0);
	p.factor = 0.5;
	cr_assert_eq(mag_retry_policy_check(&p), -EINVAL);
	p.factor = MAG_RETRY_FACTOR_MAX + 1;
	cr_assert_eq(mag_retry_policy_check(&p), -EINVAL);
	p.factor = __builtin_nan("");
	cr_assert_eq(mag_retry_policy_check(&p), -EINVAL);
	p.factor = MAG_RETRY_FACTOR_MAX;
	cr_assert_eq(mag_retry_policy_check(&p), 0);
	p.first_ns = 2;
	p.most_ns = 1;
	cr_assert_eq(mag_retry_policy_check(&p), -EINVAL);
	p.first_ns = 1;
	cr_assert_eq(mag_retry_policy_check(&p), 0);
	p.jitter = (enum mag_jitter)3;
	cr_assert_eq(mag_retry_policy_check(&p), -EINVAL);
	p = (mag_retry_policy){ .size = 1 };
	cr_assert_eq(mag_retry_policy_check(&p), -EINVAL);
}

Test(retry, delays_that_are_not_given_follow_those_that_are, .timeout = 20)
{
	mag_retry_policy p = MAG_RETRY_POLICY(.attempts = 2, .most_ns = 7 * MS, .jitter = MAG_JITTER_NONE);
	struct trials t = failing(1, -EAGAIN);

	cr_assert_eq(told_of(&t, &p).retry.waited_ns, 7 * MS);
	p.most_ns = 0;
	p.first_ns = 30 * MAG_SECOND;
	t = failing(1, -EAGAIN);
	cr_assert_eq(told_of(&t, &p).retry.waited_ns, 30 * MAG_SECOND);
}

#ifdef MAGPIE_DEBUG
#define MISUSE(...) .signal = SIGABRT, __VA_ARGS__
#else
#define MISUSE(...) __VA_ARGS__
#endif

Test(retry, bad_policy_is_one_attempt, MISUSE(.timeout = 20))
{
	const mag_retry_policy policy = MAG_RETRY_POLICY(.factor = 0.5);
	struct trials t = failing(1, -EAGAIN);
	struct told told = told_of(&t, &policy);

	cr_assert_eq(told.rc, -EAGAIN);
	cr_assert_eq(told.retry.over, MAG_RETRY_BAD_POLICY);
	t = failing(0, 0);
	told = told_of(&t, &policy);
	cr_assert_eq(told.rc, 7);
	cr_assert_eq(told.retry.over, MAG_RETRY_BAD_POLICY);
}

/* Attempts that do more than call. */

struct thing_enter {
	mag_frame frame;
	MAG_ARGS(thing_enter, int *resource;);
};

struct thing_exit {
	mag_frame frame;
	MAG_ARGS(thing_exit, int *resource; int64_t why;);
	int64_t rc;
};

MAG_TASK(thing_enter)
{
	MAG_BEGIN(thing_enter);
	++*self->resource;
	MAG_RETURN(0);
	MAG_END;
}

MAG_TASK(thing_exit)
{
	MAG_BEGIN(thing_exit);
	MAG_AWAIT(self->rc, mag_sleep, MS);
	CHECK(self->rc == 0);
	--*self->resource;
	MAG_RETURN(0);
	MAG_END;
}

struct busy_body {
	mag_frame frame;
	MAG_ARGS(busy_body, struct trials *t; int leave_at; int *open;);
	mag_retry retry;
	mag_using use;
	mag_group group;
	int64_t rc, forked;
	uint32_t i;
};

MAG_TASK(busy_body)
{
	MAG_BEGIN(busy_body);
	for (self->i = 0; self->i < 2; self->i++) { /* it may be used again */
		self->t->n = self->t->ends = 0;
		MAG_RETRY_BEGIN(&self->retry, .first_ns = MS, .attempt_ns = 20 * MS);
		CHECK(*self->open == 0);
		MAG_USING_BEGIN(self->rc, &self->use, thing, self->open);
		MAG_FORK(idler, .result = self->retry.attempt == 2 ? -EPIPE : 0);
		MAG_GROUP_BEGIN(&self->group);
		MAG_SPAWN(self->rc, &self->group, trial, .t = self->t);
		if ((int)self->retry.attempt == self->leave_at)
			MAG_RETURN(5);
		MAG_GROUP_END(self->rc, &self->group);
		if (self->retry.attempt == 4)
			mag_retry_stop(&self->retry);
		MAG_USING_END(self->rc, &self->use, self->rc);
		MAG_RETRY_END(self->rc, &self->retry, self->rc);
		MAG_JOIN(self->forked);
		CHECK(*self->open == 0 && self->forked == 0);
		if (self->leave_at < 0)
			CHECK(self->rc == -EAGAIN && self->retry.over == MAG_RETRY_FINAL && self->retry.attempt == 4);
		else
			CHECK(self->rc == 0 && self->retry.attempt == 3);
	}
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: the error of a forked child that stays when another attempt follows. */
Test(retry, attempt_may_hold_anything_and_leaves_nothing, .timeout = 20)
{
	int open = 0;

	EACH_WORKERS(n)
	{
		struct trials t = failing(1, -EAGAIN); /* then a fork fails, then all is well */

		t.plan[1].result = t.plan[2].result = 0;
		cr_assert_eq(RUN(n, busy_body, .t = &t, .open = &open), 0);
		t = failing(5, -EAGAIN);
		cr_assert_eq(RUN(n, busy_body, .t = &t, .open = &open, .leave_at = -1), 0);
		t = failing(5, -EAGAIN);
		cr_assert_eq(RUN(n, busy_body, .t = &t, .open = &open, .leave_at = 3), 5);
		cr_assert_eq(open, 0);
	}
}

/* An attempt that only forks: the child's error is the attempt's, once. */
struct forking {
	mag_frame frame;
	MAG_ARGS(forking, int64_t last;);
	mag_retry retry;
	int64_t rc;
};

MAG_TASK(forking)
{
	MAG_BEGIN(forking);
	MAG_RETRY_BEGIN(&self->retry, .first_ns = MS, .attempts = 3);
	MAG_FORK(idler, .result = self->retry.attempt < 3 ? -EPIPE : self->last);
	MAG_RETRY_END(self->rc, &self->retry, 6);
	CHECK(self->retry.attempt == 3 && self->retry.error == (self->last ? self->last : -EPIPE));
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(retry, error_of_a_forked_child_is_the_attempts, .timeout = 20)
{
	EACH_WORKERS(n)
	{
		cr_assert_eq(RUN(n, forking), 6);
		cr_assert_eq(RUN(n, forking, .last = -ECONNRESET), -ECONNRESET);
	}
}
