/* SPDX-License-Identifier: MIT */
/* event.h - something that has happened, or not yet: tasks wait until it has, all of them go on.
 *
 *	MAG_AWAIT(self->rc, mag_event_wait, &self->server->ready);
 *
 * The memory is the caller's; all zero is an event that is not set. Its tasks belong to one runtime; any thread may set
 * and reset it. */
#ifndef MAGPIE_EVENT_H
#define MAGPIE_EVENT_H

#include <magpie/impl/waitq.h>
#include <magpie/scope.h>

MAGI_C_BEGIN

typedef struct mag_event {
	uint32_t state; /* atomic: the bits below */
	uint32_t unused;
	struct magi_waitq waitq;
} mag_event;

enum magi_event_bit {
	MAGI_EVENT_SET = 1,
	MAGI_EVENT_WAITERS = 2 /* somebody waits; changes under the lock */
};

/* A static initialiser: not set. */
#define MAG_EVENT_INIT { 0, 0, { 0, 0, NULL, NULL, NULL } }

/* Makes the memory an event that is not set. */
MAG_API void mag_event_init(mag_event *event);

/* Ends it. Nobody may wait for it.
 *
 * Threads:  any
 * Returns:  0, -EBUSY when somebody waits (ends the program in debug builds)
 * Since:    0.1 */
MAG_API int mag_event_fini(mag_event *event);

MAG_API mag_frame *magi_event_wait(mag_worker *w, mag_frame *f, mag_event *event);
MAG_API mag_frame *magi_event_wait_until(mag_worker *w, mag_frame *f, mag_event *event, uint64_t deadline);

/* MAG_AWAIT(rc, mag_event_wait, &event): waits until the event is set.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  0 when it was set, even if it has been reset since; MAG_ECANCELED
 * Since:    0.1 */
MAGI_FAST MAG_OP mag_event_wait(MAG_OP_ARGS, mag_event *event)
{
#ifndef MAGI_FORCED_MIGRATION
	if (MAGI_LIKELY(!magi_load_rlx(&f->scope->cancelled)) &&          /* [cancelled] */
	    MAGI_LIKELY(magi_load_acq(&event->state) & MAGI_EVENT_SET)) { /* [event] */
		f->op.result = 0;
		return f;
	}
#endif
	return magi_event_wait(w, f, event);
}

/* MAG_AWAIT(rc, mag_event_wait_until, &event, deadline): the same, until `deadline` (mag_now; MAG_NEVER) at most.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  0 when it was set, also when the deadline has passed; MAG_ETIMEDOUT, MAG_ECANCELED, -ENOMEM
 * Since:    0.2 */
MAGI_FAST MAG_OP mag_event_wait_until(MAG_OP_ARGS, mag_event *event, uint64_t deadline)
{
#ifndef MAGI_FORCED_MIGRATION
	if (MAGI_LIKELY(!magi_load_rlx(&f->scope->cancelled)) &&          /* [cancelled] */
	    MAGI_LIKELY(magi_load_acq(&event->state) & MAGI_EVENT_SET)) { /* [event] */
		f->op.result = 0;
		return f;
	}
#endif
	return magi_event_wait_until(w, f, event, deadline);
}

/* Sets the event and lets all go on who wait. A task that finds it set may free it.
 *
 * Threads:  any
 * Returns:  1, or 0 when it was set already
 * Since:    0.1 */
MAG_API int mag_event_set(mag_event *event);

/* Makes it not set: who waits from now on waits for the next mag_event_set.
 *
 * Threads:  any
 * Returns:  1, or 0 when it was not set
 * Since:    0.1 */
MAG_API int mag_event_reset(mag_event *event);

/* Whether it is set.  Threads: any */
MAG_API bool mag_event_is_set(const mag_event *event);

MAGI_C_END

#endif
