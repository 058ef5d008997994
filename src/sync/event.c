/* SPDX-License-Identifier: MIT */
/* event.c - setting an event, and waiting for it.
 *
 * Who:     wait: tasks. set, reset, is_set: any thread.
 * Always:  the queue is not empty => WAITERS; the other way round it may be late: the next set looks. While WAITERS is set,
 *          all but reset change the word under the lock, and SET is not.
 *          The step that sets it is the last that set makes on the event, unless there are waiters, which it resumes
 *          later: a task that finds it set, and knows of no other that waits, may free it.
 * Pairs:   [event] set (release) -> loaded by who goes on without waiting (acquire); waiters are ordered by the lock.
 *          Each set is a read-modify-write, or a store under the lock, also where it changes nothing, and so is a reset:
 *          either the reset comes first, and the event is set, or who resets sees (acquire) what was done before the set.
 * Not:     a look alone when it is set already: who resets, looks for news and waits then waits for ever, if the look
 *          saw the word from before the reset (tests/model/test_event.c). */
#include <magpie/event.h>

#include "sync/busy.h"
#include "task/select.h"
#include "task/until.h"

enum { SET = MAGI_EVENT_SET, WAITERS = MAGI_EVENT_WAITERS };

void mag_event_init(mag_event *e)
{
	*e = (mag_event)MAG_EVENT_INIT;
}

int mag_event_fini(mag_event *e)
{
	return magi_sync_busy(&e->waitq, false, "mag_event_fini");
}

bool mag_event_is_set(const mag_event *e)
{
	return magi_load_acq(&e->state) & SET; /* [event] */
}

/* Whether it is set; if not, f is about to wait. The lock is held. */
static bool set_or_wait(mag_event *e)
{
	uint32_t s;

	/* a failed exchange is no acquire: what was set meanwhile is loaded again */
	do {
		s = magi_load_acq(&e->state); /* [event] */
		if (s & (SET | WAITERS))
			return s & SET;
	} while (!magi_cas_rlx(&e->state, &s, s | WAITERS)); /* [event] */
	return false;
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
		parked = magi_wait_park(f, &e->waitq, 0);
		rc = MAG_ECANCELED;
	}
	magi_lock_release(lock);
	return parked ? NULL : magi_wait_done(w, f, rc);
}

static mag_frame *wait_op(mag_worker *w, mag_frame *f, void *event, uint64_t arg)
{
	(void)arg;
	return magi_event_wait(w, f, event);
}

mag_frame *magi_event_wait_until(mag_worker *w, mag_frame *f, mag_event *e, uint64_t deadline)
{
	if (!magi_cancelled(f) && mag_event_is_set(e))
		return magi_wait_done(w, f, 0);
	return magi_until(w, f, wait_op, e, 0, deadline);
}

/* Grants all waiters; if there are none left the event is not set. */
static mag_frame *set_for_waiters(mag_event *e)
{
	magi_lock *lock = magi_waitq_lock(&e->waitq);
	mag_frame *list = NULL;

	magi_lock_acquire(lock);
	if (magi_load_rlx(&e->state) & WAITERS) { /* [event] */
		list = magi_wait_grant_all(&e->waitq, 0);
		magi_store_rel(&e->state, list ? SET : 0u); /* [event] */
	}
	magi_lock_release(lock);
	return list;
}

int mag_event_set(mag_event *e)
{
	uint32_t s = magi_load_rlx(&e->state); /* [event] */
	mag_frame *list;

	magi_point(MAGI_POINT_ATOMIC, NULL);
	for (;;) {
		if (s & SET) { /* still, or its reset has not been seen: that one must see what came before this */
			if (magi_cas_rel(&e->state, &s, s)) /* [event] */
				return 0;
		} else if (s & WAITERS) {
			list = set_for_waiters(e);
			if (list)
				break;
			s = magi_load_rlx(&e->state); /* [event] */
		} else if (magi_cas_rel(&e->state, &s, s | SET)) { /* [event] */
			return 1;
		}
	}
	magi_wait_resume(list);
	return 1;
}

int mag_event_reset(mag_event *e)
{
	magi_point(MAGI_POINT_ATOMIC, NULL);
	return magi_and_acq(&e->state, ~(uint32_t)SET) & SET ? 1 : 0; /* [event] */
}

/* As a case of mag_select. */

static struct magi_waitq *queue_of_case(const mag_case *c)
{
	return &((mag_event *)c->object)->waitq;
}

static bool take_case(mag_case *c, uint64_t *need, mag_frame **granted)
{
	(void)granted;
	*need = 0;
	c->result = 0;
	return set_or_wait(c->object);
}

const struct magi_case_kind magi_case_event = { .queue = queue_of_case, .take = take_case };
