/* SPDX-License-Identifier: MIT */
/* until.h - the `_until` twin of an await: the same with a deadline, for one that cannot go on without waiting.
 *
 *	static mag_frame *op(mag_worker *w, mag_frame *f, void *object, uint64_t arg)
 *	{
 *		return mag_noun_verb(w, f, object, (uint32_t)arg);
 *	}
 *
 *	mag_frame *mag_noun_verb_until(mag_worker *w, mag_frame *f, mag_noun *noun, uint32_t n, uint64_t deadline)
 *	{
 *		if (!magi_cancelled(f) && mag_noun_try_verb(noun, n) == 0)
 *			return magi_wait_done(w, f, 0);
 *		return magi_until(w, f, op, noun, n, deadline);
 *	}
 *
 * What:    a called frame, between f and the await, that has a scope with the deadline. As with what a task calls, its
 *          leader is the task's, so a mutex is taken by the task.
 * Who:     the task, on its worker.
 * Always:  the await's own result is what f gets, a grant that came with the deadline, too. MAG_ECANCELED of the await
 *          becomes MAG_ETIMEDOUT if the deadline was first, and stays if cancellation from outside was, or if it is what
 *          was waited for: who gives results that are not its own marks them so.
 *          A deadline that has passed: MAG_ETIMEDOUT, and the await is not begun. The twin has tried before, without
 *          waiting. A scope that is cancelled comes before that, and a deadline of MAG_NEVER needs no frame.
 *          Without memory for the frame: -ENOMEM, and the await is not begun.
 * Not:     a timer beside the wait queue in the frame: an operation waits for one thing, and the frame has room for it. */
#ifndef MAGI_TASK_UNTIL_H
#define MAGI_TASK_UNTIL_H

#include "sched/types.h"

/* The result that f is given is what it waited for, whatever it says: before f goes on. No link of a queue is this. */
enum { MAGI_UNTIL_GIVEN = 1 };
static inline void magi_until_given(mag_frame *f)
{
	f->op.word[1] = MAGI_UNTIL_GIVEN;
}

/* An await with its arguments; f is the called frame, and may wait. */
typedef mag_frame *(*magi_until_fn)(mag_worker *w, mag_frame *f, void *object, uint64_t arg);

mag_frame *magi_until(mag_worker *w, mag_frame *f, magi_until_fn op, void *object, uint64_t arg, uint64_t deadline);

#endif
