/* SPDX-License-Identifier: MIT */
/* event.c - setting an event, and waiting for it.
 *
 * Who:     wait: tasks. set, reset, is_set: any thread. gone: whoever cancels.
 * Always:  WAITERS <=> the queue is not empty, seen under its lock; never together with SET.
 *          The step that sets it is the last that set makes on the event, unless somebody waits: a task that finds it set
 *          may free it. With waiters the lock is released after it, but they, or who cancelled them, need the lock, or
 *          have not been resumed.
 * Pairs:   [event] set (release) -> loaded by who goes on without waiting (acquire); waiters are ordered by the lock */
#include <magpie/event.h>

#include "sync/busy.h"

enum { SET = MAGI_EVENT_SET, WAITERS = MAGI_EVENT_WAITERS };

static mag_event *event_of(struct magi_waitq *q)
{
	return (mag_event *)(void *)((char *)q - offsetof(mag_event, waitq));
}

void mag_event_init(mag_event *e)
{
	*e = (mag_event)MAG_EVENT_INIT;
}

int mag_event_fini(mag_event *e)
{
	return magi_sync_busy(&e->waitq, magi_load_acq(&e->state) & WAITERS, "mag_event_fini"); /* [event] */
}

bool mag_event_is_set(const mag_event *e)
{
	return magi_load_acq(&e->state) & SET; /* [event] */
}

/* A cancelled waiter was taken out. */
static bool gone(struct magi_waitq *q, mag_frame *f, mag_frame **granted)
{
	(void)f;
	(void)granted;
	if (!magi_wait_first(q))
		magi_and_ar(&event_of(q)->state, ~(uint32_t)WAITERS); /* [event] */
	return true;
}

/* Whether it is set; if not, f is about to wait. The lock is held. */
static bool set_or_wait(mag_event *e)
{
	uint32_t s = magi_load_acq(&e->state); /* [event] */

	while (!(s & (SET | WAITERS)) && !magi_cas_ar(&e->state, &s, s | WAITERS)) /* [event] */
		;
	return s & SET;
}

mag_frame *magi_event_wait(mag_worker *w, mag_frame *f, mag_event *e)
{
	magi_lock *lock = magi_waitq_lock(&e->waitq);
	bool parked = false;
	int rc = 0;

	if (magi_cancelled(f))
		return magi_wait_done(w, f, MAG_ECANCELED);
	if (magi_load_acq(&e->state) & SET) /* [event] */
		return magi_wait_done(w, f, 0);
	rc = magi_wait_begin(w, f);
	if (rc < 0)
		return magi_wait_done(w, f, rc);
	magi_lock_acquire(lock);
	if (!set_or_wait(e)) {
		e->waitq.gone = gone;
		parked = magi_wait_park(f, &e->waitq, 0);
		if (!parked && !magi_wait_first(&e->waitq))
			magi_and_ar(&e->state, ~(uint32_t)WAITERS); /* [event] */
		rc = MAG_ECANCELED;
	}
	magi_lock_release(lock);
	return parked ? NULL : magi_wait_done(w, f, rc);
}

int mag_event_set(mag_event *e)
{
	magi_lock *lock = magi_waitq_lock(&e->waitq);
	uint32_t s = magi_load_rlx(&e->state); /* [event] */
	mag_frame *list;

	for (;;) {
		if (s & SET)
			return 0;
		if (!(s & WAITERS)) {
			if (magi_cas_ar(&e->state, &s, s | SET)) /* [event] */
				return 1;
			continue;
		}
		magi_lock_acquire(lock);
		s = magi_load_rlx(&e->state); /* [event] */
		if (s & WAITERS)
			break;
		magi_lock_release(lock); /* the last waiter went meanwhile */
	}
	list = magi_wait_grant_all(&e->waitq, 0);
	magi_store_rel(&e->state, SET); /* [event] */
	magi_lock_release(lock);
	magi_wait_resume(list);
	return 1;
}

int mag_event_reset(mag_event *e)
{
	return magi_and_ar(&e->state, ~(uint32_t)SET) & SET ? 1 : 0; /* [event] */
}
