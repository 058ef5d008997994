/* SPDX-License-Identifier: MIT */
/* bench_offload.c - an empty job through the blocking lane and back: as many tasks as jobs outstanding, one worker. */
#include "cases.h"

#include <errno.h>
#include <magpie/offload.h>
#include <stdlib.h>

/* One task's jobs: `runs` is written by the lane's threads and read by the task in turn. */
static int64_t count_up(void *arg)
{
	uint64_t *runs = arg;

	return (int64_t)++*runs;
}

struct round_trips {
	mag_frame frame;
	MAG_ARGS(round_trips, uint64_t n; uint64_t *done;);
	uint64_t i, runs;
	int64_t rc;
};

MAG_TASK(round_trips)
{
	MAG_BEGIN(round_trips);
	self->runs = 0;
	for (self->i = 1; self->i <= self->n; self->i++) {
		MAG_AWAIT(self->rc, mag_offload, MAG_BLOCKING, count_up, &self->runs);
		if (self->rc != (int64_t)self->i)
			MAG_RETURN(self->rc < 0 ? self->rc : -EBADMSG);
	}
	*self->done = self->runs;
	MAG_RETURN(0);
	MAG_END;
}

struct all_trips {
	mag_frame frame;
	MAG_ARGS(all_trips, uint64_t tasks; uint64_t n; uint64_t *done; uint64_t *ns;);
	mag_group group;
	uint64_t i, start;
	int64_t rc, rc2;
};

MAG_TASK(all_trips)
{
	MAG_BEGIN(all_trips);
	self->start = bench_now_ns();
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_FAIL_FAST);
	for (self->i = 0; self->i < self->tasks; self->i++) {
		MAG_SPAWN(self->rc, &self->group, round_trips, .n = self->n / self->tasks,
			  .done = &self->done[self->i]);
		if (self->rc < 0)
			break;
	}
	MAG_GROUP_END(self->rc2, &self->group);
	*self->ns = bench_now_ns() - self->start;
	MAG_RETURN(self->rc < 0 ? self->rc : self->rc2);
	MAG_END;
}

int bench_offload(struct bench_run *r)
{
	uint64_t tasks = (uint64_t)r->param, n = (tasks > 1 ? 1000000 : 100000) / (r->quick ? 20 : 1);
	mag_runtime_options options = { .size = sizeof(options), .workers = (uint32_t)r->threads };
	uint64_t *done = calloc(tasks, sizeof(*done)), ns = 0, all = 0;
	int64_t rc;

	if (!done)
		return bench_fail(r, -ENOMEM, "no memory");

	if (r->param2)
		options.spin_us = UINT32_MAX;
	if (r->param2 && tasks == 1)
		n /= 5; /* each takes as long as two sleepers to wake */
	rc = mag_run(&options, all_trips, .tasks = tasks, .n = n, .done = done, .ns = &ns);
	for (uint64_t i = 0; i < tasks; i++)
		all += done[i];
	free(done);
	if (rc < 0)
		return bench_fail(r, (int)rc, "%s %s", mag_errname(rc), mag_runtime_why());
	if (all != n)
		return bench_fail(r, -EBADMSG, "%llu of %llu jobs were run", (unsigned long long)all,
				  (unsigned long long)n);
	r->value = (double)ns / (double)n;
	return 0;
}
