/* SPDX-License-Identifier: MIT */
/* member.c - handles, limits, policies and errors of a group's members.
 *
 * Who:     any worker. Limit, policy and errors under the lock of `places`; a handle under its own; the list of finished
 *          ones under the lock of `news`; taken in this order; resuming and cancelling under none.
 * Always:  running <= limit. A place that becomes free goes to the first waiting spawn, together with its start.
 *          A handle is complete before its task is counted as ended, so before the group can be left.
 *          It is listed under its own lock, before `done` is stored; releasing that lock is the last touch. Whoever
 *          may free it then has had that lock since: mag_handle_done passes it, mag_group_next and mag_handle_wait hold it.
 *          While a handle is listed its group is there: the group's end empties the list, and waits for those who are
 *          about to take one out.
 * Pairs:   [lock] `done` is stored (relaxed) under a handle's lock; mag_handle_done, which sees it without, passes that
 *          lock before it lets the result be read.
 * Not:     giving an awaited handle to the owner as well: both would think that it is theirs to free. */
#include "task/member.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "sched/ready.h"
#include "sched/slab.h"
#include "task/cancel.h"
#include "task/gather.h"
#include "task/scope.h"
#include "task/select.h"
#include "task/until.h"
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

void magi_member_forget_all(mag_group *g)
{
	magi_lock_acquire(magi_waitq_lock(&g->news));
	while (take_finished(g))
		;
	magi_lock_release(magi_waitq_lock(&g->news));
}

/* The task is over, or (`ran` says) will never be: those who wait for the handle get the result, else the owner does. */
static void settle_handle(mag_group *g, mag_handle *h, int64_t rc, bool ran, mag_frame **granted)
{
	mag_frame *awaiting;

	magi_scope_exit(&h->scope);
	magi_lock_acquire(magi_waitq_lock(&h->waiters));
	h->result = rc;
	awaiting = magi_wait_grant_all(&h->waiters, rc);
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

/* The child of a spawn that was not let in: as if it had never been. The lock of `places` is held. */
static void dismiss(mag_worker *w, mag_group *g, mag_frame *f, mag_frame *child, mag_frame **granted)
{
	mag_handle *h;

	(void)group_of(child, &h);
	if (h)
		settle_handle(g, h, MAG_ECANCELED, false, granted);
	if (f->leader == g->scope.owner)
		g->started--;
	else
		magi_sub_rlx(&g->balance, (int64_t)2); /* [balance] f itself keeps the group open */
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
	magi_wait_resume(granted);
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
static void note_error(mag_group *g, const mag_site *site, int64_t index, int64_t rc)
{
	struct mag_group_error *e;

	if (g->errors++ == 0)
		g->first_error = rc;
	if (g->errors_kept >= MAG_GROUP_ERRORS_MAX)
		return;
	e = magi_alloc(sizeof(*e));
	if (!e)
		return;
	*e = (struct mag_group_error){ .site = site, .code = rc, .index = index, .all = g->error_all };
	g->error_all = e;
	*g->error_tail = e;
	g->error_tail = &e->next;
	g->errors_kept++;
}

/* What a result is to the group; true: the rest is to be cancelled. The lock of `places` is held. */
static bool judge(mag_group *g, const mag_site *site, int64_t index, int64_t rc)
{
	if (rc < 0)
		note_error(g, site, index, rc);
	if (g->policy == MAG_COLLECT)
		return false;
	if (g->policy == MAG_FAIL_FAST)
		return rc < 0;
	if (g->won || (rc < 0 && g->policy == MAG_ANY))
		return false;
	g->won = 1;
	g->winner = rc;
	g->winner_index = index;
	return true;
}

static bool judge_member(mag_group *g, const mag_frame *f, int64_t rc)
{
	const struct magi_gathered *slot;

	if (!(f->flags & MAGI_SLOTTED))
		return judge(g, f->at, -1, rc);
	slot = magi_gathered_of(f, f->class_);
	return judge(g, f->at ? f->at : slot->site, magi_gathered_index(g, slot), rc);
}

void magi_member_failed(mag_group *g, const mag_frame *f, int64_t index, int64_t rc)
{
	bool cancel;

	magi_lock_acquire(magi_waitq_lock(&g->places));
	cancel = judge(g, f->at, index, rc);
	magi_lock_release(magi_waitq_lock(&g->places));
	if (cancel)
		mag_group_cancel(g);
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

mag_group *magi_member_end(mag_frame *f, int64_t rc)
{
	mag_handle *h;
	mag_group *g = group_of(f, &h);
	mag_frame *granted = NULL;
	bool called_off = magi_load_rlx(&f->scope->cancelled) && rc == MAG_ECANCELED; /* [cancelled] it has been told */
	bool cancel = false;

	magi_lock_acquire(magi_waitq_lock(&g->places));
	if (!called_off)
		cancel = judge_member(g, f, rc);
	if (h)
		settle_handle(g, h, rc, true, &granted);
	if (f->flags & MAGI_MINDED)
		pass_place(g, &granted);
	magi_lock_release(magi_waitq_lock(&g->places));
	magi_wait_resume(granted); /* those who wait for a handle may belong to another runtime */
	if (cancel)
		mag_group_cancel(g);
	return g;
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
		take_back(h);
	} else if (rc == 0 && magi_wait_park(f, &h->waiters, 0)) {
		magi_lock_release(lock);
		return NULL;
	} else {
		rc = MAG_ECANCELED;
	}
	magi_lock_release(lock);
	return magi_wait_done(w, f, rc);
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
	return mag_handle_done(h) ? h->result : -EINPROGRESS;
}

void mag_handle_cancel(mag_handle *h)
{
	if (!mag_handle_done(h))
		mag_scope_cancel(&h->scope);
}

/* What is done with a list of errors is done after the end of its group. */
static bool has_ended(const mag_group *g, const char *what)
{
	const mag_site *site = g->scope.open.site;

	if (g->scope.open.kind == MAGI_OPEN_ERRORS)
		return true;
	if (g->frame)
		magi_misuse("%s: the group that was opened at %s:%d has not ended", what, site->file, site->line);
	else
		magi_misuse("%s: the background does not end", what);
	(void)what;
	(void)site;
	return false;
}

uint32_t mag_group_errors_split(mag_group *g, int64_t code, const struct mag_group_error **list)
{
	struct mag_group_error **at = &g->error, *split = NULL, **tail = &split, *e;
	uint32_t n = 0;

	if (!has_ended(g, "mag_group_errors_split"))
		at = &split; /* an empty list */
	while ((e = *at)) {
		if (e->code != code) {
			at = &e->next;
			continue;
		}
		*at = e->next;
		*tail = e;
		tail = &e->next;
		n++;
	}
	*tail = NULL;
	g->errors -= n;
	if (list)
		*list = split;
	return n;
}

int mag_group_clear(mag_group *g)
{
	struct mag_group_error *e;

	if (g->frame && !has_ended(g, "mag_group_clear"))
		return -EBUSY;
	magi_lock_acquire(magi_waitq_lock(&g->places)); /* the background goes on */
	e = g->error_all;
	g->error = g->error_all = NULL;
	g->error_tail = &g->error;
	g->errors_kept = 0;
	magi_lock_release(magi_waitq_lock(&g->places));
	if (e && g->frame)
		magi_open_unlink(g->frame, &g->scope.open);
	while (e) {
		struct mag_group_error *next = e->all;

		magi_free(e);
		e = next;
	}
	return 0;
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
	return true;
}

const struct magi_case_kind magi_case_handle = { .queue = queue_of_case, .take = take_case };
