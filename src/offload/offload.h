/* SPDX-License-Identifier: MIT */
/* offload.h - what the runtime does with its lanes. */
#ifndef MAGI_OFFLOAD_OFFLOAD_H
#define MAGI_OFFLOAD_OFFLOAD_H

#include "sched/types.h"

/* Makes the lanes, which have no threads yet. cpus: as many threads may have one at a time. 0, or -ENOMEM. */
int magi_offload_create(mag_runtime *rt, uint32_t cpus);

/* No task uses the lanes any more. Waits until `deadline` for abandoned jobs, ends the threads and frees the lanes; what
 * the jobs that are left use stays until their end, and is freed then. Returns how many these are. */
uint32_t magi_offload_destroy(mag_runtime *rt, uint64_t deadline);

#endif
