/* SPDX-License-Identifier: MIT */
/* matrix.c - see matrix.h. */
#include "support/matrix.h"

#include <magpie/future.h>
#include <magpie/time.h>
#include <sched.h>
#include <stdio.h>

uint32_t waiting(struct magi_waitq *q)
{
	uint32_t n;

	magi_lock_acquire(magi_waitq_lock(q));
	n = q->count;
	magi_lock_release(magi_waitq_lock(q));
	return n;
}

const char *where(int64_t rc)
{
	static char text[64];

	if (rc <= -100000)
		snprintf(text, sizeof(text), "NEED failed in line %d", (int)-rc - 100000);
	else
		snprintf(text, sizeof(text), "%s", mag_errname(rc));
	return text;
}

static uint32_t waiting_for(struct subject *s)
{
	return s->waits ? s->waits(s) : waiting(s->waitq);
}

/* Waits until n tasks wait for it. */
#define UNTIL_WAITING_FOR(rc, s, n)    \
	do {                           \
		MAG_YIELD(rc);         \
	} while (waiting_for(s) < (n))

/* Waits until what was given is there. */
#define UNTIL_SETTLED(rc, s) \
	while ((s)->settled && !(s)->settled(s)) \
		MAG_YIELD(rc)

static mag_frame *wait_for(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out)
{
	return s->wait(w, f, s, out);
}

/* Waits in a scope of its own; says how that ended. */
struct waiter {
	mag_frame frame;
	MAG_ARGS(waiter, struct subject *s; int64_t *got; mag_scope **scope; uint64_t timeout;);
	mag_scope own;
	uint64_t word;
	int64_t rc, why;
};

MAG_TASK(waiter)
{
	MAG_BEGIN(waiter);
	self->word = 7;
	MAG_WITH_TIMEOUT(&self->own, self->timeout);
	if (self->scope)
		*self->scope = &self->own;
	MAG_AWAIT(self->rc, wait_for, self->s, &self->word);
	MAG_SCOPE_END(self->why, &self->own);
	*self->got = self->rc;
	if (self->rc == 0 && self->s->after)
		self->s->after(self->s, w, &self->frame);
	NEED(self->rc == 0 || self->rc == MAG_ECANCELED);
	NEED(self->rc == 0 || self->why < 0 || self->timeout == MAG_NEVER);
	MAG_RETURN(0);
	MAG_END;
}

/* Cancelled before it waits: nothing is taken, although it is to be had. */
struct before {
	mag_frame frame;
	MAG_ARGS(before, struct subject *s;);
	mag_scope scope;
	uint64_t word;
	int64_t rc;
};

MAG_TASK(before)
{
	MAG_BEGIN(before);
	self->word = 7;
	self->s->give(self->s, w, &self->frame);
	UNTIL_SETTLED(self->rc, self->s);
	MAG_SCOPE_BEGIN(&self->scope);
	mag_scope_cancel(&self->scope);
	MAG_AWAIT(self->rc, wait_for, self->s, &self->word);
	NEED(self->rc == (self->s->result ? 0 : MAG_ECANCELED));
	MAG_AWAIT(self->rc, wait_for, self->s, &self->word);
	NEED(self->rc == (self->s->result ? 0 : MAG_ECANCELED));
	MAG_SCOPE_END(self->rc, &self->scope);
	NEED(self->rc == MAG_ECANCELED);
	NEED(self->s->reset(self->s, w, &self->frame));
	MAG_RETURN(0);
	MAG_END;
}

enum how { BY_SCOPE, BY_DEADLINE, BY_GROUP, WAYS };

/* Cancelled while it waits: it holds nothing, and what is given afterwards is not lost. */
struct during {
	mag_frame frame;
	MAG_ARGS(during, struct subject *s; int how;);
	mag_group group;
	mag_scope *scope;
	int64_t rc, got;
};

MAG_TASK(during)
{
	MAG_BEGIN(during);
	self->got = 1;
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, waiter, .s = self->s, .got = &self->got, .scope = &self->scope,
		  .timeout = self->how == BY_DEADLINE ? 2 * MAG_MILLISECOND : MAG_NEVER);
	NEED(self->rc == 0);
	if (self->how != BY_DEADLINE)
		UNTIL_WAITING_FOR(self->rc, self->s, 1);
	if (self->how == BY_SCOPE)
		mag_scope_cancel(self->scope);
	else if (self->how == BY_GROUP)
		mag_group_cancel(&self->group);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == (self->how == BY_GROUP ? MAG_ECANCELED : 0));
	NEED(self->got == MAG_ECANCELED);
	NEED(waiting_for(self->s) == 0);
	self->s->give(self->s, w, &self->frame);
	UNTIL_SETTLED(self->rc, self->s);
	NEED(self->s->reset(self->s, w, &self->frame));
	MAG_RETURN(0);
	MAG_END;
}

/* Granted, and cancelled before it could look, or too late: it has what it was given. */
struct after {
	mag_frame frame;
	MAG_ARGS(after, struct subject *s;);
	mag_group group;
	int64_t rc, got;
};

MAG_TASK(after)
{
	MAG_BEGIN(after);
	self->got = 1;
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	MAG_SPAWN(self->rc, &self->group, waiter, .s = self->s, .got = &self->got, .timeout = MAG_NEVER);
	NEED(self->rc == 0);
	UNTIL_WAITING_FOR(self->rc, self->s, 1);
	self->s->give(self->s, w, &self->frame);
	UNTIL_SETTLED(self->rc, self->s);
	mag_group_cancel(&self->group);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(mag_group_errors(&self->group, NULL) == 0);
	NEED(self->got == 0 || (self->s->late && self->got == MAG_ECANCELED));
	NEED(waiting_for(self->s) == 0);
	NEED(self->s->reset(self->s, w, &self->frame) == (self->got < 0 || self->s->stays));
	MAG_RETURN(0);
	MAG_END;
}

/* The first of two is cancelled: the second gets what is given. */
struct behind {
	mag_frame frame;
	MAG_ARGS(behind, struct subject *s;);
	mag_group group;
	mag_scope *scope;
	int64_t rc, first, second;
};

MAG_TASK(behind)
{
	MAG_BEGIN(behind);
	self->first = self->second = 1;
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, waiter, .s = self->s, .got = &self->first, .scope = &self->scope,
		  .timeout = MAG_NEVER);
	NEED(self->rc == 0);
	UNTIL_WAITING_FOR(self->rc, self->s, 1);
	MAG_SPAWN(self->rc, &self->group, waiter, .s = self->s, .got = &self->second, .timeout = MAG_NEVER);
	NEED(self->rc == 0);
	UNTIL_WAITING_FOR(self->rc, self->s, 2);
	mag_scope_cancel(self->scope);
	while (self->s->late && waiting_for(self->s) > 1)
		MAG_YIELD(self->rc);
	self->s->give(self->s, w, &self->frame);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0);
	NEED(self->first == MAG_ECANCELED);
	NEED(self->second == 0);
	UNTIL_SETTLED(self->rc, self->s);
	NEED(self->s->reset(self->s, w, &self->frame) == self->s->stays);
	MAG_RETURN(0);
	MAG_END;
}

/* Before all of it and behind it. */

static mag_frame *enter_for(mag_worker *w, mag_frame *f, struct subject *s)
{
	if (s->set_up)
		s->set_up(s, w, f);
	return s->enter ? s->enter(w, f, s) : magi_wait_done(w, f, 0);
}

static mag_frame *leave_for(mag_worker *w, mag_frame *f, struct subject *s)
{
	return s->leave ? s->leave(w, f, s) : magi_wait_done(w, f, 0);
}

enum { BEFORE, DURING, AFTER = DURING + WAYS, BEHIND, CASES };

MAG_TASK(matrix_cases)
{
	MAG_BEGIN(matrix_cases);
	MAG_AWAIT(self->rc, enter_for, self->s);
	for (self->i = 0; self->i < CASES && self->rc == 0; self->i++) {
		if (self->i == BEFORE)
			MAG_CALL(self->rc, before, .s = self->s);
		else if (self->i < AFTER)
			MAG_CALL(self->rc, during, .s = self->s, .how = (int)self->i - DURING);
		else if (self->i == AFTER)
			MAG_CALL(self->rc, after, .s = self->s);
		else if (!self->s->alone)
			MAG_CALL(self->rc, behind, .s = self->s);
	}
	MAG_AWAIT(self->left, leave_for, self->s);
	MAG_RETURN(self->rc ? self->rc : self->left);
	MAG_END;
}

/* The end of the runtime. */

/* Who sees to it that one waits when the runtime ends; and that it can be had again then, in what time is left. */
struct outlived {
	mag_frame frame;
	MAG_ARGS(outlived, struct subject *s; uint32_t *waits;);
	mag_group group;
	mag_scope shield;
	int64_t rc, got;
};

MAG_TASK(outlived)
{
	MAG_BEGIN(outlived);
	self->got = 1;
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, waiter, .s = self->s, .got = &self->got, .timeout = MAG_NEVER);
	NEED(self->rc == 0);
	UNTIL_WAITING_FOR(self->rc, self->s, 1);
	magi_store_rel(self->waits, 1u); /* [flag] */
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->got == MAG_ECANCELED);
	NEED(waiting_for(self->s) == 0);
	MAG_SHIELD(&self->shield, MAG_NEVER);
	self->s->give(self->s, w, &self->frame);
	UNTIL_SETTLED(self->rc, self->s);
	MAG_SCOPE_END(self->rc, &self->shield);
	NEED(self->s->reset(self->s, w, &self->frame));
	MAG_RETURN(0);
	MAG_END;
}

struct in_a_runtime {
	mag_frame frame;
	MAG_ARGS(in_a_runtime, struct subject *s; uint32_t *waits;);
	mag_scope shield;
	int64_t rc, left, why;
};

MAG_TASK(in_a_runtime)
{
	MAG_BEGIN(in_a_runtime);
	MAG_AWAIT(self->rc, enter_for, self->s);
	if (self->rc == 0)
		MAG_CALL(self->rc, outlived, .s = self->s, .waits = self->waits);
	MAG_SHIELD(&self->shield, MAG_NEVER);
	MAG_AWAIT(self->left, leave_for, self->s);
	MAG_SCOPE_END(self->why, &self->shield);
	MAG_RETURN(self->rc ? self->rc : self->left);
	MAG_END;
}

int64_t matrix_shutdown(struct subject *s, uint32_t workers)
{
	mag_runtime_options options = { .size = sizeof(options), .workers = workers };
	mag_runtime *rt;
	mag_future done;
	uint32_t waits = 0;
	int64_t rc = mag_runtime_create(&options, &rt);

	if (rc < 0)
		return rc;
	mag_future_init(&done);
	rc = mag_spawn_from(rt, &done, in_a_runtime, .s = s, .waits = &waits);
	cr_assert_eq(rc, 0);
	while (!magi_load_acq(&waits) && !mag_future_poll(&done, NULL)) /* [flag] */
		sched_yield();
	cr_assert_eq(mag_runtime_destroy(rt, mag_deadline_in(30 * MAG_SECOND)), 0);
	cr_assert(mag_future_poll(&done, &rc));
	mag_future_fini(&done);
	return rc;
}

/* Races. */

static void linger(uint32_t turns)
{
	while (turns--)
		magi_pause();
}

/* Gives in the name of the lane's task, which for a mutex is the one that holds it. */
struct giver {
	mag_frame frame;
	MAG_ARGS(giver, struct subject *s; mag_frame *lane; uint32_t delay;);
};

MAG_TASK(giver)
{
	MAG_BEGIN(giver);
	linger(self->delay);
	self->s->give(self->s, w, self->lane);
	MAG_RETURN(0);
	MAG_END;
}

struct many {
	mag_frame frame;
	MAG_ARGS(many, struct subject *s; uint32_t rounds; uint64_t seed; uint64_t *granted; uint64_t *cancelled;);
	mag_group waiters, givers;
	mag_handle handle;
	struct magi_random random;
	uint32_t i, how;
	bool first;
	int64_t rc, got;
};

/* One round on top of another: the waiter is parked, then giver and canceller go, one as a task that any worker may take
 * and one here; which is which alternates. A deadline comes when it comes. */
MAG_TASK(many)
{
	MAG_BEGIN(many);
	magi_random_seed(&self->random, self->seed);
	for (self->i = 0; self->i < self->rounds; self->i++) {
		self->how = self->i % 16 == 0 ? BY_DEADLINE : self->i % 2 ? BY_SCOPE : BY_GROUP;
		self->first = magi_random_below(&self->random, 2);
		self->got = 1;
		MAG_GROUP_BEGIN(&self->waiters, .policy = MAG_COLLECT);
		MAG_SPAWN_AS(self->rc, &self->handle, &self->waiters, waiter, .s = self->s, .got = &self->got,
			     .timeout = self->how == BY_DEADLINE ?
						MAG_MICROSECOND * (1 + magi_random_below(&self->random, 200)) :
						MAG_NEVER);
		NEED(self->rc == 0);
		if (self->how != BY_DEADLINE)
			UNTIL_WAITING_FOR(self->rc, self->s, 1);
		MAG_GROUP_BEGIN(&self->givers);
		if (self->first) {
			self->s->give(self->s, w, &self->frame);
		} else {
			MAG_SPAWN(self->rc, &self->givers, giver, .s = self->s, .lane = &self->frame,
				  .delay = magi_random_below(&self->random, 300));
			NEED(self->rc == 0);
			linger(magi_random_below(&self->random, 300));
		}
		if (self->how == BY_GROUP)
			mag_group_cancel(&self->waiters);
		else if (self->how == BY_SCOPE)
			mag_handle_cancel(&self->handle);
		MAG_GROUP_END(self->rc, &self->givers);
		MAG_GROUP_END(self->rc, &self->waiters);
		NEED(mag_group_errors(&self->waiters, NULL) == 0);
		NEED(self->got == 0 || self->got == MAG_ECANCELED);
		NEED(waiting_for(self->s) == 0);
		UNTIL_SETTLED(self->rc, self->s);
		NEED(self->s->reset(self->s, w, &self->frame) == (self->got < 0 || self->s->stays));
		(void)magi_add_rlx(self->got == 0 ? self->granted : self->cancelled, 1);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct lane {
	mag_frame frame;
	MAG_ARGS(lane, struct subject *s; uint32_t rounds; uint64_t seed; uint64_t *granted; uint64_t *cancelled;);
	int64_t rc, left;
};

MAG_TASK(lane)
{
	MAG_BEGIN(lane);
	MAG_AWAIT(self->rc, enter_for, self->s);
	if (self->rc == 0)
		MAG_CALL(self->rc, many, .s = self->s, .rounds = self->rounds, .seed = self->seed, .granted = self->granted,
			 .cancelled = self->cancelled);
	MAG_AWAIT(self->left, leave_for, self->s);
	MAG_RETURN(self->rc ? self->rc : self->left);
	MAG_END;
}

MAG_TASK(matrix_races)
{
	MAG_BEGIN(matrix_races);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < self->lanes; self->i++)
		MAG_SPAWN(self->rc, &self->group, lane, .s = self->s[self->i], .rounds = self->rounds,
			  .seed = self->i + 1, .granted = self->granted, .cancelled = self->cancelled);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}
