/* SPDX-License-Identifier: MIT */
/* quiet.c - whether the calling task is all there is. */
#include <inttypes.h>
#include <magpie/offload.h>

#include "base/futex.h"
#include "sched/slab.h"
#include "sim/sim.h"

enum { MOMENTS = 1000, MOMENT_NS = 100000 }; /* it may have lost its CPU */

/* Frames of the task and of those that wait for it. */
static uint64_t own_frames(const mag_frame *f)
{
	uint64_t n = 0;

	for (; f; f = f->parent)
		n++;
	return n;
}

static void check(const char *what, uint64_t n, uint64_t expected)
{
	if (n != expected)
		mag_sim_fail("not quiescent: %" PRIu64 " %s, expected %" PRIu64, n, what, expected);
}

/* A thread of a lane tells the result of a job before it counts it as done: it gets a moment for that. */
static uint64_t jobs_left(mag_runtime *rt, uint32_t lane)
{
	mag_lane_stats stats = { .size = sizeof(stats) };

	uint32_t word = 0;

	for (int i = 0; i < MOMENTS; i++) {
		mag_offload_stats(rt, lane, &stats);
		if (!stats.queued && !stats.running)
			break;
		magi_futex_wait(&word, 0, MOMENT_NS);
	}
	return (uint64_t)stats.queued + stats.running;
}

void mag_sim_assert_quiescent(void)
{
	mag_stats stats = { .size = sizeof(stats) };
	mag_runtime *rt = mag_runtime_current();
	struct magi_sim *s;

	if (!mag_sim_running() || !rt)
		return;
	s = magi_sim_of(magi_host());
	for (uint32_t i = 0; i < rt->n; i++)
		magi_slab_publish(rt->workers[i]);
	mag_runtime_stats(rt, &stats);
	check("frames in use", stats.frames, own_frames(s->current->frame));
	check("timers armed", stats.timers, 0);
	check("files open", stats.fds, 0);
	check("operations under way", stats.io_pending, 0);
	for (uint32_t i = MAG_BLOCKING; i <= MAG_COMPUTE; i++)
		check("jobs under way", jobs_left(rt, i), 0);
}
