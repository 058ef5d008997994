/* SPDX-License-Identifier: MIT */
/* bench_spawn.c - empty tasks, spawned into one group and joined. Their only act is a count of their thread's own, for
 * the check: a shared one would cost more than the task. */
#include "cases.h"
#include "tasks.h"

#include <errno.h>

static _Thread_local int64_t ran; /* bodies run by this worker: nothing waits between its load and its store */

struct empty {
	mag_frame frame;
	MAG_NO_ARGS(empty);
};

static MAG_TASK(empty)
{
	MAG_BEGIN(empty);
	ran++;
	MAG_RETURN(0);
	MAG_END;
}

struct tally {
	mag_frame frame;
	MAG_ARGS(tally, int64_t *count;);
};

static MAG_TASK(tally)
{
	MAG_BEGIN(tally);
	*self->count = ran;
	MAG_RETURN(0);
	MAG_END;
}

struct spawner {
	mag_frame frame;
	MAG_ARGS(spawner, int64_t n; int64_t *counted; uint64_t *ns;);
	mag_group group;
	uint64_t start;
	int64_t i, rc, joined;
	int64_t count[MAG_WORKERS_MAX];
};

static MAG_TASK(spawner)
{
	MAG_BEGIN(spawner);
	self->start = bench_now_ns();
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < self->n; self->i++) {
		MAG_SPAWN(self->rc, &self->group, empty);
		if (self->rc < 0)
			break;
	}
	MAG_GROUP_END(self->joined, &self->group);
	*self->ns = bench_now_ns() - self->start;
	if (self->rc < 0 || self->joined < 0)
		MAG_RETURN(self->rc < 0 ? self->rc : self->joined);

	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < mag_runtime_workers(mag_runtime_current()); self->i++) {
		MAG_SPAWN_ON(self->rc, (uint32_t)self->i, &self->group, tally, .count = &self->count[self->i]);
		if (self->rc < 0)
			break;
	}
	MAG_GROUP_END(self->joined, &self->group);
	if (self->rc < 0 || self->joined < 0)
		MAG_RETURN(self->rc < 0 ? self->rc : self->joined);
	*self->counted = 0;
	for (int64_t i = 0; i < self->i; i++)
		*self->counted += self->count[i];
	MAG_RETURN(0);
	MAG_END;
}

int bench_spawn(struct bench_run *r)
{
	int64_t n = r->quick ? 50000 : 1000000, counted = -1;
	uint64_t ns = 0;
	int rc = BENCH_TASKS(r, spawner, .n = n, .counted = &counted, .ns = &ns);

	if (rc)
		return rc;
	if (counted != n)
		return bench_fail(r, -EBADMSG, "%lld of %lld tasks ran", (long long)counted, (long long)n);
	r->value = (double)ns / (double)n;
	return 0;
}
