/* SPDX-License-Identifier: MIT */
/* still.h - whether anything can ever move again in a runtime. */
#ifndef MAGI_RUN_STILL_H
#define MAGI_RUN_STILL_H

#include "sched/types.h"

/* Any thread. All workers sleep, nothing is under way that could wake one, and tasks wait. With locks taken and lanes
 * looked at if `sure`; else a few loads. */
bool magi_still(mag_runtime *rt, bool sure);

/* How often its workers have taken something up: two looks at which it stands still, with the same number between, mean
 * that it has stood still. */
uint64_t magi_still_picks(const mag_runtime *rt);

/* How many threads of the process are this runtime's, or wait for it. */
uint32_t magi_still_threads(mag_runtime *rt);

/* How many threads the process has, without the kernel's; 0: nobody knows. */
uint32_t magi_process_threads(void);

#endif
