/* SPDX-License-Identifier: MIT */
/* test_future.c - future.c on the waiter core in every order: whoever waits gets the result, and may free the future then. */
#include <criterion/criterion.h>

#include "base/clock.h"
#define magi_clock_ns() UINT64_C(0)

#include "model/task.h"
#include "task/cancel.c"
#include "task/future.c"
#include "task/wait.c"

enum { RESULT = 7 };

static mag_future future;
static int won;

static void start(void)
{
	tasks_init();
	memset(&future, 0, sizeof(future));
	mag_future_init(&future);
	explore_shared(&future, sizeof(future));
	won = 0;
	explore_ghost(&won, sizeof(won));
	/* task 0 is cancelled by thread 2, the others by nobody */
	explore_constant(&its_scope[1].cancelled, sizeof(its_scope[1].cancelled));
	explore_own(1, &its_scope[1].shard, sizeof(its_scope[1].shard), HIDDEN);
	explore_own(2, &runtime.visitors, sizeof(runtime.visitors), HIDDEN);
}

static int64_t await(int i)
{
	int64_t rc = task_await(i, mag_future_await(&its_worker[i], &frame[i], &future));

	explore_point();
	return rc;
}

static void awaits_or_is_cancelled(void)
{
	int64_t rc = await(0);

	explore_assert(rc == RESULT || rc == MAG_ECANCELED);
}

static void awaits(void)
{
	explore_assert(await(0) == RESULT);
}

static void awaits_too(void)
{
	explore_assert(await(1) == RESULT);
}

static void awaits_and_frees(void)
{
	awaits_too();
	mag_future_fini(&future);
	explore_freed(&future);
}

static void completes(void)
{
	explore_assert(mag_future_complete(&future, RESULT) == 0);
}

static void cancels(void)
{
	mag_scope_cancel(&its_scope[0]);
}

static void polls_and_frees(void)
{
	int64_t rc = 0;

	if (!mag_future_poll(&future, &rc))
		return;
	explore_assert(rc == RESULT);
	explore_freed(&future);
}

static void waits_and_frees(void)
{
	int64_t rc = 0;

	explore_assert(mag_future_wait(&future, &rc, MAGI_NEVER) == 0);
	explore_assert(rc == RESULT);
	explore_freed(&future);
}

static void one_completes_twice(void)
{
	won += mag_future_complete(&future, RESULT) == 0;
}

static void nothing(void)
{
}

static void one_has(void)
{
	explore_assert(won == 1);
	explore_assert(future.result == RESULT);
}

#define MODEL(what, most, after, ...)                                                                             \
	{                                                                                                         \
		.name = (what), .start = start, .thread = { __VA_ARGS__ }, .end = (after), .preemptions = (most), \
		.quick = (most) == EXPLORE_ALL ? 0 : 3, .only_views = true                                        \
	}
static const struct explore_model completed_or_cancelled = MODEL("completed_or_cancelled", 4, nothing,
								 awaits_or_is_cancelled, completes, cancels),
				  two_await = MODEL("two_await", 4, nothing, awaits, awaits_too, completes),
				  freed = MODEL("freed", EXPLORE_ALL, nothing, completes, awaits_and_frees),
				  polled = MODEL("polled", EXPLORE_ALL, nothing, completes, polls_and_frees),
				  foreign = MODEL("foreign", EXPLORE_ALL, nothing, completes, waits_and_frees),
				  completed_twice = MODEL("completed_twice", EXPLORE_ALL, one_has, one_completes_twice,
							  one_completes_twice);

#ifdef MODEL_FAULT

Test(future, fault_is_found, .timeout = 120)
{
	const struct explore_model *const all[] = { &freed,           &polled,    &foreign,
						    &completed_twice, &two_await, &completed_or_cancelled };

	cr_assert(explore_some_fail(all, sizeof(all) / sizeof(all[0])));
}

#else

Test(future, task_gets_the_result_or_is_cancelled, .timeout = 300)
{
	cr_assert(explore_holds(&completed_or_cancelled));
}

Test(future, all_who_await_get_the_result, .timeout = 300)
{
	cr_assert(explore_holds(&two_await));
}

Test(future, who_has_awaited_may_free_it, .timeout = 300)
{
	cr_assert(explore_holds(&freed));
}

Test(future, who_has_polled_may_free_it, .timeout = 300)
{
	cr_assert(explore_holds(&polled));
}

Test(future, foreign_thread_is_woken_and_may_free_it, .timeout = 300)
{
	cr_assert(explore_holds(&foreign));
}

Test(future, one_of_two_completes_it, .timeout = 300)
{
	cr_assert(explore_holds(&completed_twice));
}

#endif
