/* SPDX-License-Identifier: MIT */
/* timer.c - sleeping tasks and scopes with a deadline, on the workers' wheels.
 *
 * Who:     armed by the task on its worker; fired by any worker (an idle one fires a busy one's); disarmed by any.
 * Always:  while a timer is armed or its callback runs, the memory around it stays: whoever ends the wait disarms it
 *          first, and disarming takes the wheel's lock, under which callbacks run.
 *          A timer that fires between being armed and the park leaves FIRED, which makes the park fail.
 * Pairs:   [state] task/wait.h
 * Not:     resuming under the wheel's lock: callbacks only gather. */
#include "task/timer.h"

#include <magpie/time.h>

#include "base/clock.h"
#include "sched/ready.h"
#include "task/cancel.h"
#include "task/wait.h"

#define CONTAINER(p, type, member) ((type *)(void *)((char *)(p) - offsetof(type, member)))

struct fired {
	struct magi_cancel cancel;
	mag_frame *head, **tail; /* sleeps that are over */
	struct magi_alarm *alarms;
};

static void sleep_over(struct fired *x, mag_frame *leaf)
{
	mag_frame *leader = leaf->leader;
	uint32_t s = magi_load_rlx(&leader->state); /* [state] */
	uint32_t after;

	do
		after = s & MAGI_PARKED ? s & ~(uint32_t)(MAGI_PARKED | MAGI_TIMED) : s | MAGI_FIRED;
	while (!magi_cas_ar(&leader->state, &s, after)); /* [state] */
	if (!(s & MAGI_PARKED))
		return;
	leaf->op.result = 0;
	magi_store_rlx(&leaf->q.next, NULL); /* [state] */
	magi_store_rlx(x->tail, leaf); /* [state] */
	x->tail = &leaf->q.next;
}

static void fire(magi_timer *t, void *ctx)
{
	struct fired *x = ctx;

	if (MAGI_UNLIKELY(t->kind == MAGI_TIMER_ALARM)) {
		struct magi_alarm *alarm = CONTAINER(t, struct magi_alarm, timer);

		alarm->next = x->alarms;
		x->alarms = alarm;
		return;
	}
	if (t->kind == MAGI_TIMER_SCOPE)
		magi_cancel_mark(&x->cancel, CONTAINER(t, mag_scope, timer), MAG_ETIMEDOUT);
	else
		sleep_over(x, CONTAINER(t, mag_frame, op.timer));
}

size_t magi_timers_expire(struct magi_worker *w, struct magi_worker *of, uint64_t now)
{
	struct fired x = { .cancel.rt = w->rt };
	size_t n;

	x.tail = &x.head;
	n = magi_wheel_expire(&of->wheel, now, fire, &x);
	if (n) {
		magi_resume_list(w->rt, &w->pub, x.head);
		magi_cancel_finish(&x.cancel, &w->pub);
	}
	while (MAGI_UNLIKELY(x.alarms != NULL)) {
		struct magi_alarm *alarm = x.alarms;

		x.alarms = alarm->next;
		alarm->ring(w, alarm);
	}
	return n;
}

void magi_alarm_set(struct magi_worker *w, struct magi_alarm *alarm, uint64_t ns)
{
	alarm->timer.kind = MAGI_TIMER_ALARM;
	alarm->on = w;
	magi_wheel_add(&w->wheel, &alarm->timer, magi_saturate_add(magi_now(w), ns));
}

bool magi_alarm_stop(struct magi_alarm *alarm)
{
	return alarm->on && magi_wheel_remove(&alarm->on->wheel, &alarm->timer);
}

mag_frame *mag_sleep_until(mag_worker *pub, mag_frame *f, uint64_t deadline)
{
	struct magi_worker *w = magi_worker_of(pub);
	mag_frame *leader = f->leader;
	int rc = magi_wait_begin(pub, f);
	uint32_t s;

	if (rc < 0)
		return magi_wait_done(pub, f, rc);
	if (deadline <= magi_now(w))
		return mag_yield(pub, f);
	f->home = (uint8_t)pub->index; /* where it is armed; a pinned leader's home is this worker, too */
	f->op.timer.kind = MAGI_TIMER_SLEEP;
	magi_wheel_add(&w->wheel, &f->op.timer, deadline);
	if (MAGI_LIKELY(magi_park(leader, MAGI_PARKED | MAGI_TIMED, (uintptr_t)f)))
		return NULL;
	magi_wheel_remove(&w->wheel, &f->op.timer);
	s = magi_and_ar(&leader->state, ~(uint32_t)MAGI_FIRED); /* [state] */
	return magi_wait_done(pub, f, s & MAGI_FIRED ? 0 : MAG_ECANCELED);
}

mag_frame *mag_sleep(mag_worker *w, mag_frame *f, uint64_t ns)
{
	return mag_sleep_until(w, f, magi_deadline_in(w, ns));
}

void magi_sleep_cancel(mag_runtime *rt, mag_frame *leaf)
{
	magi_wheel_remove(&rt->workers[leaf->home]->wheel, &leaf->op.timer);
	magi_and_ar(&leaf->leader->state, ~(uint32_t)(MAGI_TIMED | MAGI_FIRED)); /* [state] */
}

void magi_scope_arm(struct magi_worker *w, mag_scope *scope, uint64_t deadline)
{
	magi_timer_init(&scope->timer);
	scope->timer.kind = MAGI_TIMER_SCOPE;
	scope->armed = NULL;
	if (deadline == MAGI_NEVER)
		return;
	scope->armed = &w->pub;
	magi_wheel_add(&w->wheel, &scope->timer, deadline);
}

void magi_scope_disarm(mag_scope *scope)
{
	if (scope->armed)
		magi_wheel_remove(&magi_worker_of(scope->armed)->wheel, &scope->timer);
	scope->armed = NULL;
}

uint64_t magi_deadline_in(mag_worker *w, uint64_t ns)
{
	return magi_saturate_add(magi_now(magi_worker_of(w)), ns);
}

uint64_t mag_now(void)
{
	mag_worker *w = magi_self();

	return w ? magi_now(magi_worker_of(w)) : magi_clock_ns();
}

uint64_t mag_deadline_in(uint64_t ns)
{
	return magi_saturate_add(mag_now(), ns);
}
