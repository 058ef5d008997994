/* SPDX-License-Identifier: MIT */
/* test_queue.c - src/sync/queue.c. */
#include <magpie/queue.h>
#include <magpie/time.h>

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "support/matrix.h"

/* The ring, without tasks. */

Test(queue, holds_exactly_its_capacity_in_order, .timeout = 10)
{
	for (uint32_t capacity = 1; capacity < 20; capacity++) {
		uint64_t in = 0, out = 0, item;
		mag_queue q;

		cr_assert_eq(mag_queue_init(&q, capacity, sizeof(uint64_t)), 0);
		cr_assert_eq(mag_queue_capacity(&q), capacity);
		for (int turn = 0; turn < 50; turn++) {
			while (mag_queue_try_push(&q, &in) == 0)
				in++;
			cr_assert_eq(in - out, capacity);
			cr_assert_eq(mag_queue_length(&q), capacity);
			for (int i = 0; i <= turn % 7 && out < in; i++) {
				cr_assert_eq(mag_queue_try_pop(&q, &item), 0);
				cr_assert_eq(item, out++);
			}
		}
		cr_assert_eq(mag_queue_fini(&q), 0);
	}
}

Test(queue, copies_elements_of_any_size_up_to_the_limit, .timeout = 10)
{
	static const size_t sizes[] = { 1, 2, 3, 7, 8, 9, 16, 24, 100, MAG_QUEUE_ELEMENT_MAX };

	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		size_t size = sizes[k];
		unsigned char *in = malloc(size), *out = malloc(size); /* so that a byte too many is seen */
		mag_queue q;

		cr_assert(in && out);
		cr_assert_eq(mag_queue_init(&q, 3, size), 0);
		for (int i = 0; i < 10; i++) {
			memset(in, i, size);
			cr_assert_eq(mag_queue_try_push(&q, in), 0);
			memset(in, i + 100, size);
			cr_assert_eq(mag_queue_try_push(&q, in), 0);
			cr_assert_eq(mag_queue_try_pop(&q, out), 0);
			cr_assert(out[0] == i && out[size - 1] == i);
			cr_assert_eq(mag_queue_try_pop(&q, out), 0);
			cr_assert(out[0] == i + 100 && out[size - 1] == i + 100);
			cr_assert_eq(mag_queue_try_pop(&q, out), -EAGAIN);
		}
		cr_assert_eq(mag_queue_fini(&q), 0);
		free(in);
		free(out);
	}
}

Test(queue, bounds_are_checked, .timeout = 10)
{
	mag_queue q;

	cr_assert_eq(mag_queue_init(&q, 1, 0), -EINVAL);
	cr_assert_eq(mag_queue_init(&q, 1, MAG_QUEUE_ELEMENT_MAX + 1), -EINVAL);
}

Test(queue, without_memory_there_is_no_queue, .timeout = 10)
{
	mag_queue q;

	magi_fault_plan(1, 0);
	cr_assert_eq(mag_queue_init(&q, 16, 8), -ENOMEM);
	magi_fault_plan(0, 0);
	cr_assert_eq(mag_queue_init(&q, 16, 8), 0);
	cr_assert_eq(mag_queue_fini(&q), 0);
}

Test(queue, can_be_static, .timeout = 10)
{
	static uint16_t room[2];
	static mag_queue q = MAG_QUEUE_INIT(room);
	uint16_t in = 1, out = 0;

	cr_assert_eq(mag_queue_capacity(&q), 2);
	cr_assert_eq(mag_queue_try_push(&q, &in), 0);
	in = 2;
	cr_assert_eq(mag_queue_try_push(&q, &in), 0);
	cr_assert_eq(mag_queue_try_push(&q, &in), -EAGAIN);
	cr_assert_eq(mag_queue_try_pop(&q, &out), 0);
	cr_assert_eq(out, 1);
	cr_assert_eq(mag_queue_fini(&q), 0);
}

Test(queue, has_capacity_1_when_that_is_asked_for_in_the_environment, .timeout = 10)
{
	mag_queue q;

	setenv("MAGPIE_DEBUG", "stall,queue=1", 1);
	cr_assert_eq(mag_queue_init(&q, 100, 8), 0);
	cr_assert_eq(mag_queue_capacity(&q), 1);
	cr_assert_eq(mag_queue_fini(&q), 0);
}

Test(queue, closed_gives_what_is_left_and_takes_nothing, .timeout = 10)
{
	uint64_t item = 5;
	mag_queue q;

	cr_assert_eq(mag_queue_init(&q, 4, 8), 0);
	cr_assert_not(mag_queue_is_closed(&q));
	cr_assert_eq(mag_queue_try_push(&q, &item), 0);
	cr_assert_eq(mag_queue_close(&q), 1);
	cr_assert_eq(mag_queue_close(&q), 0);
	cr_assert(mag_queue_is_closed(&q));
	cr_assert_eq(mag_queue_try_push(&q, &item), MAG_ECLOSED);
	item = 0;
	cr_assert_eq(mag_queue_try_pop(&q, &item), 0);
	cr_assert_eq(item, 5);
	cr_assert_eq(mag_queue_try_pop(&q, &item), MAG_ECLOSED);
	cr_assert_eq(mag_queue_fini(&q), 0);
}

/* Many of both. An element names its producer and its number: consumers see each producer's in order. */

struct item {
	uint32_t from, number;
	uint64_t check; /* larger than a word, so that it goes by pointer while a push waits */
};

enum { PRODUCERS = 5, CONSUMERS = 3, ITEMS = 8000 };

struct producer {
	mag_frame frame;
	MAG_ARGS(producer, mag_queue *queue; uint32_t from;);
	struct item item;
	uint32_t i;
	int64_t rc;
};

MAG_TASK(producer)
{
	MAG_BEGIN(producer);
	for (self->i = 0; self->i < ITEMS; self->i++) {
		self->item = (struct item){ self->from, self->i, ~(uint64_t)self->i };
		MAG_AWAIT(self->rc, mag_queue_push, self->queue, &self->item);
		NEED(self->rc == 0);
		self->item.check = 0;
	}
	MAG_RETURN(0);
	MAG_END;
}

struct consumer {
	mag_frame frame;
	MAG_ARGS(consumer, mag_queue *queue; uint64_t *sum; uint64_t *count;);
	struct item item;
	uint32_t next[PRODUCERS];
	int64_t rc;
};

MAG_TASK(consumer)
{
	MAG_BEGIN(consumer);
	memset(self->next, 0, sizeof(self->next));
	for (;;) {
		MAG_AWAIT(self->rc, mag_queue_pop, self->queue, &self->item);
		if (self->rc < 0)
			break;
		NEED(self->item.from < PRODUCERS);
		NEED(self->item.check == ~(uint64_t)self->item.number);
		NEED(self->item.number >= self->next[self->item.from]);
		self->next[self->item.from] = self->item.number + 1;
		(void)magi_add_rlx(self->sum, self->item.number);
		(void)magi_add_rlx(self->count, 1);
	}
	NEED(self->rc == MAG_ECLOSED);
	MAG_RETURN(0);
	MAG_END;
}

struct works {
	mag_frame frame;
	MAG_ARGS(works, uint32_t capacity; uint64_t *sum; uint64_t *count;);
	mag_queue queue;
	mag_group producers, consumers;
	uint32_t i;
	int64_t rc;
};

MAG_TASK(works)
{
	MAG_BEGIN(works);
	NEED(mag_queue_init(&self->queue, self->capacity, sizeof(struct item)) == 0);
	MAG_GROUP_BEGIN(&self->consumers);
	for (self->i = 0; self->i < CONSUMERS; self->i++)
		MAG_SPAWN(self->rc, &self->consumers, consumer, .queue = &self->queue, .sum = self->sum,
			  .count = self->count);
	MAG_GROUP_BEGIN(&self->producers);
	for (self->i = 0; self->i < PRODUCERS; self->i++)
		MAG_SPAWN(self->rc, &self->producers, producer, .queue = &self->queue, .from = self->i);
	MAG_GROUP_END(self->rc, &self->producers);
	NEED(self->rc == 0);
	NEED(mag_queue_close(&self->queue) == 1);
	MAG_GROUP_END(self->rc, &self->consumers);
	NEED(self->rc == 0);
	NEED(mag_queue_length(&self->queue) == 0);
	NEED(mag_queue_fini(&self->queue) == 0);
	MAG_RETURN(0);
	MAG_END;
}

static void work_with(uint32_t workers, uint32_t capacity)
{
	uint64_t sum = 0, count = 0;
	int64_t rc = RUN(workers, works, .capacity = capacity, .sum = &sum, .count = &count);

	cr_assert_eq(rc, 0, "%s", where(rc));
	cr_assert_eq(count, (uint64_t)PRODUCERS * ITEMS);
	cr_assert_eq(sum, (uint64_t)PRODUCERS * ITEMS * (ITEMS - 1) / 2);
}

Test(queue, every_item_arrives_once_and_in_its_producers_order, .timeout = 60)
{
	work_with(4, 1);
	work_with(4, 16);
	work_with(4, 1000);
	work_with(1, 3);
	work_with(4, 0);
	work_with(1, 0);
}

/* Closing wakes who waits. */

struct pushes {
	mag_frame frame;
	MAG_ARGS(pushes, mag_queue *queue;);
	uint64_t item;
	int64_t rc;
};

MAG_TASK(pushes)
{
	MAG_BEGIN(pushes);
	self->item = 99;
	MAG_AWAIT(self->rc, mag_queue_push, self->queue, &self->item);
	NEED(self->rc == MAG_ECLOSED);
	MAG_RETURN(0);
	MAG_END;
}

struct pops {
	mag_frame frame;
	MAG_ARGS(pops, mag_queue *queue;);
	uint64_t item;
	int64_t rc;
};

MAG_TASK(pops)
{
	MAG_BEGIN(pops);
	MAG_AWAIT(self->rc, mag_queue_pop, self->queue, &self->item);
	NEED(self->rc == MAG_ECLOSED);
	MAG_RETURN(0);
	MAG_END;
}

struct closing {
	mag_frame frame;
	MAG_ARGS(closing, bool full;);
	mag_queue queue;
	mag_group group;
	uint64_t item;
	uint32_t i;
	int64_t rc;
};

MAG_TASK(closing)
{
	MAG_BEGIN(closing);
	NEED(mag_queue_init(&self->queue, 2, sizeof(uint64_t)) == 0);
	self->item = 1;
	if (self->full) {
		NEED(mag_queue_try_push(&self->queue, &self->item) == 0);
		NEED(mag_queue_try_push(&self->queue, &self->item) == 0);
	}
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 10; self->i++) {
		if (self->full)
			MAG_SPAWN(self->rc, &self->group, pushes, .queue = &self->queue);
		else
			MAG_SPAWN(self->rc, &self->group, pops, .queue = &self->queue);
		NEED(self->rc == 0);
	}
	UNTIL_WAITING(self->rc, &self->queue.waitq, 10);
	NEED(mag_queue_close(&self->queue) == 1);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0);
	NEED(mag_queue_length(&self->queue) == (self->full ? 2 : 0));
	if (self->full) {
		MAG_AWAIT(self->rc, mag_queue_pop, &self->queue, &self->item);
		NEED(self->rc == 0 && self->item == 1);
		MAG_AWAIT(self->rc, mag_queue_pop, &self->queue, &self->item);
		NEED(self->rc == 0 && self->item == 1);
	}
	MAG_AWAIT(self->rc, mag_queue_pop, &self->queue, &self->item);
	NEED(self->rc == MAG_ECLOSED);
	MAG_AWAIT(self->rc, mag_queue_push, &self->queue, &self->item);
	NEED(self->rc == MAG_ECLOSED);
	NEED(mag_queue_fini(&self->queue) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(queue, close_ends_the_wait_of_pushers, .timeout = 20)
{
	int64_t rc = RUN(4, closing, .full = true);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

Test(queue, close_ends_the_wait_of_poppers, .timeout = 20)
{
	int64_t rc = RUN(4, closing, .full = false);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* Foreign threads. */

static void *feed(void *arg)
{
	mag_queue *q = arg;

	for (uint64_t i = 1; i <= 20000; i++) {
		while (mag_queue_try_push(q, &i) == -EAGAIN)
			sched_yield();
	}
	mag_queue_close(q);
	return NULL;
}

struct eater {
	mag_frame frame;
	MAG_ARGS(eater, mag_queue *queue;);
	uint64_t item, sum;
	int64_t rc;
};

MAG_TASK(eater)
{
	MAG_BEGIN(eater);
	self->sum = 0;
	for (;;) {
		MAG_AWAIT(self->rc, mag_queue_pop, self->queue, &self->item);
		if (self->rc < 0)
			break;
		self->sum += self->item;
	}
	NEED(self->rc == MAG_ECLOSED);
	MAG_RETURN((int64_t)self->sum);
	MAG_END;
}

Test(queue, any_thread_may_push_and_close, .timeout = 60)
{
	pthread_t thread;
	mag_queue q;
	int64_t rc;

	cr_assert_eq(mag_queue_init(&q, 4, sizeof(uint64_t)), 0);
	cr_assert_eq(pthread_create(&thread, NULL, feed, &q), 0);
	rc = RUN(2, eater, .queue = &q);
	cr_assert_eq(rc, INT64_C(20000) * 20001 / 2, "%s", where(rc));
	pthread_join(thread, NULL);
	cr_assert_eq(mag_queue_fini(&q), 0);
}

/* Wrong use. */

struct ended_early {
	mag_frame frame;
	MAG_ARGS(ended_early, mag_queue *queue;);
	mag_group group;
	int64_t rc;
};

MAG_TASK(ended_early)
{
	MAG_BEGIN(ended_early);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, pops, .queue = self->queue);
	UNTIL_WAITING(self->rc, &self->queue->waitq, 1);
	NEED(mag_queue_fini(self->queue) == -EBUSY);
	mag_queue_close(self->queue);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(queue, cannot_end_while_somebody_waits, MISUSE(.timeout = 20))
{
	static uint64_t room[1];
	mag_queue q = MAG_QUEUE_INIT(room);
	int64_t rc = RUN(1, ended_early, .queue = &q);

	cr_assert_eq(rc, 0, "%s", where(rc));
	cr_assert_eq(mag_queue_fini(&q), 0);
}
