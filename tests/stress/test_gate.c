/* SPDX-License-Identifier: MIT */
/* test_gate.c - everything at once: random spawns, forks, parks, migrations, cancels, timeouts and closes on several
 * workers, with a ledger of tasks, permits, items and their values, files, scopes and generators that ends at zero, and
 * frames, timers, files and descriptors as at the start.
 *
 * MAGPIE_LONG makes it run for two minutes instead of one round. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <magpie/magpie.h>
#include <magpie/stress.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/random.h"
#include "sched/types.h"
#include "support/client.h"
#include "support/ledger.h"

#include "storm.h"

enum { HANGS_S = 200 };

/* A storm with a ledger of its own. */
struct gale {
	mag_frame frame;
	MAG_ARGS(gale, uint64_t steps;);
	struct ledger ledger;
	mag_stats stats;
	int64_t rc;
};

MAG_TASK(gale)
{
	MAG_BEGIN(gale);
	self->rc = ledger_open(&self->ledger);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->stats.size = sizeof(self->stats);
	MAG_CALL(self->rc, storm, .seed = mag_now(), .ledger = &self->ledger, .steps = self->steps, .stats = &self->stats);
	ledger_close(&self->ledger);
	for (int i = 0; i < LEDGER_LINES; i++)
		mag_ledger_add(ledger_name(i), self->ledger.line[i]);
	MAG_RETURN(self->rc);
	MAG_END;
}

static uint64_t steps_wanted(void)
{
	const char *steps = getenv("MAGPIE_GATE_STEPS");

	return steps ? strtoull(steps, NULL, 10) : 1000000;
}

/* A storm that does not end says what hangs, before Criterion ends it. */
static void say_what_hangs(int number)
{
	(void)number;
	raise(SIGQUIT);
}

static void run_storm(uint64_t seed, unsigned workers, uint64_t steps)
{
	mag_runtime_options o = { .size = sizeof(o), .workers = workers };
	mag_stats stats = { .size = sizeof(stats) };
	int descriptors = client_descriptors(), off;
	struct ledger ledger;
	int64_t rc;

	cr_assert_eq(ledger_open(&ledger), 0);
	signal(SIGALRM, say_what_hangs);
	alarm(HANGS_S);
	rc = LEDGER_RUN(&o, storm, .seed = seed, .ledger = &ledger, .steps = steps, .stats = &stats);
	cr_assert_eq(rc, 0, "seed %llu: %s %s", (unsigned long long)seed, mag_errname(rc), mag_runtime_why());
	off = ledger_close(&ledger);
	cr_assert_lt(off, 0, "seed %llu: %s is off by %lld", (unsigned long long)seed, ledger_name(off < 0 ? 0 : off),
		     (long long)ledger.line[off < 0 ? 0 : off]);
	cr_assert_eq(client_descriptors(), descriptors);
	cr_assert_geq(ledger.steps, steps);
	cr_assert(workers == 1 || stats.steals > 0, "nothing moved to another worker: the run proves nothing");
	fprintf(stderr, "seed %llu, %u workers: %llu steps, %llu tasks, %llu steals, %llu parks\n", (unsigned long long)seed,
		workers, (unsigned long long)ledger.steps, (unsigned long long)ledger.started,
		(unsigned long long)stats.steals, (unsigned long long)stats.parks);
}

Test(gate, a_million_random_steps_on_four_workers_leave_nothing_behind, .timeout = 240)
{
	run_storm(1, 4, steps_wanted());
}

Test(gate, a_million_random_steps_on_two_workers_leave_nothing_behind, .timeout = 240)
{
	run_storm(2, 2, steps_wanted());
}

Test(gate, other_seeds_and_more_workers_leave_nothing_behind, .timeout = 600)
{
	uint64_t end = magi_clock_ns() + (getenv("MAGPIE_LONG") ? 120 * MAG_SECOND : 2 * MAG_SECOND);

	for (uint64_t seed = 3; magi_clock_ns() < end; seed++)
		run_storm(seed, 3 + (unsigned)seed % 6, 50000);
}

/* Nobody cancels a gale: it would blow on without ever taking its steps. */
Test(gate, storms_that_are_delayed_and_moved_about_leave_nothing_behind, .timeout = 400)
{
	const mag_stress_options options = { .size = sizeof(options), .at_once = 4, .cancel_in = UINT32_MAX,
					     .limit_ns = 120 * MAG_SECOND,
					     .ns = getenv("MAGPIE_LONG") ? 60 * MAG_SECOND : MAG_SECOND };
	mag_stress_result r;

	cr_assert_eq(mag_stress_into(&r, &options, gale, .steps = 500), 0, "%s", r.failure);
	cr_assert_gt(r.runs, 0);
}
