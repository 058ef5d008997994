/* SPDX-License-Identifier: MIT */
/* background.c - the registry of background tasks: who is there, what it is at, when it is started again.
 *
 * What:    an entry for each task, in a list in the order of their starts; keeper.c runs it.
 * Who:     all: any thread; keepers through background.h.
 * Always:  the list changes under the lock, and who is cancelled is marked under it: an entry that has left is marked by
 *          nobody. The user's function for failures is called under no lock. A keeper's last touch of the background is the
 *          release of the lock under which it has left; who sees that none is left has had that lock after it.
 * Pairs:   the lock. [state], [cancelled] task/wait.h, task/cancel.c
 * Not:     jitter in the delays: what fails together here is a handful, in one process; a table of names: they need not
 *          differ, and cancelling by name is rare. */
#include <errno.h>
#include <magpie/options.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "life/background.h"
#include "sched/meet.h"
#include "sched/slab.h"
#include "task/cancel.h"
#include "task/until.h"
#include "task/wait.h"

enum { DELAY_MS = 100, DELAY_MAX_S = 30, WINDOW_S = 10, RESTARTS = 5, DOUBLINGS_MAX = 62 };

static void lock(struct mag_background *b)
{
	magi_lock_acquire(magi_waitq_lock(&b->waitq));
}

static void unlock(struct mag_background *b)
{
	magi_lock_release(magi_waitq_lock(&b->waitq));
}

int mag_background_init(struct mag_background *b, mag_runtime *rt, const struct mag_background_options *options)
{
	*b = (struct mag_background){ .rt = rt ? rt : mag_runtime_current() };
	b->tail = &b->first;
	if (mag_options_take(&b->options, sizeof(b->options), options) < 0 || !b->rt)
		return -EINVAL;
	if (!b->options.limit)
		b->options.limit = MAG_BACKGROUND_LIMIT;
	return 0;
}

int mag_background_fini(struct mag_background *b)
{
	bool busy;

	lock(b);
	busy = b->count || magi_wait_first(&b->waitq);
	unlock(b);
	if (!busy)
		return 0;
	magi_misuse("mag_background_fini: it is in use, the first of its tasks is %s",
		    b->first ? b->first->info.name : "gone");
	return -EBUSY;
}

/* Starting. */

static void settle_task(struct mag_background_task *t)
{
	if (!t->delay_ns)
		t->delay_ns = DELAY_MS * MAG_MILLISECOND;
	if (!t->delay_max_ns)
		t->delay_max_ns = DELAY_MAX_S * MAG_SECOND;
	if (!t->window_ns)
		t->window_ns = WINDOW_S * MAG_SECOND;
	if (!t->restarts_max)
		t->restarts_max = RESTARTS;
}

static struct magi_background_entry *entry_create(struct mag_background *b, const struct mag_background_task *task,
						  const char *name, size_t args_size)
{
	struct magi_background_entry *e = magi_zalloc(sizeof(*e) + args_size);

	if (!e)
		return NULL;
	e->background = b;
	e->task = *task;
	settle_task(&e->task);
	snprintf(e->info.name, sizeof(e->info.name), "%s", e->task.name ? e->task.name : name);
	e->info.since = mag_now();
	return e;
}

/* Into the list: its id, or why not. */
static int64_t enlist(struct mag_background *b, struct magi_background_entry *e)
{
	int64_t rc = b->closed ? MAG_ECLOSED : b->count >= b->options.limit ? -EBUSY : 0;

	if (rc < 0)
		return rc;
	b->count++;
	b->stats.started++;
	e->info.id = ++b->last_id;
	e->pprev = b->tail;
	*b->tail = e;
	b->tail = &e->next;
	return (int64_t)e->info.id;
}

/* Out of it; who waits is given to the caller, to be resumed without the lock. */
static mag_frame *delist(struct mag_background *b, struct magi_background_entry *e)
{
	*e->pprev = e->next;
	if (e->next)
		e->next->pprev = e->pprev;
	else
		b->tail = e->pprev;
	return --b->count ? NULL : magi_wait_grant_all(&b->waitq, 0);
}

static int64_t launch(struct mag_background *b, struct magi_background_entry *e)
{
	mag_runtime *rt = b->rt;
	mag_frame *granted = NULL;
	int64_t id;
	int rc;

	lock(b);
	id = enlist(b, e);
	unlock(b);
	if (id < 0)
		return id;
	rc = mag_spawn_from(rt, NULL, magi_keeper, .entry = e);
	if (rc == 0)
		return id;
	lock(b);
	b->stats.started--;
	granted = delist(b, e);
	unlock(b);
	magi_wait_resume(granted);
	return rc;
}

int64_t magi_background_start(struct mag_background *b, const struct mag_background_task *task, const char *fn,
			      mag_step_fn step, int cls, size_t size, size_t at, const void *args, size_t args_size)
{
	struct magi_background_entry *e;
	struct mag_background_task own;
	int64_t rc;

	if (mag_options_take(&own, sizeof(own), task) < 0 || (unsigned)own.restart > MAG_RESTART_ALWAYS)
		return -EINVAL;
	e = entry_create(b, &own, fn, args_size);
	if (!e)
		return -ENOMEM;
	e->step = step;
	e->cls = cls;
	e->size = size;
	e->at = at;
	e->args_size = args_size;
	memcpy(e->args, args, args_size);
	e->frame = magi_slab_take_foreign(b->rt, (unsigned)cls);
	rc = e->frame ? launch(b, e) : -ENOMEM;
	if (rc < 0) {
		if (e->frame)
			magi_slab_give_foreign(b->rt, (unsigned)cls, e->frame);
		magi_free(e);
	}
	return rc;
}

/* Keepers. */

static void set_state(struct magi_background_entry *e, enum mag_background_state state)
{
	if (e->info.state != MAG_BACKGROUND_ENDING && e->info.state != state) {
		e->info.state = state;
		e->info.since = mag_now();
	}
}

/* Cancels those of an id, or a name, or all; 0 and NULL: all. */
static uint32_t cancel(struct mag_background *b, uint64_t id, const char *name, bool close)
{
	struct magi_cancel c = { b->rt, NULL, 0 };
	uint32_t n = 0;
	bool any;

	lock(b);
	b->closed |= close;
	any = b->first != NULL; /* a task of the runtime's; without one that may be gone */
	if (any)
		magi_visit_begin(c.rt);
	for (struct magi_background_entry *e = b->first; e; e = e->next) {
		if ((id && e->info.id != id) || (name && strcmp(e->info.name, name) != 0) ||
		    e->info.state == MAG_BACKGROUND_ENDING)
			continue;
		set_state(e, MAG_BACKGROUND_ENDING);
		if (e->scope)
			magi_cancel_mark(&c, e->scope, MAG_ECANCELED);
		n++;
	}
	unlock(b);
	if (!any)
		return 0;
	magi_cancel_finish(&c, magi_self_in(c.rt));
	magi_visit_end(c.rt);
	return n;
}

void magi_background_runs_in(struct magi_background_entry *e, mag_scope *scope)
{
	struct mag_background *b = e->background;
	bool cancelled;

	lock(b);
	e->scope = scope;
	cancelled = e->info.state == MAG_BACKGROUND_ENDING;
	unlock(b);
	if (scope && cancelled)
		mag_scope_cancel(scope); /* its own task does it: it is open */
}

void magi_background_restarts(struct magi_background_entry *e)
{
	lock(e->background);
	e->background->stats.restarts++;
	e->info.restarts++;
	set_state(e, MAG_BACKGROUND_RUNS);
	unlock(e->background);
}

void magi_background_gone(struct magi_background_entry *e)
{
	struct mag_background *b = e->background;
	mag_frame *granted;

	lock(b);
	b->stats.ended++;
	granted = delist(b, e);
	unlock(b);
	magi_wait_resume(granted);
	magi_free(e);
}

/* Whether it may be started once more, by how often it was of late; the lock is held. */
static bool within_bounds(struct magi_background_entry *e)
{
	uint64_t now = mag_now();

	if (now - e->window >= e->task.window_ns || !e->recent) {
		e->window = now;
		e->recent = 0;
	}
	return e->task.restarts_max == UINT32_MAX || e->recent < e->task.restarts_max;
}

static uint64_t next_delay(struct magi_background_entry *e)
{
	uint64_t delay;

	if (mag_now() - e->info.since >= e->task.window_ns) /* it ran well for long */
		e->doublings = 0;
	delay = e->task.delay_ns;
	for (uint32_t i = 0; i < e->doublings && delay < e->task.delay_max_ns; i++)
		delay *= 2;
	e->recent++;
	e->doublings += e->doublings < DOUBLINGS_MAX;
	return delay < e->task.delay_max_ns ? delay : e->task.delay_max_ns;
}

static void say(const struct mag_background_failure *f)
{
	struct mag_group_error error = { .site = f->site, .code = f->code, .index = -1 };
	struct magi_host *h = magi_host();
	char text[256];

	if (h && h->alone) /* a simulation reports in its own way */
		return;
	mag_group_error_text(&error, text, sizeof(text));
	fprintf(stderr, "magpie: background task %s: %s%s\n", f->name, text,
		f->again ? "; it is started again" : f->given_up ? "; it has failed too often and is given up" : "");
}

bool magi_background_returned(struct magi_background_entry *e, int64_t code, const mag_site *site, bool cancelled,
			      uint64_t *delay)
{
	struct mag_background *b = e->background;
	struct mag_background_failure f = { .name = e->info.name, .code = code, .site = site };
	bool wanted = !cancelled && (e->task.restart == MAG_RESTART_ALWAYS ||
				     (e->task.restart == MAG_RESTART_ON_FAILURE && code < 0));

	lock(b);
	f.id = e->info.id;
	f.restarts = e->info.restarts;
	if (code < 0) {
		b->stats.failures++;
		e->info.code = code;
	}
	f.again = wanted && within_bounds(e) && e->info.state != MAG_BACKGROUND_ENDING;
	f.given_up = wanted && !f.again && e->info.state != MAG_BACKGROUND_ENDING;
	b->stats.given_up += f.given_up;
	if (f.again)
		f.delay_ns = next_delay(e);
	set_state(e, f.again ? MAG_BACKGROUND_WAITS : MAG_BACKGROUND_ENDING);
	unlock(b);
	*delay = f.delay_ns;
	if ((code < 0 || f.given_up) && b->options.failed)
		b->options.failed(b->options.ctx, &f);
	else if (code < 0 || f.given_up)
		say(&f);
	return f.again;
}

/* Ending. */

uint32_t mag_background_cancel(struct mag_background *b, uint64_t id)
{
	return id ? cancel(b, id, NULL, false) : 0;
}

uint32_t mag_background_cancel_name(struct mag_background *b, const char *name)
{
	return name ? cancel(b, 0, name, false) : 0;
}

uint32_t mag_background_stop(struct mag_background *b)
{
	return cancel(b, 0, NULL, true);
}

/* Whether some are left. */
static bool some_left(struct mag_background *b)
{
	bool some;

	lock(b);
	some = b->count != 0;
	unlock(b);
	return some;
}

mag_frame *mag_background_wait(mag_worker *w, mag_frame *f, struct mag_background *b)
{
	int rc = magi_cancelled(f) ? MAG_ECANCELED : magi_wait_begin(w, f);

	if (rc < 0)
		return magi_wait_done(w, f, rc);
	lock(b);
	if (b->count) {
		if (magi_wait_park(f, &b->waitq, 0)) {
			unlock(b);
			return NULL;
		}
		rc = MAG_ECANCELED;
	}
	unlock(b);
	return magi_wait_done(w, f, rc);
}

static mag_frame *wait_op(mag_worker *w, mag_frame *f, void *background, uint64_t arg)
{
	(void)arg;
	return mag_background_wait(w, f, background);
}

mag_frame *mag_background_wait_until(mag_worker *w, mag_frame *f, struct mag_background *b, uint64_t deadline)
{
	if (!magi_cancelled(f) && !some_left(b))
		return magi_wait_done(w, f, 0);
	return magi_until(w, f, wait_op, b, 0, deadline);
}

/* Looking. */

size_t mag_background_list(struct mag_background *b, struct mag_background_info *infos, size_t most)
{
	size_t n = 0;

	lock(b);
	for (const struct magi_background_entry *e = b->first; e; e = e->next, n++) {
		if (infos && n < most)
			infos[n] = e->info;
	}
	unlock(b);
	return n;
}

void mag_background_stats(struct mag_background *b, struct mag_background_stats *stats)
{
	lock(b);
	*stats = b->stats;
	unlock(b);
}
