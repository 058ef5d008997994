/* SPDX-License-Identifier: MIT */
/* member.c - handles, limits, policies and errors of a group's members.
 *
 * Who:     any worker. Limit, policy and errors under the lock of `places`; handles and the list of finished ones under
 *          the lock of `news`, which is taken inside the other; resuming and cancelling under none.
 * Always:  running <= limit. A place that becomes free goes to the first waiting spawn, together with its start.
 *          A handle is complete before its task is counted as ended, so before the group can be left.
 * Pairs:   [handle] done is stored (release) under the lock -> loaded (acquire) by mag_handle_done */
#include "task/member.h"

#include "base/alloc.h"
#include "sched/ready.h"
#include "sched/slab.h"
#include "task/cancel.h"
#include "task/scope.h"
#include "task/wait.h"

static mag_group *group_of(const mag_frame *f, mag_handle **handle)
{
	mag_scope *s = f->scope;

	*handle = s->flags & MAGI_SCOPE_HANDLE ? (mag_handle *)(void *)s : NULL;
	return *handle ? (*handle)->group : (mag_group *)(void *)s;
}

static void open_handle(mag_worker *w, mag_group *g, mag_handle *h)
{
	h->group = g;
	h->next = NULL;
	h->result = -EINPROGRESS;
	magi_store_rlx(&h->done, 0u); /* [handle] nobody else has it yet */
	magi_waitq_init(&h->waiters, NULL);
	magi_timer_init(&h->scope.timer);
	h->scope.armed = NULL;
	magi_scope_enter(w, &h->scope, &g->scope, NULL, MAGI_SCOPE_HANDLE);
	magi_lock_acquire(magi_waitq_lock(&g->news));
	g->handles++;
	magi_lock_release(magi_waitq_lock(&g->news));
}

/* Puts a counted child where it will run; f goes on. */
static mag_frame *launch(mag_worker *w, mag_frame *f, mag_frame *child)
{
	f->op.result = 0;
	if (child->flags & MAGI_PINNED) {
		magi_resume_later(magi_runtime_of(w), w, child);
		return magi_wait_done(w, f, 0);
	}
	if (!magi_deque_push(&w->deque, child)) {
		child->flags |= MAGI_INLINE;
		child->parent = f;
		return child;
	}
	magi_offer(w);
	return magi_wait_done(w, f, 0);
}

/* The task is over, or will never be: whoever waits for the handle gets the result. */
static void settle_handle(mag_handle *h, int64_t rc, mag_frame **granted)
{
	mag_frame *f;

	magi_scope_exit(&h->scope);
	magi_lock_acquire(magi_waitq_lock(&h->waiters));
	h->result = rc;
	magi_store_rel(&h->done, 1u); /* [handle] */
	while ((f = magi_wait_grant(&h->waiters, rc)))
		magi_wait_list(granted, f);
	magi_lock_release(magi_waitq_lock(&h->waiters));
}

/* One handle fewer to come: an owner that waits for the next one may wait in vain. */
static void forget_handle(mag_group *g, mag_frame **granted)
{
	mag_frame *f;

	magi_lock_acquire(magi_waitq_lock(&g->news));
	if (--g->handles == 0 && (f = magi_wait_grant(&g->news, 0)))
		magi_wait_list(granted, f);
	magi_lock_release(magi_waitq_lock(&g->news));
}

/* The child of a spawn that was not let in: as if it had never been. The lock of `places` is held. */
static void dismiss(mag_worker *w, mag_group *g, mag_frame *f, mag_frame *child, mag_frame **granted)
{
	mag_handle *h;

	(void)group_of(child, &h);
	if (h) {
		forget_handle(g, granted);
		settle_handle(h, MAG_ECANCELED, granted);
	}
	if (f->leader == g->scope.owner)
		g->started--;
	else
		magi_sub_ar(&g->balance, (int64_t)2); /* [balance] f itself keeps the group open */
	if (w)
		magi_frame_give(w, child, child->class_);
	else
		magi_slab_give_foreign(g->scope.rt, child->class_, child);
}

static mag_frame *wait_for_place(mag_worker *w, mag_frame *f, mag_group *g, mag_frame *child)
{
	magi_lock *lock = magi_waitq_lock(&g->places);
	int rc = magi_wait_begin(w, f);
	mag_frame *granted = NULL;

	magi_lock_acquire(lock);
	if (rc == 0 && g->running < g->limit) {
		g->running++;
		magi_lock_release(lock);
		return launch(w, f, child);
	}
	if (rc == 0 && magi_wait_park(f, &g->places, (uintptr_t)child)) {
		magi_lock_release(lock);
		return NULL;
	}
	dismiss(w, g, f, child, &granted);
	magi_lock_release(lock);
	magi_resume_list(g->scope.rt, w, granted);
	return magi_wait_done(w, f, MAG_ECANCELED);
}

bool magi_member_gave_up(struct magi_waitq *q, mag_frame *f, mag_frame **granted)
{
	mag_frame *child = (mag_frame *)(uintptr_t)f->op.wait.need;
	mag_handle *h;
	mag_group *g = group_of(child, &h);

	(void)q;
	dismiss(magi_self_in(g->scope.rt), g, f, child, granted);
	return true;
}

mag_frame *magi_member_start(mag_worker *w, mag_frame *f, mag_group *g, mag_frame *child, mag_handle *handle,
			     unsigned on)
{
	magi_lock *lock = magi_waitq_lock(&g->places);

	if (on) {
		child->flags |= MAGI_PINNED;
		child->home = (uint8_t)(on - 1);
	}
	if (handle)
		open_handle(w, g, handle);
	magi_lock_acquire(lock);
	if (g->limit && g->running >= g->limit) {
		magi_lock_release(lock);
		return wait_for_place(w, f, g, child);
	}
	g->running++;
	magi_lock_release(lock);
	return launch(w, f, child);
}

/* Keeps what went wrong; the list is bounded, the count is not. */
static void note_error(mag_group *g, const mag_frame *f, int64_t rc)
{
	struct mag_group_error *e;

	if (g->errors++ == 0)
		g->first_error = rc;
	if (g->errors_kept >= MAG_GROUP_ERRORS_MAX)
		return;
	e = magi_alloc(sizeof(*e));
	if (!e)
		return;
	*e = (struct mag_group_error){ .site = f->at, .code = rc };
	*g->error_tail = e;
	g->error_tail = &e->next;
	g->errors_kept++;
}

/* Tells the owner: one that waits gets it, else it is listed. */
static void publish_handle(mag_group *g, mag_handle *h, mag_frame **granted)
{
	mag_frame *f;

	magi_lock_acquire(magi_waitq_lock(&g->news));
	while ((f = magi_wait_first(&g->news))) {
		mag_handle **out = (mag_handle **)(uintptr_t)f->op.wait.need;

		if (magi_wait_take(&g->news, f)) {
			*out = h;
			g->handles--;
			f->op.result = 1;
			magi_wait_list(granted, f);
			break;
		}
	}
	if (!f) {
		*g->done_tail = h;
		g->done_tail = &h->next;
	}
	magi_lock_release(magi_waitq_lock(&g->news));
}

/* Gives the place of a member that ended to the first spawn that waits for one. */
static void pass_place(mag_group *g, mag_frame **granted)
{
	mag_frame *f;

	while ((f = magi_wait_first(&g->places))) {
		mag_frame *child = (mag_frame *)(uintptr_t)f->op.wait.need;

		if (!magi_wait_take(&g->places, f))
			continue; /* cancelled: its child is dismissed by whoever did that */
		f->op.result = 0;
		magi_wait_list(granted, child);
		magi_wait_list(granted, f);
		return;
	}
	g->running--;
}

mag_group *magi_member_end(mag_worker *w, mag_frame *f, int64_t rc)
{
	mag_handle *h;
	mag_group *g = group_of(f, &h);
	mag_frame *granted = NULL;
	bool called_off = magi_load_acq(&f->scope->cancelled) && rc == MAG_ECANCELED; /* [cancelled] */
	bool cancel = false;

	magi_lock_acquire(magi_waitq_lock(&g->places));
	if (rc < 0 && !called_off) {
		note_error(g, f, rc);
		cancel = g->policy == MAG_FAIL_FAST;
	} else if (rc >= 0 && g->policy == MAG_RACE && !g->won) {
		g->won = 1;
		g->winner = rc;
		cancel = true;
	}
	if (h) {
		settle_handle(h, rc, &granted);
		publish_handle(g, h, &granted);
	}
	if (f->flags & MAGI_MINDED)
		pass_place(g, &granted);
	magi_lock_release(magi_waitq_lock(&g->places));
	magi_resume_list(g->scope.rt, w, granted);
	if (cancel)
		mag_group_cancel(g);
	return g;
}

mag_frame *mag_group_next(mag_worker *w, mag_frame *f, mag_group *g, mag_handle **handle)
{
	magi_lock *lock = magi_waitq_lock(&g->news);
	int64_t rc = magi_wait_begin(w, f);

	*handle = NULL;
	magi_lock_acquire(lock);
	if (g->done) {
		/* a finished one is given even when cancelled: completion beats cancellation */
		*handle = g->done;
		g->done = g->done->next;
		if (!g->done)
			g->done_tail = &g->done;
		g->handles--;
		rc = 1;
	} else if (rc == 0 && g->handles && magi_wait_park(f, &g->news, (uintptr_t)handle)) {
		magi_lock_release(lock);
		return NULL;
	} else if (g->handles) {
		rc = MAG_ECANCELED;
	}
	magi_lock_release(lock);
	return magi_wait_done(w, f, rc);
}

mag_frame *mag_handle_wait(mag_worker *w, mag_frame *f, mag_handle *h)
{
	magi_lock *lock = magi_waitq_lock(&h->waiters);
	int64_t rc = magi_wait_begin(w, f);

	magi_lock_acquire(lock);
	if (magi_load_rlx(&h->done)) { /* [handle] */
		rc = h->result;
	} else if (rc == 0 && magi_wait_park(f, &h->waiters, 0)) {
		magi_lock_release(lock);
		return NULL;
	} else {
		rc = MAG_ECANCELED;
	}
	magi_lock_release(lock);
	return magi_wait_done(w, f, rc);
}

bool mag_handle_done(const mag_handle *h)
{
	return magi_load_acq(&h->done); /* [handle] */
}

int64_t mag_handle_result(const mag_handle *h)
{
	return mag_handle_done(h) ? h->result : -EINPROGRESS;
}

void mag_handle_cancel(mag_handle *h)
{
	if (!mag_handle_done(h))
		mag_scope_cancel(&h->scope);
}

void mag_group_clear(mag_group *g)
{
	struct mag_group_error *e = g->error;

	if (e && g->frame)
		magi_open_unlink(g->frame, &g->scope.open);
	while (e) {
		struct mag_group_error *next = e->next;

		magi_free(e);
		e = next;
	}
	g->error = NULL;
	g->error_tail = &g->error;
	g->errors_kept = 0;
}
