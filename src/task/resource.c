/* SPDX-License-Identifier: MIT */
/* resource.c - entering and leaving resources; commit or rollback is a step of leaving.
 *
 * What:    the functions of the end are callees of the frame that opened the resource, one after the other, each in a
 *          shield. While they run the frame's step is `exited`, which puts the user's back when all are done.
 * Who:     the task that opened it.
 * Always:  an exit's frame is taken before the resource is entered, and runs or is given back once.
 *          The entry leaves the frame's open list before the first of them runs, so a return finds it there or not at all.
 * Not:     an exit that is a task of its own: it would outlive what it belongs to. A frame for each exit taken when it
 *          is needed: without memory the resource would stay. */
#include "task/resource.h"

#include <errno.h>
#include <magpie/group.h>

#include "base/assert.h"
#include "task/scope.h"
#include "task/wait.h"

void magi_using_open(mag_using *use)
{
	*use = (mag_using){ .grace_ns = MAG_USING_GRACE };
}

void magi_using_prepare(mag_frame *f, mag_using *use, enum magi_exit which, mag_frame *child, mag_step_fn step, int cls,
			size_t why_at)
{
	if (!child) {
		use->error = -ENOMEM;
		return;
	}
	magi_frame_init(child, step, f, f->leader, f->scope, cls, MAGI_CALL);
	use->exit[which] = child;
	use->why_at[which] = why_at;
}

mag_frame *magi_using_enter(mag_worker *w, mag_frame *f, mag_using *use, mag_frame *child, mag_step_fn step, int cls)
{
	if (child && !use->error)
		return magi_call(f, child, step, cls);
	if (child)
		magi_frame_give(w, child, cls);
	f->op.result = -ENOMEM;
	return f;
}

static void drop(mag_worker *w, mag_using *use, uint32_t which)
{
	mag_frame *f = use->exit[which];

	use->exit[which] = NULL;
	if (f)
		magi_frame_give(w, f, f->class_);
}

int64_t magi_using_entered(mag_worker *w, mag_frame *f, mag_using *use)
{
	use->error = 0;
	if (f->op.result >= 0) {
		use->entered = 1;
		magi_open_push(f, &use->open, MAGI_OPEN_USING);
		return f->op.result;
	}
	for (uint32_t i = 0; i < MAGI_EXITS; i++)
		drop(w, use, i);
	return f->op.result;
}

/* Begins the next function that is needed, or returns NULL. */
static mag_frame *next_exit(mag_worker *w, mag_frame *f, mag_using *use)
{
	for (; use->next < MAGI_EXITS; use->next++) {
		mag_frame *child = use->exit[use->next];

		if ((use->next == MAGI_COMMIT && use->why) || (use->next == MAGI_ROLLBACK && !use->why)) {
			drop(w, use, use->next);
			continue;
		}
		if (!child)
			continue;
		use->exit[use->next] = NULL;
		magi_scope_open(w, f, &use->shield, magi_deadline_in(w, use->grace_ns), MAGI_SCOPE_SHIELD);
		child->leader = f->leader; /* a generator's may have changed */
		child->scope = f->scope;
		if (use->why_at[use->next])
			*(int64_t *)(void *)((char *)child + use->why_at[use->next]) = use->why;
		return child;
	}
	return NULL;
}

/* The step of the frame while the functions of the end run: one of them has returned. */
static mag_frame *exited(mag_worker *w, mag_frame *f)
{
	mag_using *use = (mag_using *)(void *)((char *)magi_opened(f) - offsetof(mag_using, shield));
	int64_t rc = f->op.result;
	int why = magi_scope_close(f, &use->shield);
	mag_frame *child;

	if (rc == MAG_ECANCELED && why == MAG_ETIMEDOUT)
		rc = MAG_ETIMEDOUT;
	if (rc < 0 && !use->error)
		use->error = rc;
	if (rc < 0 && use->next == MAGI_COMMIT)
		use->why = rc;
	use->next++;
	child = next_exit(w, f, use);
	if (child)
		return child;
	f->step = use->resume;
	f->op.result = use->result >= 0 && use->error ? use->error : use->result;
	if (use->open.closing) /* the frame is being left: src/task/fork.c */
		f->op.word[3] = (uint64_t)f->op.result;
	return f;
}

/* The entry is the last that is open. */
static mag_frame *leave(mag_worker *w, mag_frame *f, mag_using *use, int64_t result)
{
	mag_frame *child;

	use->result = result;
	use->why = result >= 0 ? 0 : result;
	if (result == MAG_ECANCELED) {
		int reason = mag_cancel_reason(f);

		use->why = reason ? reason : result;
	}
	child = next_exit(w, f, use);
	use->resume = f->step;
	f->step = exited;
	return child;
}

mag_frame *magi_using_end(mag_worker *w, mag_frame *f, mag_using *use, int64_t result)
{
	if (!use->entered) {
		f->op.result = result;
		return f;
	}
	if (result >= 0 && f->join_err) /* it stays for MAG_JOIN as well */
		result = f->join_err;
	use->entered = 0;
	magi_open_pop(f, &use->open, "MAG_USING_END");
	return leave(w, f, use, result);
}

mag_frame *magi_using_leave(mag_worker *w, mag_frame *f, mag_using *use)
{
	use->entered = 0;
	magi_open_pop(f, &use->open, "MAG_RETURN");
	use->open.closing = 1;
	return leave(w, f, use, magi_left_with(f));
}
