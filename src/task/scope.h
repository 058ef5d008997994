/* SPDX-License-Identifier: MIT */
/* scope.h - the parts of opening and leaving a scope, shared by scopes, groups and handles. */
#ifndef MAGI_TASK_SCOPE_H
#define MAGI_TASK_SCOPE_H

#include "sched/types.h"

/* Adds the scope to its parent, cancelled if that is; and takes it out again (its deadline is disarmed first). */
void magi_scope_enter(mag_worker *w, mag_scope *s, mag_scope *parent, mag_frame *owner, unsigned flags);
/* The start of the scope that everything else lies in. */
void magi_scope_root(mag_scope *s, mag_runtime *rt);
void magi_scope_exit(mag_scope *s);

/* The owner enters and leaves. */
void magi_scope_push(mag_frame *f, mag_scope *s);
void magi_scope_pop(mag_frame *f, mag_scope *s);

/* Whether so many scopes can be opened within one another here, and so many of them as shields: none is MAG_EDEPTH. */
bool magi_scope_has_room(const mag_frame *f, unsigned scopes, unsigned shields);

/* Leaves a scope; returns its reason, or 0. */
int magi_scope_close(mag_frame *f, mag_scope *s);

/* What the frame has open, or NULL. */
static inline struct magi_open *magi_opened(const mag_frame *f)
{
	return f->flags & MAGI_OPENED ? f->open : NULL;
}

/* Whether it is on the frame's list: then its memory is not to be used for another. */
static inline bool magi_open_has(const mag_frame *f, const struct magi_open *wanted)
{
	const struct magi_open *o = magi_opened(f);

	while (o && o != wanted)
		o = o->next;
	return o != NULL;
}

/* Adding to what the frame has open, last first; popping anything but the last ends the program with both sites. */
void magi_open_push(mag_frame *f, struct magi_open *o, unsigned kind);
void magi_open_pop(mag_frame *f, struct magi_open *o, const char *what);
void magi_open_unlink(mag_frame *f, struct magi_open *o);

#endif
