/* SPDX-License-Identifier: MIT */
/* test_mutex.c - mutex.c on the waiter core, wait.c and cancel.c, in every order: one task at a time has it, sees what the
 * one before has written, and nobody waits while it is free. */
#include <criterion/criterion.h>

#include "base/clock.h"
#include "model/task.h"
#include "task/cancel.c"
#include "task/wait.c"
#define magi_ticks() ((uint64_t)0) /* time stands still */
#define take mutex_take
#include "sync/mutex.c"

static mag_mutex mutex;
static uint32_t holders;
static uint64_t guarded;

mag_frame *magi_until(mag_worker *w, mag_frame *f, magi_until_fn op, void *object, uint64_t arg, uint64_t deadline)
{
	(void)deadline; /* there is none */
	return op(w, f, object, arg);
}

/* Task 0 has it at the start, and nobody waits. */
static void held_as(enum mag_fairness fairness)
{
	tasks_init();
	runtime.ticks_per_us = 1;
	memset(&mutex, 0, sizeof(mutex));
	mag_mutex_init_as(&mutex, fairness);
	mutex.waitq.gone = magi_waitq_held; /* stored by each who waits */
	mutex.state = (uint64_t)(uintptr_t)&frame[0];
	explore_shared(&mutex, sizeof(mutex));
	holders = 1;
	explore_ghost(&holders, sizeof(holders));
	guarded = 0;
	explore_shared(&guarded, sizeof(guarded));
	/* task 1 may be cancelled, by thread 2 */
	explore_constant(&its_scope[0].cancelled, sizeof(its_scope[0].cancelled));
	explore_constant(&its_scope[2].cancelled, sizeof(its_scope[2].cancelled));
	explore_own(0, &its_scope[0].shard, sizeof(its_scope[0].shard), HIDDEN);
	explore_own(2, &its_scope[2].shard, sizeof(its_scope[2].shard), HIDDEN);
	explore_own(2, &runtime.visitors, sizeof(runtime.visitors), HIDDEN);
}

static void held(void)
{
	held_as(MAG_BARGING);
}

static void held_fair(void)
{
	held_as(MAG_FAIR);
}

static void unlock(int i)
{
	guarded++;
	explore_assert(holders-- == 1);
	explore_assert(mag_mutex_unlock_by(&its_worker[i], &frame[i], &mutex) == 0);
	explore_point();
}

static int64_t lock(int i)
{
	int64_t rc = task_await(i, mag_mutex_lock(&its_worker[i], &frame[i], &mutex));

	if (rc == 0)
		explore_assert(holders++ == 0);
	explore_point();
	return rc;
}

static void unlocks(void)
{
	unlock(0);
}

static void waits(void)
{
	if (lock(1) == 0)
		unlock(1);
}

static void waits_and_comes_by(void)
{
	explore_assert(lock(2) == 0);
	unlock(2);
}

static void cancels_and_waits(void)
{
	mag_scope_cancel(&its_scope[1]);
	explore_point();
	waits_and_comes_by();
}

static void free_in_the_end(void)
{
	explore_assert(guarded == 2 || guarded == 3);
	explore_assert(mutex.state == 0 && !mutex.waitq.head);
}

#define MODEL(what, soon, given, ...)                                                                                  \
	{                                                                                                              \
		.name = (what), .start = (given), .thread = { __VA_ARGS__ }, .end = free_in_the_end, .preemptions = 3, \
		.quick = (soon), .only_views = true                                                                    \
	}
static const struct explore_model two_wait = MODEL("two_wait", 2, held, unlocks, waits, waits_and_comes_by),
				  head_goes = MODEL("head_goes", 2, held, unlocks, waits, cancels_and_waits),
				  head_of_a_fair_one_goes = MODEL("head_of_a_fair_one_goes", 2, held_fair, unlocks,
								  waits, cancels_and_waits);

#ifdef MODEL_FAULT

Test(mutex, fault_is_found, .timeout = 120)
{
	const struct explore_model *const all[] = { &head_goes, &head_of_a_fair_one_goes, &two_wait };

	cr_assert(explore_some_fail(all, sizeof(all) / sizeof(all[0])));
}

#else

Test(mutex, who_waits_or_comes_by_has_it_alone, .timeout = 300)
{
	cr_assert(explore_holds(&two_wait));
}

Test(mutex, one_that_comes_when_the_head_was_cancelled_is_woken, .timeout = 300)
{
	cr_assert(explore_holds(&head_goes));
}

Test(mutex, one_that_comes_when_the_head_was_cancelled_is_served_in_order, .timeout = 300)
{
	cr_assert(explore_holds(&head_of_a_fair_one_goes));
}

#endif
