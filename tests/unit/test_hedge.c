/* SPDX-License-Identifier: MIT */
/* test_hedge.c - src/resilience/hedge.c: when the next attempt starts, who wins, and what becomes of the others. */
#include "gates.h"

#include <errno.h>
#include <signal.h>

#include "base/fault.h"

#define MS MAG_MILLISECOND

/* What the attempts do, and what became of them. */
struct race {
	struct {
		uint64_t ns;
		int64_t result;
		bool deaf; /* returns its result although it was cut short */
	} plan[MAG_HEDGE_MAX];
	uint64_t began[MAG_HEDGE_MAX], ended[MAG_HEDGE_MAX];
	uint32_t ends, cut; /* by tasks on several workers */
	int64_t spare;      /* sum of the results that were not needed */
	uint64_t refuse;    /* the n-th allocation during the call fails; 0: none */
};

struct runner {
	mag_frame frame;
	MAG_ARGS(runner, struct race *race; uint32_t i;);
	int64_t rc;
	char bytes[70000]; /* a class that nobody else uses */
};

MAG_TASK(runner)
{
	MAG_BEGIN(runner);
	self->race->began[self->i] = mag_now();
	MAG_AWAIT(self->rc, mag_sleep, self->race->plan[self->i].ns);
	self->race->ended[self->i] = mag_now();
	count(&self->race->ends);
	if (self->rc < 0)
		count(&self->race->cut);
	if (self->rc < 0 && !self->race->plan[self->i].deaf)
		MAG_RETURN(self->rc);
	MAG_RETURN(self->race->plan[self->i].result);
	MAG_END;
}

struct told {
	int64_t rc;
	uint32_t started;
	int32_t winner;
	int64_t results[MAG_HEDGE_MAX];
	uint64_t took_ns;
	uint32_t errors;
};

struct hedging {
	mag_frame frame;
	MAG_ARGS(hedging, struct race *race; const mag_hedge_policy *policy; struct told * told;);
	mag_hedge hedge;
	uint64_t began;
	int64_t rc;
};

MAG_TASK(hedging)
{
	MAG_BEGIN(hedging);
	self->began = mag_now();
	if (self->race->refuse)
		magi_fault_plan(self->race->refuse, self->race->refuse == 1 ? 1 : 0);
	MAG_HEDGE(self->rc, &self->hedge, self->policy, runner, .race = self->race, .i = self->hedge.started);
	magi_fault_plan(0, 0);
	*self->told = (struct told){ .rc = self->rc,
				     .started = self->hedge.started,
				     .winner = self->hedge.winner,
				     .took_ns = mag_now() - self->began,
				     .errors = mag_group_errors(&self->hedge.group, NULL) };
	for (uint32_t i = 0; i < self->hedge.started; i++)
		self->told->results[i] = self->hedge.results[i];
	CHECK(counted(&self->race->ends) == self->hedge.started); /* none outlives it */
	MAG_RETURN(0);
	MAG_END;
}

static struct told told_of(struct race *race, const mag_hedge_policy *policy)
{
	struct told told;

	cr_assert_eq(RUN(2, hedging, .race = race, .policy = policy, .told = &told), 0);
	return told;
}

Test(hedge, call_that_answers_in_time_is_made_once, .timeout = 20)
{
	const mag_hedge_policy policy = MAG_HEDGE_POLICY(.after_ns = 20 * MS);
	struct race race = { .plan = { { 20 * MS - 1, 7, false } } };
	struct told told = told_of(&race, &policy);

	cr_assert_eq(told.rc, 7);
	cr_assert_eq(told.started, 1);
	cr_assert_eq(told.winner, 0);
	cr_assert_eq(told.took_ns, 20 * MS - 1);
	cr_assert_eq(race.cut, 0);
}

Test(hedge, slow_call_is_made_again_and_the_first_success_wins, .timeout = 20)
{
	const mag_hedge_policy policy = MAG_HEDGE_POLICY(.after_ns = 20 * MS);
	struct race race = { .plan = { { 500 * MS, 7, false }, { 5 * MS, 8, false } } };
	struct told told = told_of(&race, &policy);

	cr_assert_eq(told.rc, 8);
	cr_assert_eq(told.winner, 1);
	cr_assert_eq(race.began[1] - race.began[0], 20 * MS);
	cr_assert_eq(told.took_ns, 25 * MS);
	cr_assert_eq(race.cut, 1); /* the loser, and it has ended */
	cr_assert_eq(told.results[0], MAG_ECANCELED);
	cr_assert_eq(told.errors, 0);
	/* the first one may still win */
	race = (struct race){ .plan = { { 22 * MS, 7, false }, { 5 * MS, 8, false } } };
	told = told_of(&race, &policy);
	cr_assert_eq(told.rc, 7);
	cr_assert_eq(told.winner, 0);
	cr_assert_eq(told.took_ns, 22 * MS);
	cr_assert_eq(race.cut, 1);
}

Test(hedge, has_no_more_attempts_than_it_may, .timeout = 20)
{
	const mag_hedge_policy policy = MAG_HEDGE_POLICY(.attempts = 4, .after_ns = 10 * MS);
	struct race race = { 0 };
	struct told told;

	for (int i = 0; i < MAG_HEDGE_MAX; i++)
		race.plan[i].ns = 1000 * MS;
	told = told_of(&race, &policy);
	cr_assert_eq(told.started, 4);
	for (int i = 1; i < 4; i++)
		cr_assert_eq(race.began[i] - race.began[i - 1], 10 * MS);
	cr_assert_eq(told.took_ns, 1000 * MS);
	cr_assert_eq(told.winner, 0);
	cr_assert_eq(race.cut, 3);
	/* finite where nothing is said */
	race.cut = race.ends = 0;
	told = told_of(&race, &(mag_hedge_policy)MAG_HEDGE_POLICY());
	cr_assert_eq(told.started, MAG_HEDGE_ATTEMPTS);
	cr_assert_eq(race.began[1] - race.began[0], MAG_HEDGE_AFTER);
}

/* Errors. */

Test(hedge, attempt_that_fails_is_followed_at_once, .timeout = 20)
{
	const mag_hedge_policy policy = MAG_HEDGE_POLICY(.attempts = 3, .after_ns = 20 * MS);
	struct race race = { .plan = { { 3 * MS, -EIO, false }, { 4 * MS, -EACCES, false }, { MS, 9, false } } };
	struct told told = told_of(&race, &policy);

	cr_assert_eq(told.rc, 9);
	cr_assert_eq(told.took_ns, 8 * MS);
	cr_assert_eq(told.winner, 2);
	cr_assert_eq(told.errors, 2);
	cr_assert(told.results[0] == -EIO && told.results[1] == -EACCES);
	/* while another runs it is waited for until it is time */
	race = (struct race){ .plan = { { 30 * MS, 5, false }, { 2 * MS, -EIO, false }, { 1000 * MS, 9, false } } };
	told = told_of(&race, &policy);
	cr_assert_eq(told.rc, 5);
	cr_assert_eq(told.started, 2);
	race = (struct race){ .plan = { { 50 * MS, 5, false }, { 2 * MS, -EIO, false }, { 1000 * MS, 9, false } } };
	told = told_of(&race, &policy);
	cr_assert_eq(told.rc, 5);
	cr_assert_eq(race.began[2] - race.began[1], 20 * MS);
}

Test(hedge, when_all_fail_the_first_error_is_the_result, .timeout = 20)
{
	const mag_hedge_policy policy = MAG_HEDGE_POLICY(.after_ns = 20 * MS);
	struct race race = { .plan = { { 30 * MS, -EIO, false }, { MS, -EPIPE, false } } };
	struct told told = told_of(&race, &policy);

	cr_assert_eq(told.rc, -EPIPE);
	cr_assert_eq(told.winner, -1);
	cr_assert_eq(told.errors, 2);
	cr_assert_eq(told.took_ns, 30 * MS);
	cr_assert(told.results[0] == -EIO && told.results[1] == -EPIPE);
}

static bool unless_denied(int64_t error, void *arg)
{
	(void)arg;
	return error != -EACCES;
}

Test(hedge, error_that_another_attempt_will_have_settles_it, .timeout = 20)
{
	const mag_hedge_policy policy = MAG_HEDGE_POLICY(.attempts = 3, .after_ns = 20 * MS, .again = unless_denied);
	struct race race = { .plan = { { 500 * MS, 7, false }, { MS, -EACCES, false } } };
	struct told told = told_of(&race, &policy);

	cr_assert_eq(told.rc, -EACCES);
	cr_assert_eq(told.took_ns, 21 * MS);
	cr_assert_eq(told.winner, -1);
	cr_assert_eq(race.cut, 1);
	race = (struct race){ .plan = { { MS, -EIO, false }, { MS, -EACCES, false } } };
	told = told_of(&race, &policy);
	cr_assert_eq(told.rc, -EACCES);
	cr_assert_eq(told.started, 2);
	/* nor is what somebody has called off done again */
	race = (struct race){ .plan = { { 5 * MS, MAG_ECANCELED, false } } };
	told = told_of(&race, &policy);
	cr_assert_eq(told.rc, MAG_ECANCELED);
	cr_assert_eq(told.started, 1);
}

static void add_spare(int64_t result, void *arg)
{
	((struct race *)arg)->spare += result;
}

Test(hedge, success_that_was_not_needed_is_given_to_the_caller, .timeout = 20)
{
	struct race race = { .plan = { { 500 * MS, 100, true }, { 500 * MS, 20, true }, { MS, 3, false } } };
	mag_hedge_policy policy = MAG_HEDGE_POLICY(.attempts = 3, .after_ns = 20 * MS, .spare = add_spare,
						   .arg = &race);
	struct told told = told_of(&race, &policy);

	cr_assert_eq(told.rc, 3);
	cr_assert_eq(told.winner, 2);
	cr_assert_eq(race.spare, 120);
	cr_assert(told.results[0] == 100 && told.results[1] == 20);
	policy.spare = NULL;
	race.ends = 0;
	cr_assert_eq(told_of(&race, &policy).rc, 3);
	cr_assert_eq(race.spare, 120);
}

Test(hedge, budget_is_a_share_of_the_calls, .timeout = 20)
{
	mag_budget budget = MAG_BUDGET_INIT(10, 5);
	const mag_hedge_policy policy = MAG_HEDGE_POLICY(.after_ns = 20 * MS, .budget = &budget);
	uint32_t twice = 0;

	for (int i = 0; i < 50; i++) {
		struct race race = { .plan = { { 500 * MS, 7, false }, { 5 * MS, 8, false } } };
		struct told told = told_of(&race, &policy);

		cr_assert_eq(told.rc, told.started == 2 ? 8 : 7);
		twice += told.started - 1;
	}
	cr_assert_eq(twice, 5 + 5 - 1); /* what the first call adds is too much */
}

#ifdef MAGPIE_DEBUG
#define MISUSE(...) .signal = SIGABRT, __VA_ARGS__
#else
#define MISUSE(...) __VA_ARGS__
#endif

Test(hedge, bad_policy_is_refused, MISUSE(.timeout = 20))
{
	const mag_hedge_policy policy = MAG_HEDGE_POLICY(.attempts = MAG_HEDGE_MAX + 1);
	struct race race = { 0 };

	cr_assert_eq(told_of(&race, &(mag_hedge_policy){ .size = 1 }).rc, -EINVAL);
	cr_assert_eq(told_of(&race, &policy).rc, -EINVAL);
	cr_assert_eq(race.ends, 0);
}

/* Cancellation: before, with one attempt under way, with two, and as they end. */

struct cut {
	mag_frame frame;
	MAG_ARGS(cut, struct race *race; const mag_hedge_policy *policy; uint64_t at; bool by_scope;
		 struct told * told;);
	mag_group group;
	mag_handle handle;
	mag_scope scope;
	int64_t rc, why;
};

MAG_TASK(cut)
{
	MAG_BEGIN(cut);
	if (self->by_scope) {
		MAG_GROUP_BEGIN(&self->group);
		MAG_SPAWN_AS(self->rc, &self->handle, &self->group, hedging, .race = self->race, .policy = self->policy,
			     .told = self->told);
		if (self->at)
			MAG_AWAIT(self->rc, mag_sleep, self->at);
		mag_handle_cancel(&self->handle);
		MAG_GROUP_END(self->rc, &self->group);
	} else {
		MAG_WITH_TIMEOUT(&self->scope, self->at);
		do {
			MAG_YIELD(self->rc);
		} while (!self->at && !mag_scope_cancelled(&self->scope));
		MAG_CALL(self->rc, hedging, .race = self->race, .policy = self->policy, .told = self->told);
		MAG_SCOPE_END(self->why, &self->scope);
	}
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(hedge, cancelling_it_cancels_and_joins_all_attempts, .timeout = 20)
{
	mag_budget budget = MAG_BUDGET_INIT(0, 9);
	const mag_hedge_policy policy = MAG_HEDGE_POLICY(.after_ns = 20 * MS, .budget = &budget);
	static const uint64_t at[] = { 0, 10, 30 };

	for (int i = 0; i < 6; i++) {
		struct race race = { .plan = { { 500 * MS, 7, false }, { 500 * MS, 8, false } } };
		struct told told;

		cr_assert_eq(RUN(1, cut, .race = &race, .policy = &policy, .at = at[i % 3] * MS, .by_scope = i < 3,
				 .told = &told),
			     0);
		cr_assert_eq(told.rc, MAG_ECANCELED);
		cr_assert_eq(told.winner, -1);
		cr_assert_eq(told.started, (uint32_t)(i % 3));
		cr_assert_eq(race.cut, told.started);
		cr_assert_eq(told.took_ns, at[i % 3] * MS);
	}
	cr_assert_eq(mag_budget_left(&budget), 7);
}

/* An attempt fails in the moment of the cancellation: the next one is not started, and that is why. */
Test(hedge, cancelled_between_two_attempts_it_says_so, .timeout = 20)
{
	mag_budget budget = MAG_BUDGET_INIT(0, 9);
	const mag_hedge_policy policy = MAG_HEDGE_POLICY(.after_ns = 20 * MS, .budget = &budget);

	for (uint64_t at = 9 * MS; at <= 10 * MS; at += MS) {
		for (int by_scope = 0; by_scope < 2; by_scope++) {
			struct race race = { .plan = { { 10 * MS, -EIO, at == 9 * MS }, { 500 * MS, 8, false } } };
			struct told told;

			cr_assert_eq(RUN(1, cut, .race = &race, .policy = &policy, .at = at, .by_scope = by_scope,
					 .told = &told),
				     0);
			cr_assert_eq(told.rc, MAG_ECANCELED);
			cr_assert_eq(told.started, 1);
		}
	}
	cr_assert_eq(mag_budget_left(&budget), 9);
}

/* Tried: the results of a hedge that was cancelled that are not looked at. */
Test(hedge, success_beats_the_cancellation, .timeout = 20)
{
	for (int i = 0; i < 2; i++) {
		struct race race = { .plan = { { 500 * MS, 7, true }, { 500 * MS, 8, true } } };
		const mag_hedge_policy policy = MAG_HEDGE_POLICY(.after_ns = 20 * MS, .spare = add_spare, .arg = &race);
		struct told told;

		cr_assert_eq(RUN(2, cut, .race = &race, .policy = &policy, .at = 30 * MS, .by_scope = i, .told = &told),
			     0);
		cr_assert_eq(told.rc, 7);
		cr_assert_eq(told.winner, 0);
		cr_assert_eq(race.spare, 8);
	}
}

Test(hedge, end_of_the_runtime_ends_it, .timeout = 20)
{
	const mag_hedge_policy policy = MAG_HEDGE_POLICY(.after_ns = 1);
	struct race race = { .plan = { { 1000 * MAG_SECOND, 7, false }, { 1000 * MAG_SECOND, 8, false } } };
	mag_runtime *rt = play_real(2, 0);
	struct told told;

	cr_assert_eq(mag_spawn_from(rt, NULL, hedging, .race = &race, .policy = &policy, .told = &told), 0);
	cr_assert_eq(mag_runtime_destroy(rt, mag_deadline_in(30 * MAG_SECOND)), 0);
	cr_assert_eq(told.rc, MAG_ECANCELED);
	cr_assert_eq(race.ends, told.started);
}

/* Each allocation of a call in turn: what cannot be started is not, and what runs is waited for. */
Test(hedge, without_memory_it_waits_for_what_it_has, .timeout = 20)
{
	const mag_hedge_policy plain = MAG_HEDGE_POLICY(.after_ns = 20 * MS);
	uint32_t none = 0, one = 0, two = 0;

	for (uint64_t n = 1; n < 12; n++) {
		mag_budget budget = MAG_BUDGET_INIT(0, 9);
		const mag_hedge_policy policy = MAG_HEDGE_POLICY(.after_ns = 20 * MS, .budget = &budget);
		struct race race = { .plan = { { 50 * MS, 7, false }, { 5 * MS, 8, false } }, .refuse = n };
		struct told told;

		cr_assert_eq(RUN(1, hedging, .race = &race, .policy = &policy, .told = &told), 0);
		none += told.started == 0;
		one += told.started == 1;
		two += told.started == 2;
		cr_assert_eq(told.rc, told.started == 0 ? -ENOMEM : told.started == 1 ? 7 : 8);
		cr_assert_eq(mag_budget_left(&budget), told.started == 2 ? 8 : 9);
		race = (struct race){ .plan = { { 50 * MS, -EIO, false }, { 5 * MS, 8, false } }, .refuse = n };
		cr_assert_eq(RUN(1, hedging, .race = &race, .policy = &plain, .told = &told), 0);
		cr_assert_eq(told.rc, told.started == 0 ? -ENOMEM : told.started == 1 ? -EIO : 8);
	}
	cr_assert(none && one && two, "%u %u %u", none, one, two);
}

struct deep {
	mag_frame frame;
	MAG_NO_ARGS(deep);
	mag_scope scopes[MAG_SCOPE_DEPTH_MAX];
	mag_hedge hedge;
	mag_hedge_policy policy;
	struct race race;
	int64_t rc;
	int i;
};

MAG_TASK(deep)
{
	MAG_BEGIN(deep);
	for (self->i = 0; self->i < MAG_SCOPE_DEPTH_MAX; self->i++)
		MAG_SCOPE_BEGIN(&self->scopes[self->i]);
	self->policy = (mag_hedge_policy)MAG_HEDGE_POLICY(.attempts = 3);
	MAG_HEDGE(self->rc, &self->hedge, &self->policy, runner, .race = &self->race, .i = self->hedge.started);
	CHECK(self->rc == MAG_EDEPTH && self->hedge.started == 0);
	while (--self->i >= 0)
		MAG_SCOPE_END(self->rc, &self->scopes[self->i]);
	MAG_RETURN(0);
	MAG_END;
}

Test(hedge, scope_that_is_too_deep_is_told, .timeout = 20)
{
	cr_assert_eq(RUN(1, deep), 0);
}
