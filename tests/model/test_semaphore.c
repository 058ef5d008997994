/* SPDX-License-Identifier: MIT */
/* test_semaphore.c - semaphore.c on the waiter core, wait.c and cancel.c, in every order: each permit is free or somebody's,
 * and nobody waits while there are enough. */
#include <criterion/criterion.h>

#include "base/clock.h"
#include "model/task.h"
#include "task/cancel.c"
#include "task/wait.c"
#define lock_of semaphore_lock_of
#define magi_ticks() ((uint64_t)0) /* time stands still */
#include "sync/semaphore.c"

static mag_semaphore semaphore;
static uint32_t held[TASKS];
static uint64_t guarded, written[2];

static void start(void)
{
	tasks_init();
	memset(&semaphore, 0, sizeof(semaphore));
	mag_semaphore_init(&semaphore, 0, 4);
	semaphore.waitq.gone = gone; /* stored by each who waits */
	explore_shared(&semaphore, sizeof(semaphore));
	memset(held, 0, sizeof(held));
	guarded = 0;
	explore_shared(&guarded, sizeof(guarded));
	memset(written, 0, sizeof(written));
	explore_shared(written, sizeof(written));
	explore_ghost(held, sizeof(held));
	/* task 1 is never cancelled, task 0 by thread 2 */
	explore_constant(&its_scope[1].cancelled, sizeof(its_scope[1].cancelled));
	explore_own(1, &its_scope[1].shard, sizeof(its_scope[1].shard), HIDDEN);
	explore_own(2, &runtime.visitors, sizeof(runtime.visitors), HIDDEN);
}

static int64_t acquire(int i, uint32_t n)
{
	int64_t rc = task_await(i, mag_semaphore_acquire(&its_worker[i], &frame[i], &semaphore, n));

	if (rc == 0)
		held[i] = n;
	explore_point();
	return rc;
}

static void release(uint32_t n)
{
	mag_semaphore_release(&semaphore, n);
	explore_point();
}

static void cancel(int i)
{
	mag_scope_cancel(&its_scope[i]);
	explore_point();
}

/* Task 0 may be cancelled, task 1 is not. */

static void takes_one(void)
{
	int64_t rc = acquire(0, 1);

	explore_assert(rc == 0 || rc == MAG_ECANCELED);
}

static void takes_one_and_gives_it_back(void)
{
	if (acquire(0, 1))
		return;
	held[0] = 0;
	release(1);
}

/* As a mutex: what one holder has written the next one sees. */

static void one_permit(void)
{
	start();
	mag_semaphore_init(&semaphore, 1, 4);
	semaphore.waitq.gone = gone;
}

/* Whoever comes by takes the permit; who was woken tries again. */

static void one_permit_barging(void)
{
	start();
	mag_semaphore_init_as(&semaphore, 1, 4, MAG_BARGING);
	semaphore.waitq.gone = gone;
	runtime.ticks_per_us = 1;
}

static int64_t acquire_again(int i, uint32_t n)
{
	int64_t rc = task_await(i, mag_semaphore_acquire(&its_worker[i], &frame[i], &semaphore, n));

	if (rc == 0)
		held[i] = n;
	explore_point();
	return rc;
}

static void barges(int i)
{
	explore_assert(acquire_again(i, 1) == 0);
	guarded++;
	held[i] = 0;
	release(1);
}

static void barges_first(void)
{
	barges(0);
}

static void barges_second(void)
{
	barges(1);
	barges(1);
}

/* One is woken, and may be cancelled when it has been; another waits behind it. */

static void none_barging(void)
{
	one_permit_barging();
	semaphore.state = 0;
}

static void woken_takes_one(void)
{
	int64_t rc = acquire_again(0, 1);

	explore_assert(rc == 0 || rc == MAG_ECANCELED);
	if (rc == 0) {
		held[0] = 0;
		release(1);
	}
}

static void woken_gets_one(void)
{
	explore_assert(acquire_again(1, 1) == 0);
}

static void counts(int i)
{
	explore_assert(acquire(i, 1) == 0);
	guarded++;
	held[i] = 0;
	release(1);
}

static void counts_first(void)
{
	counts(0);
}

static void counts_second(void)
{
	counts(1);
	counts(1);
}

static void three_counted(void)
{
	explore_assert(guarded == 3);
	explore_assert(semaphore.state == 2 && !semaphore.waitq.head);
}

static void wants_two(void)
{
	explore_assert(acquire(0, 2) == MAG_ECANCELED);
}

static void gets_one(void)
{
	explore_assert(acquire(1, 1) == 0);
}

static void gets_one_and_ends_it(void)
{
	explore_assert(acquire(1, 1) == 0);
	explore_freed(&semaphore);
}

static void gives_one(void)
{
	release(1);
}

static void cancels(void)
{
	cancel(0);
}

static void gives_one_and_cancels(void)
{
	gives_one();
	cancels();
}

static void gives_two_in_turn(void)
{
	release(1);
	release(1);
}

static void wants_two_and_gets_them(void)
{
	explore_assert(acquire(1, 2) == 0);
}

/* Two permits at once: one may be left in the word, with what their giver wrote. */

static void gives_two_with_data(void)
{
	guarded = 3;
	release(2);
}

static void reads(int i)
{
	explore_assert(acquire(i, 1) == 0);
	explore_assert(guarded == 3);
}

static void reads_first(void)
{
	reads(0);
}

static void reads_second(void)
{
	reads(1);
}

static void reads_again(int i)
{
	explore_assert(acquire_again(i, 1) == 0);
	explore_assert(guarded == 3);
}

static void reads_again_first(void)
{
	reads_again(0);
}

static void reads_again_second(void)
{
	reads_again(1);
}

/* Two give at once, and a third takes both without waiting, with what each of them wrote. */

static void writes(int i)
{
	written[i] = 1;
	release(1);
}

static void writes_first(void)
{
	writes(0);
}

static void writes_second(void)
{
	writes(1);
}

static void takes_both_and_reads(void)
{
	if (mag_semaphore_try_acquire(&semaphore, 2) == 0)
		explore_assert(written[0] && written[1]);
}

static uint32_t in_all(void)
{
	return semaphore.state / 2 + held[0] + held[1];
}

static void one_in_all(void)
{
	explore_assert(in_all() == 1);
	explore_assert(!(semaphore.state & WAITERS) && !semaphore.waitq.head);
}

static void two_in_all(void)
{
	explore_assert(in_all() == 2);
}

static void nothing(void)
{
}

#define MODEL_(what, soon, is_left, given, ...)                                                             \
	{                                                                                                   \
		.name = (what), .start = (given), .thread = { __VA_ARGS__ }, .end = (is_left),              \
		.preemptions = (soon) == EXPLORE_ALL ? EXPLORE_ALL : 3, .quick = (soon), .only_views = true \
	}
#define MODEL(what, soon, is_left, ...) MODEL_(what, soon, is_left, start, __VA_ARGS__)
static const struct explore_model
	two_at_once = MODEL("two_at_once", 2, two_in_all, reads_first, reads_second, gives_two_with_data),
	exclusive = MODEL_("exclusive", EXPLORE_ALL, three_counted, one_permit, counts_first, counts_second),
	granted_or_cancelled = MODEL("granted_or_cancelled", 3, one_in_all, takes_one, gives_one, cancels),
	passed_on = MODEL("passed_on", 2, one_in_all, takes_one_and_gives_it_back, gets_one, gives_one_and_cancels),
	barging = MODEL_("barging", 3, three_counted, one_permit_barging, barges_first, barges_second),
	two_barging = MODEL_("two_barging", 1, two_in_all, none_barging, reads_again_first, reads_again_second,
			     gives_two_with_data),
	woken_goes = MODEL_("woken_goes", 1, one_in_all, none_barging, woken_takes_one, woken_gets_one,
			    gives_one_and_cancels),
	head_goes = MODEL("head_goes", 2, one_in_all, wants_two, gets_one, gives_one_and_cancels),
	given_by_two = MODEL("given_by_two", EXPLORE_ALL, nothing, takes_both_and_reads, writes_first, writes_second),
	two_in_turn = MODEL("two_in_turn", EXPLORE_ALL, two_in_all, gives_two_in_turn, wants_two_and_gets_them),
	ended = MODEL("ended", EXPLORE_ALL, nothing, gives_one, gets_one_and_ends_it);

#ifdef MODEL_FAULT

Test(semaphore, fault_is_found, .timeout = 120)
{
	const struct explore_model *const all[] = { &granted_or_cancelled, &exclusive, &two_at_once, &given_by_two,
						    &two_in_turn,          &ended,     &head_goes,   &passed_on,
						    &barging,              &two_barging, &woken_goes };

	cr_assert(explore_some_fail(all, sizeof(all) / sizeof(all[0])));
}

#else

Test(semaphore, permit_goes_to_the_waiter_or_stays_when_that_is_cancelled, .timeout = 300)
{
	cr_assert(explore_holds(&granted_or_cancelled));
}

Test(semaphore, permit_that_is_left_comes_with_what_its_giver_wrote, .timeout = 300)
{
	cr_assert(explore_holds(&two_at_once));
}

Test(semaphore, permits_of_several_come_with_what_each_wrote, .timeout = 300)
{
	cr_assert(explore_holds(&given_by_two));
}

Test(semaphore, holders_see_what_the_last_one_wrote, .timeout = 300)
{
	cr_assert(explore_holds(&exclusive));
}

Test(semaphore, permit_that_is_given_back_reaches_the_next, .timeout = 300)
{
	cr_assert(explore_holds(&passed_on));
}

Test(semaphore, cancelled_head_lets_the_next_through, .timeout = 300)
{
	cr_assert(explore_holds(&head_goes));
}

Test(semaphore, whoever_comes_by_sees_what_the_last_one_wrote, .timeout = 300)
{
	cr_assert(explore_holds(&barging));
}

Test(semaphore, permit_that_others_may_take_comes_with_what_its_giver_wrote, .timeout = 300)
{
	cr_assert(explore_holds(&two_barging));
}

Test(semaphore, woken_waiter_that_is_cancelled_lets_the_next_through, .timeout = 300)
{
	cr_assert(explore_holds(&woken_goes));
}

Test(semaphore, permits_gather_until_there_are_enough, .timeout = 300)
{
	cr_assert(explore_holds(&two_in_turn));
}

Test(semaphore, who_gets_the_last_permit_may_end_it, .timeout = 300)
{
	cr_assert(explore_holds(&ended));
}

#endif
