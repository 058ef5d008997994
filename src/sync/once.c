/* SPDX-License-Identifier: MIT */
/* once.c - one task does what others wait for.
 *
 * What:    one word says who was elected, or that it is done; it changes under the lock of `waitq`. Who comes later looks at
 *          the word alone.
 * Who:     begin, try_begin, done: tasks. is_done: any thread.
 * Always:  somebody waits => some task is elected: the one that fails makes the first waiter its heir under the lock, and
 *          the CAS of magi_wait_take says that this one is not cancelled.
 *          A waiter that was elected returns 1, also when it is cancelled then: it has to say that it did not do it.
 * Pairs:   [once] done is stored (release) -> loaded by who does not wait (acquire). Waiters, and an heir, which goes on with
 *          what the one before has left, are ordered by the lock
 * Not:     giving waiters the error of the one that failed: it may have been cancelled, and they were not. */
#include <errno.h>
#include <magpie/once.h>

#include "sync/busy.h"
#include "task/until.h"

enum { DONE = MAGI_ONCE_DONE };

MAGI_ASSERT_STATIC(offsetof(mag_once, waitq) - offsetof(mag_once, state) == MAGI_HOLDER_BEFORE,
		   "who looks at what hangs finds the one that is at it");

static uint64_t name_of(const mag_frame *f)
{
	return (uint64_t)(uintptr_t)f->leader;
}

static magi_lock *lock_of(mag_once *o)
{
	return magi_waitq_lock(&o->waitq);
}

void mag_once_init(mag_once *o)
{
	*o = (mag_once)MAG_ONCE_INIT;
}

int mag_once_fini(mag_once *o)
{
	return magi_sync_busy(&o->waitq, magi_load_acq(&o->state) > DONE, "mag_once_fini"); /* [once] */
}

bool mag_once_is_done(const mag_once *o)
{
	return magi_load_acq(&o->state) == DONE; /* [once] */
}

/* The lock is held. */
static int elect(mag_once *o, const mag_frame *f)
{
	uint64_t s = magi_load_rlx(&o->state); /* [once] */

	if (s == DONE)
		return 0;
	if (s)
		return s == name_of(f) ? MAG_EDEADLK : -EAGAIN;
	magi_store_rlx(&o->state, name_of(f)); /* [once] */
	return 1;
}

int magi_once_try(mag_frame *f, mag_once *o)
{
	int rc;

	magi_lock_acquire(lock_of(o));
	rc = elect(o, f);
	magi_lock_release(lock_of(o));
	return rc;
}

static mag_frame *wait_op(mag_worker *w, mag_frame *f, void *once, uint64_t arg)
{
	mag_once *o = once;
	bool parked = false;
	int rc = magi_wait_begin(w, f);

	(void)arg;
	if (rc < 0)
		return magi_wait_done(w, f, rc);
	magi_lock_acquire(lock_of(o));
	rc = elect(o, f);
	if (rc == -EAGAIN) {
		o->waitq.gone = magi_waitq_held;
		parked = magi_wait_park(f, &o->waitq, 0);
		rc = MAG_ECANCELED;
	}
	magi_lock_release(lock_of(o));
	return parked ? NULL : magi_wait_done(w, f, rc);
}

mag_frame *magi_once_begin(mag_worker *w, mag_frame *f, mag_once *o, uint64_t deadline)
{
	int rc = magi_cancelled(f) ? -EAGAIN : magi_once_try(f, o);

	if (rc != -EAGAIN)
		return magi_wait_done(w, f, rc);
	return magi_until(w, f, wait_op, o, 0, deadline);
}

static int not_elected(const mag_frame *f)
{
	magi_misuse("mag_once_done in %s, which last waited at %s:%d: it was not elected", f->at ? f->at->func : "a task",
		    f->at ? f->at->file : "-", f->at ? f->at->line : 0);
	(void)f;
	return -EPERM;
}

int mag_once_done_by(mag_frame *f, mag_once *o, int64_t rc)
{
	mag_frame *list;
	uint64_t after;

	if (magi_load_rlx(&o->state) != name_of(f)) /* [once] if it is, nobody else changes that */
		return not_elected(f);
	magi_lock_acquire(lock_of(o));
	if (rc >= 0) {
		list = magi_wait_grant_all(&o->waitq, 0);
		after = DONE;
	} else {
		list = magi_wait_grant(&o->waitq, 1);
		after = list ? name_of(list) : 0;
		if (list)
			magi_store_rlx(&list->q.next, NULL); /* [state] */
	}
	magi_store_rel(&o->state, after); /* [once] */
	magi_lock_release(lock_of(o));
	magi_wait_resume(list);
	return 0;
}
