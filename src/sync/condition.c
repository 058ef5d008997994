/* SPDX-License-Identifier: MIT */
/* condition.c - waiting for a signal without the mutex, and taking that again.
 *
 * What:    a wait is a called frame: it gives the mutex back and parks under the lock of `waitq`; once it is resumed it
 *          takes the mutex, in a shield if it must wait for that.
 * Who:     wait: tasks. signal, broadcast: any thread.
 * Always:  who signals after it has had the mutex finds those in the queue who gave it back before: they hold the queue's
 *          lock from before they give it back until they are in the queue.
 *          A signal belongs to a waiter when the CAS of magi_wait_take has won it, and that one returns 0, also when it is
 *          cancelled then: what was signalled has been told to one task.
 *          Locks are taken condition -> mutex. Nobody is resumed under either.
 *          After the lock is released nothing of the condition is touched by who signals: a task that was let go may free
 *          it, when no other waits.
 * Pairs:   [state] task/wait.h; the lock
 * Not:     moving waiters into the mutex's queue (fewer changes of tasks for a broadcast): a waiter would be cancellable in
 *          the one and not in the other. A look at the queue without the lock, for signals that nobody waits for: the
 *          mutex may be free before the one who gave it back is in the queue. */
#include <errno.h>
#include <magpie/condition.h>
#include <magpie/time.h>

#include "sync/busy.h"
#include "sync/mutex.h"
#include "task/scope.h"
#include "task/until.h"

struct wait {
	mag_frame frame;
	mag_scope shield;
	mag_condition *condition;
	mag_mutex *mutex;
	int64_t rc;
};

enum { CLASS = MAGI_CLASS(sizeof(struct wait)) };

void mag_condition_init(mag_condition *c)
{
	*c = (mag_condition)MAG_CONDITION_INIT;
}

int mag_condition_fini(mag_condition *c)
{
	return magi_sync_busy(&c->waitq, false, "mag_condition_fini");
}

static struct wait *wait_of(mag_frame *f)
{
	return (struct wait *)(void *)f;
}

/* The mutex is the task's again. */
static mag_frame *locked(mag_worker *w, mag_frame *f)
{
	struct wait *u = wait_of(f);

	magi_assert(f->op.result == 0);
	magi_scope_close(f, &u->shield);
	return magi_end(w, f, u->rc, CLASS);
}

/* The wait is over, for this reason or that. */
static mag_frame *woken(mag_worker *w, mag_frame *f)
{
	struct wait *u = wait_of(f);

	u->rc = f->op.result;
	if (magi_mutex_try_lock(f, u->mutex) == 0)
		return magi_end(w, f, u->rc, CLASS);
	magi_scope_open(w, f, &u->shield, MAG_NEVER, MAGI_SCOPE_SHIELD);
	f->step = locked;
	return magi_mutex_lock(w, f, u->mutex);
}

static int other_mutex(const mag_frame *f)
{
	magi_misuse("mag_condition_wait at %s:%d: others wait with another mutex", f->at->file, f->at->line);
	(void)f;
	return -EINVAL;
}

static mag_frame *begin(mag_worker *w, mag_frame *f)
{
	struct wait *u = wait_of(f);
	mag_condition *c = u->condition;
	magi_lock *lock = magi_waitq_lock(&c->waitq);
	mag_frame *next;
	bool parked;
	int rc;

	f->at = f->parent->at; /* what is told of the wait is the user's own place */
	rc = magi_wait_begin(w, f);
	if (rc < 0)
		return magi_end(w, f, rc, CLASS);
	f->step = woken;
	magi_lock_acquire(lock);
	if (magi_wait_first(&c->waitq) && c->mutex != u->mutex) {
		magi_lock_release(lock);
		return magi_end(w, f, other_mutex(f), CLASS);
	}
	c->mutex = u->mutex;
	next = magi_mutex_let_go(f, u->mutex);
	parked = magi_wait_park(f, &c->waitq, 0);
	magi_lock_release(lock);
	magi_wait_resume(next);
	if (parked)
		return NULL;
	f->op.result = MAG_ECANCELED;
	return woken(w, f);
}

static mag_frame *wait_op(mag_worker *w, mag_frame *f, void *condition, uint64_t mutex)
{
	struct wait *u;

	if (magi_cancelled(f))
		return magi_wait_done(w, f, MAG_ECANCELED);
	if (!magi_scope_has_room(f, 1, 1)) /* a shield is opened once the mutex is to be taken again */
		return magi_wait_done(w, f, MAG_EDEPTH);
	u = magi_frame_take(w, CLASS, sizeof(*u));
	if (!u)
		return magi_wait_done(w, f, -ENOMEM);
	u->condition = condition;
	u->mutex = (mag_mutex *)(uintptr_t)mutex;
	return magi_call(f, &u->frame, begin, CLASS);
}

mag_frame *mag_condition_wait_until(mag_worker *w, mag_frame *f, mag_condition *c, mag_mutex *m, uint64_t deadline)
{
	if (!magi_mutex_is_held(f, m)) {
		magi_misuse("mag_condition_wait at %s:%d: this task does not hold the mutex", f->at->file, f->at->line);
		return magi_wait_done(w, f, -EPERM);
	}
	return magi_until(w, f, wait_op, c, (uintptr_t)m, deadline);
}

mag_frame *mag_condition_wait(mag_worker *w, mag_frame *f, mag_condition *c, mag_mutex *m)
{
	return mag_condition_wait_until(w, f, c, m, MAG_NEVER);
}

int mag_condition_signal(mag_condition *c)
{
	mag_frame *f;

	magi_lock_acquire(magi_waitq_lock(&c->waitq));
	f = magi_wait_grant(&c->waitq, 0);
	if (f)
		magi_store_rlx(&f->q.next, NULL); /* [state] */
	magi_lock_release(magi_waitq_lock(&c->waitq));
	magi_wait_resume(f);
	return f ? 1 : 0;
}

int mag_condition_broadcast(mag_condition *c)
{
	mag_frame *list;
	int n = 0;

	magi_lock_acquire(magi_waitq_lock(&c->waitq));
	list = magi_wait_grant_all(&c->waitq, 0);
	magi_lock_release(magi_waitq_lock(&c->waitq));
	for (mag_frame *f = list; f; f = f->q.next)
		n++;
	magi_wait_resume(list);
	return n;
}
