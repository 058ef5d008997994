/* SPDX-License-Identifier: MIT */
/* test_deque_small.c - the deque with four slots: always full or empty, and each slot reused all the time. */
#define MAGI_DEQUE_CAPACITY 4
#include "sched/deque.c" /* for this capacity */

#include "unit/deque_contest.h"

#if defined(MAGI_TSAN)
enum { ITEMS = 100000 };
#else
enum { ITEMS = 1000000 };
#endif

/* Tried: push that looks at bottom - top > capacity; steal that returns what it read though its CAS failed. */
Test(deque_small, slots_are_reused_while_thieves_look_at_them, .timeout = 60)
{
	static struct contest c;

	contest_hold(&c, ITEMS, 6, 0);
}

Test(deque_small, last_frames_go_to_one_of_owner_and_thieves, .timeout = 60)
{
	static struct contest c;

	contest_hold(&c, ITEMS, 2, -(int64_t)ITEMS / 2);
}

Test(deque_small, full_one_refuses, .timeout = 5)
{
	static struct magi_deque deque;
	mag_frame frame[5];

	for (int i = 0; i < 4; i++)
		cr_assert(magi_deque_push(&deque, &frame[i]));
	cr_assert_not(magi_deque_push(&deque, &frame[4]));
	for (int i = 4; i > 0; i--)
		cr_assert_eq(magi_deque_pop(&deque), &frame[i - 1]);
}
