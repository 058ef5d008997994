/* SPDX-License-Identifier: MIT */
/* test_scope_held.c - src/task/scope.c: a parent that is cancelled while a scope is being opened in it, right before
 * the opener gets the lock of its members: a canceller's flag and walk are both over then. */
#include "gates.h"

#include "task/scope.h"
#include "task/timer.h"
#include "task/wait.h"

/* Is cancelled by the next lock that this thread takes: that of what its member is about to open, in the same step. */
static _Thread_local mag_group *doomed;

static void acquire_after_cancel(magi_lock *lock)
{
	mag_group *g = doomed;

	doomed = NULL;
	if (g)
		mag_group_cancel(g);
	magi_lock_acquire(lock);
}

#define magi_lock_acquire acquire_after_cancel
#include "task/scope.c"
#undef magi_lock_acquire

enum what { SCOPE, GROUP, HANDLE, SHIELD, WHATS };

/* Has never parked, so nobody can find it but through what it opens. */
struct opens {
	mag_frame frame;
	MAG_ARGS(opens, enum what what; mag_group *parent; mag_future *never;);
	mag_scope scope;
	mag_group group;
	mag_handle handle;
	int64_t saw, rc, end;
};

MAG_TASK(opens)
{
	MAG_BEGIN(opens);
	doomed = self->parent;
	if (self->what == SCOPE) {
		MAG_SCOPE_BEGIN(&self->scope);
		MAG_AWAIT(self->rc, mag_future_await, self->never);
		MAG_SCOPE_END(self->end, &self->scope);
		CHECK(self->end == MAG_ECANCELED);
	} else if (self->what == GROUP) {
		MAG_GROUP_BEGIN(&self->group);
		MAG_SPAWN(self->rc, &self->group, waiter, .gate = self->never, .saw = &self->saw);
		CHECK(self->rc == 0 || self->rc == MAG_ECANCELED);
		self->saw = self->rc ? self->rc : self->saw;
		MAG_GROUP_END(self->end, &self->group);
		CHECK(self->end == MAG_ECANCELED);
		self->rc = self->saw;
	} else if (self->what == HANDLE) {
		MAG_SPAWN_AS(self->rc, &self->handle, self->parent, waiter, .gate = self->never, .saw = &self->saw);
		if (self->rc == 0) {
			MAG_SHIELD(&self->scope, MAG_NEVER);
			MAG_AWAIT(self->rc, mag_handle_wait, &self->handle);
			MAG_SCOPE_END(self->end, &self->scope);
			CHECK(self->end == 0 && self->rc == self->saw);
		}
	} else {
		MAG_SHIELD(&self->scope, MAG_NEVER);
		MAG_AWAIT(self->rc, mag_sleep, REST);
		CHECK(self->rc == 0);
		MAG_SCOPE_END(self->end, &self->scope);
		CHECK(self->end == 0);
		MAG_AWAIT(self->rc, mag_future_await, self->never);
	}
	CHECK(self->rc == MAG_ECANCELED);
	CHECK(!doomed);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct parent {
	mag_frame frame;
	MAG_ARGS(parent, enum what what;);
	mag_group group;
	mag_future never;
	int64_t rc;
};

MAG_TASK(parent)
{
	MAG_BEGIN(parent);
	mag_future_init(&self->never);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	MAG_SPAWN(self->rc, &self->group, opens, .what = self->what, .parent = &self->group, .never = &self->never);
	CHECK(self->rc == 0);
	MAG_GROUP_END(self->rc, &self->group);
	mag_future_fini(&self->never);
	MAG_RETURN(self->rc);
	MAG_END;
}

static void cancelled_while(enum what what)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, parent, .what = what), MAG_ECANCELED);
}

/* Tried, for these three: the parent's flag read before its lock is taken; the task then waits for ever. */
Test(scope_held, scope_that_is_opened_while_its_parent_is_cancelled_is_cancelled, .timeout = 10)
{
	cancelled_while(SCOPE);
}

Test(scope_held, group_that_is_opened_while_its_parent_is_cancelled_is_cancelled, .timeout = 10)
{
	cancelled_while(GROUP);
}

Test(scope_held, member_with_a_handle_that_is_started_while_its_group_is_cancelled_is_cancelled, .timeout = 10)
{
	cancelled_while(HANDLE);
}

/* Tried: a shield that inherits the flag. */
Test(scope_held, shield_that_is_opened_while_its_parent_is_cancelled_holds, .timeout = 10)
{
	cancelled_while(SHIELD);
}
