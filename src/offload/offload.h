/* SPDX-License-Identifier: MIT */
/* offload.h - what the runtime does with its lanes. */
#ifndef MAGI_OFFLOAD_OFFLOAD_H
#define MAGI_OFFLOAD_OFFLOAD_H

#include "sched/types.h"

/* Makes the lanes, which have no threads yet. cpus: as many threads may have one at a time. 0, or -ENOMEM. */
int magi_offload_create(mag_runtime *rt, uint32_t cpus);

/* For a worker's backend: a hand of the blocking lane calls fn(arg). 0; or -ENOMEM, -EAGAIN, and it is not called. Not
 * after the last task has ended: the lanes end then. */
int magi_offload_punt(void *runtime, int64_t (*fn)(void *arg), void *arg);

/* No task waits for a job any more. Waits until `deadline` for abandoned jobs and ends the threads. Returns how
 * many jobs are left; what they use stays until their end, and is freed then. */
uint32_t magi_offload_end(mag_runtime *rt, uint64_t deadline);

/* Frees the lanes, which have ended or never had a job; the workers have stopped. None: fine. */
void magi_offload_destroy(mag_runtime *rt);

#endif
