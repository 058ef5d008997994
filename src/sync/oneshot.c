/* SPDX-License-Identifier: MIT */
/* oneshot.c - one value, sent once.
 *
 * Who:     recv: tasks. send, close and the rest: any thread.
 * Always:  the state leaves EMPTY once, under the lock; who waits does so while it is EMPTY only.
 *          The value is in the room while the state is SENT. Sent to a waiter it goes to that one without being there.
 *          Whoever learns that it is not EMPTY and may then free it passes through the lock, so that who made it so has
 *          let go of it.
 * Pairs:   [lock] base/lock.h. The state is relaxed: who sees it outside passes the lock before he uses what he saw;
 *          [state] task/wait.h
 * Not:     a value in the struct itself, of a size that the macro knows: an array of them could not be made at run
 *          time. */
#include <errno.h>
#include <magpie/error.h>
#include <magpie/oneshot.h>
#include <string.h>

#include "sync/busy.h"
#include "task/until.h"

enum state {
	EMPTY,  /* nothing was sent: send, close */
	SENT,   /* the value is in the room: recv */
	TAKEN,  /* the end */
	CLOSED  /* the end: there was none */
};

static magi_lock *lock_of(mag_oneshot *o)
{
	return magi_waitq_lock(&o->waitq);
}

/* Under the lock, or a look that is worth nothing without it. */
static enum state state_of(const mag_oneshot *o)
{
	return (enum state)magi_load_rlx(&o->state); /* [lock] */
}

static void become(mag_oneshot *o, enum state s)
{
	magi_store_rlx(&o->state, (uint32_t)s); /* [lock] */
}

int mag_oneshot_init(mag_oneshot *o, void *room, size_t size)
{
	if (size == 0 || size > MAG_ONESHOT_VALUE_MAX)
		return -EINVAL;
	*o = (mag_oneshot){ .room = room, .size = (uint32_t)size };
	return 0;
}

int mag_oneshot_fini(mag_oneshot *o)
{
	return magi_sync_busy(&o->waitq, false, "mag_oneshot_fini");
}

/* Gives the value to the first who waits, or keeps it; the lock is held. */
static mag_frame *deliver(mag_oneshot *o, const void *value)
{
	mag_frame *first;

	while ((first = magi_wait_first(&o->waitq))) {
		void *to = (void *)(uintptr_t)first->op.wait.need;

		if (!magi_wait_take(&o->waitq, first))
			continue;
		memcpy(to, value, o->size);
		first->op.result = 0;
		become(o, TAKEN);
		magi_store_rlx(&first->q.next, magi_wait_grant_all(&o->waitq, MAG_ECLOSED)); /* [state] */
		return first;
	}
	memcpy(o->room, value, o->size);
	become(o, SENT);
	return NULL;
}

int mag_oneshot_send(mag_oneshot *o, const void *value)
{
	mag_frame *list = NULL;
	int rc = 0;

	magi_lock_acquire(lock_of(o));
	if (state_of(o) == EMPTY)
		list = deliver(o, value);
	else
		rc = state_of(o) == CLOSED ? MAG_ECLOSED : -EALREADY;
	magi_lock_release(lock_of(o));
	/* from here on it may be gone */
	magi_wait_resume(list);
	return rc;
}

int mag_oneshot_close(mag_oneshot *o)
{
	mag_frame *list = NULL;
	bool first;

	magi_lock_acquire(lock_of(o));
	first = state_of(o) == EMPTY;
	if (first) {
		become(o, CLOSED);
		list = magi_wait_grant_all(&o->waitq, MAG_ECLOSED);
	}
	magi_lock_release(lock_of(o));
	magi_wait_resume(list);
	return first;
}

bool mag_oneshot_is_closed(const mag_oneshot *o)
{
	return state_of(o) == CLOSED;
}

/* The lock is held. */
static int take(mag_oneshot *o, void *value)
{
	switch (state_of(o)) {
	case EMPTY:
		return -EAGAIN;
	case SENT:
		memcpy(value, o->room, o->size);
		become(o, TAKEN);
		return 0;
	default:
		return MAG_ECLOSED;
	}
}

int mag_oneshot_try_recv(mag_oneshot *o, void *value)
{
	int rc;

	if (state_of(o) == EMPTY)
		return -EAGAIN;
	magi_lock_acquire(lock_of(o));
	rc = take(o, value);
	magi_lock_release(lock_of(o));
	return rc;
}

mag_frame *mag_oneshot_recv(mag_worker *w, mag_frame *f, mag_oneshot *o, void *value)
{
	int rc;

	if (magi_cancelled(f))
		return magi_wait_done(w, f, MAG_ECANCELED);
	rc = mag_oneshot_try_recv(o, value);
	if (rc != -EAGAIN)
		return magi_wait_done(w, f, rc);
	rc = magi_wait_begin(w, f);
	if (rc < 0)
		return magi_wait_done(w, f, rc);
	magi_lock_acquire(lock_of(o));
	rc = take(o, value);
	if (rc == -EAGAIN) {
		if (magi_wait_park(f, &o->waitq, (uintptr_t)value)) {
			magi_lock_release(lock_of(o));
			return NULL;
		}
		rc = MAG_ECANCELED;
	}
	magi_lock_release(lock_of(o));
	return magi_wait_done(w, f, rc);
}

static mag_frame *recv_op(mag_worker *w, mag_frame *f, void *oneshot, uint64_t value)
{
	return mag_oneshot_recv(w, f, oneshot, (void *)(uintptr_t)value);
}

mag_frame *mag_oneshot_recv_until(mag_worker *w, mag_frame *f, mag_oneshot *o, void *value, uint64_t deadline)
{
	int rc = magi_cancelled(f) ? MAG_ECANCELED : mag_oneshot_try_recv(o, value);

	if (rc != -EAGAIN)
		return magi_wait_done(w, f, rc);
	return magi_until(w, f, recv_op, o, (uintptr_t)value, deadline);
}
