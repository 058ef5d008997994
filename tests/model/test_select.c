/* SPDX-License-Identifier: MIT */
/* test_select.c - select.c on the waiter core and two semaphores, in every order: of all that could happen to who selects
 * exactly one does, and what is given is with somebody or there to be had. */
#include <criterion/criterion.h>

#include "base/clock.h"
#define magi_clock_ns() UINT64_C(0)

#include "model/task.h"
#include "task/cancel.c"
#include "task/select.c"
#include "task/wait.c"
#define lock_of semaphore_lock_of
#include "sync/semaphore.c"

enum { PLACES = 2 };

static mag_semaphore place[PLACES];
static mag_case cases[TASKS][PLACES];
static int got[TASKS]; /* 1 + which; 0: nothing */

static void start(void)
{
	tasks_init();
	memset(cases, 0, sizeof(cases));
	memset(got, 0, sizeof(got));
	for (uint32_t i = 0; i < PLACES; i++)
		mag_semaphore_init(&place[i], 0, 10);
	explore_shared(place, sizeof(place));
	explore_shared(cases, sizeof(cases));
	explore_ghost(got, sizeof(got));
	/* task 0 is cancelled by thread 2, the others by nobody */
	explore_constant(&its_scope[1].cancelled, sizeof(its_scope[1].cancelled));
	explore_own(1, &its_scope[1].shard, sizeof(its_scope[1].shard), HIDDEN);
	explore_own(2, &runtime.visitors, sizeof(runtime.visitors), HIDDEN);
}

/* first: the place that it asks for first. */
static void selects(int i, uint32_t first)
{
	int64_t rc;

	mag_case_acquire(&cases[i][0], &place[first], 1);
	mag_case_acquire(&cases[i][1], &place[1 - first], 1);
	rc = task_await(i, mag_select_first((mag_worker *)&its_worker[i], &frame[i], cases[i], PLACES));
	explore_assert(rc == 0 || rc == 1 || rc == MAG_ECANCELED);
	if (rc >= 0) {
		explore_assert(cases[i][rc].result == 0);
		got[i] = 1 + (int)(rc ? 1 - first : first);
	}
	explore_point();
}

static void task_0_selects(void)
{
	selects(0, 0);
}

static void task_1_selects_the_other_way_round(void)
{
	selects(1, 1);
}

static void gives_one(void)
{
	mag_semaphore_release(&place[0], 1);
}

static void gives_the_other(void)
{
	mag_semaphore_release(&place[1], 1);
}

static void gives_both(void)
{
	mag_semaphore_release(&place[1], 1);
	mag_semaphore_release(&place[0], 1);
}

static void cancels(void)
{
	mag_scope_cancel(&its_scope[0]);
}

/* Each permit of `given` is with somebody, or free; nobody is left in a queue. */
static void kept(uint32_t given)
{
	uint32_t held = 0;

	for (int i = 0; i < PLACES; i++) {
		explore_assert(!place[i].waitq.head && !(place[i].state & WAITERS));
		held += mag_semaphore_permits(&place[i]);
	}
	for (int i = 0; i < TASKS; i++)
		held += got[i] != 0;
	explore_assert(held == given);
}

static void both_kept(void)
{
	kept(2);
	explore_assert(got[0]);
}

static void one_kept(void)
{
	kept(1);
}

static void each_has_one(void)
{
	kept(2);
	explore_assert(got[0] && got[1] && got[0] != got[1]);
}

#define MODEL(what, last, most, soon, ...)                                                                       \
	{                                                                                                        \
		.name = (what), .start = start, .thread = { __VA_ARGS__ }, .end = (last), .preemptions = (most), \
		.quick = (soon), .only_views = true                                                              \
	}
static const struct explore_model one_of_two = MODEL("one_of_two", both_kept, 4, 2, task_0_selects, gives_one,
						     gives_the_other),
				  given_or_cancelled = MODEL("given_or_cancelled", one_kept, 4, 2, task_0_selects,
							     gives_the_other, cancels),
				  in_each_others_way = MODEL("in_each_others_way", each_has_one, 3, 1, task_0_selects,
							     task_1_selects_the_other_way_round, gives_both);

#ifdef MODEL_FAULT

Test(select, fault_is_found, .timeout = 120)
{
	const struct explore_model *const all[] = { &one_of_two, &given_or_cancelled, &in_each_others_way };

	cr_assert(explore_some_fail(all, sizeof(all) / sizeof(all[0])));
}

#else

Test(select, one_of_two_that_are_given_happens, .timeout = 300)
{
	cr_assert(explore_holds(&one_of_two));
}

Test(select, cancelled_it_takes_nothing, .timeout = 300)
{
	cr_assert(explore_holds(&given_or_cancelled));
}

Test(select, two_that_lock_in_another_order_do_not_block_each_other, .timeout = 300)
{
	cr_assert(explore_holds(&in_each_others_way));
}

#endif
