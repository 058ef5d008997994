/* SPDX-License-Identifier: MIT */
/* report.c - what debug mode says, and to whom; report.h has the rules. */
#include "task/report.h"

#include <errno.h>
#include <inttypes.h>
#include <magpie/options.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "task/tree.h"

enum {
	STALL_MS = 100,      /* asyncio's slow_callback_duration */
	CROWD = 100000,      /* picked: as many frames of the smallest kind take 13 MB */
	LINES_A_SECOND = 10, /* of a kind */
	PATIENCE_MS = 1000   /* a reader of stderr that takes nothing must not keep a worker for ever */
};

static const char *const names[] = { "stall", "stall ended", "group", "error", "future",
				     "lock",  "waiter",      "crowd", "file" };

MAGI_ASSERT_STATIC(sizeof(names) / sizeof(names[0]) == MAG_REPORT_KINDS, "each kind has a name");

const char *mag_report_name(enum mag_report_kind kind)
{
	return (unsigned)kind < MAG_REPORT_KINDS ? names[kind] : "?";
}

/* Options. */

/* A word of MAGPIE_DEBUG, which has commas between them; what stands behind it, or NULL. */
static const char *word(const char *name)
{
	const char *at = getenv("MAGPIE_DEBUG");
	size_t n = strlen(name);

	while (at) {
		if (!strncmp(at, name, n) && strchr(name[n - 1] == '=' ? "0123456789" : ",", at[n]))
			return at + n;
		at = strchr(at, ',');
		at += at != NULL;
	}
	return NULL;
}

bool magi_debug_everywhere(void)
{
	return word("report") || word("abort");
}

static void take_environment(mag_debug_options *o)
{
	const char *stall = word("stall=");

	o->fatal |= word("abort") != NULL;
	if (stall)
		o->stall_ns = strtoull(stall, NULL, 10) * MAGI_NS_PER_MS;
}

/* Those of the process: by these a thread that is no worker of a runtime finds whether it is there. */
static struct {
	magi_lock lock;
	struct magi_debug *first; /* atomic */
} all;

static void list(struct magi_debug *d)
{
	magi_lock_acquire(&all.lock);
	d->next = all.first;
	d->pprev = &all.first;
	if (d->next)
		d->next->pprev = &d->next;
	magi_store_rlx(&all.first, d); /* [hint] who knows a handle of its runtime has it from later */
	magi_lock_release(&all.lock);
}

static void unlist(struct magi_debug *d)
{
	magi_lock_acquire(&all.lock);
	if (d->next)
		d->next->pprev = d->pprev;
	magi_store_rlx(d->pprev, d->next); /* [hint] */
	magi_lock_release(&all.lock);
}

void magi_debug_heard(const mag_runtime *rt, const void *what, const void *otherwise, const void *whose)
{
	struct magi_reminder note;
	struct magi_debug *d;

	if (!magi_load_rlx(&all.first)) /* [hint] */
		return;
	magi_lock_acquire(&all.lock);
	d = all.first;
	while (d && (const char *)d->owner != (const char *)rt + offsetof(mag_runtime, debug))
		d = d->next;
	if (d && !magi_reminder_take(&d->reminders, what, whose, &note))
		magi_reminder_take(&d->reminders, otherwise, whose, &note);
	magi_lock_release(&all.lock);
}

int magi_debug_create(struct magi_debug **debug, const mag_debug_options *given)
{
	mag_debug_options o;
	struct magi_debug *d;

	*debug = NULL;
	if (mag_options_take(&o, sizeof(o), given) < 0)
		return -EINVAL;
	if (o.off || (!given && !magi_debug_everywhere()))
		return 0;
	take_environment(&o);
	o.stall_ns = o.stall_ns ? o.stall_ns : STALL_MS * MAGI_NS_PER_MS;
	o.crowd = o.crowd ? o.crowd : CROWD;
	d = magi_zalloc(sizeof(*d));
	if (!d)
		return -ENOMEM;
	d->options = o;
	d->began = magi_clock_ns();
	d->owner = debug;
	*debug = d;
	list(d);
	return 0;
}

void magi_debug_destroy(struct magi_debug *debug)
{
	if (!debug)
		return;
	unlist(debug);
	magi_reminders_fini(&debug->reminders);
	magi_free(debug);
}

/* A report. */

void magi_say_begin(struct magi_saying *s, enum mag_report_kind kind, const mag_site *at)
{
	s->report = (mag_report){ .kind = kind, .task = s->task, .at = at, .text = s->room };
	s->task[0] = s->room[0] = 0;
	magi_say_name(s, at ? at->func : NULL);
	s->text = (struct magi_text){ .at = s->room, .room = sizeof(s->room) };
}

void magi_say_name(struct magi_saying *s, const char *func)
{
	struct magi_text name = { .at = s->task, .room = sizeof(s->task) };

	if (func)
		magi_text_function(&name, func);
}

void magi_say_made(struct magi_saying *s, const char *how, const mag_site *made)
{
	s->report.made = made;
	if (!made)
		return;
	magi_text_add(&s->text, ", %s at ", how);
	magi_text_place(&s->text, made);
}

/* How many were left out since the last line of this kind; -1: so is this one. */
static int64_t may_say(struct magi_debug *d, enum mag_report_kind kind)
{
	uint64_t second = (magi_clock_ns() - d->began) / MAGI_NS_PER_S;
	int64_t left_out = -1;

	magi_lock_acquire(&d->lock);
	if (d->rate[kind].second != second) {
		d->rate[kind].second = second;
		d->rate[kind].said = 0;
	}
	if (d->rate[kind].said++ < LINES_A_SECOND) {
		left_out = (int64_t)d->rate[kind].left_out;
		d->rate[kind].left_out = 0;
	} else {
		d->rate[kind].left_out++;
	}
	magi_lock_release(&d->lock);
	return left_out;
}

static void print(const mag_report *r, int64_t left_out)
{
	struct magi_text t;
	char room[640];

	t = (struct magi_text){ .at = room, .room = sizeof(room) };
	magi_text_add(&t, "magpie: %s: %s", mag_report_name(r->kind), r->text);
	if (left_out > 0)
		magi_text_add(&t, " (%" PRId64 " more of this kind before it)", left_out);
	magi_text_add(&t, "\n");
	(void)magi_text_write(&t, STDERR_FILENO, PATIENCE_MS);
}

void magi_say_end(struct magi_saying *s, mag_runtime *rt)
{
	struct magi_debug *d = rt ? rt->debug : NULL;
	mag_debug_options o = { .size = sizeof(o) };
	int64_t left_out = 0;

	if (d) {
		o = d->options;
		magi_add_rlx(&d->reports, UINT64_C(1)); /* [stat] */
	} else {
		take_environment(&o);
	}
	if (o.report)
		o.report(&s->report, o.ctx);
	else if (d && !o.fatal)
		left_out = may_say(d, s->report.kind);
	if ((!o.report && left_out >= 0) || o.fatal)
		print(&s->report, left_out);
	if (o.fatal)
		abort();
}

const mag_site *magi_here(const struct magi_worker *w)
{
	if (w->completes)
		return w->completes->at;
	return magi_load_rlx(&w->step_at) ? magi_load_rlx(&w->step_frame)->at : NULL; /* [own] */
}
