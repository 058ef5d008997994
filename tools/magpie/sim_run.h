/* SPDX-License-Identifier: MIT */
/* sim_run.h - simulated runs of a program, each in a process of its own: what one run leaves behind, or breaks, is not
 * the next one's. */
#ifndef MAGPIE_TOOLS_SIM_RUN_H
#define MAGPIE_TOOLS_SIM_RUN_H

#include <magpie/sim.h>

/* What a run came to. */
struct sim_outcome {
	mag_sim_result result; /* of a run that crashed: as far as `failure` */
	int64_t rc;            /* < 0: it failed */
};

struct sim_job {
	const char *path;
	const mag_program *program;
	mag_sim_options options;
	uint32_t seconds;      /* a run that takes longer fails */
	char preempt_at[1024]; /* where options.preempt_at may point */
};

/* One run; what it says is seen. -errno: it could not be started. */
int sim_run_one(const struct sim_job *job, uint64_t seed, struct sim_outcome *outcome);

/* Runs `n` seeds from `first` on, `at_once` at a time, until one fails; tick is called now and then with how many are
 * done. *failed: the lowest failing one. 1: one failed, 0: none, -errno. */
int sim_run_many(const struct sim_job *job, uint64_t first, uint64_t n, unsigned at_once, void (*tick)(uint64_t done),
		 uint64_t *failed);

/* Takes from a failing run what it can do without: faults, preemptions, workers; or finds another seed that fails with
 * the same words and fewer of these. Counts its runs. */
void sim_shrink(struct sim_job *job, uint64_t *seed, struct sim_outcome *outcome, unsigned *runs);

#endif
