/* SPDX-License-Identifier: MIT */
/* watch.c - the latest value, and waiting for a newer one.
 *
 * What:    a version, two steps a value so that bit 0 can say closed; the value, copied under the lock both ways.
 * Who:     changed: tasks. send, get, close and the rest: any thread.
 * Always:  the version changes under the lock only, with the value. Who waits has seen it; each send grants all.
 *          A waiter is told that there is news, not which: it copies what is newest when it runs, so what was sent
 *          meanwhile is not seen twice.
 * Pairs:   [version] stored under the lock (release) -> loaded (acquire): who sees a version, or that it is closed,
 *          sees what was done before; the value itself is read under the lock. [state] task/wait.h
 * Not:     a value that is read without the lock, and again if it was torn: two passes over it and a barrier where
 *          there is no other reader, and a reader that never comes to an end where there is a fast sender. */
#include <errno.h>
#include <magpie/watch.h>
#include <string.h>

#include "sync/busy.h"
#include "task/until.h"

static magi_lock *lock_of(mag_watch *watch)
{
	return magi_waitq_lock(&watch->waitq);
}

int mag_watch_init(mag_watch *watch, void *room, size_t size)
{
	if (size == 0 || size > MAG_WATCH_VALUE_MAX)
		return -EINVAL;
	*watch = (mag_watch){ .version = MAGI_WATCH_STEP, .room = room, .size = size };
	return 0;
}

int mag_watch_fini(mag_watch *watch)
{
	return magi_sync_busy(&watch->waitq, false, "mag_watch_fini");
}

uint64_t mag_watch_get(mag_watch *watch, void *value)
{
	uint64_t version;

	magi_lock_acquire(lock_of(watch));
	memcpy(value, watch->room, watch->size);
	version = mag_watch_version(watch);
	magi_lock_release(lock_of(watch));
	return version;
}

int mag_watch_send(mag_watch *watch, const void *value)
{
	mag_frame *list = NULL;
	uint64_t version;
	int rc = 0;

	magi_lock_acquire(lock_of(watch));
	version = magi_load_rlx(&watch->version); /* [version] */
	if (version & MAGI_WATCH_CLOSED) {
		rc = MAG_ECLOSED;
	} else {
		memcpy(watch->room, value, watch->size);
		magi_store_rel(&watch->version, version + MAGI_WATCH_STEP); /* [version] */
		list = magi_wait_grant_all(&watch->waitq, 0);
	}
	magi_lock_release(lock_of(watch));
	magi_wait_resume(list);
	return rc;
}

int mag_watch_close(mag_watch *watch)
{
	mag_frame *list;
	uint64_t version;

	magi_lock_acquire(lock_of(watch));
	version = magi_load_rlx(&watch->version); /* [version] */
	magi_store_rel(&watch->version, version | MAGI_WATCH_CLOSED); /* [version] */
	list = magi_wait_grant_all(&watch->waitq, MAG_ECLOSED);
	magi_lock_release(lock_of(watch));
	magi_wait_resume(list);
	return !(version & MAGI_WATCH_CLOSED);
}

bool mag_watch_is_closed(const mag_watch *watch)
{
	return magi_load_acq(&watch->version) & MAGI_WATCH_CLOSED; /* [version] */
}

/* 0, MAG_ECLOSED, or -EAGAIN: it is as it was. */
static int look(const mag_watch *watch, uint64_t seen)
{
	uint64_t version = magi_load_acq(&watch->version); /* [version] */

	if ((version & ~(uint64_t)MAGI_WATCH_CLOSED) != seen)
		return 0;
	return version & MAGI_WATCH_CLOSED ? MAG_ECLOSED : -EAGAIN;
}

mag_frame *magi_watch_changed(mag_worker *w, mag_frame *f, mag_watch *watch, uint64_t seen)
{
	int rc;

	if (magi_cancelled(f))
		return magi_wait_done(w, f, MAG_ECANCELED);
	rc = look(watch, seen);
	if (rc != -EAGAIN)
		return magi_wait_done(w, f, rc);
	rc = magi_wait_begin(w, f);
	if (rc < 0)
		return magi_wait_done(w, f, rc);
	magi_lock_acquire(lock_of(watch));
	rc = look(watch, seen);
	if (rc == -EAGAIN) {
		if (magi_wait_park(f, &watch->waitq, 0)) {
			magi_lock_release(lock_of(watch));
			return NULL;
		}
		rc = MAG_ECANCELED;
	}
	magi_lock_release(lock_of(watch));
	return magi_wait_done(w, f, rc);
}

static mag_frame *changed_op(mag_worker *w, mag_frame *f, void *watch, uint64_t seen)
{
	return magi_watch_changed(w, f, watch, seen);
}

mag_frame *mag_watch_changed_until(mag_worker *w, mag_frame *f, mag_watch *watch, uint64_t seen, uint64_t deadline)
{
	int rc = magi_cancelled(f) ? MAG_ECANCELED : look(watch, seen);

	if (rc != -EAGAIN)
		return magi_wait_done(w, f, rc);
	return magi_until(w, f, changed_op, watch, seen, deadline);
}
