/* SPDX-License-Identifier: MIT */
/* bench_mutex.c - 8 tasks add to a plain number under a mutex. */
#include "cases.h"

#include <magpie/mutex.h>
#include <magpie/runtime.h>

enum { TASKS = 8 };

struct guarded {
	mag_mutex mutex;
	uint64_t count; /* under the mutex */
};

struct adder {
	mag_frame frame;
	MAG_ARGS(adder, struct guarded *g; uint64_t n;);
	uint64_t i;
	int64_t rc;
};

MAG_TASK(adder)
{
	MAG_BEGIN(adder);
	for (self->i = 0; self->i < self->n; self->i++) {
		MAG_AWAIT(self->rc, mag_mutex_lock, &self->g->mutex);
		if (self->rc < 0)
			MAG_RETURN(self->rc);
		self->g->count++;
		mag_mutex_unlock(&self->g->mutex);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct adders {
	mag_frame frame;
	MAG_ARGS(adders, struct guarded *g; uint64_t n; uint64_t *ns;);
	mag_group group;
	uint64_t start;
	int64_t rc;
	int i;
};

MAG_TASK(adders)
{
	MAG_BEGIN(adders);
	self->start = bench_now_ns();
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < TASKS; self->i++)
		MAG_SPAWN(self->rc, &self->group, adder, .g = self->g, .n = self->n);
	MAG_GROUP_END(self->rc, &self->group);
	*self->ns = bench_now_ns() - self->start;
	MAG_RETURN(self->rc);
	MAG_END;
}

int bench_mutex(struct bench_run *r)
{
	const mag_runtime_options options = { .size = sizeof(options), .workers = (uint32_t)r->threads };
	uint64_t n = r->quick ? 10000 : 1000000, ns = 0;
	struct guarded g = { MAG_MUTEX_INIT, 0 };
	int64_t rc = mag_run(&options, adders, .g = &g, .n = n, .ns = &ns);

	if (rc < 0)
		return bench_fail(r, (int)rc, "%s %s", mag_errname(rc), mag_runtime_why());
	if (g.count != n * TASKS)
		return bench_fail(r, -EBADMSG, "%llu of %llu additions counted", (unsigned long long)g.count,
				  (unsigned long long)n * TASKS);
	r->value = (double)ns / (double)(n * TASKS);
	return 0;
}
