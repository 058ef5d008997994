/* SPDX-License-Identifier: MIT */
/* test_views.c - that the weaker memory model does what C allows, and nothing more: litmus tests [Lahav et al., Repairing
 * sequential consistency in C/C++11, PLDI 2017], each with an assertion that must hold or must not. */
#include <criterion/criterion.h>

#include "model/litmus.h"

static bool views_hold(void (*a)(void), void (*b)(void), void (*end)(void))
{
	return holds(
		(struct explore_model){ .thread = { a, b }, .end = end, .preemptions = EXPLORE_ALL, .views = true });
}

static void exchange_x_load_y(void)
{
	(void)magi_xchg_seq(&x, 1u);
	seen[0] = magi_load_seq(&y);
}

static void exchange_y_load_x_seq(void)
{
	(void)magi_xchg_seq(&y, 1u);
	seen[1] = magi_load_seq(&x);
}

static void exchange_x_weakly_load_y(void)
{
	(void)magi_xchg_ar(&x, 1u);
	seen[0] = magi_load_seq(&y);
}

Test(views, stores_and_loads_that_are_all_in_one_order_are_seen, .timeout = 5)
{
	cr_assert_not(views_hold(store_x_load_y, store_y_load_x, both_see));
	cr_assert_not(views_hold(store_x_fence_load_y, store_y_load_x, both_see));
	cr_assert(views_hold(store_x_fence_load_y, store_y_fence_load_x, both_see));
	cr_assert(views_hold(store_x_load_y, store_y_barrier_load_x, both_see));
	cr_assert(views_hold(exchange_x_load_y, exchange_y_load_x_seq, both_see));
	cr_assert(views_hold(exchange_x_load_y, store_y_fence_load_x, both_see));
	/* on x86 these would be enough */
	cr_assert_not(views_hold(exchange_x_load_y, exchange_y_load_x, both_see));
	cr_assert_not(views_hold(exchange_x_weakly_load_y, exchange_y_load_x_seq, both_see));
}

static void write_then_release(void)
{
	data = 1;
	magi_store_rel(&x, 1u);
}

static void write_then_relax(void)
{
	data = 1;
	magi_store_rlx(&x, 1u);
}

static void write_then_fence(void)
{
	data = 1;
	magi_fence_seq(&x);
	magi_store_rlx(&x, 1u);
}

static void acquire_then_read(void)
{
	if (magi_load_acq(&x))
		explore_assert(data == 1);
}

static void relax_then_read(void)
{
	if (magi_load_rlx(&x))
		explore_assert(data == 1);
}

static void relax_then_fence(void)
{
	if (!magi_load_rlx(&x))
		return;
	magi_fence_seq(&x);
	explore_assert(data == 1);
}

Test(views, plain_data_is_handed_over_by_release_and_acquire_or_fences, .timeout = 5)
{
	cr_assert(views_hold(write_then_release, acquire_then_read, nothing));
	cr_assert(views_hold(write_then_fence, acquire_then_read, nothing));
	cr_assert(views_hold(write_then_release, relax_then_fence, nothing));
	cr_assert(views_hold(write_then_fence, relax_then_fence, nothing));
	cr_assert_not(views_hold(write_then_relax, acquire_then_read, nothing));
	cr_assert_not(views_hold(write_then_release, relax_then_read, nothing));
}

static void release_then_relax(void)
{
	data = 1;
	magi_store_rel(&x, 1u);
	magi_store_rlx(&x, 2u);
}

static void release_then_add(void)
{
	data = 1;
	magi_store_rel(&x, 1u);
	(void)magi_add_rlx(&x, 1u);
}

static void acquire_two(void)
{
	if (magi_load_acq(&x) == 2)
		explore_assert(data == 1);
}

/* As in C20: in C11 the first would hold as well. */
Test(views, release_goes_on_through_additions_but_not_through_stores, .timeout = 5)
{
	cr_assert_not(views_hold(release_then_relax, acquire_two, nothing));
	cr_assert(views_hold(release_then_add, acquire_two, nothing));
}

static void release_x(void)
{
	magi_store_rel(&x, 1u);
}

static void load_x_then_y(void)
{
	seen[0] = magi_load_acq(&x);
	seen[1] = magi_load_acq(&y);
}

static void load_y_then_x_again(void)
{
	seen[2] = magi_load_acq(&y);
	seen[3] = magi_load_acq(&x);
}

static void load_x_fence_load_y(void)
{
	seen[0] = magi_load_acq(&x);
	magi_fence_seq(&x);
	seen[1] = magi_load_acq(&y);
}

static void load_y_fence_load_x(void)
{
	seen[2] = magi_load_acq(&y);
	magi_fence_seq(&x);
	seen[3] = magi_load_acq(&x);
}

static void release_y(void)
{
	magi_store_rel(&y, 1u);
}

static void they_agree(void)
{
	explore_assert(!(seen[0] && !seen[1] && seen[2] && !seen[3]));
}

/* Independent reads of independent writes: x86 does not do it, POWER does. */
Test(views, two_readers_may_disagree_on_what_came_first, .timeout = 30)
{
	struct explore_model m = { .thread = { release_x, release_y, load_x_then_y, load_y_then_x_again },
				   .end = they_agree,
				   .preemptions = EXPLORE_ALL };

	cr_assert(holds(m));
	m.views = true;
	cr_assert_not(holds(m));
	m.thread[2] = load_x_fence_load_y;
	m.thread[3] = load_y_fence_load_x;
	cr_assert(holds(m));
}

static void x_twice(void)
{
	magi_store_rlx(&x, 1u);
	magi_store_rlx(&x, 2u);
}

static void load_x_twice(void)
{
	seen[0] = magi_load_rlx(&x);
	seen[1] = magi_load_rlx(&x);
}

static void never_back(void)
{
	explore_assert(seen[0] <= seen[1]);
}

static void always_the_newest(void)
{
	explore_assert(seen[0] == 0 || seen[1] == 2);
}

Test(views, one_location_does_not_go_back, .timeout = 5)
{
	cr_assert(views_hold(x_twice, load_x_twice, never_back));
	cr_assert_not(views_hold(x_twice, load_x_twice, always_the_newest));
}

static void add_one(void)
{
	(void)magi_add_rlx(&x, 1u);
}

static void count_under_the_lock(void)
{
	magi_lock_acquire(&lock);
	data++;
	magi_lock_release(&lock);
}

static void count_without(void)
{
	data++;
}

static void data_is_two(void)
{
	explore_assert(data == 2);
}

Test(views, additions_are_not_lost_and_a_lock_is_one_with_views, .timeout = 5)
{
	cr_assert(views_hold(add_one, add_one, x_is_two));
	cr_assert_not(views_hold(add_in_two_steps, add_in_two_steps, x_is_two));
	cr_assert(views_hold(count_under_the_lock, count_under_the_lock, data_is_two));
	cr_assert_not(views_hold(count_under_the_lock, count_without, nothing));
}

static void ring_then_store(void)
{
	explore_ring(1);
	magi_store_rel(&x, 1u);
}

static void store_then_ring(void)
{
	magi_store_rel(&x, 1u);
	explore_ring(1);
}

static void sleep_until_x(void)
{
	while (!magi_load_acq(&x))
		explore_sleep();
}

static void sleep_fence_x(void)
{
	while (!magi_load_acq(&x)) {
		explore_sleep();
		magi_fence_seq(&x);
	}
}

/* The bell orders nothing: who wakes up may not see why. */
Test(views, sleeper_that_nobody_rings_for_is_found, .timeout = 5)
{
	cr_assert_not(views_hold(ring_then_store, sleep_until_x, nothing));
	cr_assert_not(views_hold(store_then_ring, sleep_fence_x, nothing));
	cr_assert_not(holds((struct explore_model){
		.thread = { ring_then_store, sleep_until_x }, .end = nothing, .preemptions = EXPLORE_ALL }));
	cr_assert(holds((struct explore_model){
		.thread = { store_then_ring, sleep_until_x }, .end = nothing, .preemptions = EXPLORE_ALL }));
}
