/* SPDX-License-Identifier: MIT */
/* held.c - locks that a task holds when it ends; in debug mode of programs that are compiled with MAGPIE_DEBUG.
 *
 * What:    taking a lock is inline. There, too, but in such programs alone, it is noted that the task wants it, and that it
 *          has given it back.
 * Who:     put, drop, ends: the task.
 * Always:  of a lock that has its holder's name in its word it is noted before it is known whether the task gets it; what
 *          counts at the end of the task is the word. Only of readers is it noted what they have.
 *          The lock may be gone when its holder ends: it is read so that nothing breaks. */
#include "base/peek.h"
#include "task/report.h"
#include "task/tree.h"

static struct magi_debug *debug_of(const mag_frame *f)
{
	return magi_debug(f->scope->rt);
}

static bool says_held(uint64_t word, enum magi_held how, const void *leader)
{
	if (how == MAGI_HELD_WRITE && (word & MAGI_HELD_READERS))
		return false;
	return (word & ~(uint64_t)MAGI_HELD_BITS) == (uint64_t)(uintptr_t)leader;
}

void magi_held_put(mag_frame *f, const uint64_t *word, enum magi_held how)
{
	struct magi_reminders *all = debug_of(f) ? &debug_of(f)->reminders : NULL;

	if (!all)
		return;
	/* one note for a lock, however often it is refused; who has it and asks once more has it from where he got it */
	if (how == MAGI_HELD_MUTEX && says_held(magi_load_rlx(word), how, f->leader)) /* [hint] our name is put by us */
		return;
	if (how == MAGI_HELD_READ || !magi_reminder_move(all, word, f->leader, f->at, how))
		magi_reminder_put(all, word, f->leader, f->at, how);
}

void magi_held_drop(mag_frame *f, const uint64_t *word, enum magi_held how)
{
	struct magi_reminder note;

	if (!debug_of(f))
		return;
	while (magi_reminder_take(&debug_of(f)->reminders, word, f->leader, &note) && how != MAGI_HELD_READ)
		;
}

static bool is_held(const struct magi_reminder *n)
{
	uint64_t word;

	if (n->code == MAGI_HELD_READ)
		return true;
	if (!magi_peek_safely(&word, n->what, sizeof(word)))
		return false;
	return says_held(word, (enum magi_held)n->code, n->whose);
}

static void say(const mag_frame *f, const struct magi_reminder *n)
{
	static const char *const what[] = { "mutex", "rwlock for writing", "rwlock for reading" };
	struct magi_saying s;

	/* the task that a thread has started is a function of ours around the program's */
	magi_say_begin(&s, MAG_REPORT_LOCK, f->at && f->at != &magi_tree_entrance ? f->at : n->site);
	magi_text_add(&s.text, "%s has ended and holds a %s", s.task, what[n->code]);
	magi_say_made(&s, "locked", n->site);
	magi_say_end(&s, f->scope->rt);
}

void magi_task_ended(mag_frame *f)
{
	struct magi_reminder note, same;

	if (!debug_of(f))
		return;
	while (magi_reminder_take(&debug_of(f)->reminders, NULL, f, &note)) {
		while (magi_reminder_take(&debug_of(f)->reminders, note.what, f, &same))
			;
		if (is_held(&note))
			say(f, &note);
	}
}
