/* SPDX-License-Identifier: MIT */
/* queue_work.c - what was pushed into a queue and is not done yet; waiting until there is nothing such; giving back
 * what nobody will do.
 *
 * Who:     join: tasks. task_done, drain: any thread.
 * Always:  the number changes under the queue's lock. Who joins waits only while it is not 0: he takes the lock of the
 *          joiners while he has that of the queue, and whoever makes the number 0 does the same, so one of them sees
 *          the other. Nobody takes them the other way round: who cancels has that of the joiners alone.
 * Pairs:   the locks; [state] task/wait.h
 * Not:     joiners in the queue of those who push and pop, which relies on waiters of one kind. */
#include <errno.h>
#include <magpie/queue.h>

#include "sync/busy.h"
#include "task/until.h"

/* One is done; the queue's lock is held. Who has waited for that. */
static mag_frame *one_is_done(mag_queue *q)
{
	magi_lock *joiners = magi_waitq_lock(&q->joiners);
	mag_frame *list;

	if (--q->unfinished)
		return NULL;
	magi_lock_acquire(joiners);
	list = magi_wait_grant_all(&q->joiners, 0);
	magi_lock_release(joiners);
	return list;
}

int magi_queue_task_done(mag_queue *q, const char *where)
{
	magi_lock *lock = magi_waitq_lock(&q->waitq);
	mag_frame *list = NULL;
	bool any;

	magi_lock_acquire(lock);
	any = q->unfinished > 0;
	if (any)
		list = one_is_done(q);
	magi_lock_release(lock);
	magi_wait_resume(list);
	if (any)
		return 0;
	magi_misuse("mag_queue_task_done at %s: more often than was pushed", where);
	(void)where;
	return -EINVAL;
}

mag_frame *mag_queue_join(mag_worker *w, mag_frame *f, mag_queue *q)
{
	magi_lock *lock = magi_waitq_lock(&q->waitq), *joiners = magi_waitq_lock(&q->joiners);
	bool parked;
	int rc;

	if (magi_cancelled(f))
		return magi_wait_done(w, f, MAG_ECANCELED);
	rc = magi_wait_begin(w, f);
	if (rc < 0)
		return magi_wait_done(w, f, rc);
	magi_lock_acquire(lock);
	if (q->unfinished == 0) {
		magi_lock_release(lock);
		return magi_wait_done(w, f, 0);
	}
	magi_lock_acquire(joiners);
	magi_lock_release(lock);
	parked = magi_wait_park(f, &q->joiners, 0);
	magi_lock_release(joiners);
	return parked ? NULL : magi_wait_done(w, f, MAG_ECANCELED);
}

static mag_frame *join_op(mag_worker *w, mag_frame *f, void *queue, uint64_t arg)
{
	(void)arg;
	return mag_queue_join(w, f, queue);
}

mag_frame *mag_queue_join_until(mag_worker *w, mag_frame *f, mag_queue *q, uint64_t deadline)
{
	bool all_done;

	magi_lock_acquire(magi_waitq_lock(&q->waitq));
	all_done = q->unfinished == 0;
	magi_lock_release(magi_waitq_lock(&q->waitq));
	if (all_done && !magi_cancelled(f))
		return magi_wait_done(w, f, 0);
	return magi_until(w, f, join_op, q, 0, deadline);
}

int64_t mag_queue_drain(mag_queue *q, void (*back)(void *arg, void *element), void *arg)
{
	unsigned char element[MAG_QUEUE_ELEMENT_MAX] MAGI_ALIGNED(16);
	int64_t n = 0;

	mag_queue_close(q);
	for (; mag_queue_try_pop(q, element) == 0; n++) {
		back(arg, element);
		(void)mag_queue_task_done(q);
	}
	return n;
}
