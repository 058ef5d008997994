/* SPDX-License-Identifier: MIT */
/* group.c - starting, counting and joining the tasks of a group.
 *
 * What:    `balance` counts in twos: members that others started minus members that ended; the owner's own starts are a
 *          plain number that it adds when it joins, together with 1, the mark of the join. Whoever brings it to 1 then is
 *          the last, closes the group for the owner and resumes it.
 * Who:     open, end: the owner. spawn: owner and members. ends: any worker.
 * Always:  nobody but the last touches the group after its own end was told.
 *          A worker that holds ends back (settle) runs a member of the same group, or the group's owner: nobody waits.
 * Pairs:   [balance] ends and the join are read-modify-writes (acquire, release): the owner sees what the members
 *          wrote. A start is relaxed: whoever starts one is counted itself until later, and hands the task on with a
 *          release.
 *          The lock of `places`: errors, limit, handles.
 * Not:     an atomic per spawn and per end: the line would bounce between workers. */
#include "task/group.h"

#include "base/assert.h"
#include "sched/ready.h"
#include "sched/meet.h"
#include "task/cancel.h"
#include "task/gather.h"
#include "task/handle.h"
#include "task/member.h"
#include "task/scope.h"
#include "task/tell.h"
#include "task/unread.h"
#include "task/wait.h"

static void init(mag_group *g, const struct mag_group_options *o)
{
	g->started = 0;
	g->balance = 0;
	magi_waitq_init(&g->places, magi_member_gave_up);
	magi_waitq_init(&g->news, NULL);
	g->done = NULL;
	g->done_tail = &g->done;
	g->error = g->error_all = NULL;
	g->error_tail = &g->error;
	g->first_error = 0;
	g->winner = 0;
	g->winner_index = -1;
	g->errors = g->errors_kept = g->running = g->handles = 0;
	g->limit = o->limit;
	g->policy = (uint8_t)o->policy;
	g->won = g->named = g->apart = 0;
	g->frame = g->joiner = NULL;
	for (int i = 0; i < MAGI_SHARDS - 1; i++)
		g->more[i] = (struct magi_shard){ 0, 0, NULL, NULL };
}

void magi_group_open(mag_worker *w, mag_frame *f, mag_group *g, const struct mag_group_options *o)
{
	for (struct magi_open *e = magi_opened(f); e; e = e->next) {
		if (e == &g->scope.open && e->kind == MAGI_OPEN_ERRORS) {
			magi_unread_tell(f->scope->rt, g, e->site);
			mag_group_clear(g); /* of its last use */
			break;
		}
	}
	init(g, o);
	magi_group_watch(g, f->scope->rt);
	g->frame = f;
	magi_open_push(f, &g->scope.open, MAGI_OPEN_GROUP);
	magi_timer_init(&g->scope.timer);
	g->scope.armed = NULL;
	magi_scope_enter(w, &g->scope, f->scope, f->leader, MAGI_SCOPE_GROUP);
	magi_scope_push(f, &g->scope);
	if (g->scope.level > MAG_SCOPE_DEPTH_MAX) {
		int32_t any = magi_load_rlx(&g->scope.cancelled); /* [cancelled] */

		magi_cas_rlx(&g->scope.cancelled, &any, MAG_EDEPTH); /* [cancelled] its own task is told */
		magi_or_rlx(&f->leader->state, MAGI_CANCEL); /* [state] */
	}
}

int magi_group_open_apart(mag_worker *w, mag_frame *f, mag_group *g)
{
	const struct mag_group_options o = { .size = sizeof(o), .policy = MAG_COLLECT };

	if (f->scope->level >= MAG_SCOPE_DEPTH_MAX)
		return MAG_EDEPTH;
	init(g, &o);
	g->apart = 1;
	g->scope.open.site = f->at;
	magi_timer_init(&g->scope.timer);
	g->scope.armed = NULL;
	magi_scope_enter(w, &g->scope, f->scope, NULL, MAGI_SCOPE_GROUP);
	return 0;
}

void magi_group_root(mag_group *g, mag_runtime *rt)
{
	const struct mag_group_options o = { .size = sizeof(o), .policy = MAG_COLLECT };

	init(g, &o);
	magi_scope_root(&g->scope, rt);
}

static int64_t verdict(const mag_group *g)
{
	int why = magi_load_rlx(&g->scope.cancelled); /* [cancelled] as in magi_scope_close */

	if (g->won)
		return g->winner;
	if (g->policy != MAG_COLLECT && g->errors)
		return g->first_error;
	return why;
}

/* All members have ended: the group is closed in the owner's name, whose frame is suspended or runs here. */
static void finish(mag_group *g, mag_frame *f)
{
	if (g->named)
		magi_handles_forget(g);
	magi_scope_exit(&g->scope);
	if (g->apart) {
		f->op.result = 0;
		return;
	}
	magi_open_pop(f, &g->scope.open, "MAG_GROUP_END");
	magi_scope_pop(f, &g->scope);
	f->op.result = verdict(g);
	if (g->error_all) { /* freed with the frame, unless the user does it before */
		const mag_site *opened = g->scope.open.site;

		magi_open_push(f, &g->scope.open, MAGI_OPEN_ERRORS);
		g->scope.open.site = opened;
	} else if (g->errors) { /* they found no memory: nobody drops the list, and the next group here would be told of */
		magi_unread_heard(g);
	}
	g->scope.open.kind = MAGI_OPEN_ERRORS; /* without a list, too: it has ended */
}

mag_frame *magi_group_end(mag_worker *pub, mag_frame *f, mag_group *g)
{
	int64_t all = 2 * g->started;

	if (magi_worker_of(pub)->ended_group)
		magi_group_flush(magi_worker_of(pub));
	if (magi_load_acq(&g->balance) + all != 0) { /* [balance] */
		if (f->leader->flags & MAGI_INLINE)
			magi_inline_release(pub, f->leader);
		magi_wait_stamp(pub, f->leader);
		g->joiner = f;
		if (magi_add_ar(&g->balance, all + 1) + all != 0) /* [balance] */
			return NULL;
	}
	finish(g, f);
	return f;
}

mag_frame *magi_group_leave(mag_worker *w, mag_frame *f, mag_group *g)
{
	if (!g->scope.open.closing) {
		g->scope.open.closing = 1;
		if (magi_debug(f->scope->rt)) {
			magi_group_flush(magi_worker_of(w));
			magi_tell_left(f, g);
		}
		mag_group_cancel(g);
	}
	return magi_group_end(w, f, g);
}

void magi_group_flush(struct magi_worker *w)
{
	mag_group *g = w->ended_group;
	int64_t n = 2 * w->ended;
	mag_frame *owner;

	if (!g)
		return;
	w->ended_group = NULL;
	w->ended = 0;
	if (magi_sub_ar(&g->balance, n) - n != 1) /* [balance] */
		return;
	owner = g->joiner;
	if (!owner) { /* the background: whoever stops the runtime waits for it */
		magi_runtime_drained(w->rt);
		return;
	}
	finish(g, owner);
	magi_resume_later(w->rt, &w->pub, owner);
}

/* The end of a spawned task. */
mag_frame *magi_spawn_end(mag_worker *pub, mag_frame *f, int64_t rc)
{
	struct magi_worker *w = magi_worker_of(pub);
	unsigned flags = f->flags;
	mag_frame *spawner = flags & MAGI_INLINE ? f->parent : NULL;
	mag_group *g;

	if (flags & MAGI_LINKED)
		magi_unlink(f);
	if (MAGI_UNLIKELY((flags & MAGI_MINDED) || rc < 0))
		g = magi_member_end(f, rc);
	else
		g = (mag_group *)(void *)f->scope;
	if (flags & MAGI_SLOTTED)
		*magi_gathered_of(f, f->class_)->result = rc;
	magi_frame_give(pub, f, f->class_);
	if (w->ended_group != g) {
		magi_group_flush(w);
		w->ended_group = g;
	}
	w->ended++;
	if (!spawner)
		return NULL;
	if (spawner->leader != g->scope.owner)
		magi_group_flush(w);
	return magi_resume_here(pub, spawner);
}

static mag_frame *refuse(mag_worker *w, mag_frame *f, mag_frame *child, int cls, int rc)
{
	if (child)
		magi_frame_give(w, child, cls);
	return magi_wait_done(w, f, rc);
}

static void count_in(mag_frame *f, mag_group *g)
{
	if (f->leader == g->scope.owner)
		g->started++;
	else
		magi_add_rlx(&g->balance, (int64_t)2); /* [balance] f itself is counted until after that */
}

/* A member that may be started, unless the group or the task is cancelled. f goes on, or waits for a place. */
static inline mag_frame *start(mag_worker *w, mag_frame *f, mag_group *g, mag_frame *child, mag_step_fn step, int cls,
			       mag_handle *handle, unsigned on, unsigned flags)
{
	mag_scope *scope = handle ? &handle->scope : &g->scope;
	bool minded = handle || g->limit || g->policy >= MAG_ANY;

	if (MAGI_UNLIKELY(magi_load_acq(&g->scope.cancelled)) || magi_cancelled(f)) /* [cancelled] */
		return refuse(w, f, child, cls, MAG_ECANCELED);
	magi_frame_init(child, step, NULL, child, scope, cls, flags | (minded ? MAGI_MINDED : 0));
	count_in(f, g);
	if (MAGI_UNLIKELY(minded || on))
		return magi_member_start(w, f, g, child, handle, on);
	f->op.result = 0;
	if (MAGI_UNLIKELY(!magi_deque_push(&w->deque, child))) {
		child->flags |= MAGI_INLINE;
		child->parent = f;
		return child;
	}
	magi_offer(w);
#ifdef MAGI_FORCED_MIGRATION
	return magi_wait_done(w, f, 0);
#else
	return f;
#endif
}

mag_frame *magi_spawn(mag_worker *w, mag_frame *f, mag_group *g, mag_frame *child, mag_step_fn step, int cls,
		      mag_handle *handle, unsigned on)
{
	if (MAGI_UNLIKELY(!child))
		return refuse(w, f, NULL, cls, -ENOMEM);
	if (MAGI_UNLIKELY(on > magi_runtime_of(w)->n))
		return refuse(w, f, child, cls, -EINVAL);
	return start(w, f, g, child, step, cls, handle, on, MAGI_SPAWN);
}

mag_frame *magi_group_start_slotted(mag_worker *w, mag_frame *f, mag_group *g, mag_frame *child, mag_step_fn step,
				    int cls)
{
	return start(w, f, g, child, step, cls, NULL, 0, MAGI_SPAWN | MAGI_SLOTTED);
}

void magi_group_adopt(mag_group *g, mag_frame *child)
{
	magi_add_rlx(&g->balance, (int64_t)2); /* [balance] the runtime is not closing: the monitor orders */
	magi_resume_later(g->scope.rt, magi_self_in(g->scope.rt), child);
}

void mag_group_cancel(mag_group *g)
{
	mag_scope_cancel(&g->scope);
}

uint32_t mag_group_errors(const mag_group *g, const struct mag_group_error **list)
{
	if (list)
		*list = g->error;
	magi_unread_heard(g);
	return g->errors;
}
