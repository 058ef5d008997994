/* SPDX-License-Identifier: MIT */
/* test_schedules_calls.c - breakers, hedges and retries on many schedules, cut short at every moment, and without memory. */
#include "simulated/seeds.h"

#include "simulated/calls.h"

PROGRAM(visitors)

static int64_t run_patient(uint64_t seed)
{
	return mag_sim_run(seed, NULL, patient, .plenty = true);
}

/* Where the run itself cannot start nothing is to be seen. */
static int64_t run_starved(uint64_t seed)
{
	const mag_sim_options options = { .size = sizeof(options),
					  .faults = MAG_SIM_MILD | MAG_SIM_MEMORY,
					  .quiet = true };
	int64_t rc = mag_sim_run(seed, &options, patient);

	return rc == -ENOMEM || rc == -EAGAIN ? 0 : rc;
}

ALL(schedules_calls, visitors, no_trial_is_lost_with_a_cancelled_call)
ALL(schedules_calls, patient, what_was_got_twice_is_given_back_and_the_budget_is_even)
ALL(schedules_calls, starved, nothing_is_lost_where_memory_fails)
