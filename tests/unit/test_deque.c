/* SPDX-License-Identifier: MIT */
/* test_deque.c - the owner's end and the thieves' end of include/magpie/impl/deque.h. */
#include "unit/deque_contest.h"

#if defined(MAGI_TSAN)
enum { ITEMS = 100000 };
#else
enum { ITEMS = 1000000 };
#endif

static struct magi_deque deque;
static mag_frame frame[2 * MAGI_DEQUE_CAPACITY];

static void start_at(int64_t index)
{
	deque.bottom = deque.top = deque.top_seen = deque.split = deque.limit = index;
}

/* Whatever a thief asks for, until all is shared. */
static void share(void)
{
	for (int64_t i = 0; i < MAGI_DEQUE_CAPACITY; i++)
		magi_deque_share(&deque);
}

Test(deque, empty_one_gives_nothing_to_anybody, .timeout = 5)
{
	bool lost = true;

	cr_assert_null(magi_deque_pop(&deque));
	cr_assert_null(magi_deque_steal(&deque, &lost));
	cr_assert_not(lost);
	cr_assert_eq(magi_deque_count(&deque), 0);
}

Test(deque, owner_takes_the_newest_and_a_thief_the_oldest, .timeout = 5)
{
	bool lost;

	for (int i = 0; i < 4; i++)
		cr_assert(magi_deque_push(&deque, &frame[i]));
	cr_assert_eq(magi_deque_count(&deque), 4);
	cr_assert_null(magi_deque_steal(&deque, &lost), "nothing is shared yet");
	share();
	cr_assert_eq(magi_deque_pop(&deque), &frame[3]);
	cr_assert_eq(magi_deque_steal(&deque, &lost), &frame[0]);
	cr_assert_eq(magi_deque_pop(&deque), &frame[2]);
	cr_assert_eq(magi_deque_steal(&deque, &lost), &frame[1]);
	cr_assert_null(magi_deque_pop(&deque));
}

Test(deque, owner_takes_back_the_newest_and_nothing_else, .timeout = 5)
{
	bool lost;

	magi_deque_push(&deque, &frame[0]);
	magi_deque_push(&deque, &frame[1]);
	cr_assert_not(magi_deque_take_back(&deque, &frame[0]));
	cr_assert(magi_deque_take_back(&deque, &frame[1]));
	cr_assert_eq(magi_deque_count(&deque), 1);
	cr_assert(magi_deque_take_back(&deque, &frame[0]));
	cr_assert_not(magi_deque_take_back(&deque, &frame[0]), "its stale slot is still there");
	magi_deque_push(&deque, &frame[0]);
	share();
	cr_assert_eq(magi_deque_steal(&deque, &lost), &frame[0]);
	cr_assert_not(magi_deque_take_back(&deque, &frame[0]));
	cr_assert_eq(magi_deque_count(&deque), 0);
}

/* Published deques that grow lost frames. Tried: `>` instead of `>=` in push; the first frame is gone. */
Test(deque, full_one_refuses_and_loses_nothing, .timeout = 5)
{
	bool lost;

	for (int i = 0; i < MAGI_DEQUE_CAPACITY; i++)
		cr_assert(magi_deque_push(&deque, &frame[i]));
	cr_assert_not(magi_deque_push(&deque, &frame[MAGI_DEQUE_CAPACITY]));
	share();
	cr_assert_eq(magi_deque_steal(&deque, &lost), &frame[0]);
	for (int i = 0; i < MAGI_DEQUE_CAPACITY / MAGI_DEQUE_FULL; i++)
		cr_assert_not(magi_deque_push(&deque, &frame[0]), "it does not look each time");
	cr_assert(magi_deque_push(&deque, &frame[MAGI_DEQUE_CAPACITY]));
	cr_assert_not(magi_deque_push(&deque, &frame[0]));
	for (int i = MAGI_DEQUE_CAPACITY; i > 0; i--)
		cr_assert_eq(magi_deque_pop(&deque), &frame[i]);
	cr_assert_null(magi_deque_pop(&deque));
}

/* While the owner pops from an empty deque, bottom is one below top. Tried: unsigned comparison in steal and count; the
 * thief gets a stale frame. */
Test(deque, bottom_below_top_is_empty, .timeout = 5)
{
	bool lost;

	for (int i = 0; i < 8; i++) /* slots hold what was there once */
		magi_deque_push(&deque, &frame[i]);
	deque.top = 5;
	deque.bottom = deque.split = deque.limit = 4;
	cr_assert_null(magi_deque_steal(&deque, &lost));
	cr_assert_not(lost);
	cr_assert_eq(magi_deque_count(&deque), 0);
}

static void fill_and_empty(int64_t start)
{
	bool lost;

	start_at(start);
	for (int i = 0; i < MAGI_DEQUE_CAPACITY; i++)
		cr_assert(magi_deque_push(&deque, &frame[i]));
	cr_assert_not(magi_deque_push(&deque, &frame[0]));
	share();
	for (int i = 0; i < MAGI_DEQUE_CAPACITY / 2; i++)
		cr_assert_eq(magi_deque_steal(&deque, &lost), &frame[i]);
	for (int i = MAGI_DEQUE_CAPACITY; i > MAGI_DEQUE_CAPACITY / 2; i--)
		cr_assert_eq(magi_deque_pop(&deque), &frame[i - 1]);
	cr_assert_null(magi_deque_steal(&deque, &lost));
	cr_assert_null(magi_deque_pop(&deque));
}

/* Tried: 32-bit indexes in steal; the second start fails. */
Test(deque, indexes_may_be_anything_that_64_bits_hold, .timeout = 5)
{
	fill_and_empty(-3);
	fill_and_empty((int64_t)INT32_MAX - 5);
	fill_and_empty((int64_t)UINT32_MAX - 5);
	fill_and_empty(INT64_MAX - 2 * MAGI_DEQUE_CAPACITY);
	fill_and_empty(INT64_MIN + 1);
}

/* The only worker of a runtime needs no barrier. */
Test(deque, lone_owner_takes_both_ends, .timeout = 5)
{
	bool lost;

	deque.alone = true;
	for (int i = 0; i < 3; i++)
		magi_deque_push(&deque, &frame[i]);
	cr_assert_eq(magi_deque_pop(&deque), &frame[2]);
	share();
	cr_assert_eq(magi_deque_steal(&deque, &lost), &frame[0]);
	cr_assert_eq(magi_deque_pop(&deque), &frame[1]);
	cr_assert_null(magi_deque_pop(&deque));
	cr_assert_null(magi_deque_steal(&deque, &lost));
	cr_assert_eq(magi_deque_count(&deque), 0);
}

/* Tried: a revoke without its barrier, or that shares before it, or does not read bottom again; the exchange in
 * pop_shared a plain store. Some frame is taken twice. */
Test(deque, owner_and_three_thieves_take_each_frame_once, .timeout = 60)
{
	static struct contest c;

	contest_hold(&c, ITEMS, 100, 0);
}

/* Tried: the same; and the CAS in pop_shared left out. */
Test(deque, last_frames_go_to_one_of_owner_and_thieves, .timeout = 60)
{
	static struct contest c;

	contest_hold(&c, ITEMS, 2, (int64_t)UINT32_MAX - ITEMS / 2);
}
