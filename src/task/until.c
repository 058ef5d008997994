/* SPDX-License-Identifier: MIT */
/* until.c - an await in a scope of its own; until.h has the rules. */
#include "task/until.h"

#include <magpie/error.h>
#include <magpie/time.h>

#include "task/scope.h"
#include "task/timer.h"
#include "task/wait.h"

struct until {
	mag_frame frame;
	mag_scope scope;
	magi_until_fn op;
	void *object;
	uint64_t arg, deadline;
};

enum { CLASS = MAGI_CLASS(sizeof(struct until)) };

/* The await is over. */
static mag_frame *until_end(mag_worker *w, mag_frame *f)
{
	struct until *u = (struct until *)(void *)f;
	int64_t rc = f->op.result;
	bool cut_short = rc == MAG_ECANCELED && f->op.word[1] != MAGI_UNTIL_GIVEN;
	int why = magi_scope_close(f, &u->scope);

	return magi_end(w, f, cut_short && why < 0 ? why : rc, CLASS);
}

static mag_frame *until_begin(mag_worker *w, mag_frame *f)
{
	struct until *u = (struct until *)(void *)f;

	f->at = f->parent->at; /* what is told of the wait is the user's own place */
	magi_scope_open(w, f, &u->scope, u->deadline, 0);
	f->step = until_end;
	f->op.word[1] = 0;
	return u->op(w, f, u->object, u->arg);
}

mag_frame *magi_until(mag_worker *w, mag_frame *f, magi_until_fn op, void *object, uint64_t arg, uint64_t deadline)
{
	struct until *u;

	if (magi_cancelled(f))
		return magi_wait_done(w, f, MAG_ECANCELED);
	if (deadline == MAG_NEVER)
		return op(w, f, object, arg);
	if (deadline <= magi_now(magi_worker_of(w)))
		return magi_wait_done(w, f, MAG_ETIMEDOUT);
	u = magi_frame_take(w, CLASS, sizeof(*u));
	if (!u)
		return magi_wait_done(w, f, -ENOMEM);
	u->op = op;
	u->object = object;
	u->arg = arg;
	u->deadline = deadline;
	return magi_call(f, &u->frame, until_begin, CLASS);
}
