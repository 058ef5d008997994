/* SPDX-License-Identifier: MIT */
/* shutdown.c - the stages of an end, and who takes part in it.
 *
 * What:    participants in a list for each stage; a state, of which follows who is to be cancelled; one task that waits for
 *          the end of the state or of all participants.
 * Who:     begin, hurry: any thread. join, leave: the participant's task. run: one task.
 * Always:  the lists change under the lock, and who is cancelled is marked under it, too, which is before the scopes'
 *          locks: a participant that has left is in no list and marked by nobody, however many leave while others are
 *          told. What the marks set free is resumed after the lock. Run does not end while somebody who has begun it, or
 *          hurries, is still about to set the event. After its last leave a participant's task, and after
 *          run the caller, may free everything.
 * Pairs:   the lock. [state], [cancelled] task/wait.h, task/cancel.c
 * Not:     a copy of the list to walk over (a participant that has left meanwhile would be cancelled in memory that is
 *          something else's by then); cancelling in the task that leads (it waits its turn while work goes on). */
#include <errno.h>
#include <magpie/options.h>
#include <magpie/shutdown.h>
#include <stdio.h>

#include "base/assert.h"
#include "life/shutdown.h"
#include "sched/meet.h"
#include "task/cancel.h"
#include "task/scope.h"
#include "task/until.h"
#include "task/wait.h"

enum { STAGES = 3, DRAIN_S = 10, CANCEL_S = 5, SIGNALS = 2 };

/* What is to be done when the lock is released. */
struct later {
	struct magi_cancel cancel; /* of the participants' runtime; rt NULL: nobody is cancelled */
	mag_frame *granted;
};

static void lock(struct mag_shutdown *s)
{
	magi_lock_acquire(magi_waitq_lock(&s->waitq));
}

static void unlock(struct mag_shutdown *s)
{
	magi_lock_release(magi_waitq_lock(&s->waitq));
}

static void unlock_then(struct mag_shutdown *s, struct later *later)
{
	struct magi_cancel *c = &later->cancel;

	unlock(s);
	magi_wait_resume(later->granted);
	if (c->rt) {
		magi_cancel_finish(c, magi_self_in(c->rt));
		magi_visit_end(c->rt);
	}
}

int mag_shutdown_init(struct mag_shutdown *s, const struct mag_shutdown_options *options)
{
	*s = (struct mag_shutdown){ .state_end = MAG_NEVER };
	mag_event_init(&s->going);
	if (mag_options_take(&s->options, sizeof(s->options), options) < 0)
		return -EINVAL;
	if (!s->options.drain_ns)
		s->options.drain_ns = DRAIN_S * MAG_SECOND;
	if (!s->options.cancel_ns)
		s->options.cancel_ns = CANCEL_S * MAG_SECOND;
	if (!s->options.signals)
		s->options.signals = SIGNALS;
	return 0;
}

static uint32_t all_of(const struct mag_shutdown *s)
{
	return s->count[MAG_SHUTDOWN_TAKING] + s->count[MAG_SHUTDOWN_WORK] + s->count[MAG_SHUTDOWN_LAST];
}

int mag_shutdown_fini(struct mag_shutdown *s)
{
	const char *name = "mag_shutdown_run";
	bool busy;

	lock(s);
	busy = s->running || all_of(s);
	for (int i = 0; i < STAGES; i++)
		name = s->parts[i] ? s->parts[i]->name : name;
	unlock(s);
	if (busy) {
		magi_misuse("mag_shutdown_fini: it is in use: %s", name);
		(void)name;
		return -EBUSY;
	}
	if (s->listening)
		mag_signal_close(&s->signals);
	s->listening = 0;
	return 0;
}

/* Who is to be cancelled now; the lock is held. */

static void tell(struct mag_shutdown_part *part, struct later *later)
{
	struct magi_cancel *c = &later->cancel;

	if (part->told)
		return;
	part->told = 1;
	if (!c->rt) {
		c->rt = part->scope.rt; /* it lives as long as the participant, and then as we visit it */
		magi_visit_begin(c->rt);
	}
	magi_cancel_mark(c, &part->scope, MAG_ECANCELED);
}

static bool is_due(const struct mag_shutdown *s, int stage)
{
	if (s->state == MAG_SHUTDOWN_OFF)
		return false;
	if (s->state != MAG_SHUTDOWN_DRAINING || stage == MAG_SHUTDOWN_TAKING)
		return true;
	return stage == MAG_SHUTDOWN_LAST && s->count[MAG_SHUTDOWN_TAKING] + s->count[MAG_SHUTDOWN_WORK] == 0;
}

/* The one that leads looks again, now or before it waits. */
static void wake(struct mag_shutdown *s, struct later *later)
{
	mag_frame *f = magi_wait_grant(&s->waitq, 0);

	if (f)
		magi_wait_list(&later->granted, f);
	else
		s->news = 1;
}

static void advance(struct mag_shutdown *s, struct later *later)
{
	for (int stage = 0; stage < STAGES; stage++) {
		if (!is_due(s, stage))
			continue;
		for (struct mag_shutdown_part *part = s->parts[stage]; part; part = part->next)
			tell(part, later);
	}
	if (s->state != MAG_SHUTDOWN_OFF && !all_of(s))
		wake(s, later);
}

static void enter_state(struct mag_shutdown *s, enum mag_shutdown_state state, struct later *later)
{
	uint64_t now = mag_now(), ns = state == MAG_SHUTDOWN_DRAINING ? s->options.drain_ns : s->options.cancel_ns;

	if (s->state == MAG_SHUTDOWN_OFF)
		s->began = now;
	s->state = state;
	s->state_end = now + ns < now ? MAG_NEVER : now + ns;
	advance(s, later);
	wake(s, later);
}

static int go_to(struct mag_shutdown *s, enum mag_shutdown_state state, int signal)
{
	struct later later = { 0 }, last = { 0 };
	int rc;

	lock(s);
	s->telling++;
	rc = s->state < state;
	if (s->state == MAG_SHUTDOWN_OFF)
		s->report.signal = signal;
	if (rc) {
		s->report.hurried |= state == MAG_SHUTDOWN_CANCELLED;
		enter_state(s, state, &later);
	}
	unlock_then(s, &later);
	mag_event_set(&s->going);
	lock(s);
	s->telling--;
	wake(s, &last);
	unlock_then(s, &last);
	return rc;
}

int magi_shutdown_signal(struct mag_shutdown *s, int signal, bool hurries)
{
	return go_to(s, hurries ? MAG_SHUTDOWN_CANCELLED : MAG_SHUTDOWN_DRAINING, signal);
}

int mag_shutdown_begin(struct mag_shutdown *s)
{
	return go_to(s, MAG_SHUTDOWN_DRAINING, 0);
}

int mag_shutdown_hurry(struct mag_shutdown *s)
{
	return go_to(s, MAG_SHUTDOWN_CANCELLED, 0);
}

/* Participants. */

/* Out of the list; the scope is open, but nobody marks it from now on. */
static void leave(struct mag_shutdown_part *part)
{
	struct mag_shutdown *s = part->shutdown;
	struct later later = { 0 };

	lock(s);
	*part->pprev = part->next;
	if (part->next)
		part->next->pprev = part->pprev;
	s->count[part->stage]--;
	if (s->state == MAG_SHUTDOWN_DRAINING)
		s->report.finished++;
	else if (s->state == MAG_SHUTDOWN_CANCELLED)
		s->report.cancelled++;
	advance(s, &later);
	unlock_then(s, &later);
}

static mag_frame *leave_with_frame(mag_worker *w, mag_frame *f, struct magi_open_hook *hook)
{
	struct mag_shutdown_part *part =
		(struct mag_shutdown_part *)(void *)((char *)hook - offsetof(struct mag_shutdown_part, hook));

	(void)w;
	leave(part);
	magi_open_unlink(f, &hook->open);
	return f;
}

void magi_shutdown_join(mag_worker *w, mag_frame *f, struct mag_shutdown *s, struct mag_shutdown_part *part,
			enum mag_shutdown_stage stage, const char *name)
{
	struct later later = { 0 };

	magi_scope_open(w, f, &part->scope, MAG_NEVER, 0);
	part->hook.leave = leave_with_frame;
	magi_open_push(f, &part->hook.open, MAGI_OPEN_HOOK);
	part->shutdown = s;
	part->name = name ? name : "?";
	part->stage = (unsigned)stage < STAGES ? stage : MAG_SHUTDOWN_WORK;
	part->told = 0;
	lock(s);
	part->next = s->parts[part->stage];
	part->pprev = &s->parts[part->stage];
	if (part->next)
		part->next->pprev = &part->next;
	s->parts[part->stage] = part;
	s->count[part->stage]++;
	if (is_due(s, (int)part->stage))
		tell(part, &later);
	unlock_then(s, &later);
}

mag_frame *magi_shutdown_leave(mag_worker *w, mag_frame *f, struct mag_shutdown_part *part)
{
	(void)w;
	magi_open_pop(f, &part->hook.open, "MAG_SHUTDOWN_LEAVE");
	leave(part);
	f->op.result = magi_scope_close(f, &part->scope);
	return f;
}

/* The one that leads. */

/* The lock is held. Whether there is nothing to look at. */
static bool quiet(struct mag_shutdown *s)
{
	bool news = s->news;

	s->news = 0;
	return !news && (s->state == MAG_SHUTDOWN_OFF || s->telling || all_of(s));
}

static mag_frame *wait_op(mag_worker *w, mag_frame *f, void *shutdown, uint64_t arg)
{
	struct mag_shutdown *s = shutdown;
	int rc = magi_cancelled(f) ? MAG_ECANCELED : magi_wait_begin(w, f);

	(void)arg;
	if (rc < 0)
		return magi_wait_done(w, f, rc);
	lock(s);
	if (quiet(s)) {
		if (magi_wait_park(f, &s->waitq, 0)) {
			unlock(s);
			return NULL;
		}
		rc = MAG_ECANCELED;
	}
	unlock(s);
	return magi_wait_done(w, f, rc);
}

mag_frame *magi_shutdown_wait(mag_worker *w, mag_frame *f, struct mag_shutdown *s)
{
	uint64_t deadline;

	lock(s);
	deadline = s->state_end;
	unlock(s);
	return magi_until(w, f, wait_op, s, 0, deadline);
}

bool magi_shutdown_goes_on(struct mag_shutdown *s)
{
	struct later later = { 0 };
	bool late, on = true;

	lock(s);
	late = mag_now() >= s->state_end;
	if (s->state != MAG_SHUTDOWN_OFF && !s->telling &&
	    (!all_of(s) || (late && s->state == MAG_SHUTDOWN_CANCELLED))) {
		s->report.left = all_of(s);
		s->report.ns = mag_now() - s->began;
		s->state = MAG_SHUTDOWN_OVER;
		on = false;
	} else if (late && s->state == MAG_SHUTDOWN_DRAINING) {
		enter_state(s, MAG_SHUTDOWN_CANCELLED, &later);
	}
	unlock_then(s, &later);
	return on;
}

bool magi_shutdown_starts(struct mag_shutdown *s)
{
	bool rc;

	lock(s);
	rc = !s->running && s->state != MAG_SHUTDOWN_OVER;
	s->running |= rc;
	unlock(s);
	return rc;
}

/* run's task goes on, and may free it. */
void magi_shutdown_ended(struct mag_shutdown *s)
{
	lock(s);
	s->running = 0;
	unlock(s);
}

/* Looking. */

mag_event *mag_shutdown_event(struct mag_shutdown *s)
{
	return &s->going;
}

enum mag_shutdown_state mag_shutdown_state(struct mag_shutdown *s)
{
	enum mag_shutdown_state state;

	lock(s);
	state = s->state;
	unlock(s);
	return state;
}

size_t mag_shutdown_count(struct mag_shutdown *s, const char **names, size_t most)
{
	size_t n = 0;

	lock(s);
	for (int i = 0; i < STAGES; i++) {
		for (const struct mag_shutdown_part *part = s->parts[i]; part; part = part->next, n++) {
			if (names && n < most)
				names[n] = part->name;
		}
	}
	unlock(s);
	return n;
}

size_t magi_shutdown_names(struct mag_shutdown *s, char *text, size_t size)
{
	size_t n = 0, used = 0;

	text[0] = 0;
	lock(s);
	for (int i = 0; i < STAGES; i++) {
		for (const struct mag_shutdown_part *part = s->parts[i]; part; part = part->next, n++) {
			if (used < size)
				used += (size_t)snprintf(text + used, size - used, "%s %s", n ? "," : "", part->name);
		}
	}
	unlock(s);
	return n;
}
