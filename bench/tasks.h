/* SPDX-License-Identifier: MIT */
/* tasks.h - a case that is an async function on a runtime of its own, and what it asks of that and of the process. */
#ifndef MAGPIE_BENCH_TASKS_H
#define MAGPIE_BENCH_TASKS_H

#include <magpie/runtime.h>

#include "bench.h"

/* Runs async function `fn` with these arguments to its end, on as many workers as the row says. Returns: as the case. */
#define BENCH_TASKS(r, fn, ...)                                                                      \
	bench_tasks_over((r), mag_run((&(mag_runtime_options){ .size = sizeof(mag_runtime_options),  \
							       .workers = (uint32_t)(r)->threads }), \
				      fn, __VA_ARGS__))

static inline int bench_tasks_over(struct bench_run *r, int64_t rc)
{
	if (rc >= 0)
		return 0;
	return bench_fail(r, rc == MAG_EBACKEND ? BENCH_SKIP : (int)rc, "%s: %s", mag_errname(rc),
			  *mag_runtime_why() ? mag_runtime_why() : mag_strerror(rc));
}

/* In a task: what its runtime has done so far. */
static inline mag_stats bench_tasks_stats(void)
{
	mag_stats s = { .size = sizeof s };

	mag_runtime_stats(mag_runtime_current(), &s);
	return s;
}

/* Resident bytes of this process: smaps_rollup counts them, statm lags behind. 0: not known. */
static inline uint64_t bench_resident_bytes(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "re");
	unsigned long kib = 0;
	char line[128];

	if (!f)
		return 0;
	while (fgets(line, sizeof line, f))
		if (sscanf(line, "Rss: %lu kB", &kib) == 1)
			break;
	fclose(f);
	return (uint64_t)kib * 1024;
}

#endif
