/* SPDX-License-Identifier: MIT */
/* test_shutdown_cancel.c - src/life/shutdown_run.c when who leads a shutdown is cancelled, in each of its states and in each
 * way: it ends all the same, whoever takes part is in the report, once, and nobody is left. */
#include <errno.h>
#include <magpie/magpie.h>

#include "support/matrix.h"
#include "unit/again.h"
#include "unit/play.h"

enum { PARTS = 3 };
enum when { BEFORE, OFF, DRAINING, HURRIED, AFTER, WHEN_MAX };
enum way { BY_SCOPE, BY_DEADLINE, BY_GROUP, BY_THE_END, WAYS };

struct part {
	mag_frame frame;
	MAG_ARGS(part, struct mag_shutdown *down; int stage; mag_event *may_end; uint32_t *gone; mag_group *leaders;);
	struct mag_shutdown_part part;
	mag_scope shield;
	int64_t rc, why;
};

/* Until it is cancelled, whoever does that, and until it has begun: who leaves before that is in no report. */
MAG_TASK(part)
{
	MAG_BEGIN(part);
	MAG_SHUTDOWN_JOIN(self->down, &self->part, (enum mag_shutdown_stage)self->stage, "part");
	MAG_AWAIT(self->rc, mag_sleep, MAG_NEVER);
	MAG_SHIELD(&self->shield, MAG_NEVER);
	MAG_AWAIT(self->why, mag_event_wait, mag_shutdown_event(self->down));
	MAG_AWAIT(self->why, mag_event_wait, self->may_end);
	MAG_SCOPE_END(self->why, &self->shield);
	MAG_SHUTDOWN_LEAVE(self->why, &self->part);
	NEED(self->rc == MAG_ECANCELED && self->why == MAG_ECANCELED);
	if (magi_add_ar(self->gone, 1u) + 1 == PARTS && self->leaders) /* [gone] */
		mag_group_cancel(self->leaders);
	MAG_RETURN(0);
	MAG_END;
}

struct leader {
	mag_frame frame;
	MAG_ARGS(leader, struct mag_shutdown *down; enum when when; uint64_t timeout; mag_scope **scope; int64_t *got;);
	mag_scope own;
	int64_t rc, why;
};

MAG_TASK(leader)
{
	MAG_BEGIN(leader);
	MAG_WITH_TIMEOUT(&self->own, self->timeout);
	if (self->when == BEFORE)
		mag_scope_cancel(&self->own);
	magi_store_rel(self->scope, &self->own); /* [scope] */
	MAG_CALL(self->rc, mag_shutdown_run, .shutdown = self->down);
	MAG_SCOPE_END(self->why, &self->own);
	magi_store_rel(self->got, self->rc); /* [got] */
	MAG_RETURN(0);
	MAG_END;
}

static void count_reports(void *ctx, struct mag_shutdown *down, const struct mag_shutdown_report *report)
{
	(void)down;
	(void)report;
	++*(uint32_t *)ctx;
}

struct cell {
	mag_frame frame;
	MAG_ARGS(cell, enum when when; enum way way; uint32_t *on;);
	struct mag_shutdown down;
	mag_event may_end;
	mag_group parts, leaders;
	mag_scope *scope;
	uint32_t gone, reports; /* gone: atomic */
	int64_t rc, got;        /* got: atomic */
	int i;
};

/* When the runtime ends those that take part may be cancelled before the one that leads, and end in their time. */
static bool in_any_order(const struct cell *c)
{
	return c->when == DRAINING && c->way == BY_THE_END;
}

/* Who was there is accounted for; what has happened before the cancellation has not been made undone by it. */
static bool is_complete(struct cell *c)
{
	const struct mag_shutdown_report *r = &c->down.report;
	uint32_t finished = c->when == DRAINING ? 1 : 0;

	return mag_shutdown_state(&c->down) == MAG_SHUTDOWN_OVER && r->left == 0 && r->finished + r->cancelled == PARTS &&
	       (in_any_order(c) ? r->finished >= finished : r->finished == finished && r->hurried) && r->signal == 0 &&
	       c->reports == 1 && mag_shutdown_count(&c->down, NULL, 0) == 0;
}

MAG_TASK(cell)
{
	MAG_BEGIN(cell);
	self->gone = self->reports = 0;
	self->got = 1;
	self->scope = NULL;
	mag_event_init(&self->may_end);
	NEED(mag_shutdown_init(&self->down, &(struct mag_shutdown_options){ .size = sizeof(struct mag_shutdown_options),
		.drain_ns = MAG_NEVER, .cancel_ns = MAG_NEVER, .report = count_reports, .ctx = &self->reports }) == 0);
	MAG_GROUP_BEGIN(&self->parts, .policy = MAG_COLLECT);
	MAG_GROUP_BEGIN(&self->leaders, .policy = MAG_COLLECT); /* within: it is cancelled alone */
	for (self->i = 0; self->i < PARTS; self->i++)
		MAG_SPAWN(self->rc, &self->parts, part, .down = &self->down, .stage = self->i, .may_end = &self->may_end,
			  .gone = &self->gone, .leaders = self->when == AFTER ? &self->leaders : NULL);
	while (mag_shutdown_count(&self->down, NULL, 0) < PARTS)
		MAG_YIELD(self->rc);
	if (self->when != HURRIED && self->when != AFTER)
		mag_event_set(&self->may_end);
	if (self->when == DRAINING) {
		mag_shutdown_begin(&self->down);
		while (mag_shutdown_count(&self->down, NULL, 0) == PARTS)
			MAG_YIELD(self->rc);
	}
	if (self->when == HURRIED || self->when == AFTER)
		mag_shutdown_hurry(&self->down);
	MAG_SPAWN(self->rc, &self->leaders, leader, .down = &self->down, .when = self->when, .scope = &self->scope,
		  .got = &self->got, .timeout = self->way == BY_DEADLINE && self->when != AFTER ? MAG_MILLISECOND : MAG_NEVER);
	NEED(self->rc == 0);
	if (self->when != BEFORE && (self->way != BY_DEADLINE || self->when == AFTER))
		UNTIL_WAITING(self->rc, &self->down.waitq, 1);
	while (!magi_load_acq(&self->scope)) /* [scope] */
		MAG_YIELD(self->rc);
	if (self->way == BY_THE_END) {
		raise_flag(self->on);
		MAG_AWAIT(self->rc, mag_sleep, MAG_NEVER);
	} else if (self->when != BEFORE && self->when != AFTER) {
		if (self->way == BY_SCOPE)
			mag_scope_cancel(self->scope);
		if (self->way == BY_GROUP)
			mag_group_cancel(&self->leaders);
	}
	if (self->when == HURRIED && self->way == BY_DEADLINE) {
		while (!mag_scope_cancelled(self->scope))
			MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
	}
	for (self->i = 0; self->when == HURRIED && self->i < 20; self->i++)
		MAG_YIELD(self->rc);
	NEED(self->when != HURRIED || magi_load_acq(&self->got) == 1); /* [got] it waits for who is still there */
	mag_event_set(&self->may_end);
	MAG_GROUP_END(self->rc, &self->leaders);
	MAG_GROUP_END(self->rc, &self->parts);
	NEED(mag_group_errors(&self->parts, NULL) == 0);
	NEED(self->gone == PARTS);
	NEED(self->got == (self->when == AFTER ? 0 : MAG_ECANCELED) || (in_any_order(self) && self->got == 0));
	NEED(is_complete(self));
	MAG_CALL(self->rc, mag_shutdown_run, .shutdown = &self->down);
	NEED(self->rc == -EBUSY && self->reports == 1);
	NEED(mag_shutdown_fini(&self->down) == 0);
	MAG_RETURN(0);
	MAG_END;
}

static void in_all_ways(enum when when)
{
	for (enum way way = BY_SCOPE; way < (when == AFTER ? BY_DEADLINE : BY_THE_END); way++) {
		int64_t rc = RUN(4, cell, .when = when, .way = way);

		cr_assert_eq(rc, 0, "%d: %s", (int)way, where(rc));
		SIMULATED(cell, .when = when, .way = way);
	}
}

Test(shutdown_cancel, led_by_who_was_cancelled_before, .timeout = 60)
{
	in_all_ways(BEFORE);
}

/* Tried: one that is cancelled and begins, but does not hurry. */
Test(shutdown_cancel, that_has_not_begun_is_begun_and_ends, .timeout = 60)
{
	in_all_ways(OFF);
}

Test(shutdown_cancel, that_drains_is_hurried, .timeout = 60)
{
	in_all_ways(DRAINING);
}

/* Tried: one that is cancelled and waits for nobody. */
Test(shutdown_cancel, that_waits_for_the_last_goes_on_waiting, .timeout = 60)
{
	in_all_ways(HURRIED);
}

/* Tried: a run that asks its scope last. */
Test(shutdown_cancel, whose_last_has_left_before_is_not_cancelled_any_more, .timeout = 60)
{
	in_all_ways(AFTER);
}

static void at_the_end(enum when when)
{
	mag_runtime *rt = play_real(4, 0);
	uint32_t on = 0;
	mag_future done;
	int64_t rc;

	mag_future_init(&done);
	cr_assert_eq(mag_spawn_from(rt, &done, cell, .when = when, .way = BY_THE_END, .on = &on), 0);
	while (!is_raised(&on) && !mag_future_poll(&done, NULL))
		sched_yield();
	cr_assert_eq(mag_runtime_destroy(rt, mag_deadline_in(50 * MAG_SECOND)), 0);
	cr_assert(mag_future_poll(&done, &rc));
	mag_future_fini(&done);
	cr_assert_eq(rc, 0, "%d: %s", (int)when, where(rc));
}

Test(shutdown_cancel, the_end_of_the_runtime_does_not_leave_it_half_done, .timeout = 60)
{
	for (enum when when = OFF; when <= HURRIED; when++)
		at_the_end(when);
}
