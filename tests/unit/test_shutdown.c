/* SPDX-License-Identifier: MIT */
/* test_shutdown.c - src/life/shutdown.c: the stages of an end, and what each does to those that take part. Time is simulated;
 * what the process does is not. */
#include <errno.h>
#include <magpie/magpie.h>
#include <magpie/sim.h>
#include <unistd.h>

#include "support/matrix.h"
#include "unit/again.h"
#include "unit/play.h"

#define TILL_OVER 1

/* A participant that does something until it is done or cancelled, and then cleans up for a while. */
struct part {
	mag_frame frame;
	MAG_ARGS(part, struct mag_shutdown *down; enum mag_shutdown_stage stage; uint64_t works, cleans;
		 uint64_t * ended; int64_t * got;);
	struct mag_shutdown_part part;
	mag_scope shield;
	int64_t rc, why;
};

MAG_TASK(part)
{
	MAG_BEGIN(part);
	MAG_SHUTDOWN_JOIN(self->down, &self->part, self->stage, "part");
	MAG_AWAIT(self->rc, mag_sleep, self->works);
	if (self->cleans) {
		MAG_SHIELD(&self->shield, MAG_NEVER);
		do
			MAG_AWAIT(self->why, mag_sleep, self->cleans == TILL_OVER ? MAG_MILLISECOND : self->cleans);
		while (self->cleans == TILL_OVER && mag_shutdown_state(self->down) != MAG_SHUTDOWN_OVER);
		MAG_SCOPE_END(self->why, &self->shield);
	}
	MAG_SHUTDOWN_LEAVE(self->why, &self->part);
	NEED(self->why == (self->rc < 0 ? MAG_ECANCELED : 0) || self->why == MAG_ECANCELED);
	if (self->ended)
		*self->ended = mag_now();
	if (self->got)
		*self->got = self->rc;
	MAG_RETURN(0);
	MAG_END;
}

static struct mag_shutdown_report told;

static void keep_report(void *ctx, struct mag_shutdown *shutdown, const struct mag_shutdown_report *report)
{
	const char *name = NULL;

	*(uint32_t *)ctx += 1;
	told = *report;
	mag_sim_assert(mag_shutdown_count(shutdown, &name, 1) == report->left);
	mag_sim_assert(!report->left || !strcmp(name, "part"));
}

struct stages {
	mag_frame frame;
	MAG_ARGS(stages, int how;);
	struct mag_shutdown down;
	mag_group group;
	mag_scope scope;
	uint64_t began, ended[3];
	int64_t got[3], rc, left, end;
	uint32_t reports;
	int i;
};

enum { IN_TIME, TOO_SLOW, HURRIED, STAYS, BY_SIGNAL, BY_TWO_SIGNALS, CANCELLED };

static const uint64_t works[][3] = {
	[IN_TIME] = { MAG_NEVER, 2 * MAG_SECOND, MAG_NEVER },
	[TOO_SLOW] = { MAG_NEVER, MAG_NEVER, MAG_NEVER },
	[HURRIED] = { MAG_NEVER, 7 * MAG_SECOND, MAG_NEVER },
	[STAYS] = { MAG_NEVER, MAG_NEVER, MAG_NEVER },
	[BY_SIGNAL] = { MAG_NEVER, 2 * MAG_SECOND, MAG_NEVER },
	[BY_TWO_SIGNALS] = { MAG_NEVER, 7 * MAG_SECOND, MAG_NEVER },
	[CANCELLED] = { MAG_NEVER, 7 * MAG_SECOND, MAG_NEVER },
};

struct starter {
	mag_frame frame;
	MAG_ARGS(starter, struct mag_shutdown *down; int how; mag_scope * scope;);
	int64_t rc;
};

/* Begins it a second later, and hurries one more later, in all ways. */
MAG_TASK(starter)
{
	MAG_BEGIN(starter);
	MAG_AWAIT(self->rc, mag_sleep, MAG_SECOND);
	NEED(mag_shutdown_state(self->down) == MAG_SHUTDOWN_OFF && !mag_event_is_set(mag_shutdown_event(self->down)));
	if (self->how == BY_SIGNAL || self->how == BY_TWO_SIGNALS) {
		NEED(mag_sim_raise(SIGTERM) == 1);
		MAG_AWAIT(self->rc, mag_event_wait, mag_shutdown_event(self->down));
	} else if (self->how != CANCELLED) {
		NEED(mag_shutdown_begin(self->down) == 1);
		NEED(mag_shutdown_begin(self->down) == 0);
	}
	if (self->how != CANCELLED)
		NEED(mag_shutdown_state(self->down) == MAG_SHUTDOWN_DRAINING);
	MAG_AWAIT(self->rc, mag_sleep, MAG_SECOND);
	if (self->how == HURRIED) {
		NEED(mag_shutdown_hurry(self->down) == 1);
		NEED(mag_shutdown_hurry(self->down) == 0);
	} else if (self->how == BY_TWO_SIGNALS) {
		NEED(mag_sim_raise(SIGINT) == 1);
	} else if (self->how == CANCELLED) {
		mag_scope_cancel(self->scope);
	}
	MAG_RETURN(0);
	MAG_END;
}

/* Whether `at` is `seconds` after the beginning, and less than 100 ms more. */
static bool is_at(const struct stages *s, uint64_t at, uint64_t seconds)
{
	return at >= s->began + seconds * MAG_SECOND && at < s->began + seconds * MAG_SECOND + 500 * MAG_MILLISECOND;
}

MAG_TASK(stages)
{
	MAG_BEGIN(stages);
	self->reports = 0;
	NEED(mag_shutdown_init(&self->down, &(struct mag_shutdown_options){ .size = sizeof(struct mag_shutdown_options),
									    .drain_ns = 3 * MAG_SECOND,
									    .cancel_ns = 5 * MAG_SECOND,
									    .report = keep_report,
									    .ctx = &self->reports }) == 0);
	if (self->how == BY_SIGNAL || self->how == BY_TWO_SIGNALS) {
		NEED(mag_shutdown_on_signals(&self->down, SIGINT, SIGTERM) == 0);
		NEED(mag_shutdown_on_signals(&self->down, SIGHUP) == -EBUSY);
	}
	self->began = mag_now() + MAG_SECOND;
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 3; self->i++) {
		MAG_SPAWN(self->rc, &self->group, part, .down = &self->down, .stage = (enum mag_shutdown_stage)self->i,
			  .works = works[self->how][self->i] == MAG_NEVER ? MAG_NEVER
									  : works[self->how][self->i] + MAG_SECOND,
			  .cleans = self->how == STAYS && self->i == 1 ? 20 * MAG_SECOND : 0,
			  .ended = &self->ended[self->i], .got = &self->got[self->i]);
		if (self->rc < 0)
			MAG_RETURN(self->rc);
	}
	MAG_SCOPE_BEGIN(&self->scope);
	MAG_SPAWN(self->rc, &self->group, starter, .down = &self->down, .how = self->how, .scope = &self->scope);
	MAG_CALL(self->left, mag_shutdown_run, .shutdown = &self->down);
	MAG_SCOPE_END(self->rc, &self->scope);
	self->end = (int64_t)mag_now();
	NEED(mag_shutdown_state(&self->down) == MAG_SHUTDOWN_OVER);
	NEED(self->reports == 1);
	MAG_CALL(self->rc, mag_shutdown_run, .shutdown = &self->down);
	NEED(self->rc == -EBUSY);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0);
	NEED(is_at(self, self->ended[0], self->how == CANCELLED ? 1 : 0) && self->got[0] == MAG_ECANCELED);
	NEED(self->got[2] == MAG_ECANCELED);
	switch (self->how) {
	case IN_TIME:
	case BY_SIGNAL: /* who is needed by the others is cancelled when they have left */
		NEED(self->left == 0 && self->got[1] == 0);
		NEED(is_at(self, self->ended[1], 2) && is_at(self, self->ended[2], 2));
		NEED(is_at(self, (uint64_t)self->end, 2));
		NEED(told.finished == 3 && !told.cancelled && !told.hurried);
		NEED(told.signal == (self->how == BY_SIGNAL ? SIGTERM : 0));
		break;
	case TOO_SLOW:
		NEED(self->left == 0 && self->got[1] == MAG_ECANCELED);
		NEED(is_at(self, self->ended[1], 3) && is_at(self, self->ended[2], 3));
		NEED(told.finished == 1 && told.cancelled == 2 && !told.hurried);
		break;
	case HURRIED:
	case BY_TWO_SIGNALS:
	case CANCELLED:
		NEED(self->left == (self->how == CANCELLED ? MAG_ECANCELED : 0) && self->got[1] == MAG_ECANCELED);
		NEED(is_at(self, self->ended[1], 1) && is_at(self, self->ended[2], 1));
		NEED(told.hurried && told.cancelled + told.finished == 3 && told.left == 0);
		break;
	default: /* the report comes 5 s after the cancellation, and the runtime goes on */
		NEED(self->left == 1 && told.left == 1 && told.finished == 1 && told.cancelled == 1);
		NEED(is_at(self, (uint64_t)self->end, 8) && is_at(self, self->ended[1], 23));
		NEED(is_at(self, self->ended[2], 3));
		NEED(told.ns >= 8 * MAG_SECOND);
	}
	NEED(mag_shutdown_fini(&self->down) == 0);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

Test(shutdown, who_ends_in_time_is_not_cancelled, .timeout = 60)
{
	SIMULATED(stages, .how = IN_TIME);
}

Test(shutdown, who_takes_too_long_is_cancelled, .timeout = 60)
{
	SIMULATED(stages, .how = TOO_SLOW);
}

Test(shutdown, a_hurry_cancels_at_once, .timeout = 60)
{
	SIMULATED(stages, .how = HURRIED);
}

Test(shutdown, who_stays_is_named_and_the_runtime_goes_on, .timeout = 60)
{
	SIMULATED(stages, .how = STAYS);
}

Test(shutdown, a_signal_begins_it, .timeout = 60)
{
	SIMULATED(stages, .how = BY_SIGNAL);
}

Test(shutdown, a_second_signal_hurries, .timeout = 60)
{
	SIMULATED(stages, .how = BY_TWO_SIGNALS);
}

Test(shutdown, a_cancelled_run_hurries_and_waits_for_all, .timeout = 60)
{
	SIMULATED(stages, .how = CANCELLED);
}

/* Use and misuse. */

struct edges {
	mag_frame frame;
	MAG_NO_ARGS(edges);
	struct mag_shutdown down;
	struct mag_shutdown_part part;
	int64_t rc;
};

MAG_TASK(edges)
{
	MAG_BEGIN(edges);
	NEED(mag_shutdown_init(&self->down, &(struct mag_shutdown_options){ .size = 1 }) == -EINVAL);
	NEED(mag_shutdown_init(&self->down, NULL) == 0);
	NEED(mag_shutdown_on_signals(&self->down, SIGKILL) == -EINVAL);
	NEED(mag_shutdown_on_signals(&self->down, SIGUSR1) == 0);
	NEED(mag_shutdown_fini(&self->down) == 0);
	NEED(mag_shutdown_init(&self->down, NULL) == 0);
	/* with nobody there it is over at once */
	NEED(mag_shutdown_begin(&self->down) == 1);
	MAG_CALL(self->rc, mag_shutdown_run, .shutdown = &self->down);
	NEED(self->rc == 0 && mag_shutdown_state(&self->down) == MAG_SHUTDOWN_OVER);
	/* who comes then is cancelled from the start */
	MAG_SHUTDOWN_JOIN(&self->down, &self->part, MAG_SHUTDOWN_WORK, NULL);
	MAG_AWAIT(self->rc, mag_sleep, MAG_NEVER);
	NEED(self->rc == MAG_ECANCELED);
	MAG_SHUTDOWN_LEAVE(self->rc, &self->part);
	NEED(self->rc == MAG_ECANCELED);
	MAG_AWAIT(self->rc, mag_sleep, 1);
	NEED(self->rc == 0);
	NEED(mag_shutdown_fini(&self->down) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(shutdown, options_signals_and_latecomers, .timeout = 60)
{
	int64_t rc = RUN(2, edges);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* Real signals, one of them while nobody can run: the third does what it did. */

struct deaf {
	mag_frame frame;
	MAG_NO_ARGS(deaf);
	struct mag_shutdown down;
	int64_t rc;
};

static volatile sig_atomic_t third;

static void on_third(int number)
{
	third = number;
}

MAG_TASK(deaf)
{
	MAG_BEGIN(deaf);
	NEED(mag_shutdown_init(&self->down, NULL) == 0);
	NEED(mag_shutdown_on_signals(&self->down, SIGUSR1) == 0);
	while (!third) { /* the only worker does not come back */
		raise(SIGUSR1);
		sched_yield();
	}
	MAG_CALL(self->rc, mag_shutdown_run, .shutdown = &self->down);
	NEED(self->rc == 0 && self->down.report.hurried && self->down.report.signal == SIGUSR1);
	NEED(mag_shutdown_fini(&self->down) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(shutdown, a_third_signal_does_what_it_did_although_no_task_runs, .timeout = 60)
{
	int64_t rc;

	signal(SIGUSR1, on_third);
	rc = RUN(1, deaf);
	cr_assert_eq(rc, 0, "%s", where(rc));
	cr_assert_eq(third, SIGUSR1);
}

/* Somebody who stays: the words on stderr, and abort. */

struct stays {
	mag_frame frame;
	MAG_ARGS(stays, bool abort;);
	struct mag_shutdown down;
	mag_group group;
	uint64_t ended;
	int64_t rc, left;
};

MAG_TASK(stays)
{
	MAG_BEGIN(stays);
	NEED(mag_shutdown_init(&self->down, &(struct mag_shutdown_options){ .size = sizeof(struct mag_shutdown_options),
									    .drain_ns = MAG_MILLISECOND,
									    .cancel_ns = MAG_MILLISECOND,
									    .abort = self->abort }) == 0);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, part, .down = &self->down, .stage = MAG_SHUTDOWN_WORK, .works = MAG_NEVER,
		  .cleans = TILL_OVER, .ended = &self->ended);
	while (mag_shutdown_count(&self->down, NULL, 0) == 0)
		MAG_YIELD(self->rc);
	mag_shutdown_begin(&self->down);
	MAG_CALL(self->left, mag_shutdown_run, .shutdown = &self->down);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->left == 1 && self->rc == 0);
	NEED(mag_shutdown_fini(&self->down) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(shutdown, says_who_stays, .timeout = 60)
{
	int64_t rc = RUN(2, stays);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

Test(shutdown, ends_the_program_where_that_is_asked_for, .timeout = 60, .signal = SIGABRT)
{
	RUN(2, stays, .abort = true);
}

/* Where no scope can be opened any more it is not begun. */
struct deep {
	mag_frame frame;
	MAG_ARGS(deep, struct mag_shutdown *down; int scopes, shields; int64_t want;);
	mag_scope scope;
	int64_t rc;
};

MAG_TASK(deep)
{
	MAG_BEGIN(deep);
	if (self->scopes + self->shields == 0) {
		MAG_CALL(self->rc, mag_shutdown_run, .shutdown = self->down);
		NEED(self->rc == self->want);
		MAG_RETURN(0);
	}
	if (self->scopes)
		MAG_SCOPE_BEGIN(&self->scope);
	else
		MAG_SHIELD(&self->scope, MAG_NEVER);
	MAG_CALL(self->rc, deep, .down = self->down, .scopes = self->scopes - !!self->scopes,
		 .shields = self->shields - !self->scopes, .want = self->want);
	NEED(self->rc == 0);
	MAG_SCOPE_END(self->rc, &self->scope);
	MAG_RETURN(0);
	MAG_END;
}

struct too_deep {
	mag_frame frame;
	MAG_ARGS(too_deep, int scopes, shields; int64_t want;);
	struct mag_shutdown down;
	int64_t rc;
};

MAG_TASK(too_deep)
{
	MAG_BEGIN(too_deep);
	NEED(mag_shutdown_init(&self->down, NULL) == 0);
	if (self->want == 0)
		mag_shutdown_begin(&self->down);
	MAG_CALL(self->rc, deep, .down = &self->down, .scopes = self->scopes, .shields = self->shields, .want = self->want);
	NEED(self->rc == 0);
	NEED(mag_shutdown_state(&self->down) == (self->want ? MAG_SHUTDOWN_OFF : MAG_SHUTDOWN_OVER));
	NEED(mag_shutdown_fini(&self->down) == 0);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: no look at the depth (it waits in vain, again and again, until all states are over). */
Test(shutdown, is_not_begun_where_scopes_are_too_deep, .timeout = 60)
{
	static const struct {
		int scopes, shields;
		int64_t want;
	} cases[] = {
		{ MAG_SCOPE_DEPTH_MAX - 3, 0, 0 },          { MAG_SCOPE_DEPTH_MAX - 2, 0, MAG_EDEPTH },
		{ MAG_SCOPE_DEPTH_MAX + 1, 0, MAG_EDEPTH }, { 0, MAG_SHIELD_DEPTH_MAX - 1, 0 },
		{ 0, MAG_SHIELD_DEPTH_MAX, MAG_EDEPTH },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t rc = RUN(1, too_deep, .scopes = cases[i].scopes, .shields = cases[i].shields,
				 .want = cases[i].want);

		cr_assert_eq(rc, 0, "%zu: %s", i, where(rc));
	}
}

/* The program's end is nobody's leave. */
struct misuse {
	mag_frame frame;
	MAG_NO_ARGS(misuse);
	struct mag_shutdown down;
	struct mag_shutdown_part part;
	int64_t rc;
};

MAG_TASK(misuse)
{
	MAG_BEGIN(misuse);
	NEED(mag_shutdown_init(&self->down, NULL) == 0);
	MAG_SHUTDOWN_JOIN(&self->down, &self->part, MAG_SHUTDOWN_WORK, "me");
	NEED(mag_shutdown_fini(&self->down) == -EBUSY);
	MAG_SHUTDOWN_LEAVE(self->rc, &self->part);
	NEED(mag_shutdown_fini(&self->down) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(shutdown, that_somebody_takes_part_in_is_not_ended, MISUSE(.timeout = 60))
{
	int64_t rc = RUN(1, misuse);

	cr_assert_eq(rc, 0, "%s", where(rc));
}
