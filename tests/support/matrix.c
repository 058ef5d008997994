/* SPDX-License-Identifier: MIT */
/* matrix.c - see matrix.h. */
#include "support/matrix.h"

#include <magpie/time.h>
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
	MAG_SCOPE_BEGIN(&self->scope);
	mag_scope_cancel(&self->scope);
	MAG_AWAIT(self->rc, wait_for, self->s, &self->word);
	NEED(self->rc == MAG_ECANCELED);
	MAG_AWAIT(self->rc, wait_for, self->s, &self->word);
	NEED(self->rc == MAG_ECANCELED);
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
		UNTIL_WAITING(self->rc, self->s->waitq, 1);
	if (self->how == BY_SCOPE)
		mag_scope_cancel(self->scope);
	else if (self->how == BY_GROUP)
		mag_group_cancel(&self->group);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == (self->how == BY_GROUP ? MAG_ECANCELED : 0));
	NEED(self->got == MAG_ECANCELED);
	NEED(waiting(self->s->waitq) == 0);
	self->s->give(self->s, w, &self->frame);
	NEED(self->s->reset(self->s, w, &self->frame));
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
	UNTIL_WAITING(self->rc, self->s->waitq, 1);
	MAG_SPAWN(self->rc, &self->group, waiter, .s = self->s, .got = &self->second, .timeout = MAG_NEVER);
	NEED(self->rc == 0);
	UNTIL_WAITING(self->rc, self->s->waitq, 2);
	mag_scope_cancel(self->scope);
	self->s->give(self->s, w, &self->frame);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0);
	NEED(self->first == MAG_ECANCELED);
	NEED(self->second == 0);
	NEED(self->s->reset(self->s, w, &self->frame) == self->s->stays);
	MAG_RETURN(0);
	MAG_END;
}

MAG_TASK(matrix_cases)
{
	MAG_BEGIN(matrix_cases);
	if (self->s->set_up)
		self->s->set_up(self->s, w, &self->frame);
	MAG_CALL(self->rc, before, .s = self->s);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_CALL(self->rc, during, .s = self->s, .how = BY_SCOPE);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_CALL(self->rc, during, .s = self->s, .how = BY_DEADLINE);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_CALL(self->rc, during, .s = self->s, .how = BY_GROUP);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_CALL(self->rc, behind, .s = self->s);
	MAG_RETURN(self->rc);
	MAG_END;
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

struct lane {
	mag_frame frame;
	MAG_ARGS(lane, struct subject *s; uint32_t rounds; uint64_t seed; uint64_t *granted; uint64_t *cancelled;);
	mag_group waiters, givers;
	mag_handle handle;
	struct magi_random random;
	uint32_t i, how;
	bool first;
	int64_t rc, got;
};

/* One round on top of another: the waiter is parked, then giver and canceller go, one as a task that any worker may take
 * and one here; which is which alternates. A deadline comes when it comes. */
MAG_TASK(lane)
{
	MAG_BEGIN(lane);
	magi_random_seed(&self->random, self->seed);
	if (self->s->set_up)
		self->s->set_up(self->s, w, &self->frame);
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
			UNTIL_WAITING(self->rc, self->s->waitq, 1);
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
		NEED(waiting(self->s->waitq) == 0);
		NEED(self->s->reset(self->s, w, &self->frame) == (self->got < 0 || self->s->stays));
		(void)magi_add_rlx(self->got == 0 ? self->granted : self->cancelled, 1);
	}
	MAG_RETURN(0);
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
