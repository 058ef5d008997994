/* SPDX-License-Identifier: MIT */
/* future.h - a result that any thread completes once, and that tasks and threads wait for. */
#ifndef MAGPIE_FUTURE_H
#define MAGPIE_FUTURE_H

#include <magpie/impl/waitq.h>
#include <magpie/task.h>

MAGI_C_BEGIN

typedef struct mag_future {
	struct magi_waitq waiters;
	int64_t result;
	uint32_t done;    /* atomic; foreign threads sleep on it */
	uint32_t foreign; /* threads that wait; under the lock */
	const mag_site *made; /* atomic: where, until somebody asks for the result */
} mag_future;

/* Makes the memory a future that is not complete. */
MAG_API void mag_future_init(mag_future *future);
MAG_API void magi_future_init_at(mag_future *future, const mag_site *made);
#define mag_future_init(future) magi_future_init_at((future), MAGI_MADE("mag_future_init"))

/* Ends it: waits until the thread that completed it has let go of it. Nobody may wait in it any more. */
MAG_API void mag_future_fini(mag_future *future);

/* Completes the future and wakes all who wait.
 *
 * Threads:  any
 * Returns:  0, -EALREADY when it was complete: the first result stays
 * Since:    0.1 */
MAG_API int mag_future_complete(mag_future *future, int64_t result);

/* MAG_AWAIT(rc, mag_future_await, &future): the result.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  the result, MAG_ECANCELED
 * Since:    0.1 */
MAG_API MAG_OP mag_future_await(MAG_OP_ARGS, mag_future *future);

/* MAG_AWAIT(rc, mag_future_await_until, &future, deadline): the same, until `deadline` (mag_now; MAG_NEVER) at most.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  the result, also when the deadline has passed; MAG_ETIMEDOUT, MAG_ECANCELED, -ENOMEM (ask mag_future_poll
 *           where a result could be one of these)
 * Since:    0.2 */
MAG_API MAG_OP mag_future_await_until(MAG_OP_ARGS, mag_future *future, uint64_t deadline);

/* Waits from a thread that is no worker, until `deadline` (mag_now; MAG_NEVER).
 *
 * Returns:  0 and *result (which may be NULL), MAG_ETIMEDOUT, MAG_EDEADLK on a worker
 * Since:    0.1 */
MAG_API int mag_future_wait(mag_future *future, int64_t *result, uint64_t deadline);

/* Whether it is complete; then *result (which may be NULL) is set.  Threads: any */
MAG_API bool mag_future_poll(mag_future *future, int64_t *result);

MAGI_C_END

#endif
