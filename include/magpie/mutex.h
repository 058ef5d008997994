/* SPDX-License-Identifier: MIT */
/* mutex.h - one task at a time; it may await while it holds the mutex.
 *
 *	MAG_AWAIT(self->rc, mag_mutex_lock, &self->cache->mutex);
 *	if (self->rc < 0)
 *		MAG_RETURN(self->rc);
 *	…
 *	mag_mutex_unlock(&self->cache->mutex);
 *
 * A mutex belongs to the task that locked it, which is the frame that was started and all that it calls; what it forks
 * or spawns are other tasks. Who comes by while it is free takes it, also before those that wait (a hand-over at each
 * unlock would cost a change of tasks each time); a queue that has been overtaken for MAG_FAIR_US is served first. One that
 * was made with MAG_FAIR is handed over in the order of coming.
 *
 * The memory is the caller's; all zero is a mutex that nobody holds. Its tasks belong to one runtime. */
#ifndef MAGPIE_MUTEX_H
#define MAGPIE_MUTEX_H

#include <magpie/fairness.h>
#include <magpie/impl/waitq.h>
#include <magpie/scope.h>

MAGI_C_BEGIN

enum { MAG_MUTEX_FAIR_US = MAG_FAIR_US };

typedef struct mag_mutex {
	uint64_t state;          /* atomic: address of the holder's first frame, and the bits below */
	uint64_t fair_at;        /* in ticks of the CPU: from then on the first waiter is served; under the lock; or: */
	struct magi_waitq waitq; /* its lock guards what is not atomic */
} mag_mutex;

enum magi_mutex_bit {
	MAGI_MUTEX_WAITERS = 1, /* somebody waits; changes under the lock */
	MAGI_MUTEX_WOKEN = 2,   /* a waiter was let out of the queue and is about to try: nobody else need be woken */
	MAGI_MUTEX_BITS = 15    /* frames lie on multiples of 16 */
};

#define MAGI_MUTEX_ALWAYS UINT64_MAX /* each unlock hands over */

/* A static initialiser. */
#define MAG_MUTEX_INIT { 0, 0, { 0, 0, NULL, NULL, NULL } }
/* The same for one that is handed over in the order of coming. */
#define MAG_MUTEX_FAIR_INIT { 0, MAGI_MUTEX_ALWAYS, { 0, 0, NULL, NULL, NULL } }

/* Makes the memory a mutex that nobody holds. */
MAG_API void mag_mutex_init(mag_mutex *mutex);

/* The same, saying who gets it while others wait: MAG_BARGING is what mag_mutex_init makes.
 *
 * Threads:  any
 * Since:    0.2 */
MAG_API void mag_mutex_init_as(mag_mutex *mutex, enum mag_fairness fairness);

/* Ends it. Nobody may hold it or wait for it.
 *
 * Threads:  any
 * Returns:  0, -EBUSY when it is held or waited for (ends the program in debug builds)
 * Since:    0.1 */
MAG_API int mag_mutex_fini(mag_mutex *mutex);

MAG_API mag_frame *magi_mutex_lock(mag_worker *w, mag_frame *f, mag_mutex *mutex);
MAG_API mag_frame *magi_mutex_lock_until(mag_worker *w, mag_frame *f, mag_mutex *mutex, uint64_t deadline);
MAG_API int magi_mutex_try_lock(mag_frame *f, mag_mutex *mutex);
MAG_API int magi_mutex_unlock(mag_frame *f, mag_mutex *mutex);

/* From `from` to `to`. The only worker of a runtime needs no locked instruction: see src/sync/mutex.c. */
MAGI_FAST bool magi_mutex_change(mag_worker *w, mag_mutex *mutex, uint64_t from, uint64_t to)
{
	if (w->deque.alone) {
		if (MAGI_UNLIKELY(magi_load_rlx(&mutex->state) != from)) /* [mutex] */
			return false;
		magi_store_rlx(&mutex->state, to); /* [mutex] */
		return true;
	}
	return magi_cas_ar(&mutex->state, &from, to); /* [mutex] */
}

/* MAG_AWAIT(rc, mag_mutex_lock, &mutex): takes the mutex, waiting until it is free.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Owns:     the task holds the mutex after 0: mag_mutex_unlock
 * Returns:  0, MAG_ECANCELED (it is not held), MAG_EDEADLK when the task holds it already
 * Since:    0.1 */
MAGI_FAST MAG_OP mag_mutex_lock(MAG_OP_ARGS, mag_mutex *mutex)
{
	MAGI_HELD_PUT(f, &mutex->state, MAGI_HELD_MUTEX);
#ifndef MAGI_FORCED_MIGRATION
	if (MAGI_LIKELY(!magi_load_rlx(&f->scope->cancelled)) && /* [cancelled] */
	    MAGI_LIKELY(magi_mutex_change(w, mutex, 0, (uint64_t)(uintptr_t)f->leader))) {
		f->op.result = 0;
		return f;
	}
#endif
	return magi_mutex_lock(w, f, mutex);
}

/* MAG_AWAIT(rc, mag_mutex_lock_until, &mutex, deadline): the same, until `deadline` (mag_now; MAG_NEVER) at most. When that
 * has passed, the mutex is taken if it is free.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Owns:     the task holds the mutex after 0: mag_mutex_unlock
 * Returns:  0, MAG_ETIMEDOUT (it is not held), and what mag_mutex_lock returns; -ENOMEM
 * Since:    0.2 */
MAGI_FAST MAG_OP mag_mutex_lock_until(MAG_OP_ARGS, mag_mutex *mutex, uint64_t deadline)
{
	MAGI_HELD_PUT(f, &mutex->state, MAGI_HELD_MUTEX);
#ifndef MAGI_FORCED_MIGRATION
	if (MAGI_LIKELY(!magi_load_rlx(&f->scope->cancelled)) && /* [cancelled] */
	    MAGI_LIKELY(magi_mutex_change(w, mutex, 0, (uint64_t)(uintptr_t)f->leader))) {
		f->op.result = 0;
		return f;
	}
#endif
	return magi_mutex_lock_until(w, f, mutex, deadline);
}

/* mag_mutex_try_lock(&mutex), in a step function: takes the mutex if it is free.
 *
 * Threads:  any worker
 * Owns:     the task holds the mutex after 0: mag_mutex_unlock
 * Returns:  0, -EAGAIN when some task holds it
 * Since:    0.1 */
#define mag_mutex_try_lock(mutex) mag_mutex_try_lock_by(w, &self->frame, (mutex))

/* The same in a plain function that a step function of the task calls; f is a frame of the task. */
MAGI_FAST int mag_mutex_try_lock_by(mag_worker *w, mag_frame *f, mag_mutex *mutex)
{
	MAGI_HELD_PUT(f, &mutex->state, MAGI_HELD_MUTEX);
	if (MAGI_LIKELY(magi_mutex_change(w, mutex, 0, (uint64_t)(uintptr_t)f->leader)))
		return 0;
	return magi_mutex_try_lock(f, mutex);
}

/* mag_mutex_unlock(&mutex), in a step function: gives the mutex back. Never cut short.
 *
 * Threads:  any worker, in the task that holds it
 * Returns:  0, -EPERM when this task does not hold it (ends the program in debug builds)
 * Since:    0.1 */
#define mag_mutex_unlock(mutex) mag_mutex_unlock_by(w, &self->frame, (mutex))

/* The same in a plain function that a step function of the task calls; f is a frame of the task. */
MAGI_FAST int mag_mutex_unlock_by(mag_worker *w, mag_frame *f, mag_mutex *mutex)
{
	MAGI_HELD_DROP(f, &mutex->state, MAGI_HELD_MUTEX);
	if (MAGI_LIKELY(magi_mutex_change(w, mutex, (uint64_t)(uintptr_t)f->leader, 0)))
		return 0;
	return magi_mutex_unlock(f, mutex);
}

/* Whether some task holds it. A snapshot.  Threads: any */
MAG_API bool mag_mutex_is_locked(const mag_mutex *mutex);

MAGI_C_END

#endif
