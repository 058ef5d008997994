/* SPDX-License-Identifier: MIT */
/* cancel.h - cancelling a scope and all that lies in it. */
#ifndef MAGI_TASK_CANCEL_H
#define MAGI_TASK_CANCEL_H

#include "sched/types.h"

/* What a cancellation has gathered under locks, to be finished without them. */
struct magi_cancel {
	mag_runtime *rt;
	mag_frame *claimed; /* leaves whose wait is over: linked by q.next */
	uint64_t mailed;    /* workers that got cancel mail */
};

/* Sets the scope's reason, if it has none, and marks all that is in it. May run under a wheel's lock. */
void magi_cancel_mark(struct magi_cancel *c, mag_scope *scope, int why);

/* Takes the claimed ones out of their queues and resumes them, wakes rings that have mail. No lock is held. */
void magi_cancel_finish(struct magi_cancel *c, mag_worker *w);

#endif
