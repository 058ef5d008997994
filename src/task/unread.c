/* SPDX-License-Identifier: MIT */
/* unread.c - errors that nobody asked for; unread.h has the rules. */
#include "task/unread.h"

#include <inttypes.h>
#include <magpie/group_errors.h>

#include "task/tree.h"

/* The name of all that have a handle and no note of their own. */
static const void *others_of(const mag_group *g)
{
	return &g->news;
}

void magi_unread_note_unnamed(const mag_group *g, const mag_site *site, int64_t rc)
{
	magi_reminder_add(&g->scope.rt->debug->reminders, g, g, site, rc);
}

void magi_unread_note(mag_group *g, const mag_frame *f, const mag_handle *h, int64_t rc)
{
	struct magi_debug *d = magi_debug(g->scope.rt);

	if (!d || rc >= 0 || g->policy != MAG_COLLECT || g->apart)
		return;
	/* in its slot it is given to who gathers; to the thread that has started it, by a future, or see run/enter.c */
	if ((f->flags & MAGI_SLOTTED) || f->at == &magi_tree_entrance)
		return;
	if (!h)
		magi_unread_note_unnamed(g, f->at, rc);
	else if (magi_reminder_notes(&d->reminders, g, MAG_GROUP_ERRORS_MAX) < MAG_GROUP_ERRORS_MAX)
		magi_reminder_put(&d->reminders, h, g, f->at, rc);
	else
		magi_reminder_add(&d->reminders, others_of(g), g, f->at, rc);
}

void magi_unread_heard(const mag_group *g)
{
	struct magi_reminder first;

	if (g->scope.rt && magi_debug(g->scope.rt))
		magi_reminder_take_all(&g->scope.rt->debug->reminders, g, &first);
}

void magi_unread_heard_one(const mag_handle *h)
{
	magi_debug_heard(h->scope.rt, h, others_of(h->group), h->group);
}

void magi_unread_tell(mag_runtime *rt, const mag_group *g, const mag_site *site)
{
	struct magi_debug *d = magi_debug(rt);
	struct magi_reminder first;
	uint32_t n = d ? magi_reminder_take_all(&d->reminders, g, &first) : 0;
	struct magi_saying s;

	if (!n)
		return;
	magi_say_begin(&s, MAG_REPORT_ERROR, first.site);
	s.report.code = first.code;
	s.report.count = n;
	magi_text_add(&s.text, "nobody has asked for ");
	if (n > 1)
		magi_text_add(&s.text, "%" PRIu32 " errors, the first ", n);
	magi_text_add(&s.text, "%s", mag_errname(first.code));
	if (first.site) {
		magi_text_add(&s.text, " of %s at ", s.task);
		magi_text_place(&s.text, first.site);
	}
	magi_say_made(&s, "in the group opened", site);
	magi_say_end(&s, rt);
}
