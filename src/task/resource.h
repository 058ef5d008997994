/* SPDX-License-Identifier: MIT */
/* resource.h - resources that are open at the end of a frame. */
#ifndef MAGI_TASK_RESOURCE_H
#define MAGI_TASK_RESOURCE_H

#include <magpie/resource.h>

/* What a frame that is being left will return: an error of its forked children, which are joined, takes the place of a
 * result that is none. */
static inline int64_t magi_left_with(const mag_frame *f)
{
	int64_t rc = (int64_t)f->op.word[3];

	return rc >= 0 && f->join_err ? f->join_err : rc;
}

/* Leaves one that is open when its frame is left. The frame to run next, which is not f: f is resumed at its step. */
mag_frame *magi_using_leave(mag_worker *w, mag_frame *f, mag_using *use);

#endif
