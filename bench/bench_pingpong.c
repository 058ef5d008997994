/* SPDX-License-Identifier: MIT */
/* bench_pingpong.c - two tasks hand a number to and fro over two queues of capacity 1. */
#include "cases.h"

#include <magpie/queue.h>
#include <magpie/runtime.h>

struct table {
	mag_queue there, back;
};

/* Answers each number with the next one. */
struct pong {
	mag_frame frame;
	MAG_ARGS(pong, struct table *t;);
	uint64_t ball;
	int64_t rc;
};

MAG_TASK(pong)
{
	MAG_BEGIN(pong);
	for (;;) {
		MAG_AWAIT(self->rc, mag_queue_pop, &self->t->there, &self->ball);
		if (self->rc < 0)
			break;
		self->ball++;
		MAG_AWAIT(self->rc, mag_queue_push, &self->t->back, &self->ball);
		if (self->rc < 0)
			break;
	}
	MAG_RETURN(self->rc == MAG_ECLOSED ? 0 : self->rc);
	MAG_END;
}

struct ping {
	mag_frame frame;
	MAG_ARGS(ping, struct table *t; uint64_t n; uint64_t *last;);
	uint64_t ball, i;
	int64_t rc;
};

MAG_TASK(ping)
{
	MAG_BEGIN(ping);
	self->ball = 0;
	self->rc = 0;
	for (self->i = 0; self->i < self->n && self->rc == 0; self->i++) {
		MAG_AWAIT(self->rc, mag_queue_push, &self->t->there, &self->ball);
		if (self->rc == 0)
			MAG_AWAIT(self->rc, mag_queue_pop, &self->t->back, &self->ball);
	}
	*self->last = self->ball;
	mag_queue_close(&self->t->there);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct game {
	mag_frame frame;
	MAG_ARGS(game, uint64_t n; uint64_t *ns; uint64_t *last;);
	struct table t;
	mag_group group;
	uint64_t start;
	int64_t rc;
};

MAG_TASK(game)
{
	MAG_BEGIN(game);
	self->rc = mag_queue_init(&self->t.there, 1, sizeof(uint64_t));
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->rc = mag_queue_init(&self->t.back, 1, sizeof(uint64_t));
	if (self->rc < 0)
		goto fini_there;
	self->start = bench_now_ns();
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, pong, .t = &self->t);
	if (self->rc == 0)
		MAG_SPAWN(self->rc, &self->group, ping, .t = &self->t, .n = self->n, .last = self->last);
	MAG_GROUP_END(self->rc, &self->group);
	*self->ns = bench_now_ns() - self->start;
	mag_queue_fini(&self->t.back);
fini_there:
	mag_queue_fini(&self->t.there);
	MAG_RETURN(self->rc);
	MAG_END;
}

int bench_pingpong(struct bench_run *r)
{
	const mag_runtime_options options = { .size = sizeof(options), .workers = (uint32_t)r->threads };
	uint64_t n = r->quick ? 20000 : 2000000, ns = 0, last = 0;
	int64_t rc = mag_run(&options, game, .n = n, .ns = &ns, .last = &last);

	if (rc < 0)
		return bench_fail(r, (int)rc, "%s %s", mag_errname(rc), mag_runtime_why());
	if (last != n)
		return bench_fail(r, -EBADMSG, "%llu of %llu balls came back", (unsigned long long)last,
				  (unsigned long long)n);
	r->value = (double)ns / (double)n;
	return 0;
}
