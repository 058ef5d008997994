/* SPDX-License-Identifier: MIT */
/* budget.h - how many calls may be made again: a share of those that are made, so that a server in trouble is not asked
 * several times as often because of its trouble.
 *
 *	static mag_budget budget = MAG_BUDGET_INIT(10, 100);     // one in ten, and a hundred to begin with
 *
 * One is shared by all that talk to the same server, in their policies: magpie/retry.h, magpie/hedge.h. The memory is the
 * caller's, to be freed when no call that was given it is under way. */
#ifndef MAGPIE_BUDGET_H
#define MAGPIE_BUDGET_H

#include <magpie/impl/api.h>

MAGI_C_BEGIN

enum { MAG_BUDGET_PERCENT_MAX = 1000, MAG_BUDGET_BURST_MAX = 1000000 };

typedef struct mag_budget {
	uint64_t left;    /* atomic: in hundredths of a call */
	uint32_t percent; /* what each call adds */
	uint32_t burst;   /* more calls than that do not gather */
} mag_budget;

/* A static initialiser; the numbers as for mag_budget_init. */
#define MAG_BUDGET_INIT(percent, burst) { (uint64_t)(burst) * 100, (percent), (burst) }

/* Makes the memory a budget that is full: for each call `percent` / 100 others may be made again, and `burst` at once when
 * there was no need for them before.
 *
 * Threads:  any
 * Returns:  0, -EINVAL: percent is above MAG_BUDGET_PERCENT_MAX, or burst is 0 or above MAG_BUDGET_BURST_MAX
 * Since:    0.2 */
MAG_API int mag_budget_init(mag_budget *budget, uint32_t percent, uint32_t burst);

/* A call is made for the first time.  Threads: any */
MAG_API void mag_budget_call(mag_budget *budget);

/* A call is to be made again.
 *
 * Threads:  any
 * Returns:  0, -EAGAIN: it must not
 * Since:    0.2 */
MAG_API int mag_budget_take(mag_budget *budget);

/* It was not made after all.  Threads: any */
MAG_API void mag_budget_give_back(mag_budget *budget);

/* How many calls may be made again now. A snapshot, which orders nothing.  Threads: any */
MAG_API uint32_t mag_budget_left(const mag_budget *budget);

MAGI_C_END

#endif
