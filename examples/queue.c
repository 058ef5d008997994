/* SPDX-License-Identifier: MIT */
/* queue.c - producers and consumers over a bounded queue; closing it ends the consumers. */
#include <errno.h>
#include <magpie/magpie.h>
#include <magpie/queue.h>
#include <stdio.h>

enum { PRODUCERS = 3, CONSUMERS = 2, EACH = 1000, CAPACITY = 16 };

struct produce {
	mag_frame frame;
	MAG_ARGS(produce, mag_queue *queue; uint64_t first;);
	uint64_t item, i;
	int64_t rc;
};

MAG_TASK(produce)
{
	MAG_BEGIN(produce);
	for (self->i = 0; self->i < EACH; self->i++) {
		self->item = self->first + self->i;
		MAG_AWAIT(self->rc, mag_queue_push, self->queue, &self->item);
		if (self->rc < 0)
			MAG_RETURN(self->rc);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct consume {
	mag_frame frame;
	MAG_ARGS(consume, mag_queue *queue; uint64_t *sum;);
	uint64_t item;
	int64_t rc;
};

MAG_TASK(consume)
{
	MAG_BEGIN(consume);
	for (;;) {
		MAG_AWAIT(self->rc, mag_queue_pop, self->queue, &self->item);
		if (self->rc < 0)
			break;
		*self->sum += self->item;
	}
	MAG_RETURN(self->rc == MAG_ECLOSED ? 0 : self->rc); /* closed and empty: the regular end */
	MAG_END;
}

struct pipeline {
	mag_frame frame;
	MAG_NO_ARGS(pipeline);
	mag_queue queue;
	mag_group producers, consumers;
	uint64_t sums[CONSUMERS];
	int64_t rc, produced, consumed;
	int i;
};

MAG_TASK(pipeline)
{
	uint64_t sum, want;

	MAG_BEGIN(pipeline);
	self->rc = mag_queue_init(&self->queue, CAPACITY, sizeof(uint64_t));
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_GROUP_BEGIN(&self->consumers);
	for (self->i = 0; self->i < CONSUMERS && self->rc == 0; self->i++) {
		self->sums[self->i] = 0;
		MAG_SPAWN(self->rc, &self->consumers, consume, .queue = &self->queue, .sum = &self->sums[self->i]);
	}
	MAG_GROUP_BEGIN(&self->producers);
	for (self->i = 0; self->i < PRODUCERS && self->rc == 0; self->i++)
		MAG_SPAWN(self->rc, &self->producers, produce, .queue = &self->queue,
			  .first = (uint64_t)self->i * EACH);
	MAG_GROUP_END(self->produced, &self->producers);
	mag_queue_close(&self->queue); /* after the last producer: consumers take what is left, then end */
	MAG_GROUP_END(self->consumed, &self->consumers);
	mag_queue_fini(&self->queue);

	sum = 0;
	for (int i = 0; i < CONSUMERS; i++)
		sum += self->sums[i];
	want = (uint64_t)PRODUCERS * EACH * (PRODUCERS * EACH - 1) / 2;
	printf("%d items through a queue of %d: their sum is %llu\n", PRODUCERS * EACH, CAPACITY,
	       (unsigned long long)sum);
	MAG_RETURN(self->rc < 0 || self->produced < 0 || self->consumed < 0 || sum != want ? -EPROTO : 0);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, pipeline);

	if (rc < 0)
		fprintf(stderr, "queue: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
