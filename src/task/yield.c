/* SPDX-License-Identifier: MIT */
/* yield.c - letting others run. */
#include "sched/ready.h"
#include "task/wait.h"

mag_frame *mag_yield(mag_worker *w, mag_frame *f)
{
	if (magi_cancelled(f))
		return magi_wait_done(w, f, MAG_ECANCELED);
	if (f->leader->flags & MAGI_INLINE)
		magi_inline_release(w, f->leader);
	f->op.result = 0;
	magi_resume_later(magi_runtime_of(w), w, f);
	return NULL;
}
