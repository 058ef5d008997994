/* SPDX-License-Identifier: MIT */
/* test_scope.c - scopes: deadlines within one another, shields, depth, and leaving. */
#include "gates.h"

#include <signal.h>

/* Two deadlines, one scope in the other; a sleep in the inner one that only a deadline ends. */
struct nested {
	mag_frame frame;
	MAG_ARGS(nested, uint64_t outer_ns; uint64_t inner_ns; int64_t inner_want; int64_t outer_want;);
	mag_scope outer, inner;
	uint64_t began;
	int64_t rc;
};

MAG_TASK(nested)
{
	MAG_BEGIN(nested);
	self->began = mag_now();
	MAG_WITH_TIMEOUT(&self->outer, self->outer_ns);
	MAG_WITH_TIMEOUT(&self->inner, self->inner_ns);
	MAG_AWAIT(self->rc, mag_sleep_until, MAG_NEVER);
	CHECK(self->rc == MAG_ECANCELED);
	MAG_AWAIT(self->rc, mag_sleep, REST);
	CHECK(self->rc == MAG_ECANCELED); /* level: each await, until it is left */
	MAG_YIELD(self->rc);
	CHECK(self->rc == MAG_ECANCELED);
	CHECK(mag_now() >= self->began + (self->inner_ns < self->outer_ns ? self->inner_ns : self->outer_ns));
	MAG_SCOPE_END(self->rc, &self->inner);
	CHECK(self->rc == self->inner_want);
	MAG_AWAIT(self->rc, mag_sleep_until, self->began + 10 * REST);
	CHECK(self->rc == (self->outer_want ? MAG_ECANCELED : 0));
	MAG_SCOPE_END(self->rc, &self->outer);
	CHECK(self->rc == self->outer_want);
	MAG_AWAIT(self->rc, mag_sleep, REST);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: not clearing CANCEL on leaving (magi_scope_pop). */
Test(scope, each_of_two_deadlines_is_reported_by_its_own_scope, .timeout = 10)
{
	EACH_WORKERS(n) {
		cr_assert_eq(RUN(n, nested, .outer_ns = 20 * REST, .inner_ns = 2 * REST,
				 .inner_want = MAG_ETIMEDOUT), 0);
		cr_assert_eq(RUN(n, nested, .outer_ns = 2 * REST, .inner_ns = 20 * REST, .inner_want = MAG_ECANCELED,
				 .outer_want = MAG_ETIMEDOUT), 0);
		cr_assert_eq(RUN(n, nested, .outer_ns = 5 * REST, .inner_ns = 2 * REST, .inner_want = MAG_ETIMEDOUT,
				 .outer_want = MAG_ETIMEDOUT), 0);
		cr_assert_eq(RUN(n, nested, .outer_ns = MAG_NEVER, .inner_ns = 1, .inner_want = MAG_ETIMEDOUT), 0);
	}
}

/* A scope that is opened when the time of the one around it is over. */
struct overdue {
	mag_frame frame;
	MAG_NO_ARGS(overdue);
	mag_scope outer, inner;
	int64_t rc;
};

MAG_TASK(overdue)
{
	MAG_BEGIN(overdue);
	MAG_WITH_TIMEOUT(&self->outer, REST);
	MAG_AWAIT(self->rc, mag_sleep_until, MAG_NEVER);
	MAG_WITH_TIMEOUT(&self->inner, REST);
	MAG_AWAIT(self->rc, mag_sleep, 10 * REST);
	CHECK(self->rc == MAG_ECANCELED);
	MAG_SCOPE_END(self->rc, &self->inner);
	CHECK(self->rc == MAG_ECANCELED);
	MAG_SCOPE_END(self->rc, &self->outer);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(scope, a_deadline_that_is_over_is_not_that_of_a_scope_opened_afterwards, .timeout = 10)
{
	cr_assert_eq(RUN(1, overdue), MAG_ETIMEDOUT);
}

struct in_time {
	mag_frame frame;
	MAG_NO_ARGS(in_time);
	mag_scope scope;
	int64_t rc;
	int i;
};

MAG_TASK(in_time)
{
	MAG_BEGIN(in_time);
	for (self->i = 0; self->i < 100; self->i++) {
		MAG_WITH_TIMEOUT(&self->scope, 2 * REST);
		MAG_AWAIT(self->rc, mag_sleep, REST);
		CHECK(self->rc == 0);
		MAG_SCOPE_END(self->rc, &self->scope);
		CHECK(self->rc == 0);
	}
	memset(&self->scope, 0x5a, sizeof(self->scope)); /* a deadline still armed would be noticed */
	MAG_AWAIT(self->rc, mag_sleep, 10 * REST);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: magi_scope_exit without disarming. */
Test(scope, a_scope_left_in_time_disarms_its_deadline, .timeout = 10)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, in_time), 0);
}

/* Cleanup in a shield, while the scope around it is cancelled before, during, or by the shield's own grace. */
struct shielded {
	mag_frame frame;
	MAG_NO_ARGS(shielded);
	mag_scope outer, shield, within, second;
	int64_t rc;
};

MAG_TASK(shielded)
{
	MAG_BEGIN(shielded);
	MAG_WITH_TIMEOUT(&self->outer, REST);
	MAG_SHIELD(&self->shield, 10 * REST);
	MAG_AWAIT(self->rc, mag_sleep, 2 * REST);
	CHECK(self->rc == 0); /* the deadline came during it */
	CHECK(mag_scope_cancelled(&self->outer) == MAG_ETIMEDOUT && !mag_scope_cancelled(&self->shield));
	MAG_WITH_TIMEOUT(&self->within, REST);
	MAG_AWAIT(self->rc, mag_sleep, 2 * REST);
	CHECK(self->rc == MAG_ECANCELED); /* a scope in the shield is one like any other */
	MAG_SHIELD(&self->second, 2 * REST);
	MAG_AWAIT(self->rc, mag_sleep, REST);
	CHECK(self->rc == 0);
	MAG_AWAIT(self->rc, mag_sleep, 2 * REST);
	CHECK(self->rc == MAG_ECANCELED); /* grace is over */
	MAG_SCOPE_END(self->rc, &self->second);
	CHECK(self->rc == MAG_ETIMEDOUT);
	MAG_AWAIT(self->rc, mag_sleep, REST);
	CHECK(self->rc == MAG_ECANCELED);
	MAG_SCOPE_END(self->rc, &self->within);
	CHECK(self->rc == MAG_ETIMEDOUT);
	MAG_AWAIT(self->rc, mag_sleep, REST);
	CHECK(self->rc == 0); /* the first shield still holds */
	MAG_SCOPE_END(self->rc, &self->shield);
	CHECK(self->rc == 0);
	MAG_AWAIT(self->rc, mag_sleep, REST);
	CHECK(self->rc == MAG_ECANCELED);
	MAG_SHIELD(&self->shield, REST); /* opened after the cancel */
	MAG_AWAIT(self->rc, mag_sleep, REST / 2);
	CHECK(self->rc == 0);
	MAG_AWAIT(self->rc, mag_sleep, REST);
	CHECK(self->rc == MAG_ECANCELED);
	MAG_SCOPE_END(self->rc, &self->shield);
	CHECK(self->rc == MAG_ETIMEDOUT);
	MAG_SCOPE_END(self->rc, &self->outer);
	CHECK(self->rc == MAG_ETIMEDOUT);
	MAG_AWAIT(self->rc, mag_sleep, REST);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: marks without the comparison of depths. */
Test(scope, shields_keep_cancellation_out_until_their_grace_is_over, .timeout = 10)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, shielded), 0);
}

/* Opens a scope and calls itself in it. */
struct digger {
	mag_frame frame;
	MAG_ARGS(digger, int left; bool shields; uint32_t *refused;);
	mag_scope scope;
	int64_t rc;
};

MAG_TASK(digger)
{
	MAG_BEGIN(digger);
	if (self->left == 0)
		MAG_RETURN(0);
	if (self->shields)
		MAG_SHIELD(&self->scope, MAG_NEVER);
	else
		MAG_SCOPE_BEGIN(&self->scope);
	MAG_CALL(self->rc, digger, .left = self->left - 1, .shields = self->shields, .refused = self->refused);
	CHECK(self->rc == 0);
	MAG_YIELD(self->rc);
	CHECK(self->rc == (mag_scope_cancelled(&self->scope) ? MAG_ECANCELED : 0));
	MAG_SCOPE_END(self->rc, &self->scope);
	if (self->rc == MAG_EDEPTH)
		count(self->refused);
	else
		CHECK(self->rc == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(scope, scopes_too_deep_are_born_cancelled, .timeout = 20)
{
	EACH_WORKERS(n) {
		uint32_t refused = 0;

		/* the background is around them all */
		cr_assert_eq(RUN(n, digger, .left = MAG_SCOPE_DEPTH_MAX, .refused = &refused), 0);
		cr_assert_eq(refused, 0);
		cr_assert_eq(RUN(n, digger, .left = MAG_SCOPE_DEPTH_MAX + 5, .refused = &refused), 0);
		cr_assert_eq(refused, 5);
		refused = 0;
		cr_assert_eq(RUN(n, digger, .left = MAG_SHIELD_DEPTH_MAX, .shields = true, .refused = &refused), 0);
		cr_assert_eq(refused, 0);
		cr_assert_eq(RUN(n, digger, .left = MAG_SHIELD_DEPTH_MAX + 5, .shields = true, .refused = &refused), 0);
		cr_assert_eq(refused, 5);
	}
}

struct deep_group {
	mag_frame frame;
	MAG_ARGS(deep_group, int left; uint32_t *refused;);
	mag_group group;
	int64_t rc;
};

MAG_TASK(deep_group)
{
	MAG_BEGIN(deep_group);
	if (self->left == 0)
		MAG_RETURN(0);
	MAG_GROUP_BEGIN(&self->group);
	MAG_CALL(self->rc, deep_group, .left = self->left - 1, .refused = self->refused);
	MAG_GROUP_END(self->rc, &self->group);
	if (self->rc == MAG_EDEPTH)
		count(self->refused);
	else
		CHECK(self->rc == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(scope, groups_count_as_scopes_do, .timeout = 20)
{
	uint32_t refused = 0;

	cr_assert_eq(RUN(2, deep_group, .left = MAG_SCOPE_DEPTH_MAX + 3, .refused = &refused), 0);
	cr_assert_eq(refused, 3);
}

/* Returns with all of them open, cancelled in between. */
struct untidy {
	mag_frame frame;
	MAG_ARGS(untidy, int64_t result;);
	mag_scope a, b, c;
	mag_future gate;
	uint32_t ended;
	int64_t saw;
	int64_t rc;
};

MAG_TASK(untidy)
{
	MAG_BEGIN(untidy);
	mag_future_init(&self->gate);
	MAG_WITH_TIMEOUT(&self->a, 5 * REST);
	MAG_SHIELD(&self->b, 5 * REST);
	MAG_SCOPE_BEGIN(&self->c);
	mag_scope_cancel(&self->c);
	MAG_RETURN(self->result);
	MAG_END;
}

struct untidy_story {
	mag_frame frame;
	MAG_NO_ARGS(untidy_story);
	int64_t rc;
	int i;
};

MAG_TASK(untidy_story)
{
	MAG_BEGIN(untidy_story);
	for (self->i = 0; self->i < 3; self->i++) {
		MAG_CALL(self->rc, untidy, .result = self->i);
		CHECK(self->rc == self->i);
		MAG_AWAIT(self->rc, mag_sleep, 4 * REST);
		CHECK(self->rc == 0);
	}
	MAG_RETURN(0);
	MAG_END;
}

Test(scope, a_return_leaves_what_is_open_last_first, .timeout = 10)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, untidy_story), 0);
}

struct crossed {
	mag_frame frame;
	MAG_NO_ARGS(crossed);
	mag_scope a, b;
	int64_t rc;
};

MAG_TASK(crossed)
{
	MAG_BEGIN(crossed);
	MAG_SCOPE_BEGIN(&self->a);
	MAG_SCOPE_BEGIN(&self->b);
	MAG_SCOPE_END(self->rc, &self->a);
	MAG_RETURN(0);
	MAG_END;
}

Test(scope, leaving_another_than_the_last_ends_the_program, .timeout = 10, .signal = SIGABRT)
{
	RUN(1, crossed);
}

/* A child that was forked in a scope lives in it: it is joined before the scope is left. */
struct forked_inside {
	mag_frame frame;
	MAG_NO_ARGS(forked_inside);
	mag_scope scope;
	mag_future gate;
	uint32_t ended;
	int64_t saw, rc;
};

MAG_TASK(forked_inside)
{
	MAG_BEGIN(forked_inside);
	mag_future_init(&self->gate);
	self->ended = 0;
	MAG_WITH_TIMEOUT(&self->scope, REST);
	MAG_FORK(waiter, .gate = &self->gate, .ended = &self->ended, .saw = &self->saw);
	MAG_SCOPE_END(self->rc, &self->scope);
	CHECK(counted(&self->ended) == 1 && self->saw == MAG_ECANCELED);
	CHECK(self->rc == MAG_ETIMEDOUT);
	MAG_JOIN(self->rc);
	CHECK(self->rc == MAG_ECANCELED);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: MAG_SCOPE_END without its join. */
Test(scope, the_end_of_a_scope_joins_what_was_forked_in_it, .timeout = 10)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, forked_inside), 0);
}
