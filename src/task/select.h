/* SPDX-License-Identifier: MIT */
/* select.h - what a primitive does so that a task can wait for it beside others: see src/task/select.c. */
#ifndef MAGI_TASK_SELECT_H
#define MAGI_TASK_SELECT_H

#include <magpie/select.h>

#include "task/wait.h"

struct magi_case_kind {
	struct magi_waitq *(*queue)(const mag_case *c); /* NULL: a deadline */
	/* What the case is for, if that can be at once: true, and c->result is set. Else c->node is about to wait: *need is
	 * what it waits with, and whoever gives must look at the queue from now on. The queue's lock is held. */
	bool (*take)(mag_case *c, uint64_t *need, mag_frame **granted);
	/* It does not wait after all, or no longer, and is not in the queue; NULL: that makes no difference. The same. */
	void (*leave)(mag_case *c, mag_frame **granted);
	/* Whether the two cannot be cases of one select; NULL: it goes with all. */
	bool (*clashes)(const mag_case *c, const mag_case *other);
};

#endif
