/* SPDX-License-Identifier: MIT */
/* member.c - limits, policies and errors of a group's members.
 *
 * Who:     any worker. Limit, policy and errors under the lock of `places`, which is taken before that of a handle;
 *          resuming and cancelling under none.
 * Always:  running <= limit. A place that becomes free goes to the first waiting spawn, together with its start.
 *          A handle is complete before its task is counted as ended. */
#include "task/member.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "sched/ready.h"
#include "sched/slab.h"
#include "task/cancel.h"
#include "task/gather.h"
#include "task/group.h"
#include "task/handle.h"
#include "task/scope.h"
#include "task/tell.h"
#include "task/unread.h"
#include "task/wait.h"

static mag_group *group_of(const mag_frame *f, mag_handle **handle)
{
	mag_scope *s = f->scope;

	*handle = s->flags & MAGI_SCOPE_HANDLE ? (mag_handle *)(void *)s : NULL;
	return *handle ? (*handle)->group : (mag_group *)(void *)s;
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

/* The child of a spawn that was not let in: as if it had never been. The lock of `places` is held. */
static void dismiss(mag_worker *w, mag_group *g, mag_frame *f, mag_frame *child, mag_frame **granted)
{
	mag_handle *h;

	(void)group_of(child, &h);
	if (h)
		magi_handle_settle(g, h, MAG_ECANCELED, false, granted);
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
	bool crowd;

	if (on) {
		child->flags |= MAGI_PINNED;
		child->home = (uint8_t)(on - 1);
	}
	if (handle)
		magi_handle_open(w, g, handle);
	magi_lock_acquire(lock);
	if (g->limit && g->running >= g->limit) {
		magi_lock_release(lock);
		return wait_for_place(w, f, g, child);
	}
	g->running++;
	crowd = g->limit == (uint32_t)MAGI_CROWD_WATCHED && g->running > g->scope.rt->debug->options.crowd;
	if (crowd)
		g->limit = (uint32_t)MAGI_CROWD_TOLD;
	magi_lock_release(lock);
	if (crowd)
		magi_tell_crowd(f, g);
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

	if (!called_off)
		magi_unread_note(g, f, h, rc);
	magi_lock_acquire(magi_waitq_lock(&g->places));
	if (!called_off)
		cancel = judge_member(g, f, rc);
	if (h)
		magi_handle_settle(g, h, rc, true, &granted);
	if (f->flags & MAGI_MINDED)
		pass_place(g, &granted);
	magi_lock_release(magi_waitq_lock(&g->places));
	magi_wait_resume(granted); /* those who wait for a handle may belong to another runtime */
	if (cancel)
		mag_group_cancel(g);
	return g;
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

	magi_unread_heard(g);
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
	magi_unread_heard(g);
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
