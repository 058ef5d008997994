/* SPDX-License-Identifier: MIT */
/* shutdown_run.c - the task that leads a shutdown from its beginning to its report, and the one that hears signals.
 *
 * Who:     one task for each shutdown, and a member of its group.
 * Always:  signals are counted where they come in (process/signal.c): when the tasks of the runtime hang, the third one
 *          still does what it did before. */
#include <errno.h>
#include <magpie/runtime.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/host.h"
#include "life/shutdown.h"
#include "task/scope.h"
#include "task/wait.h"

enum {
	NAMES_BYTES = 512,
	SCOPES = 3 /* of run: the group, the shield, and the deadline of a wait */
};

int magi_shutdown_on_signals(struct mag_shutdown *s, const int *set, size_t n)
{
	int rc;

	if (s->listening || s->running)
		return -EBUSY;
	rc = magi_signal_open(&s->signals, set, n, s->options.signals);
	s->listening = rc == 0;
	return rc;
}

/* Those that fell together count, too. */
static uint64_t came(mag_signal *s)
{
	uint64_t n;

	magi_lock_acquire(magi_waitq_lock(&s->waitq));
	n = s->came;
	magi_lock_release(magi_waitq_lock(&s->waitq));
	return n;
}

struct shutdown_ear {
	mag_frame frame;
	MAG_ARGS(shutdown_ear, struct mag_shutdown *shutdown;);
	int64_t rc;
};

static MAG_TASK(shutdown_ear)
{
	MAG_BEGIN(shutdown_ear);
	for (;;) {
		MAG_AWAIT(self->rc, mag_signal_next, &self->shutdown->signals);
		if (self->rc < 0)
			MAG_RETURN(0);
		magi_shutdown_signal(self->shutdown, (int)self->rc, came(&self->shutdown->signals) > 1);
	}
	MAG_END;
}

static void say_left(struct mag_shutdown *s)
{
	char names[NAMES_BYTES];
	size_t n = magi_shutdown_names(s, names, sizeof(names));

	fprintf(stderr, "magpie: shutdown: %zu participant(s) have not ended:%s\n", n, names);
	mag_runtime_dump(mag_runtime_current(), STDERR_FILENO);
}

static void report(struct mag_shutdown *s)
{
	struct magi_host *h = magi_host();

	if (s->options.report)
		s->options.report(s->options.ctx, s, &s->report);
	else if (s->report.left && (!h || !h->alone)) /* a simulation reports in its own way */
		say_left(s);
	if (s->report.left && s->options.abort)
		abort();
}

MAG_TASK(mag_shutdown_run)
{
	MAG_BEGIN(mag_shutdown_run);
	if (!magi_scope_has_room(&self->frame, SCOPES, 1))
		MAG_RETURN(MAG_EDEPTH);
	if (!magi_shutdown_starts(self->shutdown))
		MAG_RETURN(-EBUSY);
	self->rc = self->why = 0;
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	if (self->shutdown->listening)
		MAG_SPAWN(self->rc, &self->group, shutdown_ear, .shutdown = self->shutdown);
	if (self->rc == -ENOMEM) {
		MAG_GROUP_END(self->waste, &self->group);
		magi_shutdown_ended(self->shutdown);
		MAG_RETURN(-ENOMEM);
	}
	do {
		MAGI_AWAIT(self->rc, "the next stage", magi_shutdown_wait(w, &self->frame, self->shutdown));
		if (self->rc == -ENOMEM) /* there is none to wait with a deadline: from time to time, then */
			MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
		if (self->rc == MAG_ECANCELED && !self->why) {
			self->why = MAG_ECANCELED;
			mag_shutdown_hurry(self->shutdown);
			MAG_SHIELD(&self->shield, MAG_NEVER);
		}
	} while (magi_shutdown_goes_on(self->shutdown));
	if (self->why)
		MAG_SCOPE_END(self->waste, &self->shield);
	mag_group_cancel(&self->group);
	MAG_GROUP_END(self->waste, &self->group);
	if (self->shutdown->listening)
		mag_signal_close(&self->shutdown->signals);
	self->shutdown->listening = 0;
	report(self->shutdown);
	self->rc = self->shutdown->report.left;
	magi_shutdown_ended(self->shutdown);
	MAG_RETURN(self->why ? self->why : self->rc);
	MAG_END;
}
