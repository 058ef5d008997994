/* SPDX-License-Identifier: MIT */
/* canceller.h - a canceller in slow motion: it claims who waits first, and only later takes that one out of the queue. */
#ifndef MAGPIE_TESTS_CANCELLER_H
#define MAGPIE_TESTS_CANCELLER_H

#include "gates.h"

#include "sched/ready.h"
#include "task/wait.h"

static inline mag_frame *claim_first(struct magi_waitq *q)
{
	mag_frame *f;

	magi_lock_acquire(magi_waitq_lock(q));
	f = magi_wait_first(q);
	CHECK(f && magi_claim(f->leader));
	magi_lock_release(magi_waitq_lock(q));
	return f;
}

static inline void end_wait(mag_worker *w, mag_frame *f)
{
	mag_frame *granted = NULL;

	CHECK(magi_waitq_cancel(f, &granted) && !granted);
	f->op.result = MAG_ECANCELED;
	magi_resume_later(magi_runtime_of(w), w, f);
}

#endif
