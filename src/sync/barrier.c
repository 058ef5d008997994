/* SPDX-License-Identifier: MIT */
/* barrier.c - tasks that wait for each other.
 *
 * What:    who has come is in the queue; whoever would be the last takes all out.
 * Who:     wait: tasks. try_wait, abort, reset: any thread. gone: whoever cancels.
 * Always:  a round is complete when, under the lock, all parties but one are in the queue and that one comes. Who is taken
 *          out then has been in it: one that a canceller has claimed already, but not taken out, too. That one's canceller
 *          finds DONE and lets it go on with 0: completion beats cancellation. Otherwise it would leave a round that the
 *          others have left as complete.
 *          Who is taken out by its canceller first has left the round, and another party must come.
 * Pairs:   the lock; [state] task/wait.h
 * Not:     a count of those who have come beside the queue: the two would differ while a waiter is being cancelled. Going
 *          back on a round of which one was cancelled: some have been claimed by then, and cannot wait again. */
#include <errno.h>
#include <magpie/barrier.h>

#include "sync/busy.h"
#include "task/until.h"

enum { WAITS, DONE }; /* a waiter's `need` */

static magi_lock *lock_of(mag_barrier *b)
{
	return magi_waitq_lock(&b->waitq);
}

int mag_barrier_init(mag_barrier *b, uint32_t parties)
{
	if (parties == 0)
		return -EINVAL;
	*b = (mag_barrier)MAG_BARRIER_INIT(parties);
	return 0;
}

int mag_barrier_fini(mag_barrier *b)
{
	return magi_sync_busy(&b->waitq, false, "mag_barrier_fini");
}

uint32_t mag_barrier_waiting(mag_barrier *b)
{
	uint32_t n;

	magi_lock_acquire(lock_of(b));
	n = b->waitq.count;
	magi_lock_release(lock_of(b));
	return n;
}

/* A cancelled waiter is out of the queue: by us, and it has left the round, or by the one that completed it. */
static bool gone(struct magi_waitq *q, mag_frame *f, mag_frame **granted)
{
	(void)q;
	if (f->op.wait.need != DONE)
		return true;
	f->op.result = 0;
	magi_wait_list(granted, f);
	return false;
}

/* Comes if that completes the round, and lists those who go on: 1; MAG_ECLOSED; -EAGAIN. The lock is held. */
static int complete(mag_barrier *b, mag_frame **list)
{
	mag_frame **tail = list, *f;

	if (b->broken)
		return MAG_ECLOSED;
	if (b->waitq.count + 1 < b->parties)
		return -EAGAIN;
	while ((f = magi_wait_first(&b->waitq))) {
		f->op.wait.need = DONE;
		if (!magi_wait_take(&b->waitq, f))
			continue; /* its canceller finds that */
		f->op.result = 0;
		magi_store_rlx(&f->q.next, NULL); /* [state] */
		magi_store_rlx(tail, f);          /* [state] */
		tail = &f->q.next;
	}
	return 1;
}

int mag_barrier_try_wait(mag_barrier *b)
{
	mag_frame *list = NULL;
	int rc;

	magi_lock_acquire(lock_of(b));
	rc = complete(b, &list);
	magi_lock_release(lock_of(b));
	magi_wait_resume(list);
	return rc;
}

static mag_frame *wait_op(mag_worker *w, mag_frame *f, void *barrier, uint64_t arg)
{
	mag_barrier *b = barrier;
	mag_frame *list = NULL;
	bool parked = false;
	int rc = magi_wait_begin(w, f);

	(void)arg;
	if (rc < 0)
		return magi_wait_done(w, f, rc);
	magi_lock_acquire(lock_of(b));
	rc = complete(b, &list);
	if (rc == -EAGAIN) {
		b->waitq.gone = gone;
		parked = magi_wait_park(f, &b->waitq, WAITS);
		rc = MAG_ECANCELED;
	}
	magi_lock_release(lock_of(b));
	magi_wait_resume(list);
	return parked ? NULL : magi_wait_done(w, f, rc);
}

mag_frame *mag_barrier_wait_until(mag_worker *w, mag_frame *f, mag_barrier *b, uint64_t deadline)
{
	int rc = magi_cancelled(f) ? -EAGAIN : mag_barrier_try_wait(b);

	if (rc != -EAGAIN)
		return magi_wait_done(w, f, rc);
	return magi_until(w, f, wait_op, b, 0, deadline);
}

mag_frame *mag_barrier_wait(mag_worker *w, mag_frame *f, mag_barrier *b)
{
	return mag_barrier_wait_until(w, f, b, UINT64_MAX);
}

int mag_barrier_abort(mag_barrier *b)
{
	mag_frame *list;
	bool first;

	magi_lock_acquire(lock_of(b));
	first = !b->broken;
	b->broken = 1;
	list = magi_wait_grant_all(&b->waitq, MAG_ECLOSED);
	magi_lock_release(lock_of(b));
	magi_wait_resume(list);
	return first;
}

int mag_barrier_reset(mag_barrier *b)
{
	bool broken;

	magi_lock_acquire(lock_of(b));
	broken = b->broken;
	b->broken = 0;
	magi_lock_release(lock_of(b));
	return broken;
}
