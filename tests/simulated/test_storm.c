/* SPDX-License-Identifier: MIT */
/* test_storm.c - the storm of test_gate.c in the simulator: many seeds of a few hundred steps, each on its own
 * schedule, replayed by one number.
 *
 * MAGPIE_LONG makes it run for five minutes instead of some seconds. */
#include <criterion/criterion.h>
#include <magpie/magpie.h>
#include <magpie/sim.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/random.h"

#include "stress/storm.h"
#include "support/heap.h"

enum { STEPS = 200 };

static void run_seed(uint64_t seed)
{
	mag_stats stats = { .size = sizeof(stats) };
	struct ledger ledger;
	int64_t rc;
	int off;

	cr_assert_eq(ledger_open(&ledger), 0);
	rc = mag_sim_run(seed, NULL, storm, .seed = seed, .ledger = &ledger, .steps = STEPS, .stats = &stats);

	cr_assert_eq(rc, 0, "seed %llu: %s", (unsigned long long)seed, mag_errname(rc));
	off = ledger_close(&ledger);
	cr_assert_lt(off, 0, "seed %llu: %s is off by %lld", (unsigned long long)seed, ledger_name(off < 0 ? 0 : off),
		     (long long)ledger.line[off < 0 ? 0 : off]);
}

#if defined(MAGI_ASAN)
#define STORM (2 * MAG_SECOND)
#else
#define STORM (4 * MAG_SECOND)
#endif

Test(storm, no_schedule_leaves_anything_behind, .timeout = 400)
{
	uint64_t end = magi_clock_ns() + (getenv("MAGPIE_LONG") ? 300 * MAG_SECOND : STORM);
	uint64_t seed = 0;

	heap_keep();
	while (magi_clock_ns() < end)
		run_seed(seed++);
	fprintf(stderr, "%llu seeds\n", (unsigned long long)seed);
}
