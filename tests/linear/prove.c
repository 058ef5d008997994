/* SPDX-License-Identifier: MIT */
/* prove.c - see prove.h. */
#include "linear/prove.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"

/* For each number of workers; picked. How much it is depends on what else the machine does: rounds wait for threads. */
enum { CHUNK = 100, CHUNKS_MAX = 100, SECONDS_LONG = 120, SEED = 1, SEEDS_APART = 1 << 24 };
#define TIME_SHORT (700 * MAG_MILLISECOND)

/* Several runs of the runtime: its start and end take part as well. */
static void run(const struct linear_object *object, uint32_t workers, uint64_t seed, struct linear_report *report)
{
	/* with more threads than CPUs who spins keeps from working whom it waits for */
	mag_runtime_options options = { .size = sizeof(options),
					.workers = workers,
					.spin_us = workers > 2 ? UINT32_MAX : 0 };
	bool longer = getenv("MAGPIE_LONG");
	uint64_t start = magi_clock_ns(), end = start + (longer ? SECONDS_LONG * MAG_SECOND : TIME_SHORT);

	for (uint32_t i = 0; !report->failed && magi_clock_ns() < end && (longer || i < CHUNKS_MAX); i++) {
		int64_t rc = mag_run(&options, linear_rounds, .object = object, .seed = seed + i * (uint64_t)CHUNK,
				     .rounds = CHUNK, .report = report);

		if (rc == MAG_EBACKEND)
			cr_skip_test("%s", mag_runtime_why());
		cr_assert_eq(rc, 0, "%s %s", mag_errname(rc), mag_runtime_why());
	}
	fprintf(stderr,
		"%s, up to %u workers: %" PRIu64 " rounds, %" PRIu64 " operations, %" PRIu64 " overlapping, %" PRIu64
		" cancelled, %" PRIu64 " times all waited, %" PRIu64 " states, %" PRIu64 " ms\n",
		object->spec->name, workers, report->rounds, report->ops, report->overlaps, report->cancelled,
		report->waited, report->states, (magi_clock_ns() - start) / MAG_MILLISECOND);
}

void linear_prove(const struct linear_object *object)
{
	const char *seed = getenv("MAGPIE_SEED");
	struct linear_report report = { 0 };

	for (uint32_t workers = 2; workers <= 4 && !report.failed; workers++)
		run(object, workers, seed ? strtoull(seed, NULL, 0) : SEED + workers * (uint64_t)SEEDS_APART, &report);
#ifdef LINEAR_FAULT
	cr_assert(report.failed, "the fault that was planted was not found");
	fprintf(stderr, "%s", report.text);
#else
	cr_assert(!report.failed, "%s", report.text);
	cr_assert(report.overlaps > 0 && report.cancelled > 0, "nothing happened at the same time");
	cr_assert(report.waited > 0 || !object->help, "nobody waited");
#endif
}
