/* SPDX-License-Identifier: MIT */
/* semaphore.h - permits that tasks take and anybody gives back: a bound on what goes on at once, or a count of events.
 *
 *	MAG_AWAIT(self->rc, mag_semaphore_acquire, &self->pool->places, 1);
 *	…
 *	mag_semaphore_release(&self->pool->places, 1);
 *
 * Waiters are served in the order in which they came: one that needs many permits is not overtaken by those that need
 * few. In one that was made with MAG_BARGING it is, for MAG_FAIR_US at most: who gives permits back and wants some again has
 * them without a change of tasks. The memory is the caller's. Its tasks belong to one runtime; any thread may release. */
#ifndef MAGPIE_SEMAPHORE_H
#define MAGPIE_SEMAPHORE_H

#include <magpie/fairness.h>
#include <magpie/impl/waitq.h>
#include <magpie/scope.h>

MAGI_C_BEGIN

#define MAG_SEMAPHORE_MAX (UINT32_MAX / 2)

typedef struct mag_semaphore {
	uint32_t state; /* atomic: twice the free permits, and 1 when somebody waits; then it changes under the lock */
	uint32_t max;
	struct magi_waitq waitq;
	/* under the lock; all 0 in a fair one */
	uint64_t fair_at; /* in ticks of the CPU: from then on nobody overtakes */
	uint32_t barging;
	uint32_t woken;   /* a waiter was let out of the queue and is about to try: nobody else need be woken */
} mag_semaphore;

enum { MAGI_SEMAPHORE_WAITERS = 1 };

/* A static initialiser: `permits` are free, more than `max` are never. */
#define MAG_SEMAPHORE_INIT(permits, max) { (uint32_t)(permits) * 2, (max), { 0, 0, NULL, NULL, NULL }, 0, 0, 0 }
/* The same for one in which waiters are overtaken for a while. */
#define MAG_SEMAPHORE_BARGING_INIT(permits, max) { (uint32_t)(permits) * 2, (max), { 0, 0, NULL, NULL, NULL }, 0, 1, 0 }

/* Makes the memory a semaphore with that many free permits; more than `max` are never free.
 *
 * Threads:  any
 * Returns:  0, -EINVAL when permits > max, max is 0 or above MAG_SEMAPHORE_MAX
 * Since:    0.1 */
MAG_API int mag_semaphore_init(mag_semaphore *semaphore, uint32_t permits, uint32_t max);

/* The same, saying who gets permits while others wait: MAG_FAIR is what mag_semaphore_init makes.
 *
 * Threads:  any
 * Returns:  0, -EINVAL
 * Since:    0.2 */
MAG_API int mag_semaphore_init_as(mag_semaphore *semaphore, uint32_t permits, uint32_t max, enum mag_fairness fairness);

/* Ends it. Nobody may wait for it.
 *
 * Threads:  any
 * Returns:  0, -EBUSY when somebody waits (ends the program in debug builds)
 * Since:    0.1 */
MAG_API int mag_semaphore_fini(mag_semaphore *semaphore);

MAG_API mag_frame *magi_semaphore_acquire(mag_worker *w, mag_frame *f, mag_semaphore *semaphore, uint32_t n);
MAG_API mag_frame *magi_semaphore_acquire_until(mag_worker *w, mag_frame *f, mag_semaphore *semaphore, uint32_t n,
						uint64_t deadline);
MAG_API bool magi_semaphore_take_again(mag_semaphore *semaphore, uint32_t n);
MAG_API int magi_semaphore_release(mag_semaphore *semaphore, uint32_t n, const char *where);

/* n - 1: 0 permits are refused by the slow way */
MAGI_FAST bool magi_semaphore_take(mag_semaphore *semaphore, uint32_t n)
{
	uint32_t s = magi_load_rlx(&semaphore->state); /* [permit] */

	if ((s & MAGI_SEMAPHORE_WAITERS) || n - 1 >= s / 2)
		return false;
	return MAGI_LIKELY(magi_cas_acq(&semaphore->state, &s, s - 2 * n)) || /* [permit] */
	       magi_semaphore_take_again(semaphore, n);
}

/* MAG_AWAIT(rc, mag_semaphore_acquire, &semaphore, n): takes n permits, all at once, waiting until it is this task's
 * turn and there are so many.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  0, MAG_ECANCELED (no permit is held), -EINVAL when n is 0 or above the semaphore's max
 * Since:    0.1 */
MAGI_FAST MAG_OP mag_semaphore_acquire(MAG_OP_ARGS, mag_semaphore *semaphore, uint32_t n)
{
#ifndef MAGI_FORCED_MIGRATION
	if (MAGI_LIKELY(!magi_load_rlx(&f->scope->cancelled)) && /* [cancelled] */
	    MAGI_LIKELY(magi_semaphore_take(semaphore, n))) {
		f->op.result = 0;
		return f;
	}
#endif
	return magi_semaphore_acquire(w, f, semaphore, n);
}

/* MAG_AWAIT(rc, mag_semaphore_acquire_until, &semaphore, n, deadline): the same, until `deadline` (mag_now; MAG_NEVER) at
 * most. When that has passed, the permits are taken as by mag_semaphore_try_acquire.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  0, MAG_ETIMEDOUT (no permit is held), and what mag_semaphore_acquire returns; -ENOMEM
 * Since:    0.2 */
MAGI_FAST MAG_OP mag_semaphore_acquire_until(MAG_OP_ARGS, mag_semaphore *semaphore, uint32_t n, uint64_t deadline)
{
#ifndef MAGI_FORCED_MIGRATION
	if (MAGI_LIKELY(!magi_load_rlx(&f->scope->cancelled)) && /* [cancelled] */
	    MAGI_LIKELY(magi_semaphore_take(semaphore, n))) {
		f->op.result = 0;
		return f;
	}
#endif
	return magi_semaphore_acquire_until(w, f, semaphore, n, deadline);
}

/* Takes n permits if there are so many and nobody waits.
 *
 * Threads:  any
 * Returns:  0, -EAGAIN, -EINVAL when n is 0 or above the semaphore's max
 * Since:    0.1 */
MAGI_FAST int mag_semaphore_try_acquire(mag_semaphore *semaphore, uint32_t n)
{
	if (magi_semaphore_take(semaphore, n))
		return 0;
	return n == 0 || n > semaphore->max ? -EINVAL : -EAGAIN;
}

#define MAGI_SEMAPHORE_TEXT(number) #number
#define MAGI_SEMAPHORE_LINE(number) ":" MAGI_SEMAPHORE_TEXT(number)

/* mag_semaphore_release(&semaphore, n): gives n permits back, or new ones, and wakes whom they suffice for. Never cut
 * short.
 *
 * Threads:  any
 * Returns:  0; -EOVERFLOW when that would be more than max: none is given then (ends the program in debug builds)
 * Since:    0.1 */
#define mag_semaphore_release(semaphore, n) \
	magi_semaphore_give((semaphore), (n), __FILE__ MAGI_SEMAPHORE_LINE(__LINE__))

MAGI_FAST int magi_semaphore_give(mag_semaphore *semaphore, uint32_t n, const char *where)
{
	uint32_t s = magi_load_rlx(&semaphore->state); /* [permit] */

	if (!(s & MAGI_SEMAPHORE_WAITERS) && n <= semaphore->max - s / 2 &&
	    MAGI_LIKELY(magi_cas_rel(&semaphore->state, &s, s + 2 * n))) /* [permit] */
		return 0;
	return magi_semaphore_release(semaphore, n, where);
}

/* How many permits are free. A snapshot, which orders nothing.  Threads: any */
MAG_API uint32_t mag_semaphore_permits(const mag_semaphore *semaphore);

MAGI_C_END

#endif
