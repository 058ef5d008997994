/* SPDX-License-Identifier: MIT */
/* handle.c - names of single members of a group: their results, and who is given them.
 *
 * Who:     any worker. A handle under its own lock, the list of finished ones under the lock of `news`; taken in this order.
 * Always:  a handle is complete before its task is counted as ended, so before the group can be left.
 *          It is listed under its own lock, before `done` is stored; releasing that lock is the last touch. Whoever
 *          may free it then has had that lock since: mag_handle_done passes it, mag_group_next and mag_handle_wait hold it.
 *          While a handle is listed its group is there: the group's end empties the list, and waits for those who are
 *          about to take one out.
 * Pairs:   [lock] `done` is stored (relaxed) under a handle's lock; mag_handle_done, which sees it without, passes that
 *          lock before it lets the result be read.
 * Not:     giving an awaited handle to the owner as well: both would think that it is theirs to free. */
#include "task/handle.h"

#include <errno.h>

#include "task/scope.h"
#include "task/select.h"
#include "task/unread.h"
#include "task/until.h"
#include "task/wait.h"

void magi_handle_open(mag_worker *w, mag_group *g, mag_handle *h)
{
	h->group = g;
	h->listed = 0;
	h->result = -EINPROGRESS;
	magi_store_rlx(&h->done, 0u); /* [lock] nobody else has it yet */
	magi_waitq_init(&h->waiters, NULL);
	magi_timer_init(&h->scope.timer);
	h->scope.armed = NULL;
	magi_scope_enter(w, &h->scope, &g->scope, NULL, MAGI_SCOPE_HANDLE);
	if (!g->frame)
		return; /* the background has no owner to ask for the next one: its handles are not listed */
	magi_lock_acquire(magi_waitq_lock(&g->news));
	g->handles++;
	g->named = 1;
	magi_lock_release(magi_waitq_lock(&g->news));
}

/* Puts a whole list before another: adding its frames one by one would walk to the end each time. */
static void list_all(mag_frame **granted, mag_frame *list)
{
	mag_frame *last = list;

	if (!list)
		return;
	while (last->q.next)
		last = last->q.next;
	magi_store_rlx(&last->q.next, *granted); /* [state] */
	*granted = list;
}

/* One handle fewer to come: an owner that waits for the next one may wait in vain. The lock of `news` is held. */
static void forget_handle(mag_group *g, mag_frame **granted)
{
	if (--g->handles == 0)
		list_all(granted, magi_wait_grant_all(&g->news, 0));
}

/* An owner that waits for the next one gets this, else it is listed. The lock of `news` is held. */
static void give_handle(mag_group *g, mag_handle *h, mag_frame **granted)
{
	mag_frame *f;

	while ((f = magi_wait_first(&g->news))) {
		mag_handle **out = (mag_handle **)(uintptr_t)f->op.wait.need;

		if (!magi_wait_take(&g->news, f))
			continue;
		*out = h;
		f->op.result = 1;
		magi_wait_list(granted, f);
		forget_handle(g, granted);
		return;
	}
	h->listed = 1;
	h->next = NULL;
	h->pprev = g->done_tail;
	*g->done_tail = h;
	g->done_tail = &h->next;
}

/* Its own lock and that of `news` are held. */
static void unlist_handle(mag_group *g, mag_handle *h)
{
	h->listed = 0;
	*h->pprev = h->next;
	if (h->next)
		h->next->pprev = h->pprev;
	else
		g->done_tail = h->pprev;
	g->handles--;
}

/* Takes out the one that finished first, or gives NULL. The lock of `news` is held, which comes after a handle's own:
 * that is only tried, and who has it, and may want ours, is let through. */
static mag_handle *take_finished(mag_group *g)
{
	magi_lock *lock = magi_waitq_lock(&g->news);
	mag_handle *h;

	while ((h = g->done) && !magi_lock_try(magi_waitq_lock(&h->waiters))) {
		magi_lock_release(lock);
		magi_thread_yield();
		magi_lock_acquire(lock);
	}
	if (h) {
		unlist_handle(g, h);
		magi_lock_release(magi_waitq_lock(&h->waiters));
	}
	return h;
}

void magi_handles_forget(mag_group *g)
{
	magi_lock_acquire(magi_waitq_lock(&g->news));
	while (take_finished(g))
		;
	magi_lock_release(magi_waitq_lock(&g->news));
}

void magi_handle_settle(mag_group *g, mag_handle *h, int64_t rc, bool ran, mag_frame **granted)
{
	mag_frame *awaiting;

	magi_scope_exit(&h->scope);
	magi_lock_acquire(magi_waitq_lock(&h->waiters));
	h->result = rc;
	awaiting = magi_wait_grant_all(&h->waiters, rc);
	for (mag_frame *f = awaiting; f; f = f->q.next)
		magi_until_given(f);
	if (awaiting && rc < 0)
		magi_unread_heard_one(h);
	list_all(granted, awaiting);
	if (g->frame) {
		magi_lock_acquire(magi_waitq_lock(&g->news));
		if (awaiting || !ran)
			forget_handle(g, granted);
		else
			give_handle(g, h, granted);
		magi_lock_release(magi_waitq_lock(&g->news));
	}
	magi_store_rlx(&h->done, 1u); /* [lock] */
	magi_lock_release(magi_waitq_lock(&h->waiters));
}

mag_frame *mag_group_next(mag_worker *w, mag_frame *f, mag_group *g, mag_handle **handle)
{
	magi_lock *lock = magi_waitq_lock(&g->news);
	int64_t rc = magi_wait_begin(w, f);

	magi_lock_acquire(lock);
	*handle = take_finished(g);
	if (*handle) {
		rc = 1; /* even when cancelled: completion beats cancellation */
	} else if (rc == 0 && g->handles && magi_wait_park(f, &g->news, (uintptr_t)handle)) {
		magi_lock_release(lock);
		return NULL;
	} else if (g->handles) {
		rc = MAG_ECANCELED;
	}
	magi_lock_release(lock);
	return magi_wait_done(w, f, rc);
}

int mag_group_try_next(mag_group *g, mag_handle **handle)
{
	int rc;

	magi_lock_acquire(magi_waitq_lock(&g->news));
	*handle = take_finished(g);
	rc = *handle ? 1 : g->handles ? -EAGAIN : 0;
	magi_lock_release(magi_waitq_lock(&g->news));
	return rc;
}

/* The handle has been waited for: its memory is the caller's. Its lock is held. */
static void take_back(mag_handle *h)
{
	mag_group *g = h->group;

	if (!h->listed)
		return;
	magi_lock_acquire(magi_waitq_lock(&g->news));
	unlist_handle(g, h);
	magi_lock_release(magi_waitq_lock(&g->news));
}

mag_frame *mag_handle_wait(mag_worker *w, mag_frame *f, mag_handle *h)
{
	magi_lock *lock = magi_waitq_lock(&h->waiters);
	int64_t rc = magi_wait_begin(w, f);

	magi_lock_acquire(lock);
	if (magi_load_rlx(&h->done)) { /* [lock] */
		rc = h->result;
		magi_until_given(f);
		take_back(h);
		if (rc < 0)
			magi_unread_heard_one(h);
	} else if (rc == 0 && magi_wait_park(f, &h->waiters, 0)) {
		magi_lock_release(lock);
		return NULL;
	} else {
		rc = MAG_ECANCELED;
	}
	magi_lock_release(lock);
	return magi_wait_done(w, f, rc);
}

static mag_frame *next_op(mag_worker *w, mag_frame *f, void *object, uint64_t arg)
{
	return mag_group_next(w, f, object, (mag_handle **)(uintptr_t)arg);
}

mag_frame *mag_group_next_until(mag_worker *w, mag_frame *f, mag_group *g, mag_handle **handle, uint64_t deadline)
{
	int rc = mag_group_try_next(g, handle);

	if (rc != -EAGAIN)
		return magi_wait_done(w, f, rc);
	return magi_until(w, f, next_op, g, (uintptr_t)handle, deadline);
}

static mag_frame *wait_op(mag_worker *w, mag_frame *f, void *handle, uint64_t arg)
{
	(void)arg;
	return mag_handle_wait(w, f, handle);
}

mag_frame *mag_handle_wait_until(mag_worker *w, mag_frame *f, mag_handle *h, uint64_t deadline)
{
	if (mag_handle_done(h))
		return mag_handle_wait(w, f, h);
	return magi_until(w, f, wait_op, h, 0, deadline);
}

bool mag_handle_done(const mag_handle *h)
{
	magi_lock *lock = (magi_lock *)(void *)(uintptr_t)&h->waiters.lock;

	if (!magi_load_rlx(&h->done)) /* [lock] passed below */
		return false;
	magi_lock_acquire(lock); /* whoever stored it has let go then */
	magi_lock_release(lock);
	return true;
}

int64_t mag_handle_result(const mag_handle *h)
{
	if (!mag_handle_done(h))
		return -EINPROGRESS;
	if (h->result < 0)
		magi_unread_heard_one(h);
	return h->result;
}

void mag_handle_cancel(mag_handle *h)
{
	if (!mag_handle_done(h))
		mag_scope_cancel(&h->scope);
}

/* As a case of mag_select. */

static struct magi_waitq *queue_of_case(const mag_case *c)
{
	return &((mag_handle *)c->object)->waiters;
}

static bool take_case(mag_case *c, uint64_t *need, mag_frame **granted)
{
	mag_handle *h = c->object;

	(void)granted;
	*need = 0;
	if (!magi_load_rlx(&h->done)) /* [lock] */
		return false;
	c->result = h->result;
	take_back(h);
	if (h->result < 0)
		magi_unread_heard_one(h);
	return true;
}

const struct magi_case_kind magi_case_handle = { .queue = queue_of_case, .take = take_case };
