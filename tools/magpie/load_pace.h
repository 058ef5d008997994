/* SPDX-License-Identifier: MIT */
/* load_pace.h - when: requests of an open loop become due, and requests that take too long are ended. */
#ifndef MAGPIE_TOOLS_LOAD_PACE_H
#define MAGPIE_TOOLS_LOAD_PACE_H

#include "load.h"

/* When the n-th request of this worker is due (mag_now). The workers take turns. */
uint64_t load_due_at(const struct load_worker *at, uint64_t n);

/* Gives out what becomes due, until the schedule is over; pinned to at's worker. One task sleeps, not each connection:
 * few timers are served on time. */
struct load_pace {
	mag_frame frame;
	MAG_ARGS(load_pace, struct load_worker *at;);
	int64_t rc;
};
MAG_DECLARE_TASK(load_pace);

/* Closes connections whose request takes longer than the plan allows, until it is cancelled; pinned to at's worker. A
 * deadline of each request's own would cost more than the request's parsing. */
struct load_sweep {
	mag_frame frame;
	MAG_ARGS(load_sweep, struct load_worker *at;);
	uint64_t every_ns, now;
	uint32_t i;
	int64_t rc, waste;
};
MAG_DECLARE_TASK(load_sweep);

#endif
