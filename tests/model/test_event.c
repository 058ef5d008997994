/* SPDX-License-Identifier: MIT */
/* test_event.c - event.c on the waiter core in every order: whoever waits goes on, and nobody who resets it and then looks
 * misses what was done before a set. */
#include <criterion/criterion.h>

#include "base/clock.h"
#define magi_clock_ns() UINT64_C(0)

#include "model/task.h"
#include "sync/event.c"
#include "task/cancel.c"
#include "task/wait.c"

static mag_event event;
static uint32_t news; /* atomic, relaxed: what a set announces */
static int letter;    /* the same, not atomic */

static void start(void)
{
	tasks_init();
	memset(&event, 0, sizeof(event));
	mag_event_init(&event);
	news = letter = 0;
	explore_shared(&event, sizeof(event));
	explore_shared(&news, sizeof(news));
	explore_shared(&letter, sizeof(letter));
	/* task 0 is cancelled by thread 2, the others by nobody */
	explore_constant(&its_scope[1].cancelled, sizeof(its_scope[1].cancelled));
	explore_own(1, &its_scope[1].shard, sizeof(its_scope[1].shard), HIDDEN);
	explore_own(2, &runtime.visitors, sizeof(runtime.visitors), HIDDEN);
}

static void start_set(void)
{
	start();
	event.state = SET;
}

static int64_t await(int i)
{
	int64_t rc = task_await(i, magi_event_wait((mag_worker *)&its_worker[i], &frame[i], &event));

	explore_point();
	return rc;
}

static void waits(void)
{
	explore_assert(await(0) == 0);
}

static void waits_too(void)
{
	explore_assert(await(1) == 0);
}

static void waits_or_is_cancelled(void)
{
	int64_t rc = await(0);

	explore_assert(rc == 0 || rc == MAG_ECANCELED);
}

static void waits_and_frees(void)
{
	waits_too();
	explore_freed(&event);
}

static void finds_it_set_and_frees(void)
{
	if (mag_event_is_set(&event))
		explore_freed(&event);
}

static void sets(void)
{
	mag_event_set(&event);
}

static void cancels(void)
{
	mag_scope_cancel(&its_scope[0]);
}

/* As who has no lock does it: look, and wait when there is nothing. */
static void resets_looks_waits(void)
{
	mag_event_reset(&event);
	if (!magi_load_rlx(&news))
		explore_assert(await(0) == 0);
	explore_assert(magi_load_rlx(&news) == 1);
}

static void tells_and_sets(void)
{
	magi_store_rlx(&news, 1u);
	mag_event_set(&event);
}

/* What was done before the set is seen by who finds it set, also when it had waiters. */
static void writes_and_sets(void)
{
	letter = 1;
	mag_event_set(&event);
}

static void reads_if_set(void)
{
	if (mag_event_is_set(&event))
		explore_assert(letter == 1);
}

static void nothing(void)
{
}

#define MODEL(what, first, most, ...)                                                                               \
	{                                                                                                           \
		.name = (what), .start = (first), .thread = { __VA_ARGS__ }, .end = nothing, .preemptions = (most), \
		.quick = (most) == EXPLORE_ALL ? 0 : 3, .only_views = true                                          \
	}
static const struct explore_model set_or_cancelled = MODEL("set_or_cancelled", start, 4, waits_or_is_cancelled, sets,
							   cancels),
				  two_wait = MODEL("two_wait", start, 4, waits, waits_too, sets),
				  two_set = MODEL("two_set", start, 4, waits, sets, sets),
				  freed = MODEL("freed", start, EXPLORE_ALL, sets, waits_and_frees),
				  found = MODEL("found", start, EXPLORE_ALL, sets, finds_it_set_and_frees),
				  told = MODEL("told", start, 4, waits, writes_and_sets, reads_if_set),
				  reset = MODEL("reset", start_set, EXPLORE_ALL, resets_looks_waits, tells_and_sets);

#ifdef MODEL_FAULT

Test(event, fault_is_found, .timeout = 120)
{
	const struct explore_model *const all[] = { &freed,    &found,           &told, &reset, &two_set,
						    &two_wait, &set_or_cancelled };

	cr_assert(explore_some_fail(all, sizeof(all) / sizeof(all[0])));
}

#else

Test(event, task_goes_on_or_is_cancelled, .timeout = 300)
{
	cr_assert(explore_holds(&set_or_cancelled));
}

Test(event, all_who_wait_go_on, .timeout = 300)
{
	cr_assert(explore_holds(&two_wait));
}

Test(event, two_may_set_it, .timeout = 300)
{
	cr_assert(explore_holds(&two_set));
}

Test(event, who_has_waited_may_free_it, .timeout = 300)
{
	cr_assert(explore_holds(&freed));
}

Test(event, who_finds_it_set_may_free_it, .timeout = 300)
{
	cr_assert(explore_holds(&found));
}

Test(event, who_finds_it_set_sees_what_came_before, .timeout = 300)
{
	cr_assert(explore_holds(&told));
}

Test(event, who_resets_and_looks_misses_nothing, .timeout = 300)
{
	cr_assert(explore_holds(&reset));
}

#endif
