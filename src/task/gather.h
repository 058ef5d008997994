/* SPDX-License-Identifier: MIT */
/* gather.h - where a gather's member puts its result: the last words of its frame's memory, behind the user's struct.
 *
 * Who:     written by the owner before the member is started; read at the member's end.
 * Always:  the frame's class has room for it: magpie/gather.h chooses the class.
 * Not:     a handle a member (five cache lines); a word in the frame's header, which has none left. */
#ifndef MAGI_TASK_GATHER_H
#define MAGI_TASK_GATHER_H

#include <magpie/gather.h>

#include "sched/slab.h"

static inline struct magi_gathered *magi_gathered_of(const mag_frame *f, unsigned cls)
{
	size_t bytes = MAGI_LIKELY(cls <= MAGI_CLASS_FINE) ? (size_t)cls * 64 : magi_class_bytes(cls);

	return (struct magi_gathered *)(uintptr_t)((const char *)f + bytes - sizeof(struct magi_gathered));
}

static inline int64_t magi_gathered_index(const mag_group *g, const struct magi_gathered *slot)
{
	return slot->result - ((const mag_gather *)(const void *)g)->results;
}

#endif
