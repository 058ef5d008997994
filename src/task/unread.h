/* SPDX-License-Identifier: MIT */
/* unread.h - errors that a group or a task has kept for somebody, until somebody asks; in debug mode.
 *
 * What:    only a group that collects keeps errors to itself; of the others MAG_GROUP_END tells. An error of a member with a
 *          handle is asked for by the handle, or with the list; others with the list.
 * Who:     note: the member's end, before it is counted. heard: who asks. tell: who drops the list.
 * Always:  noted before anybody can ask, so that who has asked is not told of.
 *          What a group keeps is bounded: errors without a handle are one note, with their number; of those with one
 *          MAG_GROUP_ERRORS_MAX have their own, the rest is one more, with their number: who asks for one of these takes
 *          one off. */
#ifndef MAGI_TASK_UNREAD_H
#define MAGI_TASK_UNREAD_H

#include "task/report.h"

void magi_unread_note(mag_group *g, const mag_frame *f, const mag_handle *h, int64_t rc);
/* Of a task that has no handle. */
void magi_unread_note_unnamed(const mag_group *g, const mag_site *site, int64_t rc);

/* Somebody has asked for the list, or cannot: there is none; any thread has asked for the result of one. */
void magi_unread_heard(const mag_group *g);
void magi_unread_heard_one(const mag_handle *h);

/* The list is dropped: tells of what nobody has heard of. site: where the group was opened. */
void magi_unread_tell(mag_runtime *rt, const mag_group *g, const mag_site *site);

#endif
