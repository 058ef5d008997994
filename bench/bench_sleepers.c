/* SPDX-License-Identifier: MIT */
/* bench_sleepers.c - what a sleeping task costs in resident memory, everything counted in: frames, timers, queues, the
 * group. A million are asleep at once when it is measured.
 *
 * param: 1 for tasks without arguments; else each has one of 8 bytes and keeps a result. */
#include "cases.h"

#include <errno.h>
#include <magpie/time.h>

#include "tasks.h"

#define HOUR (3600 * MAG_SECOND)
#define PATIENCE_NS (60 * MAG_SECOND)

struct sleeper {
	mag_frame frame;
	MAG_ARGS(sleeper, uint64_t ns;);
	int64_t rc;
};

static MAG_TASK(sleeper)
{
	MAG_BEGIN(sleeper);
	MAG_AWAIT(self->rc, mag_sleep, self->ns);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct bare_sleeper {
	mag_frame frame;
	MAG_NO_ARGS(bare_sleeper);
};

static MAG_TASK(bare_sleeper)
{
	int64_t rc;

	MAG_BEGIN(bare_sleeper);
	MAG_AWAIT(rc, mag_sleep, HOUR);
	MAG_RETURN(rc);
	MAG_END;
}

struct dormitory {
	mag_frame frame;
	MAG_ARGS(dormitory, uint64_t n; bool bare; uint64_t *bytes; uint64_t *asleep; uint64_t *left;);
	mag_group group;
	mag_stats at_start, now;
	uint64_t i, before, deadline;
	int64_t rc, joined;
};

static MAG_TASK(dormitory)
{
	MAG_BEGIN(dormitory);
	self->at_start = bench_tasks_stats();
	self->before = bench_resident_bytes();
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < self->n; self->i++) {
		if (self->bare) {
			MAG_SPAWN(self->rc, &self->group, bare_sleeper);
		} else {
			MAG_SPAWN(self->rc, &self->group, sleeper, .ns = HOUR);
		}
		if (self->rc < 0)
			break;
	}
	self->deadline = mag_deadline_in(PATIENCE_NS);
	do {
		MAG_AWAIT(self->joined, mag_sleep, MAG_MILLISECOND);
		self->now = bench_tasks_stats();
	} while (self->joined == 0 && self->now.timers < self->i && mag_now() < self->deadline);
	*self->asleep = self->now.timers;
	*self->bytes = bench_resident_bytes() - self->before;
	mag_group_cancel(&self->group);
	MAG_GROUP_END(self->joined, &self->group);
	self->now = bench_tasks_stats();
	*self->left = self->now.frames + self->now.timers - self->at_start.frames - self->at_start.timers;
	MAG_RETURN(self->rc < 0 ? self->rc : self->joined == MAG_ECANCELED ? 0 : -EBADMSG);
	MAG_END;
}

int bench_sleepers(struct bench_run *r)
{
	uint64_t n = r->quick ? 50000 : 1000000, bytes = 0, asleep = 0, left = 0;
	int rc;

	if (!bench_resident_bytes())
		return bench_fail(r, BENCH_SKIP, "no Rss in /proc/self/smaps_rollup");
	rc = BENCH_TASKS(r, dormitory, .n = n, .bare = r->param == 1, .bytes = &bytes, .asleep = &asleep,
			 .left = &left);
	if (rc)
		return rc;
	if (asleep != n)
		return bench_fail(r, -EBADMSG, "%llu of %llu tasks were asleep at once", (unsigned long long)asleep,
				  (unsigned long long)n);
	if (left)
		return bench_fail(r, -EBADMSG, "%lld frames and timers are left over", (long long)left);
	r->value = (double)bytes / (double)n;
	return 0;
}
