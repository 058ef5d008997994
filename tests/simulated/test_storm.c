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

enum { STEPS = 200 };

static void run_seed(uint64_t seed)
{
	struct ledger ledger = { 0 };
	mag_stats stats = { .size = sizeof(stats) };
	int64_t rc = mag_sim_run(seed, NULL, storm, .seed = seed, .ledger = &ledger, .steps = STEPS, .stats = &stats);

	cr_assert_eq(rc, 0, "seed %llu: %s", (unsigned long long)seed, mag_errname(rc));
	for (int i = 0; i < LEDGER_LINES; i++)
		cr_assert_eq(ledger.line[i], 0, "seed %llu: %s is off by %lld", (unsigned long long)seed, ledger_name(i),
			     (long long)ledger.line[i]);
}

Test(storm, no_schedule_leaves_anything_behind, .timeout = 400)
{
	uint64_t end = magi_clock_ns() + (getenv("MAGPIE_LONG") ? 300 * MAG_SECOND : 4 * MAG_SECOND);
	uint64_t seed = 0;

	while (magi_clock_ns() < end)
		run_seed(seed++);
	fprintf(stderr, "%llu seeds\n", (unsigned long long)seed);
}
