/* SPDX-License-Identifier: MIT */
/* test_check.c - the checker and the specs, on histories of which it is known what they are. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "linear/spec.h"

static bool linear(const struct linear_spec *spec, int32_t a, int32_t b, const struct linear_op *op, size_t n)
{
	struct linear_search search = { 0 };
	struct linear_history h = { .n = (uint32_t)n, .lanes = LINEAR_LANES, .config = { a, b } };
	bool ok;

	memcpy(h.op, op, n * sizeof(*op));
	linear_sort(&h);
	ok = linear_check(&search, spec, &h);
	linear_print(stderr, spec, &h);
	fprintf(stderr, "%s:\n", ok ? "an order" : "no order beyond");
	linear_print_order(stderr, &search, spec, &h);
	linear_search_fini(&search);
	return ok;
}

/* Each line: lane, call, reply, what, element, result. */
#define DONE(l, c, r, k, i, res)                                                                      \
	{                                                                                             \
		.lane = (l), .call = (c), .reply = (r), .kind = (k), .item = { (i) }, .result = (res) \
	}
#define WAITED(l, c, r, k, i, res)                                                                                    \
	{                                                                                                             \
		.lane = (l), .call = (c), .reply = (r), .kind = (k), .awaits = true, .item = { (i) }, .result = (res) \
	}

#define IS_LINEAR(spec, a, b, ...)                                           \
	linear(&(spec), (a), (b), (const struct linear_op[]){ __VA_ARGS__ }, \
	       sizeof((const struct linear_op[]){ __VA_ARGS__ }) / sizeof(struct linear_op))

/* The search itself. */

Test(linear_check, nothing_at_all_is_linear, .timeout = 10)
{
	struct linear_search search = { 0 };
	struct linear_history h = { 0 };

	cr_assert(linear_check(&search, &linear_event_spec, &h));
	linear_search_fini(&search);
}

Test(linear_check, operations_at_the_same_time_come_in_either_order, .timeout = 10)
{
	for (int64_t first = 0; first < 2; first++)
		cr_assert(IS_LINEAR(linear_event_spec, 0, 0, DONE(0, 1, 4, LINEAR_SET, 0, 1),
				    DONE(1, 2, 3, LINEAR_IS_SET, 0, first)));
}

Test(linear_check, operations_after_one_another_keep_their_order, .timeout = 10)
{
	cr_assert_not(IS_LINEAR(linear_event_spec, 0, 0, DONE(0, 1, 2, LINEAR_SET, 0, 1),
				DONE(1, 3, 4, LINEAR_IS_SET, 0, 0)));
	cr_assert_not(IS_LINEAR(linear_event_spec, 0, 0, DONE(0, 1, 2, LINEAR_IS_SET, 0, 1),
				DONE(1, 3, 4, LINEAR_SET, 0, 1)));
}

Test(linear_check, what_has_not_returned_may_have_happened_or_not, .timeout = 10)
{
	for (int64_t seen = 0; seen < 2; seen++)
		cr_assert(IS_LINEAR(linear_event_spec, 0, 0, DONE(0, 1, 0, LINEAR_SET, 0, 0),
				    DONE(1, 2, 3, LINEAR_IS_SET, 0, seen)));
	cr_assert_not(IS_LINEAR(linear_event_spec, 0, 0, DONE(0, 1, 0, LINEAR_SET, 0, 0),
				DONE(1, 2, 3, LINEAR_IS_SET, 0, 1), DONE(1, 4, 5, LINEAR_IS_SET, 0, 0)),
		      "it happens once");
}

/* Six pushes at the same time, and a pop of each after them, in some other order. */
Test(linear_check, many_operations_at_once_are_searched_in_little_time, .timeout = 20)
{
	enum { MANY = 6 };
	struct linear_search search = { 0 };
	struct linear_history h = { .n = 2 * MANY, .config = { MANY } };

	for (uint32_t i = 0; i < MANY; i++) {
		h.op[i] = (struct linear_op)DONE(0, i + 1, 40 - i, LINEAR_TRY_PUSH, i + 1, 0);
		h.op[MANY + i] = (struct linear_op)DONE(1, 50 + 2 * i, 51 + 2 * i, LINEAR_TRY_POP, MANY - i, 0);
	}
	cr_assert(linear_check(&search, &linear_queue_spec, &h));
	h.op[2 * MANY - 1].item[0] = MANY;
	cr_assert_not(linear_check(&search, &linear_queue_spec, &h));
	cr_assert_lt(search.n, 3000, "the same state is gone through again: %u", search.n);
	linear_search_fini(&search);
}

/* Queue. */

Test(linear_queue_spec, accepts_what_a_queue_does, .timeout = 10)
{
	cr_assert(IS_LINEAR(linear_queue_spec, 2, 0, DONE(0, 1, 2, LINEAR_TRY_PUSH, 7, 0),
			    DONE(0, 3, 4, LINEAR_TRY_PUSH, 8, 0), DONE(0, 5, 6, LINEAR_TRY_PUSH, 9, -EAGAIN),
			    DONE(1, 7, 8, LINEAR_TRY_POP, 7, 0), DONE(1, 9, 10, LINEAR_CLOSE, 0, 1),
			    DONE(1, 11, 12, LINEAR_IS_CLOSED, 0, 1), DONE(1, 13, 14, LINEAR_TRY_POP, 8, 0),
			    DONE(1, 15, 16, LINEAR_TRY_POP, 0, MAG_ECLOSED)));
}

Test(linear_queue_spec, accepts_a_popper_that_was_served_by_a_push, .timeout = 10)
{
	cr_assert(IS_LINEAR(linear_queue_spec, 1, 0, WAITED(0, 1, 9, LINEAR_POP, 5, 0),
			    DONE(1, 2, 3, LINEAR_QUEUE_WAITING, 0, 1), DONE(1, 4, 5, LINEAR_TRY_PUSH, 5, 0),
			    DONE(1, 6, 7, LINEAR_TRY_PUSH, 6, 0)));
}

Test(linear_queue_spec, refuses_a_lost_item, .timeout = 10)
{
	cr_assert_not(IS_LINEAR(linear_queue_spec, 2, 0, DONE(0, 1, 2, LINEAR_TRY_PUSH, 7, 0),
				DONE(1, 3, 4, LINEAR_TRY_POP, 0, -EAGAIN)));
	cr_assert_not(IS_LINEAR(linear_queue_spec, 2, 0, DONE(0, 1, 2, LINEAR_TRY_PUSH, 7, 0),
				DONE(0, 3, 4, LINEAR_TRY_PUSH, 8, 0), DONE(1, 5, 6, LINEAR_TRY_POP, 8, 0)));
}

Test(linear_queue_spec, refuses_an_item_twice_and_one_from_nowhere, .timeout = 10)
{
	cr_assert_not(IS_LINEAR(linear_queue_spec, 2, 0, DONE(0, 1, 2, LINEAR_TRY_PUSH, 7, 0),
				WAITED(1, 3, 5, LINEAR_POP, 7, 0), WAITED(2, 4, 6, LINEAR_POP, 7, 0)));
	cr_assert_not(IS_LINEAR(linear_queue_spec, 2, 0, WAITED(0, 1, 4, LINEAR_PUSH, 7, 0),
				WAITED(1, 2, 5, LINEAR_POP, 8, 0)));
}

Test(linear_queue_spec, refuses_another_order, .timeout = 10)
{
	cr_assert_not(IS_LINEAR(linear_queue_spec, 2, 0, WAITED(0, 1, 2, LINEAR_PUSH, 7, 0),
				WAITED(0, 3, 4, LINEAR_PUSH, 8, 0), WAITED(1, 5, 8, LINEAR_POP, 8, 0),
				WAITED(1, 9, 10, LINEAR_POP, 7, 0)));
}

Test(linear_queue_spec, refuses_more_than_there_is_room_for, .timeout = 10)
{
	cr_assert_not(IS_LINEAR(linear_queue_spec, 1, 0, DONE(0, 1, 2, LINEAR_TRY_PUSH, 7, 0),
				DONE(0, 3, 4, LINEAR_TRY_PUSH, 8, 0)));
	cr_assert_not(IS_LINEAR(linear_queue_spec, 1, 0, DONE(0, 1, 2, LINEAR_TRY_PUSH, 7, 0),
				WAITED(0, 3, 4, LINEAR_PUSH, 8, 0), DONE(1, 5, 6, LINEAR_TRY_POP, 7, 0)));
}

Test(linear_queue_spec, cancelled_operations_have_no_effect, .timeout = 10)
{
	cr_assert(IS_LINEAR(linear_queue_spec, 1, 0, WAITED(0, 1, 4, LINEAR_POP, 0, MAG_ECANCELED),
			    DONE(1, 2, 3, LINEAR_TRY_PUSH, 7, 0), DONE(1, 5, 6, LINEAR_TRY_POP, 7, 0)));
	cr_assert_not(IS_LINEAR(linear_queue_spec, 1, 0, WAITED(0, 1, 4, LINEAR_POP, 0, MAG_ECANCELED),
				DONE(1, 2, 3, LINEAR_TRY_PUSH, 7, 0), DONE(1, 5, 6, LINEAR_TRY_POP, 0, -EAGAIN)),
		      "the item went with the popper");
	cr_assert_not(IS_LINEAR(linear_queue_spec, 1, 0, WAITED(0, 1, 4, LINEAR_PUSH, 7, MAG_ECANCELED),
				DONE(1, 5, 6, LINEAR_TRY_POP, 7, 0)),
		      "it was pushed all the same");
}

Test(linear_queue_spec, refuses_a_close_that_leaves_somebody_waiting, .timeout = 10)
{
	cr_assert_not(IS_LINEAR(linear_queue_spec, 1, 0, WAITED(0, 1, 0, LINEAR_POP, 0, 0),
				DONE(1, 2, 3, LINEAR_QUEUE_WAITING, 0, 1), DONE(1, 4, 5, LINEAR_CLOSE, 0, 1),
				DONE(1, 6, 7, LINEAR_QUEUE_WAITING, 0, 1)));
	cr_assert_not(IS_LINEAR(linear_queue_spec, 1, 0, DONE(1, 1, 2, LINEAR_CLOSE, 0, 1),
				DONE(1, 3, 4, LINEAR_TRY_PUSH, 7, 0)));
}

/* Two that are known to wait: the first is served first. */
Test(linear_queue_spec, refuses_a_waiter_that_overtakes, .timeout = 10)
{
	for (uint64_t first = 7; first <= 8; first++)
		cr_assert_eq(IS_LINEAR(linear_queue_spec, 1, 0, WAITED(0, 1, 20, LINEAR_POP, first, 0),
				       DONE(2, 2, 3, LINEAR_QUEUE_WAITING, 0, 1),
				       WAITED(1, 4, 21, LINEAR_POP, 15 - first, 0),
				       DONE(2, 5, 6, LINEAR_QUEUE_WAITING, 0, 2), DONE(2, 7, 8, LINEAR_TRY_PUSH, 7, 0),
				       DONE(2, 9, 10, LINEAR_TRY_PUSH, 8, 0)),
			     first == 7);
}

/* Mutex. */

Test(linear_mutex_spec, accepts_what_a_mutex_does, .timeout = 10)
{
	cr_assert(IS_LINEAR(linear_mutex_spec, 0, 0, WAITED(0, 1, 2, LINEAR_LOCK, 0, 0),
			    WAITED(1, 3, 20, LINEAR_LOCK, 0, 0), DONE(2, 4, 5, LINEAR_TRY_LOCK, 0, -EAGAIN),
			    WAITED(0, 6, 7, LINEAR_LOCK, 0, MAG_EDEADLK), DONE(2, 8, 9, LINEAR_IS_LOCKED, 0, 1),
			    WAITED(2, 10, 30, LINEAR_LOCK, 0, MAG_ECANCELED), DONE(0, 11, 12, LINEAR_UNLOCK, 0, 0),
			    DONE(1, 21, 22, LINEAR_UNLOCK, 0, 0), DONE(0, 31, 32, LINEAR_IS_LOCKED, 0, 0)));
}

Test(linear_mutex_spec, refuses_two_holders, .timeout = 10)
{
	cr_assert_not(IS_LINEAR(linear_mutex_spec, 0, 0, WAITED(0, 1, 4, LINEAR_LOCK, 0, 0),
				WAITED(1, 2, 3, LINEAR_LOCK, 0, 0), DONE(0, 5, 7, LINEAR_UNLOCK, 0, 0),
				DONE(1, 6, 8, LINEAR_UNLOCK, 0, 0)));
	cr_assert_not(IS_LINEAR(linear_mutex_spec, 0, 0, WAITED(0, 1, 2, LINEAR_LOCK, 0, 0),
				DONE(1, 3, 4, LINEAR_TRY_LOCK, 0, 0)));
}

Test(linear_mutex_spec, refuses_a_free_mutex_that_cannot_be_had, .timeout = 10)
{
	cr_assert_not(IS_LINEAR(linear_mutex_spec, 0, 0, WAITED(0, 1, 2, LINEAR_LOCK, 0, 0),
				DONE(0, 3, 4, LINEAR_UNLOCK, 0, 0), DONE(1, 5, 6, LINEAR_TRY_LOCK, 0, -EAGAIN)));
	cr_assert_not(IS_LINEAR(linear_mutex_spec, 0, 0, WAITED(0, 1, 2, LINEAR_LOCK, 0, MAG_ECANCELED),
				DONE(1, 3, 4, LINEAR_TRY_LOCK, 0, -EAGAIN)));
}

/* Semaphore. */

Test(linear_semaphore_spec, accepts_what_a_semaphore_does, .timeout = 10)
{
	cr_assert(IS_LINEAR(linear_semaphore_spec, 2, 9, WAITED(0, 1, 20, LINEAR_ACQUIRE, 3, 0),
			    DONE(1, 2, 3, LINEAR_SEMAPHORE_WAITING, 0, 1),
			    DONE(1, 4, 5, LINEAR_TRY_ACQUIRE, 1, -EAGAIN), DONE(1, 6, 7, LINEAR_PERMITS, 0, 2),
			    DONE(1, 8, 9, LINEAR_RELEASE, 2, 0), DONE(1, 10, 11, LINEAR_TRY_ACQUIRE, 1, 0),
			    DONE(1, 12, 13, LINEAR_PERMITS, 0, 0)));
}

Test(linear_semaphore_spec, refuses_an_overdraft, .timeout = 10)
{
	cr_assert_not(IS_LINEAR(linear_semaphore_spec, 2, 9, WAITED(0, 1, 3, LINEAR_ACQUIRE, 2, 0),
				DONE(1, 2, 4, LINEAR_TRY_ACQUIRE, 1, 0)));
}

Test(linear_semaphore_spec, refuses_a_lost_permit, .timeout = 10)
{
	cr_assert_not(IS_LINEAR(linear_semaphore_spec, 0, 9, WAITED(0, 1, 4, LINEAR_ACQUIRE, 1, MAG_ECANCELED),
				DONE(1, 2, 3, LINEAR_RELEASE, 1, 0), DONE(1, 5, 6, LINEAR_PERMITS, 0, 0)));
}

Test(linear_semaphore_spec, refuses_a_newcomer_that_overtakes, .timeout = 10)
{
	cr_assert_not(IS_LINEAR(linear_semaphore_spec, 1, 9, WAITED(0, 1, 9, LINEAR_ACQUIRE, 3, 0),
				DONE(1, 2, 3, LINEAR_SEMAPHORE_WAITING, 0, 1), DONE(1, 4, 5, LINEAR_TRY_ACQUIRE, 1, 0),
				DONE(1, 6, 7, LINEAR_RELEASE, 3, 0)));
}

/* When the head goes, who is behind it is served at that moment. */
Test(linear_semaphore_spec, knows_what_a_cancelled_head_held_up, .timeout = 10)
{
	for (int64_t left = 0; left < 2; left++)
		cr_assert_eq(IS_LINEAR(linear_semaphore_spec, 1, 9, WAITED(0, 1, 8, LINEAR_ACQUIRE, 3, MAG_ECANCELED),
				       DONE(2, 2, 3, LINEAR_SEMAPHORE_WAITING, 0, 1),
				       WAITED(1, 4, 20, LINEAR_ACQUIRE, 1, 0),
				       DONE(2, 5, 6, LINEAR_SEMAPHORE_WAITING, 0, 2),
				       DONE(2, 9, 10, LINEAR_PERMITS, 0, left), DONE(2, 11, 12, LINEAR_RELEASE, 1, 0)),
			     left == 0);
}

/* Event. */

Test(linear_event_spec, accepts_what_an_event_does, .timeout = 10)
{
	cr_assert(IS_LINEAR(linear_event_spec, 0, 0, WAITED(0, 1, 20, LINEAR_EVENT_WAIT, 0, 0),
			    DONE(1, 2, 3, LINEAR_EVENT_WAITING, 0, 1), DONE(1, 4, 5, LINEAR_SET, 0, 1),
			    DONE(1, 6, 7, LINEAR_SET, 0, 0), DONE(1, 8, 9, LINEAR_RESET, 0, 1),
			    DONE(1, 10, 11, LINEAR_IS_SET, 0, 0)));
}

Test(linear_event_spec, refuses_an_event_seen_unset_after_set_returned, .timeout = 10)
{
	cr_assert_not(IS_LINEAR(linear_event_spec, 0, 0, DONE(0, 1, 2, LINEAR_SET, 0, 1),
				DONE(1, 3, 4, LINEAR_IS_SET, 0, 0)));
	cr_assert_not(
		IS_LINEAR(linear_event_spec, 0, 0, DONE(0, 1, 2, LINEAR_SET, 0, 1), DONE(1, 3, 4, LINEAR_RESET, 0, 0)));
}

Test(linear_event_spec, refuses_a_wait_that_ended_without_a_set, .timeout = 10)
{
	cr_assert_not(IS_LINEAR(linear_event_spec, 0, 0, WAITED(0, 1, 2, LINEAR_EVENT_WAIT, 0, 0)));
	cr_assert_not(IS_LINEAR(linear_event_spec, 0, 0, DONE(1, 1, 2, LINEAR_SET, 0, 1),
				DONE(1, 3, 4, LINEAR_RESET, 0, 1), WAITED(0, 5, 8, LINEAR_EVENT_WAIT, 0, 0),
				DONE(1, 9, 10, LINEAR_SET, 0, 1)));
}

Test(linear_event_spec, refuses_a_waiter_that_was_passed_over, .timeout = 10)
{
	cr_assert_not(IS_LINEAR(linear_event_spec, 0, 0, WAITED(0, 1, 20, LINEAR_EVENT_WAIT, 0, 0),
				DONE(1, 2, 3, LINEAR_EVENT_WAITING, 0, 1), DONE(1, 4, 5, LINEAR_SET, 0, 1),
				DONE(1, 6, 7, LINEAR_EVENT_WAITING, 0, 1)));
}

/* Future. */

Test(linear_future_spec, accepts_what_a_future_does, .timeout = 10)
{
	cr_assert(IS_LINEAR(linear_future_spec, 0, 0, WAITED(0, 1, 20, LINEAR_FUTURE_AWAIT, 0, 5),
			    DONE(1, 2, 3, LINEAR_POLL, 0, 0), DONE(1, 4, 9, LINEAR_COMPLETE, 5, 0),
			    DONE(2, 5, 8, LINEAR_COMPLETE, 6, -EALREADY), DONE(1, 10, 11, LINEAR_POLL, 5, 1),
			    WAITED(1, 12, 13, LINEAR_FUTURE_AWAIT, 0, 5)));
}

Test(linear_future_spec, refuses_two_values, .timeout = 10)
{
	cr_assert_not(IS_LINEAR(linear_future_spec, 0, 0, DONE(0, 1, 9, LINEAR_COMPLETE, 5, 0),
				DONE(1, 2, 8, LINEAR_COMPLETE, 6, 0)));
	cr_assert_not(IS_LINEAR(linear_future_spec, 0, 0, DONE(0, 1, 9, LINEAR_COMPLETE, 5, 0),
				DONE(1, 2, 8, LINEAR_COMPLETE, 6, -EALREADY),
				WAITED(2, 10, 11, LINEAR_FUTURE_AWAIT, 0, 6)));
	cr_assert_not(IS_LINEAR(linear_future_spec, 0, 0, DONE(0, 1, 9, LINEAR_COMPLETE, 5, 0),
				DONE(2, 2, 3, LINEAR_POLL, 5, 1), DONE(2, 4, 5, LINEAR_POLL, 0, 0)));
}

Test(linear_future_spec, refuses_a_cancelled_await_of_a_complete_one, .timeout = 10)
{
	cr_assert_not(IS_LINEAR(linear_future_spec, 0, 0, DONE(0, 1, 2, LINEAR_COMPLETE, 5, 0),
				WAITED(1, 3, 4, LINEAR_FUTURE_AWAIT, 0, MAG_ECANCELED)));
}
