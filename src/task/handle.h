/* SPDX-License-Identifier: MIT */
/* handle.h - a name for one member of a group: see magpie/group.h. */
#ifndef MAGI_TASK_HANDLE_H
#define MAGI_TASK_HANDLE_H

#include "sched/types.h"

/* Names a member that is about to start. */
void magi_handle_open(mag_worker *w, mag_group *g, mag_handle *h);

/* The task is over, or (`ran` says) will never be: those who wait for the handle get the result, else the owner does. */
void magi_handle_settle(mag_group *g, mag_handle *h, int64_t rc, bool ran, mag_frame **granted);

/* The end of a group: handles that nobody has asked for are not listed any longer, and nobody is in its list. */
void magi_handles_forget(mag_group *g);

#endif
