/* SPDX-License-Identifier: MIT */
/* test_explore.c - that the search finds what x86 does, and nothing that it does not: litmus tests [Sewell et al., x86-TSO,
 * CACM 2010], each with an assertion that must hold or must not. */
#include <criterion/criterion.h>

#include "model/litmus.h"

Test(explore, two_stores_may_wait_while_both_load, .timeout = 5)
{
	cr_assert_not(holds((struct explore_model){ .thread = { store_x_load_y, store_y_load_x }, .end = both_see }));
	cr_assert_not(
		holds((struct explore_model){ .thread = { store_x_load_y, store_y_fence_load_x }, .end = both_see }));
	cr_assert_not(
		holds((struct explore_model){ .thread = { store_x_load_y, exchange_y_load_x }, .end = both_see }));
}

Test(explore, fence_on_both_sides_orders_them, .timeout = 5)
{
	struct explore_model m = { .thread = { store_x_fence_load_y, store_y_fence_load_x }, .end = both_see };

	m.preemptions = EXPLORE_ALL;
	cr_assert(holds(m));
	m.thread[1] = exchange_y_load_x;
	cr_assert(holds(m));
}

Test(explore, barrier_on_every_thread_is_enough_on_one_side, .timeout = 5)
{
	struct explore_model m = { .thread = { store_x_load_y, store_y_barrier_load_x }, .end = both_see };

	m.preemptions = EXPLORE_ALL;
	cr_assert(holds(m));
}

static void store_x_then_y(void)
{
	magi_store_rlx(&x, 1u);
	magi_store_rlx(&y, 1u);
}

static void load_y_then_x(void)
{
	seen[0] = magi_load_acq(&y);
	seen[1] = magi_load_acq(&x);
}

static void y_means_x(void)
{
	explore_assert(!seen[0] || seen[1]);
}

static void never_between_the_two(void)
{
	explore_assert(seen[0] || !seen[1]);
}

Test(explore, stores_become_visible_in_their_order, .timeout = 5)
{
	struct explore_model m = { .thread = { store_x_then_y, load_y_then_x }, .preemptions = EXPLORE_ALL };

	m.end = y_means_x;
	cr_assert(holds(m));
	m.end = never_between_the_two;
	cr_assert_not(holds(m));
}

static void barrier_between_two_loads(void)
{
	seen[0] = magi_load_acq(&x);
	magi_barrier_all();
	seen[1] = magi_load_acq(&y);
}

static void x_means_y(void)
{
	explore_assert(!seen[0] || seen[1]);
}

/* The thread can be interrupted between its two stores. Tried: thread_clean that asks for an empty queue. */
Test(explore, barrier_does_not_wait_for_a_store_that_is_not_made_yet, .timeout = 5)
{
	cr_assert_not(holds((struct explore_model){ .thread = { store_x_then_y, barrier_between_two_loads },
						    .end = x_means_y,
						    .preemptions = EXPLORE_ALL }));
}

static void own_store_is_seen(void)
{
	magi_store_rel(&x, 1u);
	explore_assert(magi_load_acq(&x));
}

static void other_store_is_seen(void)
{
	magi_store_rel(&x, 2u);
}

static void own_store_is_still_there(void)
{
	magi_store_rel(&x, 1u);
	explore_assert(magi_load_acq(&x) == 1);
}

Test(explore, own_store_is_seen_at_once_and_may_be_overwritten, .timeout = 5)
{
	struct explore_model m = { .end = nothing, .preemptions = EXPLORE_ALL };

	m.thread[0] = own_store_is_seen;
	m.thread[1] = other_store_is_seen;
	cr_assert(holds(m));
	m.thread[0] = own_store_is_still_there;
	cr_assert_not(holds(m));
}

Test(explore, lost_update_takes_one_preemption, .timeout = 5)
{
	struct explore_model m = { .thread = { add_in_two_steps, add_in_two_steps }, .end = x_is_two };

	cr_assert(holds(m));
	m.preemptions = 1;
	cr_assert_not(holds(m));
}

static void add_under_the_lock(void)
{
	magi_lock_acquire(&lock);
	magi_store_rlx(&x, magi_load_rlx(&x) + 1);
	magi_lock_release(&lock);
}

static void x_is_three(void)
{
	explore_assert(x == 3);
}

Test(explore, who_spins_for_a_lock_gets_it, .timeout = 30)
{
	cr_assert(
		holds((struct explore_model){ .thread = { add_under_the_lock, add_under_the_lock, add_under_the_lock },
					      .end = x_is_three,
					      .preemptions = EXPLORE_ALL }));
}

static void lock_and_keep(void)
{
	magi_lock_acquire(&lock);
}

Test(explore, who_spins_for_ever_is_found, .timeout = 5)
{
	cr_assert_not(holds((struct explore_model){ .thread = { lock_and_keep, lock_and_keep }, .end = nothing }));
}
