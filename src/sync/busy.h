/* SPDX-License-Identifier: MIT */
/* busy.h - who ends a primitive that tasks still wait for is told, in debug builds, where the first of them waits. */
#ifndef MAGI_SYNC_BUSY_H
#define MAGI_SYNC_BUSY_H

#include <errno.h>

#include "base/assert.h"
#include "task/wait.h"

/* 0, or -EBUSY after saying so. also: it is in use although nobody waits. */
static inline int magi_sync_busy(struct magi_waitq *q, bool also, const char *what)
{
	const mag_frame *first;
	const mag_site *site = NULL;

	magi_lock_acquire(magi_waitq_lock(q));
	first = magi_wait_first(q);
	if (first)
		site = first->at;
	magi_lock_release(magi_waitq_lock(q));
	if (!first && !also)
		return 0;
	if (site)
		magi_misuse("%s: %s waits for it at %s:%d", what, site->func, site->file, site->line);
	magi_misuse("%s: it is in use", what);
	(void)what;
	return -EBUSY;
}

#endif
