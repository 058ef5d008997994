/* SPDX-License-Identifier: MIT */
/* condition.h - tasks that hold a mutex wait until what it guards has changed.
 *
 *	MAG_AWAIT(self->rc, mag_mutex_lock, &box->mutex);
 *	while (self->rc == 0 && box->count == 0)
 *		MAG_AWAIT(self->rc, mag_condition_wait, &box->filled, &box->mutex);
 *	…                                        // held, also when rc < 0, unless it was the lock that failed
 *	mag_mutex_unlock(&box->mutex);
 *
 * Nothing is kept: a signal that nobody waits for is gone. So what is waited for is a state under the mutex, looked at
 * in a loop: another task may have changed it back before the one that was woken has the mutex again.
 *
 * The memory is the caller's; all zero is a condition that nobody waits for. Its tasks belong to one runtime; any
 * thread may signal. */
#ifndef MAGPIE_CONDITION_H
#define MAGPIE_CONDITION_H

#include <magpie/mutex.h>

MAGI_C_BEGIN

typedef struct mag_condition {
	mag_mutex *mutex;        /* of those who wait; under the lock */
	struct magi_waitq waitq;
} mag_condition;

/* A static initialiser. */
#define MAG_CONDITION_INIT { NULL, { 0, 0, NULL, NULL, NULL } }

/* Makes the memory a condition that nobody waits for. */
MAG_API void mag_condition_init(mag_condition *condition);

/* Ends it. Nobody may wait for it.
 *
 * Threads:  any
 * Returns:  0, -EBUSY when somebody waits (ends the program in debug builds)
 * Since:    0.2 */
MAG_API int mag_condition_fini(mag_condition *condition);

/* MAG_AWAIT(rc, mag_condition_wait, &condition, &mutex): gives the mutex back and waits for a signal, in one step, so
 * that a signal which is given after the mutex was given back finds this task. Then it takes the mutex again, which
 * nothing cuts short: whatever it returns, the task holds the mutex, as before.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker, in the task that holds the mutex
 * Owns:     the mutex is the task's before and after
 * Returns:  0 after a signal; MAG_ECANCELED (a signal went to another, or is to come); -EPERM when this task does not
 *           hold the mutex, -EINVAL when others wait here with another one (both end the program in debug builds);
 *           MAG_EDEPTH, -ENOMEM
 * Since:    0.2 */
MAG_API MAG_OP mag_condition_wait(MAG_OP_ARGS, mag_condition *condition, mag_mutex *mutex);

/* MAG_AWAIT(rc, mag_condition_wait_until, &condition, &mutex, deadline): the same, until `deadline` (mag_now;
 * MAG_NEVER) at most; taking the mutex again may take longer. When that has passed, the mutex is not given back.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker, in the task that holds the mutex
 * Owns:     the mutex is the task's before and after
 * Returns:  0 after a signal; MAG_ETIMEDOUT, and what mag_condition_wait returns
 * Since:    0.2 */
MAG_API MAG_OP mag_condition_wait_until(MAG_OP_ARGS, mag_condition *condition, mag_mutex *mutex, uint64_t deadline);

/* Lets the task go on that has waited longest. One that is cancelled does not count: the signal is the next one's.
 *
 * Threads:  any; who holds the mutex, and who does not
 * Returns:  1, or 0 when nobody waited
 * Since:    0.2 */
MAG_API int mag_condition_signal(mag_condition *condition);

/* Lets all go on who wait, one after the other as they get the mutex.
 *
 * Threads:  any; who holds the mutex, and who does not
 * Returns:  how many
 * Since:    0.2 */
MAG_API int mag_condition_broadcast(mag_condition *condition);

MAGI_C_END

#endif
