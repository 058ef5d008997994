/* SPDX-License-Identifier: MIT */
/* test_queue.c - queue.c and queue_work.c on the waiter core in every order: an element is handed over once, or stays
 * with who has it; and who joins goes on when all is done, not before. */
#include <criterion/criterion.h>

#include "model/task.h"
#include "task/cancel.c"
#include "task/wait.c"
#define lock_of queue_lock_of
#define await queue_await
#include "sync/queue.c"
#include "sync/queue_init.c"
#include "sync/queue_work.c"
#undef await

enum { ELEMENT = 7 };

static mag_queue queue;
static uint64_t room[1], element[TASKS];
static int pushed, popped;

int64_t magi_ready_count(const struct magi_ready *q)
{
	(void)q;
	return 0;
}

struct magi_heap *magi_heap_create(uint32_t capacity, uint32_t size, mag_queue_compare before)
{
	(void)capacity;
	(void)size;
	(void)before;
	return NULL;
}

void magi_heap_add(struct magi_heap *h, const void *item)
{
	(void)h;
	(void)item;
}

void magi_heap_take(struct magi_heap *h, void *item)
{
	(void)h;
	(void)item;
}

static void start_with(uint32_t capacity)
{
	tasks_init();
	queue = (mag_queue)MAG_QUEUE_INIT(room);
	queue.capacity = capacity;
	memset(element, 0, sizeof(element));
	room[0] = 0;
	pushed = popped = 0;
	explore_shared(&queue, sizeof(queue));
	explore_shared(room, sizeof(room));
	explore_shared(element, sizeof(element));
	explore_ghost(&pushed, sizeof(pushed));
	explore_ghost(&popped, sizeof(popped));
	/* task 0 is cancelled by thread 2, the others by nobody */
	explore_constant(&its_scope[1].cancelled, sizeof(its_scope[1].cancelled));
	explore_own(1, &its_scope[1].shard, sizeof(its_scope[1].shard), HIDDEN);
	explore_own(2, &runtime.visitors, sizeof(runtime.visitors), HIDDEN);
}

static void start(void)
{
	start_with(0);
}

static void start_with_work(void)
{
	start_with(1);
	queue.unfinished = 1;
}

static int64_t push(int i)
{
	int64_t rc;

	element[i] = ELEMENT;
	rc = task_await(i, mag_queue_push((mag_worker *)&its_worker[i], &frame[i], &queue, &element[i]));
	pushed += rc == 0;
	explore_point();
	return rc;
}

static int64_t pop(int i)
{
	int64_t rc = task_await(i, mag_queue_pop((mag_worker *)&its_worker[i], &frame[i], &queue, &element[i]));

	if (rc == 0) {
		explore_assert(element[i] == ELEMENT);
		popped++;
	}
	explore_point();
	return rc;
}

static void pushes_or_is_cancelled(void)
{
	int64_t rc = push(0);

	explore_assert(rc == 0 || rc == MAG_ECANCELED);
}

static void pops_or_is_cancelled(void)
{
	int64_t rc = pop(0);

	explore_assert(rc == 0 || rc == MAG_ECANCELED);
}

static void pushes(void)
{
	explore_assert(push(0) == 0);
}

static void pops(void)
{
	explore_assert(pop(1) == 0);
}

static void tries_to_pop(void)
{
	uint64_t out = 0;

	if (mag_queue_try_pop(&queue, &out) == 0) {
		explore_assert(out == ELEMENT);
		popped++;
	}
	explore_point();
}

static void tries_to_push(void)
{
	const uint64_t in = ELEMENT;

	pushed += mag_queue_try_push(&queue, &in) == 0;
	explore_point();
}

static void pushes_until_closed_and_frees(void)
{
	explore_assert(push(1) == MAG_ECLOSED);
	explore_assert(mag_queue_fini(&queue) == 0);
	explore_freed(&queue);
}

static void closes(void)
{
	explore_assert(mag_queue_close(&queue) == 1);
}

static void cancels(void)
{
	mag_scope_cancel(&its_scope[0]);
}

static void each_once(void)
{
	explore_assert(pushed == popped);
	explore_assert(queue.unfinished == (uint64_t)pushed && !queue.waitq.head);
}

/* Joining. */

static int64_t join(int i)
{
	int64_t rc = task_await(i, mag_queue_join((mag_worker *)&its_worker[i], &frame[i], &queue));

	explore_point();
	return rc;
}

static void joins_or_is_cancelled(void)
{
	int64_t rc = join(0);

	explore_assert(rc == 0 || rc == MAG_ECANCELED);
}

static void joins_and_frees(void)
{
	explore_assert(join(1) == 0);
	explore_assert(element[2] == 1); /* what was done before is seen */
	explore_assert(mag_queue_fini(&queue) == 0);
	explore_freed(&queue);
}

static void works(void)
{
	element[2] = 1;
	explore_assert(mag_queue_task_done(&queue) == 0);
}

static void nothing(void)
{
}

#define MODEL(what, first, most, after, ...)                                                                        \
	{                                                                                                           \
		.name = (what), .start = (first), .thread = { __VA_ARGS__ }, .end = (after), .preemptions = (most), \
		.quick = (most) == EXPLORE_ALL ? 0 : 2, .only_views = true                                          \
	}
static const struct explore_model pusher_cancelled = MODEL("pusher_cancelled", start, 3, each_once,
							   pushes_or_is_cancelled, tries_to_pop, cancels),
				  popper_cancelled = MODEL("popper_cancelled", start, 3, each_once,
							   pops_or_is_cancelled, tries_to_push, cancels),
				  met = MODEL("met", start, EXPLORE_ALL, each_once, pushes, pops),
				  closed = MODEL("closed", start, EXPLORE_ALL, nothing, closes,
						 pushes_until_closed_and_frees),
				  joiner_cancelled = MODEL("joiner_cancelled", start_with_work, 3, nothing,
							   joins_or_is_cancelled, works, cancels),
				  joined = MODEL("joined", start_with_work, EXPLORE_ALL, nothing, works,
						 joins_and_frees);

#ifdef MODEL_FAULT

Test(queue, fault_is_found, .timeout = 120)
{
	const struct explore_model *const all[] = { &joined, &closed, &met, &pusher_cancelled, &popper_cancelled,
						    &joiner_cancelled };

	cr_assert(explore_some_fail(all, sizeof(all) / sizeof(all[0])));
}

#else

Test(queue, element_of_a_cancelled_pusher_is_taken_or_stays, .timeout = 300)
{
	cr_assert(explore_holds(&pusher_cancelled));
}

Test(queue, element_for_a_cancelled_popper_is_given_or_stays, .timeout = 300)
{
	cr_assert(explore_holds(&popper_cancelled));
}

Test(queue, pusher_and_popper_meet, .timeout = 300)
{
	cr_assert(explore_holds(&met));
}

Test(queue, who_was_told_that_it_is_closed_may_free_it, .timeout = 300)
{
	cr_assert(explore_holds(&closed));
}

Test(queue, joiner_goes_on_or_is_cancelled, .timeout = 300)
{
	cr_assert(explore_holds(&joiner_cancelled));
}

Test(queue, who_has_joined_sees_what_was_done_and_may_free_it, .timeout = 300)
{
	cr_assert(explore_holds(&joined));
}

#endif
