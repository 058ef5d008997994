/* SPDX-License-Identifier: MIT */
/* bench_broadcast.c - one sender, 4 receivers, capacity 1024. The sender lets others run after each 64 elements, and
 * what a receiver had and what it was told to have missed must be all. Per element that a receiver had. */
#include "cases.h"

#include <magpie/broadcast.h>
#include <magpie/runtime.h>

enum { RECEIVERS = 4, CAPACITY = 1024, BURST = 64 };

struct heard {
	uint64_t had, missed, wrong;
};

struct listen {
	mag_frame frame;
	MAG_ARGS(listen, mag_broadcast_receiver *receiver; struct heard *heard;);
	uint64_t item, next;
	struct heard h;
	int64_t rc;
};

MAG_TASK(listen)
{
	MAG_BEGIN(listen);
	self->next = 0;
	self->h = (struct heard){ 0, 0, 0 };
	for (;;) {
		MAG_AWAIT(self->rc, mag_broadcast_recv, self->receiver, &self->item);
		if (self->rc < 0)
			break;
		if (self->rc > 0) {
			self->h.missed += (uint64_t)self->rc;
			self->next += (uint64_t)self->rc;
			continue;
		}
		self->h.wrong += self->item != self->next++;
		self->h.had++;
	}
	*self->heard = self->h;
	MAG_RETURN(self->rc == MAG_ECLOSED ? 0 : self->rc);
	MAG_END;
}

struct cast {
	mag_frame frame;
	MAG_ARGS(cast, uint64_t n; uint64_t *ns; struct heard *heard;);
	mag_broadcast broadcast;
	mag_broadcast_receiver receiver[RECEIVERS];
	mag_group group;
	uint64_t start, i;
	int64_t rc;
};

MAG_TASK(cast)
{
	MAG_BEGIN(cast);
	self->rc = mag_broadcast_init(&self->broadcast, CAPACITY, sizeof(uint64_t));
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->start = bench_now_ns();
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < RECEIVERS; self->i++) {
		mag_broadcast_subscribe(&self->broadcast, &self->receiver[self->i]);
		MAG_SPAWN(self->rc, &self->group, listen, .receiver = &self->receiver[self->i],
			  .heard = &self->heard[self->i]);
	}
	for (self->i = 0; self->i < self->n; self->i++) {
		mag_broadcast_send(&self->broadcast, &self->i);
		if (self->i % BURST == BURST - 1)
			MAG_YIELD(self->rc);
	}
	mag_broadcast_close(&self->broadcast);
	MAG_GROUP_END(self->rc, &self->group);
	*self->ns = bench_now_ns() - self->start;
	for (self->i = 0; self->i < RECEIVERS; self->i++)
		mag_broadcast_unsubscribe(&self->receiver[self->i]);
	mag_broadcast_fini(&self->broadcast);
	MAG_RETURN(self->rc);
	MAG_END;
}

int bench_broadcast(struct bench_run *r)
{
	const mag_runtime_options options = { .size = sizeof(options), .workers = (uint32_t)r->threads };
	uint64_t n = r->quick ? 20000 : 2000000, ns = 0, had = 0;
	struct heard heard[RECEIVERS] = { { 0, 0, 0 } };
	int64_t rc = mag_run(&options, cast, .n = n, .ns = &ns, .heard = heard);

	if (rc < 0)
		return bench_fail(r, (int)rc, "%s %s", mag_errname(rc), mag_runtime_why());
	for (int i = 0; i < RECEIVERS; i++) {
		if (heard[i].had + heard[i].missed != n || heard[i].wrong)
			return bench_fail(r, -EBADMSG, "%llu had, %llu missed of %llu, %llu wrong",
					  (unsigned long long)heard[i].had, (unsigned long long)heard[i].missed,
					  (unsigned long long)n, (unsigned long long)heard[i].wrong);
		had += heard[i].had;
	}
	r->value = (double)ns / (double)had;
	return 0;
}
