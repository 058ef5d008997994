/* SPDX-License-Identifier: MIT */
/* rwlock.h - many tasks that read, or one that writes; they may await while they hold it.
 *
 *	MAG_AWAIT(self->rc, mag_rwlock_lock_read, &self->table->lock);
 *	if (self->rc < 0)
 *		MAG_RETURN(self->rc);
 *	…
 *	mag_rwlock_unlock_read(&self->table->lock);
 *
 * Who waits is served in the order of coming, readers that stand next to each other all at once; who comes while
 * somebody waits stands behind. So neither readers nor writers starve, and a reader that wants to read once more while
 * a writer waits waits for that writer, which waits for it: take it once. A reader cannot become a writer.
 *
 * The write lock belongs to the task that took it, as a mutex does; read locks are counted, not named. Each hand-over
 * to a waiting writer is a change of tasks: for short sections that are mostly written a mutex is faster.
 *
 * The memory is the caller's; all zero is a lock that nobody holds. Its tasks belong to one runtime. */
#ifndef MAGPIE_RWLOCK_H
#define MAGPIE_RWLOCK_H

#include <magpie/impl/waitq.h>
#include <magpie/scope.h>

MAGI_C_BEGIN

typedef struct mag_rwlock {
	uint64_t state; /* atomic: nobody: 0; address of the writer's first frame; or readers; and the bits below */
	bool (*gone)(struct magi_waitq *q, mag_frame *f, mag_frame **granted); /* what the queue's calls */
	struct magi_waitq waitq; /* its lock guards what is not atomic */
} mag_rwlock;

enum magi_rwlock_bit {
	MAGI_RWLOCK_WAITERS = 1, /* somebody waits; then the word changes under the lock */
	MAGI_RWLOCK_READ = 2,    /* the rest is how many read */
	MAGI_RWLOCK_BITS = 15,   /* frames lie on multiples of 16 */
	MAGI_RWLOCK_READER = 16
};

/* A static initialiser. */
#define MAG_RWLOCK_INIT { 0, NULL, { 0, 0, NULL, NULL, NULL } }

/* Makes the memory a lock that nobody holds. */
MAG_API void mag_rwlock_init(mag_rwlock *rwlock);

/* Ends it. Nobody may hold it or wait for it.
 *
 * Threads:  any
 * Returns:  0, -EBUSY when it is held or waited for (ends the program in debug builds)
 * Since:    0.2 */
MAG_API int mag_rwlock_fini(mag_rwlock *rwlock);

MAG_API mag_frame *magi_rwlock_lock(mag_worker *w, mag_frame *f, mag_rwlock *rwlock, bool write, uint64_t deadline);
MAG_API int magi_rwlock_try_lock(mag_frame *f, mag_rwlock *rwlock, bool write);
MAG_API int magi_rwlock_unlock_read(mag_frame *f, mag_rwlock *rwlock);
MAG_API int magi_rwlock_unlock_write(mag_frame *f, mag_rwlock *rwlock, bool downgrade);

/* The only worker of a runtime needs no locked instruction: see src/sync/rwlock.c. */
MAGI_FAST bool magi_rwlock_change(mag_worker *w, mag_rwlock *rwlock, uint64_t from, uint64_t to)
{
	if (w->deque.alone) {
		if (MAGI_UNLIKELY(magi_load_rlx(&rwlock->state) != from)) /* [rwlock] */
			return false;
		magi_store_rlx(&rwlock->state, to); /* [rwlock] */
		return true;
	}
	return magi_cas_ar(&rwlock->state, &from, to); /* [rwlock] */
}

MAGI_FAST bool magi_rwlock_take_read(mag_worker *w, mag_rwlock *rwlock)
{
	const uint64_t s = magi_load_rlx(&rwlock->state); /* [rwlock] */

	if (s != 0 && (s & (MAGI_RWLOCK_WAITERS | MAGI_RWLOCK_READ)) != MAGI_RWLOCK_READ)
		return false;
	return magi_rwlock_change(w, rwlock, s, (s | MAGI_RWLOCK_READ) + MAGI_RWLOCK_READER);
}

/* MAG_AWAIT(rc, mag_rwlock_lock_read, &rwlock): waits until this task may read.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Owns:     a read lock after 0: mag_rwlock_unlock_read
 * Returns:  0, MAG_ECANCELED (it is not held), MAG_EDEADLK when the task has it for writing
 * Since:    0.2 */
MAGI_FAST MAG_OP mag_rwlock_lock_read(MAG_OP_ARGS, mag_rwlock *rwlock)
{
#ifndef MAGI_FORCED_MIGRATION
	if (MAGI_LIKELY(!magi_load_rlx(&f->scope->cancelled)) && /* [cancelled] */
	    MAGI_LIKELY(magi_rwlock_take_read(w, rwlock))) {
		MAGI_HELD_PUT(f, &rwlock->state, MAGI_HELD_READ);
		f->op.result = 0;
		return f;
	}
#endif
	return magi_rwlock_lock(w, f, rwlock, false, UINT64_MAX);
}

/* MAG_AWAIT(rc, mag_rwlock_lock_write, &rwlock): waits until this task may write, and no other may read or write.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Owns:     the write lock after 0: mag_rwlock_unlock_write, or mag_rwlock_downgrade
 * Returns:  0, MAG_ECANCELED (it is not held), MAG_EDEADLK when the task has it for writing already
 * Since:    0.2 */
MAGI_FAST MAG_OP mag_rwlock_lock_write(MAG_OP_ARGS, mag_rwlock *rwlock)
{
#ifndef MAGI_FORCED_MIGRATION
	if (MAGI_LIKELY(!magi_load_rlx(&f->scope->cancelled)) && /* [cancelled] */
	    MAGI_LIKELY(magi_rwlock_change(w, rwlock, 0, (uint64_t)(uintptr_t)f->leader))) {
		MAGI_HELD_PUT(f, &rwlock->state, MAGI_HELD_WRITE);
		f->op.result = 0;
		return f;
	}
#endif
	return magi_rwlock_lock(w, f, rwlock, true, UINT64_MAX);
}

/* MAG_AWAIT(rc, mag_rwlock_lock_read_until, &rwlock, deadline): the same, until `deadline` (mag_now; MAG_NEVER) at
 * most. When that has passed, the lock is taken as by mag_rwlock_try_lock_read.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Owns:     a read lock after 0
 * Returns:  0, MAG_ETIMEDOUT (it is not held), and what mag_rwlock_lock_read returns; -ENOMEM
 * Since:    0.2 */
MAGI_FAST MAG_OP mag_rwlock_lock_read_until(MAG_OP_ARGS, mag_rwlock *rwlock, uint64_t deadline)
{
	return magi_rwlock_lock(w, f, rwlock, false, deadline);
}

/* MAG_AWAIT(rc, mag_rwlock_lock_write_until, &rwlock, deadline). The same for writing: as mag_rwlock_lock_write.
 *
 * Returns:  0, MAG_ETIMEDOUT (it is not held), and what mag_rwlock_lock_write returns; -ENOMEM
 * Since:    0.2 */
MAGI_FAST MAG_OP mag_rwlock_lock_write_until(MAG_OP_ARGS, mag_rwlock *rwlock, uint64_t deadline)
{
	return magi_rwlock_lock(w, f, rwlock, true, deadline);
}

/* mag_rwlock_try_lock_read(&rwlock), in a step function: reads if nobody writes or waits.
 *
 * Threads:  any worker
 * Owns:     a read lock after 0: mag_rwlock_unlock_read
 * Returns:  0, -EAGAIN
 * Since:    0.2 */
#define mag_rwlock_try_lock_read(rwlock) magi_rwlock_try_lock(&self->frame, (rwlock), false)

/* mag_rwlock_try_lock_write(&rwlock), in a step function: writes if nobody reads, writes or waits.
 *
 * Threads:  any worker
 * Owns:     the write lock after 0: mag_rwlock_unlock_write, or mag_rwlock_downgrade
 * Returns:  0, -EAGAIN
 * Since:    0.2 */
#define mag_rwlock_try_lock_write(rwlock) magi_rwlock_try_lock(&self->frame, (rwlock), true)

/* mag_rwlock_unlock_read(&rwlock), in a step function: gives a read lock back. Never cut short.
 *
 * Threads:  any worker
 * Returns:  0, -EPERM when nobody reads (ends the program in debug builds)
 * Since:    0.2 */
#define mag_rwlock_unlock_read(rwlock) mag_rwlock_unlock_read_by(w, &self->frame, (rwlock))

/* The same in a plain function that a step function of the task calls; f is a frame of the task. */
MAGI_FAST int mag_rwlock_unlock_read_by(mag_worker *w, mag_frame *f, mag_rwlock *rwlock)
{
	uint64_t s = magi_load_rlx(&rwlock->state); /* [rwlock] */

	if (MAGI_LIKELY((s & (MAGI_RWLOCK_WAITERS | MAGI_RWLOCK_READ)) == MAGI_RWLOCK_READ) &&
	    MAGI_LIKELY(magi_rwlock_change(w, rwlock, s, s >= 2 * MAGI_RWLOCK_READER ? s - MAGI_RWLOCK_READER : 0))) {
		MAGI_HELD_DROP(f, &rwlock->state, MAGI_HELD_READ);
		return 0;
	}
	return magi_rwlock_unlock_read(f, rwlock);
}

/* mag_rwlock_unlock_write(&rwlock), in a step function: gives the write lock back. Never cut short.
 *
 * Threads:  any worker, in the task that holds it
 * Returns:  0, -EPERM when this task does not hold it (ends the program in debug builds)
 * Since:    0.2 */
#define mag_rwlock_unlock_write(rwlock) mag_rwlock_unlock_write_by(w, &self->frame, (rwlock))

/* The same in a plain function that a step function of the task calls; f is a frame of the task. */
MAGI_FAST int mag_rwlock_unlock_write_by(mag_worker *w, mag_frame *f, mag_rwlock *rwlock)
{
	MAGI_HELD_DROP(f, &rwlock->state, MAGI_HELD_WRITE);
	if (MAGI_LIKELY(magi_rwlock_change(w, rwlock, (uint64_t)(uintptr_t)f->leader, 0)))
		return 0;
	return magi_rwlock_unlock_write(f, rwlock, false);
}

/* mag_rwlock_downgrade(&rwlock), in a step function: makes the write lock a read lock, with no writer between; readers
 * that stand first in the queue go on.
 *
 * Threads:  any worker, in the task that holds the write lock
 * Owns:     a read lock after 0: mag_rwlock_unlock_read
 * Returns:  0, -EPERM when this task does not hold it for writing (ends the program in debug builds)
 * Since:    0.2 */
#define mag_rwlock_downgrade(rwlock) magi_rwlock_unlock_write(&self->frame, (rwlock), true)

/* How many read. A snapshot.  Threads: any */
MAG_API uint64_t mag_rwlock_readers(const mag_rwlock *rwlock);
/* Whether some task writes. A snapshot.  Threads: any */
MAG_API bool mag_rwlock_is_written(const mag_rwlock *rwlock);

MAGI_C_END

#endif
