/* SPDX-License-Identifier: MIT */
/* test_retry_cancel.c - src/resilience/retry.c: who tries again is cut short before, in an attempt, and in a pause; by its
 * scope, by a deadline, by the end of the runtime. */
#include "trial.h"

#include <errno.h>

static bool always(int64_t error, void *arg)
{
	(void)error;
	(void)arg;
	return true;
}

struct cut {
	mag_frame frame;
	MAG_ARGS(cut, struct trials *t; const mag_retry_policy *policy; uint64_t at; bool by_scope; bool block;
		 struct told * told;);
	mag_group group;
	mag_handle handle;
	mag_scope scope;
	int64_t rc, why;
};

/* Cuts `trying` short so many ns after its begin, 0: before. */
MAG_TASK(cut)
{
	MAG_BEGIN(cut);
	if (self->by_scope) {
		MAG_GROUP_BEGIN(&self->group);
		MAG_SPAWN_AS(self->rc, &self->handle, &self->group, trying, .t = self->t, .policy = self->policy,
			     .block = self->block, .told = self->told);
		if (self->at)
			MAG_AWAIT(self->rc, mag_sleep, self->at);
		mag_handle_cancel(&self->handle);
		MAG_GROUP_END(self->rc, &self->group);
	} else {
		MAG_WITH_TIMEOUT(&self->scope, self->at);
		do {
			MAG_YIELD(self->rc);
		} while (!self->at && !mag_scope_cancelled(&self->scope));
		MAG_CALL(self->rc, trying, .t = self->t, .policy = self->policy, .block = self->block,
			 .told = self->told);
		MAG_SCOPE_END(self->why, &self->scope);
	}
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Attempts of 10 ms, pauses of 100: what is told when it is cut short then. */
static struct told cut_at(uint64_t at, int how, struct trials *t)
{
	mag_budget budget = MAG_BUDGET_INIT(0, 5);
	const mag_retry_policy policy = MAG_RETRY_POLICY(.first_ns = 100 * MS, .factor = 1, .jitter = MAG_JITTER_NONE,
							 .again = always, .budget = &budget);
	struct told told;

	*t = failing(TRIALS_MAX, -EAGAIN);
	for (int i = 0; i < TRIALS_MAX; i++)
		t->plan[i].ns = 10 * MS;
	cr_assert_eq(
		RUN(1, cut, .t = t, .policy = &policy, .at = at, .by_scope = how & 1, .block = how & 2, .told = &told),
		0);
	cr_assert_eq(told.rc, MAG_ECANCELED);
	cr_assert_eq(told.retry.over, MAG_RETRY_CANCELED);
	cr_assert_eq(told.retry.attempt, t->n);
	cr_assert_eq(mag_budget_left(&budget), 5 - (t->n - 1), "as many as were made again");
	return told;
}

/* Tried: a predicate that is asked about MAG_ECANCELED; no look at the scope around. */
Test(retry, cancellation_ends_it_wherever_it_is, .timeout = 20)
{
	for (int how = 0; how < 4; how++) {
		struct trials t;
		struct told told = cut_at(0, how, &t);

		cr_assert_eq(t.n, 1); /* the attempt was begun, and has been told */
		cr_assert_eq(told.retry.error, MAG_ECANCELED);
		told = cut_at(5 * MS, how, &t);
		cr_assert_eq(t.n, 1);
		cr_assert_eq(told.took_ns, 5 * MS);
		cr_assert_eq(told.retry.error, MAG_ECANCELED);
		told = cut_at(50 * MS, how, &t);
		cr_assert_eq(t.n, 1);
		cr_assert_eq(told.took_ns, 50 * MS);
		cr_assert_eq(told.retry.waited_ns, 40 * MS);
		cr_assert_eq(told.retry.error, -EAGAIN);
		told = cut_at(115 * MS, how, &t);
		cr_assert_eq(t.n, 2);
		cr_assert_eq(told.retry.waited_ns, 100 * MS);
		told = cut_at(215 * MS, how, &t);
		cr_assert_eq(t.n, 2);
		cr_assert_eq(told.retry.waited_ns, 195 * MS);
	}
}

/* Somebody has called the attempt off, or what it waits for; not its task. */
Test(retry, attempt_that_was_called_off_is_the_last, .timeout = 20)
{
	for (int block = 0; block < 2; block++) {
		const mag_retry_policy policy = MAG_RETRY_POLICY(.again = always);
		struct trials t = failing(2, MAG_ECANCELED);
		struct told told;

		cr_assert_eq(RUN(1, trying, .t = &t, .policy = &policy, .block = block, .told = &told), 0);
		cr_assert_eq(told.rc, MAG_ECANCELED);
		cr_assert_eq(told.retry.over, MAG_RETRY_CANCELED);
		cr_assert_eq(told.retry.attempt, 1);
	}
}

/* What an attempt returns though it was told that it is cancelled: success is kept, an error not tried again. */
Test(retry, errors_of_a_cancelled_scope_are_not_tried_again, .timeout = 20)
{
	for (int how = 0; how < 4; how++) {
		static const int64_t results[] = { -EAGAIN, MAG_ETIMEDOUT, -EACCES, 7 };

		for (int i = 0; i < 4; i++) {
			const mag_retry_policy policy = MAG_RETRY_POLICY(.first_ns = 1);
			struct trials t = failing(0, 0);
			struct told told;

			t.plan[0].ns = 10 * MS;
			t.plan[0].deaf = true;
			t.plan[0].result = results[i];
			cr_assert_eq(RUN(1, cut, .t = &t, .policy = &policy, .at = 5 * MS, .by_scope = how & 1,
					 .block = how & 2, .told = &told),
				     0);
			cr_assert_eq(t.n, 1);
			cr_assert_eq(told.rc, i < 2 ? MAG_ECANCELED : results[i]);
			cr_assert_eq(told.retry.error, i < 3 ? results[i] : 0);
			cr_assert_eq(told.retry.over, i < 2   ? MAG_RETRY_CANCELED
						      : i < 3 ? MAG_RETRY_FINAL
							      : MAG_RETRY_DONE);
		}
	}
}

/* The pause ends in the moment of the cancellation: another attempt, or none, and then the budget has it back. */
struct just_then {
	mag_frame frame;
	MAG_ARGS(just_then, uint32_t rounds;);
	mag_budget budget;
	mag_retry retry;
	mag_scope scope;
	uint32_t attempts, again, i;
	int64_t rc;
};

MAG_TASK(just_then)
{
	MAG_BEGIN(just_then);
	CHECK(mag_budget_init(&self->budget, 0, 1000000) == 0);
	self->again = 0;
	for (self->i = 0; self->i < self->rounds; self->i++) {
		self->attempts = 0;
		MAG_WITH_TIMEOUT(&self->scope, 20 * MAG_MICROSECOND);
		MAG_RETRY_BEGIN(&self->retry, .first_ns = (15 + self->i % 10) * MAG_MICROSECOND,
				.budget = &self->budget, .jitter = MAG_JITTER_NONE, .attempts = 2);
		self->attempts++;
		MAG_YIELD(self->rc);
		MAG_RETRY_END(self->rc, &self->retry, self->rc < 0 ? self->rc : -EAGAIN);
		CHECK(self->rc == -EAGAIN || self->rc == MAG_ECANCELED);
		CHECK(self->retry.attempt == self->attempts);
		self->again += self->attempts - 1;
		CHECK(mag_budget_left(&self->budget) == 1000000 - self->again);
		MAG_SCOPE_END(self->rc, &self->scope);
	}
	MAG_RETURN(self->again > 0 && self->again < self->rounds ? 0 : -EPROTO);
	MAG_END;
}

Test(retry, pause_and_cancellation_end_at_once, .timeout = 20)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, just_then, .rounds = 200), 0);
}

Test(retry, end_of_the_runtime_ends_it, .timeout = 20)
{
	const mag_retry_policy policy = MAG_RETRY_POLICY(.first_ns = MAG_SECOND, .most_ns = 3000 * MAG_SECOND,
							 .within_ns = MAG_NEVER, .attempts = 64, .again = always,
							 .jitter = MAG_JITTER_NONE);

	for (int block = 0; block < 2; block++) {
		mag_runtime *rt = play_real(2, 0);
		struct trials t = failing(TRIALS_MAX, -EAGAIN);
		struct told told = { 0 };

		for (int i = 0; i < TRIALS_MAX; i++)
			t.plan[i].ns = 0;
		cr_assert_eq(
			mag_spawn_from(rt, NULL, trying, .t = &t, .policy = &policy, .block = block, .told = &told), 0);
		cr_assert_eq(mag_runtime_destroy(rt, mag_deadline_in(30 * MAG_SECOND)), 0);
		cr_assert_eq(told.rc, MAG_ECANCELED);
		cr_assert_eq(told.retry.over, MAG_RETRY_CANCELED);
	}
}

/* Scopes too deep: that is no time limit. */
struct deep {
	mag_frame frame;
	MAG_NO_ARGS(deep);
	mag_scope scopes[MAG_SCOPE_DEPTH_MAX];
	mag_retry retry;
	mag_retry_policy policy;
	int64_t rc;
	int i;
};

MAG_TASK(deep)
{
	MAG_BEGIN(deep);
	for (self->i = 0; self->i < MAG_SCOPE_DEPTH_MAX; self->i++)
		MAG_SCOPE_BEGIN(&self->scopes[self->i]);
	self->policy = (mag_retry_policy)MAG_RETRY_POLICY(.again = always);
	MAG_RETRY_BEGIN_BY(&self->retry, &self->policy);
	MAG_YIELD(self->rc);
	MAG_RETRY_END(self->rc, &self->retry, self->rc);
	CHECK(self->rc == MAG_EDEPTH && self->retry.attempt == 1 && self->retry.over == MAG_RETRY_FINAL);
	while (--self->i >= 0)
		MAG_SCOPE_END(self->rc, &self->scopes[self->i]);
	MAG_RETURN(0);
	MAG_END;
}

Test(retry, scope_that_is_too_deep_is_not_tried_again, .timeout = 20)
{
	cr_assert_eq(RUN(1, deep), 0);
}
