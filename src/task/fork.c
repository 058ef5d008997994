/* SPDX-License-Identifier: MIT */
/* fork.c - the slow ways of fork, join and return.
 *
 * What:    a fork's parent lies in the deque while its child runs. Whoever takes it out, other than a child that ends on
 *          top of it, counts in `taken`; a child that ends without taking its parent back arrives.
 * Who:     taken: whoever holds the frame outside the deque. arrived: children, on any worker.
 * Always:  at the join, arrivals to come = taken - arrivals so far. The join subtracts `taken`, so that the last arrival
 *          is the one that brings the sum to 0, and it resumes the parent.
 * Pairs:   [join] arrivals and the join's subtraction are read-modify-writes (acquire, release) of `arrived`: the parent
 *          sees what its children wrote, the first error among it, which one relaxed CAS sets before the arrival.
 * Not:     counting forks: without theft a join is one plain test. */
#include <errno.h>
#include <string.h>

#include "base/assert.h"
#include "sched/ready.h"
#include "task/cancel.h"
#include "task/generator.h"
#include "task/group.h"
#include "task/resource.h"
#include "task/scope.h"
#include "task/unread.h"
#include "task/wait.h"

mag_frame *magi_fork_full(mag_worker *w, mag_frame *parent, mag_frame *child)
{
	(void)w;
	(void)parent;
	child->flags |= MAGI_INLINE;
	return child;
}

static void note_error(mag_frame *parent, int64_t rc)
{
	int32_t none = 0;

	magi_cas_rlx(&parent->join_err, &none, (int32_t)rc); /* [join] */
}

mag_frame *magi_start_slow(mag_worker *w, mag_frame *parent, const struct magi_start *start)
{
	mag_frame *child = start->cls < 0 ? NULL : magi_slab_refill(w, (unsigned)start->cls);

	if (child) {
		memcpy((char *)child + start->args_at, start->args, start->args_size);
		if (start->kind == MAGI_CALL)
			return magi_call(parent, child, start->step, start->cls);
		return magi_fork(w, parent, child, start->step, start->cls);
	}
	if (start->kind == MAGI_CALL)
		parent->op.result = -ENOMEM;
	else
		note_error(parent, -ENOMEM);
	return parent;
}

mag_frame *magi_fork_offer(mag_worker *w, mag_frame *child)
{
	magi_wake_for_work(w);
	return child;
}

mag_frame *magi_call_surplus(mag_worker *w, unsigned cls, mag_frame *parent)
{
	magi_slab_surplus(w, cls);
	return parent;
}

/* The child has ended and is free: its parent is taken back, or told. */
static mag_frame *back_to(mag_worker *w, mag_frame *parent)
{
	return magi_deque_take_back(&w->deque, parent) ? parent : magi_arrive(w, parent);
}

mag_frame *magi_fork_surplus(mag_worker *w, unsigned cls, mag_frame *parent)
{
	magi_slab_surplus(w, cls);
	return back_to(w, parent);
}

mag_frame *magi_arrive(mag_worker *w, mag_frame *parent)
{
	magi_point(MAGI_POINT_ATOMIC, NULL);
	if (magi_add_ar(&parent->arrived, 1) == -1) /* [join] */
		return magi_resume_here(w, parent);
	return NULL;
}

mag_frame *magi_fork_end(mag_worker *w, mag_frame *f, int64_t rc)
{
	mag_frame *parent = f->parent;
	bool here = f->flags & MAGI_INLINE;

	if (f->flags & MAGI_LINKED)
		magi_unlink(f);
	if (rc < 0)
		note_error(parent, rc);
	magi_frame_give(w, f, f->class_);
	if (here)
		return magi_resume_here(w, parent);
	return back_to(w, parent);
}

mag_frame *magi_join_wait(mag_worker *w, mag_frame *f)
{
	int32_t taken = (int32_t)f->taken;

	magi_point(MAGI_POINT_ATOMIC, NULL);
	if (magi_load_rlx(&f->arrived) != taken && (f->leader->flags & MAGI_INLINE)) /* [join] */
		magi_inline_release(w, f->leader);
	magi_wait_stamp(w, f->leader);
	if (magi_sub_ar(&f->arrived, taken) == taken) /* [join] */
		return f;
	return NULL;
}

/* Leaving a frame that has children out or something open. word[3]: what it returns; word[2]: what was waited for. */

enum leave_stage { LEAVE_START, LEAVE_JOINING };

/* Of a group that has ended. A function that fails itself has its reasons not to look at them. */
static void drop_errors(mag_frame *f, struct magi_open *o)
{
	mag_group *g = (mag_group *)(void *)o;

	if (magi_left_with(f) >= 0)
		magi_unread_tell(f->scope->rt, g, o->site);
	mag_group_clear(g);
}

static mag_frame *leave_step(mag_worker *w, mag_frame *f)
{
	if (f->op.word[2] == LEAVE_JOINING) {
		f->taken = 0;
		f->op.word[2] = LEAVE_START;
	}
	for (;;) {
		struct magi_open *o = magi_opened(f);
		mag_frame *next = f;

		if (f->taken) {
			f->op.word[2] = LEAVE_JOINING;
			next = magi_join_wait(w, f);
			if (next != f)
				return next;
			f->taken = 0;
			f->op.word[2] = LEAVE_START;
			continue;
		}
		if (!o)
			break;
		if (o->kind == MAGI_OPEN_SCOPE)
			magi_scope_close(f, (mag_scope *)(void *)o);
		else if (o->kind == MAGI_OPEN_GROUP)
			next = magi_group_leave(w, f, (mag_group *)(void *)o);
		else if (o->kind == MAGI_OPEN_USING)
			next = magi_using_leave(w, f, (mag_using *)(void *)o);
		else if (o->kind == MAGI_OPEN_ERRORS)
			drop_errors(f, o);
		else if (o->kind == MAGI_OPEN_HOOK || o->kind == MAGI_OPEN_TASKS)
			next = ((struct magi_open_hook *)(void *)o)->leave(w, f, (struct magi_open_hook *)(void *)o);
		else
			next = magi_gen_leave(w, f, (mag_generator *)(void *)o);
		if (next != f)
			return next;
	}
	MAGI_TASK_ENDED(f);
	return magi_end(w, f, magi_left_with(f), f->class_);
}

mag_frame *magi_leave(mag_worker *w, mag_frame *f, int64_t rc)
{
	f->op.word[3] = (uint64_t)rc;
	f->op.word[2] = LEAVE_START;
	f->step = leave_step;
	return leave_step(w, f);
}
