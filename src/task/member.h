/* SPDX-License-Identifier: MIT */
/* member.h - members of a group that somebody minds: with a handle, a limit, a policy or an error. */
#ifndef MAGI_TASK_MEMBER_H
#define MAGI_TASK_MEMBER_H

#include "sched/types.h"

/* Starts a counted child that has a handle, needs a place under the limit, or a worker of its own. */
mag_frame *magi_member_start(mag_worker *w, mag_frame *f, mag_group *g, mag_frame *child, mag_handle *handle,
			     unsigned on);

/* Tells handle, limit and policy of a member's end; the end itself is still to be counted. Returns the group. */
mag_group *magi_member_end(mag_frame *f, int64_t rc);

/* A member could not be started: it counts as one that ended so. f: the owner's, at the place. */
void magi_member_failed(mag_group *g, const mag_frame *f, int64_t index, int64_t rc);

/* A spawn that waited for a place was cancelled: wait queue callback. */
bool magi_member_gave_up(struct magi_waitq *q, mag_frame *f, mag_frame **granted);

#endif
