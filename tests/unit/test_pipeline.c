/* SPDX-License-Identifier: MIT */
/* test_pipeline.c - pipelines as they are often written, with queues: one whose consumers loop for ever in the group
 * that waits for them, and one that is to be stopped by a sentinel. */
#include <magpie/queue.h>

#include <criterion/criterion.h>

#include "support/matrix.h"

enum { CONSUMERS = 3, ITEMS = 100, SENTINEL = 0 };

struct consumer {
	mag_frame frame;
	MAG_ARGS(consumer, mag_queue *queue; uint32_t *had; uint32_t *ended;);
	uint32_t item;
	int64_t rc;
};

/* Ends at a sentinel, or when the queue does. */
MAG_TASK(consumer)
{
	MAG_BEGIN(consumer);
	for (;;) {
		MAG_AWAIT(self->rc, mag_queue_pop, self->queue, &self->item);
		if (self->rc < 0 || self->item == SENTINEL)
			break;
		magi_add_rlx(self->had, 1);
		NEED(mag_queue_task_done(self->queue) == 0);
	}
	NEED(self->rc == 0 || self->rc == MAG_ECLOSED);
	magi_add_rlx(self->ended, 1);
	MAG_RETURN(0);
	MAG_END;
}

struct producer {
	mag_frame frame;
	MAG_ARGS(producer, mag_queue *queue; bool close;);
	uint32_t i;
	int64_t rc;
};

MAG_TASK(producer)
{
	MAG_BEGIN(producer);
	for (self->i = 1; self->i <= ITEMS; self->i++) {
		MAG_AWAIT(self->rc, mag_queue_push, self->queue, &self->i);
		NEED(self->rc == 0);
	}
	if (self->close)
		mag_queue_close(self->queue);
	MAG_RETURN(0);
	MAG_END;
}

/* Producer and consumers in one group, whose end is after all of them. */
struct one_group {
	mag_frame frame;
	MAG_NO_ARGS(one_group);
	mag_queue queue;
	mag_group group;
	uint32_t i, had, ended;
	int64_t rc;
};

MAG_TASK(one_group)
{
	MAG_BEGIN(one_group);
	self->had = self->ended = 0;
	NEED(mag_queue_init(&self->queue, 4, sizeof(uint32_t)) == 0);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < CONSUMERS; self->i++)
		MAG_SPAWN(self->rc, &self->group, consumer, .queue = &self->queue, .had = &self->had,
			  .ended = &self->ended);
	MAG_SPAWN(self->rc, &self->group, producer, .queue = &self->queue, .close = true);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0 && self->had == ITEMS && self->ended == CONSUMERS);
	MAG_AWAIT(self->rc, mag_queue_join, &self->queue);
	NEED(self->rc == 0);
	NEED(mag_queue_fini(&self->queue) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(pipeline, ends_although_its_consumers_loop_for_ever, .timeout = 20)
{
	int64_t rc = RUN(2, one_group);

	cr_assert_eq(rc, 0, "%s", where(rc));
	rc = RUN(1, one_group);
	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* A sentinel is one element, for one consumer; and nobody is done with it, so that a join would wait for ever. */
struct sentinel {
	mag_frame frame;
	MAG_NO_ARGS(sentinel);
	mag_queue queue;
	mag_group group;
	mag_scope scope;
	uint32_t i, had, ended;
	int64_t rc;
};

MAG_TASK(sentinel)
{
	MAG_BEGIN(sentinel);
	self->had = self->ended = 0;
	NEED(mag_queue_init(&self->queue, 4, sizeof(uint32_t)) == 0);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < CONSUMERS; self->i++)
		MAG_SPAWN(self->rc, &self->group, consumer, .queue = &self->queue, .had = &self->had,
			  .ended = &self->ended);
	MAG_CALL(self->rc, producer, .queue = &self->queue, .close = false);
	MAG_AWAIT(self->rc, mag_queue_join, &self->queue);
	NEED(self->rc == 0 && magi_load_rlx(&self->had) == ITEMS);
	UNTIL_WAITING(self->rc, &self->queue.waitq, CONSUMERS);
	self->i = SENTINEL;
	NEED(mag_queue_try_push(&self->queue, &self->i) == 0);
	while (magi_load_rlx(&self->ended) == 0)
		MAG_YIELD(self->rc);
	NEED(waiting(&self->queue.waitq) == CONSUMERS - 1); /* the others wait on */
	MAG_AWAIT(self->rc, mag_queue_join_until, &self->queue, mag_deadline_in(MAG_MILLISECOND));
	NEED(self->rc == MAG_ETIMEDOUT);
	NEED(mag_queue_close(&self->queue) == 1); /* this ends them, however many they are */
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0 && self->ended == CONSUMERS);
	NEED(mag_queue_fini(&self->queue) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(pipeline, close_ends_all_consumers_where_a_sentinel_ends_one, .timeout = 20)
{
	int64_t rc = RUN(2, sentinel);

	cr_assert_eq(rc, 0, "%s", where(rc));
}
