/* SPDX-License-Identifier: MIT */
/* still.c - whether anything can ever move again in a runtime.
 *
 * Who:     any thread.
 * Always:  an operation, an armed timer or a job ends the question: each may wake a task. What a thread of the program's
 *          own may still do is not seen here.
 * Pairs:   [sleep] sched/idle.c: of those who announce their sleep, pass a barrier, and look here, the last one to pass
 *          it sees that all others sleep, and what they did before */
#include "run/still.h"

#include <dirent.h>
#include <magpie/offload.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "run/stall.h"

static bool all_asleep(const mag_runtime *rt)
{
	uint64_t all = rt->n == 64 ? UINT64_MAX : (UINT64_C(1) << rt->n) - 1;

	return magi_load_seq(&rt->idle.sleepers) == all; /* [sleep] */
}

static bool jobs_under_way(mag_runtime *rt)
{
	for (uint32_t lane = MAG_BLOCKING; lane <= MAG_COMPUTE; lane++) {
		mag_lane_stats l = { .size = sizeof(l) };

		mag_offload_stats(rt, lane, &l);
		if (l.queued || l.running)
			return true;
	}
	return false;
}

bool magi_still(mag_runtime *rt, bool sure)
{
	if (rt->hosted || !all_asleep(rt))
		return false;
	for (uint32_t i = 0; i < rt->n; i++) {
		const struct magi_worker *w = rt->workers[i];

		if (magi_load_rlx(&w->slots.used) || magi_wheel_next(&w->wheel) != MAGI_NEVER) /* [stat] */
			return false;
	}
	if (magi_load_acq(&rt->background.balance) / 2 <= 0) /* [balance] */
		return false;
	return !sure || !jobs_under_way(rt);
}

uint64_t magi_still_picks(const mag_runtime *rt)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < rt->n; i++)
		n += magi_load_rlx(&rt->workers[i]->picks); /* [hint] */
	return n;
}

uint32_t magi_still_threads(mag_runtime *rt)
{
	uint32_t n = rt->n + magi_load_rlx(&rt->entered) + magi_stall_threads(rt); /* [hint] */

	for (uint32_t lane = MAG_BLOCKING; lane <= MAG_COMPUTE; lane++) {
		mag_lane_stats l = { .size = sizeof(l) };

		mag_offload_stats(rt, lane, &l);
		n += l.threads;
	}
	return n;
}

/* The kernel's own, for operations that block, are called so. */
static bool is_kernels(const char *id)
{
	char path[64], name[5] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%.20s/comm", id);
	f = fopen(path, "re");
	if (!f)
		return true; /* it has ended */
	if (!fgets(name, sizeof(name), f))
		name[0] = 0;
	fclose(f);
	return !strcmp(name, "iou-");
}

uint32_t magi_process_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	uint32_t n = 0;

	while (dir && (entry = readdir(dir)))
		n += entry->d_name[0] != '.' && !is_kernels(entry->d_name);
	if (dir)
		closedir(dir);
	return n;
}
