/* SPDX-License-Identifier: MIT */
/* once.h - something that the first task that needs it makes, while others wait; it may await meanwhile.
 *
 *	MAG_AWAIT(self->rc, mag_once_begin, &self->db->once);
 *	if (self->rc == 1) {                            // this task was elected
 *		MAG_CALL(self->rc, open_all, .db = self->db);
 *		mag_once_done(&self->db->once, self->rc);
 *	}
 *	if (self->rc < 0)
 *		MAG_RETURN(self->rc);
 *
 * If it fails, or is cancelled, the next one that waits is elected, and tries. The memory is the caller's; all zero is
 * one that nobody has begun. Its tasks belong to one runtime. */
#ifndef MAGPIE_ONCE_H
#define MAGPIE_ONCE_H

#include <magpie/impl/waitq.h>
#include <magpie/scope.h>

MAGI_C_BEGIN

typedef struct mag_once {
	uint64_t state; /* atomic: 0, address of the first frame of the task that was elected, or MAGI_ONCE_DONE */
	uint64_t unused;
	struct magi_waitq waitq; /* its lock guards changes */
} mag_once;

enum { MAGI_ONCE_DONE = 1 };

/* A static initialiser. */
#define MAG_ONCE_INIT { 0, 0, { 0, 0, NULL, NULL, NULL } }

/* Makes the memory one that nobody has begun. */
MAG_API void mag_once_init(mag_once *once);

/* Ends it. Nobody may be at it or wait for it, and all who were must have returned.
 *
 * Threads:  any
 * Returns:  0, -EBUSY when some task was elected and is not done (ends the program in debug builds)
 * Since:    0.2 */
MAG_API int mag_once_fini(mag_once *once);

MAG_API mag_frame *magi_once_begin(mag_worker *w, mag_frame *f, mag_once *once, uint64_t deadline);
MAG_API int magi_once_try(mag_frame *f, mag_once *once);

/* MAG_AWAIT(rc, mag_once_begin, &once): waits until it is done, or this task is elected to do it.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Owns:     after 1 the task must call mag_once_done
 * Returns:  0 when it is done: what the one who did it wrote is seen; 1; MAG_ECANCELED; MAG_EDEADLK when the task is at
 *           it already
 * Since:    0.2 */
MAGI_FAST MAG_OP mag_once_begin(MAG_OP_ARGS, mag_once *once)
{
#ifndef MAGI_FORCED_MIGRATION
	if (MAGI_LIKELY(!magi_load_rlx(&f->scope->cancelled)) &&              /* [cancelled] */
	    MAGI_LIKELY(magi_load_acq(&once->state) == MAGI_ONCE_DONE)) { /* [once] */
		f->op.result = 0;
		return f;
	}
#endif
	return magi_once_begin(w, f, once, UINT64_MAX);
}

/* MAG_AWAIT(rc, mag_once_begin_until, &once, deadline): the same, until `deadline` (mag_now; MAG_NEVER) at most.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Owns:     after 1 the task must call mag_once_done
 * Returns:  0, 1, also when the deadline has passed; MAG_ETIMEDOUT, and what mag_once_begin returns; -ENOMEM
 * Since:    0.2 */
MAGI_FAST MAG_OP mag_once_begin_until(MAG_OP_ARGS, mag_once *once, uint64_t deadline)
{
#ifndef MAGI_FORCED_MIGRATION
	if (MAGI_LIKELY(!magi_load_rlx(&f->scope->cancelled)) &&              /* [cancelled] */
	    MAGI_LIKELY(magi_load_acq(&once->state) == MAGI_ONCE_DONE)) { /* [once] */
		f->op.result = 0;
		return f;
	}
#endif
	return magi_once_begin(w, f, once, deadline);
}

/* mag_once_try_begin(&once), in a step function: the same without waiting.
 *
 * Threads:  any worker
 * Owns:     after 1 the task must call mag_once_done
 * Returns:  0 when it is done, 1 when this task is elected, -EAGAIN while another is at it, MAG_EDEADLK
 * Since:    0.2 */
#define mag_once_try_begin(once) magi_once_try(&self->frame, (once))

/* mag_once_done(&once, rc), in a step function: says how it went. rc >= 0: it is done, all who wait go on. rc < 0: it
 * is not; who has waited longest is elected, or whoever comes next.
 *
 * Threads:  any worker, in the task that was elected
 * Returns:  0, -EPERM when this task was not elected (ends the program in debug builds)
 * Since:    0.2 */
#define mag_once_done(once, rc) mag_once_done_by(&self->frame, (once), (rc))

/* The same in a plain function that a step function of the task calls; f is a frame of the task. */
MAG_API int mag_once_done_by(mag_frame *f, mag_once *once, int64_t rc);

/* Whether it is done; what the one who did it wrote is seen then.  Threads: any */
MAG_API bool mag_once_is_done(const mag_once *once);

MAGI_C_END

#endif
