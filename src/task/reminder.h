/* SPDX-License-Identifier: MIT */
/* reminder.h - debug mode's memory: what is a mistake of the program unless something happens to it yet.
 *
 * Who:     any thread.
 * Always:  a note is `what` of `whose`: an error of a group, a lock of a task. Neither is followed: both are names. All
 *          notes of `whose` are taken before its memory is used again. What finds no memory is not noted.
 *          Of one `what` a note may stand for many: how much is noted of somebody is bounded by who notes.
 * Not:     room in the objects themselves: they are as large as they are, for programs that never ask. */
#ifndef MAGI_TASK_REMINDER_H
#define MAGI_TASK_REMINDER_H

#include <magpie/impl/frame.h>

#include "base/lock.h"

enum { MAGI_REMINDER_BUCKETS = 1024 };

struct magi_reminder {
	struct magi_reminder *next;
	const void *what, *whose;
	const mag_site *site;
	int64_t code;
	uint32_t count;
};

struct magi_reminders {
	struct {
		magi_lock lock;
		struct magi_reminder *first;
	} bucket[MAGI_REMINDER_BUCKETS];
};

void magi_reminder_put(struct magi_reminders *all, const void *what, const void *whose, const mag_site *site,
		       int64_t code);

/* If there is such a note already it is of this place from now on; false: there is none. */
bool magi_reminder_move(struct magi_reminders *all, const void *what, const void *whose, const mag_site *site,
			int64_t code);

/* The same, but one more of what there is a note of already is counted there, and the first one's place and code stay. */
void magi_reminder_add(struct magi_reminders *all, const void *what, const void *whose, const mag_site *site,
		       int64_t code);

/* How many notes of whose there are, up to `most`. */
uint32_t magi_reminder_notes(struct magi_reminders *all, const void *whose, uint32_t most);

/* Takes one out of the note that was put last: true, and *note is a copy. what: NULL: any. */
bool magi_reminder_take(struct magi_reminders *all, const void *what, const void *whose, struct magi_reminder *note);

/* Forgets all notes of whose; returns how many they count together, and *first, the one that was put first. */
uint32_t magi_reminder_take_all(struct magi_reminders *all, const void *whose, struct magi_reminder *first);

void magi_reminders_fini(struct magi_reminders *all);

#endif
