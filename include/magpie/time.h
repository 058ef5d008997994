/* SPDX-License-Identifier: MIT */
/* time.h - the runtime's clock and sleeping. All times are nanoseconds; deadlines are absolute and monotonic. */
#ifndef MAGPIE_TIME_H
#define MAGPIE_TIME_H

#include <magpie/task.h>

MAGI_C_BEGIN

#define MAG_MICROSECOND UINT64_C(1000)
#define MAG_MILLISECOND UINT64_C(1000000)
#define MAG_SECOND UINT64_C(1000000000)
#define MAG_NEVER UINT64_MAX

/* The runtime's monotonic time, in ns; the system's outside a runtime.
 *
 * Threads:  any
 * Since:    0.1 */
MAG_API uint64_t mag_now(void);

/* `ns` from now, saturating at MAG_NEVER.  Threads: any */
MAG_API uint64_t mag_deadline_in(uint64_t ns);

/* MAG_AWAIT(rc, mag_sleep, ns): sleeps for at least that long.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  0, MAG_ECANCELED
 * Since:    0.1 */
MAG_API MAG_OP mag_sleep(MAG_OP_ARGS, uint64_t ns);

/* MAG_AWAIT(rc, mag_sleep_until, deadline). The same, to a point in time; MAG_NEVER: until it is cancelled. */
MAG_API MAG_OP mag_sleep_until(MAG_OP_ARGS, uint64_t deadline);

MAGI_C_END

#endif
