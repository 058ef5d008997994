/* SPDX-License-Identifier: MIT */
/* group.h - what the scheduler asks of groups. */
#ifndef MAGI_TASK_GROUP_H
#define MAGI_TASK_GROUP_H

#include "sched/types.h"

/* Tells a group the ends that this worker has gathered for it. */
void magi_group_flush(struct magi_worker *w);

/* Before f (or nothing) is taken up: ends are told unless f is a member of the same group, whose own end is still to
 * come, or its owner, who has not come to its end: a join must never wait for a worker that is busy with something else. */
static inline void magi_group_settle(struct magi_worker *w, const mag_frame *f)
{
	if (MAGI_LIKELY(!w->ended_group))
		return;
	if (f && (f->flags & ~(MAGI_LINKED | MAGI_SLOTTED)) == MAGI_SPAWN && f->scope == &w->ended_group->scope)
		return;
	magi_group_flush(w);
}

/* Cancels and joins a group that is still open at the end of its frame. f: it is closed; else the frame to run next. */
mag_frame *magi_group_leave(mag_worker *w, mag_frame *f, mag_group *g);

/* The owner starts a member whose result goes to the slot at the end of its memory: task/gather.h. */
mag_frame *magi_group_start_slotted(mag_worker *w, mag_frame *f, mag_group *g, mag_frame *child, mag_step_fn step,
				    int cls);
/* A group of tasks that is none of the frame's stack of scopes: the frame does not live in it, and whoever holds it ends it
 * (mag_group_cancel, magi_group_end), at any time before the scope is left in which it was opened. 0 or MAG_EDEPTH. */
int magi_group_open_apart(mag_worker *w, mag_frame *f, mag_group *g);

/* In debug mode a group without a limit has one that it never reaches, and its members are counted: what is too many is
 * told of once. */
enum { MAGI_CROWD_WATCHED = -1, MAGI_CROWD_TOLD = -2 };
static inline void magi_group_watch(mag_group *g, const mag_runtime *rt)
{
	if (MAGI_UNLIKELY(rt->debug != NULL) && !g->limit)
		g->limit = (uint32_t)MAGI_CROWD_WATCHED;
}
static inline uint32_t magi_group_limit(const mag_group *g)
{
	return g->limit >= (uint32_t)MAGI_CROWD_TOLD ? 0 : g->limit;
}

/* The start of a group that belongs to no frame (the runtime's background). */
void magi_group_root(mag_group *g, mag_runtime *rt);

/* Counts a task in that was started by no member, and starts it. */
void magi_group_adopt(mag_group *g, mag_frame *child);

#endif
