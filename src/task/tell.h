/* SPDX-License-Identifier: MIT */
/* tell.h - reports of debug mode about groups and futures, in words; who calls them has looked whether it is on. */
#ifndef MAGI_TASK_TELL_H
#define MAGI_TASK_TELL_H

#include <magpie/future.h>
#include <magpie/group.h>

/* f is about to leave a group that is open; nothing unless tasks run in it. */
void magi_tell_left(const mag_frame *f, const mag_group *g);

/* f has started one task too many. */
void magi_tell_crowd(const mag_frame *f, const mag_group *g);

/* The future is complete, ends, and nobody has asked for its result. On any thread. */
void magi_tell_unheard(const mag_future *future, const mag_site *made);

#endif
