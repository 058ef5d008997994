/* SPDX-License-Identifier: MIT */
/* dump.c - what a runtime is at: counters, and all of it in words. */
#include "run/dump.h"

#include <inttypes.h>
#include <magpie/offload.h>
#include <magpie/options.h>

#include "base/clock.h"
#include "sched/slab.h"
#include "task/report.h"
#include "task/tree.h"

static void add_lanes(mag_stats *s, mag_runtime *rt)
{
	for (uint32_t lane = MAG_BLOCKING; lane <= MAG_COMPUTE; lane++) {
		mag_lane_stats l = { .size = sizeof(l) };

		mag_offload_stats(rt, lane, &l);
		s->jobs += l.jobs;
		s->jobs_queued += l.queued;
		s->jobs_running += l.running;
		s->job_threads += l.threads;
	}
}

int mag_runtime_stats(mag_runtime *rt, mag_stats *out)
{
	mag_stats s = { 0 };

	if (magi_self_in(rt))
		magi_slab_publish(magi_worker_of(magi_self_in(rt)));
	for (uint32_t i = 0; i < rt->n; i++) {
		struct magi_worker *w = rt->workers[i];

		s.picks += magi_load_rlx(&w->picks); /* [stat] */
		s.steals += magi_load_rlx(&w->steals); /* [stat] */
		s.parks += magi_load_rlx(&w->parks); /* [stat] */
		s.wakes += magi_load_rlx(&w->wakes); /* [stat] */
		s.polls += magi_load_rlx(&w->polls); /* [stat] */
		s.io += magi_load_rlx(&w->started); /* [stat] */
		s.io_pending += magi_load_rlx(&w->slots.used); /* [stat] */
		s.timers += magi_wheel_armed(&w->wheel);
		s.frames += (uint64_t)magi_slab_in_use(w);
	}
	s.frames += (uint64_t)magi_load_rlx(&rt->foreign_frames); /* [stat] */
	s.fds = magi_load_rlx(&rt->fds.open); /* [stat] */
	s.bytes = magi_load_rlx(&rt->depot.bytes); /* [stat] */
	s.asleep = (uint64_t)__builtin_popcountll(magi_load_acq(&rt->idle.sleepers)); /* [sleep] */
	if (out->size > offsetof(mag_stats, jobs))
		add_lanes(&s, rt);
	if (magi_debug(rt))
		s.reports = magi_load_rlx(&rt->debug->reports); /* [stat] */
	return mag_options_give(out, &s, sizeof(s));
}

static void lanes_text(struct magi_text *t, mag_runtime *rt)
{
	static const char *const names[] = { "blocking", "compute" };

	for (uint32_t lane = MAG_BLOCKING; lane <= MAG_COMPUTE; lane++) {
		mag_lane_stats l = { .size = sizeof(l) };

		mag_offload_stats(rt, lane, &l);
		if (l.jobs || l.queued || l.running)
			magi_text_add(t, "%s lane: %u threads, %u running, %" PRIu64 " queued, %" PRIu64 " ended\n",
				      names[lane], l.threads, l.running, l.queued, l.jobs);
	}
}

void magi_dump_add(struct magi_text *t, mag_runtime *rt)
{
	magi_text_add(t, "magpie: a runtime of %u worker%s on %s, ", rt->n, rt->n == 1 ? "" : "s", rt->ops->name);
	magi_text_ns(t, magi_clock_ns() - rt->began);
	magi_text_add(t, " old\n");
	magi_tree_add(t, rt, rt->options.world ? 0 : magi_clock_ns(), false);
	magi_workers_add(t, rt);
	lanes_text(t, rt);
}

int mag_runtime_dump(mag_runtime *rt, int fd)
{
	struct magi_text t;
	int rc = magi_text_begin(&t, MAGI_TREE_BYTES);

	if (rc < 0)
		return rc;
	magi_dump_add(&t, rt);
	rc = magi_text_write(&t, fd, -1);
	magi_text_end(&t);
	return rc;
}
