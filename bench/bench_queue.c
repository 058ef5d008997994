/* SPDX-License-Identifier: MIT */
/* bench_queue.c - 4 producers and 4 consumers over one queue of capacity 1024; count and sum must come out right. */
#include "cases.h"

#include <magpie/queue.h>
#include <magpie/runtime.h>

enum { SIDES = 4, CAPACITY = 1024 };

struct produce {
	mag_frame frame;
	MAG_ARGS(produce, mag_queue *queue; uint64_t from; uint64_t to;);
	uint64_t i;
	int64_t rc;
};

MAG_TASK(produce)
{
	MAG_BEGIN(produce);
	for (self->i = self->from; self->i < self->to; self->i++) {
		MAG_AWAIT(self->rc, mag_queue_push, self->queue, &self->i);
		if (self->rc < 0)
			MAG_RETURN(self->rc);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct consumed {
	uint64_t count, sum;
};

struct consume {
	mag_frame frame;
	MAG_ARGS(consume, mag_queue *queue; struct consumed *got;);
	uint64_t item, count, sum;
	int64_t rc;
};

MAG_TASK(consume)
{
	MAG_BEGIN(consume);
	self->count = self->sum = 0;
	for (;;) {
		MAG_AWAIT(self->rc, mag_queue_pop, self->queue, &self->item);
		if (self->rc < 0)
			break;
		self->count++;
		self->sum += self->item;
	}
	*self->got = (struct consumed){ self->count, self->sum };
	MAG_RETURN(self->rc == MAG_ECLOSED ? 0 : self->rc);
	MAG_END;
}

struct traffic {
	mag_frame frame;
	MAG_ARGS(traffic, uint64_t n; uint64_t *ns; struct consumed *total;);
	mag_queue queue;
	mag_group producers, consumers;
	struct consumed got[SIDES];
	uint64_t start, i;
	int64_t rc, first;
};

MAG_TASK(traffic)
{
	MAG_BEGIN(traffic);
	self->rc = mag_queue_init(&self->queue, CAPACITY, sizeof(uint64_t));
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->start = bench_now_ns();
	MAG_GROUP_BEGIN(&self->consumers);
	for (self->i = 0; self->i < SIDES; self->i++) {
		self->got[self->i] = (struct consumed){ 0, 0 };
		MAG_SPAWN(self->rc, &self->consumers, consume, .queue = &self->queue, .got = &self->got[self->i]);
	}
	MAG_GROUP_BEGIN(&self->producers);
	for (self->i = 0; self->i < SIDES; self->i++)
		MAG_SPAWN(self->rc, &self->producers, produce, .queue = &self->queue,
			  .from = self->n / SIDES * self->i, .to = self->n / SIDES * (self->i + 1));
	MAG_GROUP_END(self->first, &self->producers);
	mag_queue_close(&self->queue);
	MAG_GROUP_END(self->rc, &self->consumers);
	*self->ns = bench_now_ns() - self->start;
	mag_queue_fini(&self->queue);
	for (self->i = 0; self->i < SIDES; self->i++) {
		self->total->count += self->got[self->i].count;
		self->total->sum += self->got[self->i].sum;
	}
	MAG_RETURN(self->first < 0 ? self->first : self->rc);
	MAG_END;
}

int bench_queue(struct bench_run *r)
{
	const mag_runtime_options options = { .size = sizeof(options), .workers = (uint32_t)r->threads };
	uint64_t n = r->quick ? 100000 : 10000000, ns = 0;
	struct consumed total = { 0, 0 };
	int64_t rc = mag_run(&options, traffic, .n = n, .ns = &ns, .total = &total);

	if (rc < 0)
		return bench_fail(r, (int)rc, "%s %s", mag_errname(rc), mag_runtime_why());
	if (total.count != n || total.sum != n * (n - 1) / 2)
		return bench_fail(r, -EBADMSG, "%llu of %llu items, of sum %llu", (unsigned long long)total.count,
				  (unsigned long long)n, (unsigned long long)total.sum);
	r->value = (double)ns / (double)n;
	return 0;
}
