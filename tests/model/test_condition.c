/* SPDX-License-Identifier: MIT */
/* test_condition.c - condition.c with mutex.c, on the waiter core, wait.c, cancel.c and scope.c, in every order: a signal goes
 * to one that waits and is not lost with one that is cancelled, and who has waited has the mutex. */
#include <criterion/criterion.h>

#include "base/clock.h"
#include "model/task.h"
#include "task/cancel.c"
#include "task/scope.c"
#include "task/wait.c"
#define magi_ticks() ((uint64_t)0) /* time stands still */
#define lock_of mutex_lock_of
#include "sync/mutex.c"

/* The frame of a wait: one a task. */
static unsigned char room[TASKS][512] MAGI_ALIGNED(64);

static mag_frame *call(mag_frame *parent, mag_frame *child, mag_step_fn step)
{
	child->step = step;
	child->parent = parent;
	child->leader = parent->leader;
	child->scope = parent->scope;
	child->at = NULL;
	child->flags = MAGI_CALL;
	return child;
}

static mag_frame *end(mag_frame *f, int64_t rc)
{
	f->parent->op.result = rc;
	return f->parent;
}

#define magi_frame_take(w, cls, size) ((void *)room[(w)-its_worker])
#define magi_call(parent, child, step, cls) call(parent, child, step)
#define magi_end(w, f, rc, cls) ((void)(w), end(f, rc))
#include "sync/condition.c"

static mag_mutex mutex;
static mag_condition condition;
static uint32_t holders;
static bool signalled[2];
static int told;
static uint64_t tokens; /* under the mutex */

void magi_scope_disarm(mag_scope *s)
{
	(void)s;
}

void magi_scope_arm(struct magi_worker *w, mag_scope *s, uint64_t deadline)
{
	(void)w;
	(void)s;
	(void)deadline;
}

mag_frame *magi_until(mag_worker *w, mag_frame *f, magi_until_fn op, void *object, uint64_t arg, uint64_t deadline)
{
	(void)deadline; /* there is none */
	return op(w, f, object, arg);
}

static void start(void)
{
	tasks_init();
	memset(room, 0, sizeof(room));
	explore_shared(room, sizeof(room));
	runtime.ticks_per_us = 1;
	memset(&mutex, 0, sizeof(mutex));
	mutex.waitq.gone = magi_waitq_held; /* stored by each who waits */
	explore_shared(&mutex, sizeof(mutex));
	memset(&condition, 0, sizeof(condition));
	condition.mutex = &mutex;
	explore_shared(&condition, sizeof(condition));
	holders = 0;
	explore_ghost(&holders, sizeof(holders));
	memset(signalled, 0, sizeof(signalled));
	explore_ghost(signalled, sizeof(signalled));
	told = 0;
	explore_ghost(&told, sizeof(told));
	tokens = 0;
	explore_shared(&tokens, sizeof(tokens));
	/* task 0 may be cancelled, by thread 2 */
	explore_constant(&its_scope[1].cancelled, sizeof(its_scope[1].cancelled));
	explore_constant(&its_scope[2].cancelled, sizeof(its_scope[2].cancelled));
	explore_own(1, &its_scope[1].shard, sizeof(its_scope[1].shard), HIDDEN);
	explore_own(2, &its_scope[2].shard, sizeof(its_scope[2].shard), HIDDEN);
	explore_own(2, &runtime.visitors, sizeof(runtime.visitors), HIDDEN);
}

/* As task_await, for an await that is a called frame. */
static int64_t await(int i, mag_frame *next)
{
	while (next && next != &frame[i])
		next = next->step(&its_worker[i], next);
	while (!next) {
		while (!magi_xchg_acq(&hand[i], 0u))
			explore_sleep();
		explore_assert(resumed[i]-- == 1);
		next = as[i]->step ? as[i]->step(&its_worker[i], as[i]) : &frame[i];
		while (next && next != &frame[i])
			next = next->step(&its_worker[i], next);
	}
	return task_await(i, next);
}

static int64_t lock(int i)
{
	int64_t rc = await(i, mag_mutex_lock(&its_worker[i], &frame[i], &mutex));

	if (rc == 0)
		explore_assert(holders++ == 0);
	explore_point();
	return rc;
}

static void unlock(int i)
{
	explore_assert(holders-- == 1);
	explore_assert(mag_mutex_unlock_by(&its_worker[i], &frame[i], &mutex) == 0);
	explore_point();
}

static int64_t wait_for_signal(int i)
{
	int64_t rc;

	explore_assert(holders-- == 1);
	rc = await(i, mag_condition_wait(&its_worker[i], &frame[i], &condition, &mutex));
	explore_assert(holders++ == 0);
	explore_point();
	return rc;
}

/* Takes a token, waiting for it, unless it is cancelled. */
static void takes(void)
{
	int64_t rc = lock(0);

	if (rc < 0)
		return;
	while (rc == 0 && tokens == 0)
		rc = wait_for_signal(0);
	explore_assert(rc == 0 || rc == MAG_ECANCELED);
	if (rc == 0)
		tokens--;
	unlock(0);
}

static void gives(void)
{
	explore_assert(lock(2) == 0);
	tokens++;
	unlock(2);
	mag_condition_signal(&condition);
	explore_point();
}

static void gives_and_cancels(void)
{
	gives();
	mag_scope_cancel(&its_scope[0]);
	explore_point();
}

static void nothing(void)
{
}

/* Two wait once, whatever for; a signal may be too early for both, or for one. */

static void waits(int i)
{
	if (lock(i) < 0)
		return;
	signalled[i] = wait_for_signal(i) == 0;
	explore_assert(signalled[i] || i == 0);
	unlock(i);
}

static void waits_first(void)
{
	waits(0);
}

static void waits_second(void)
{
	waits(1);
}

static void cancels_and_signals(void)
{
	mag_scope_cancel(&its_scope[0]);
	explore_point();
	told = mag_condition_signal(&condition);
	explore_point();
}

static void free_in_the_end(void)
{
	explore_assert(mutex.state == 0 && !mutex.waitq.head);
	explore_assert((int)signalled[0] + (int)signalled[1] == told);
}

static bool nobody_was_told(void)
{
	return !told;
}

#define MODEL(what, soon, is_quiet, ...)                                                           \
	{                                                                                          \
		.name = (what), .start = start, .thread = { __VA_ARGS__ }, .end = free_in_the_end, \
		.quiet = (is_quiet), .preemptions = 2, .quick = (soon), .only_views = true         \
	}
static const struct explore_model told_to_one = MODEL("told_to_one", 2, NULL, takes, nothing, gives),
				  cancelled = MODEL("cancelled", 2, NULL, takes, nothing, gives_and_cancels),
				  goes_to_the_next = MODEL("goes_to_the_next", 1, nobody_was_told, waits_first,
							   waits_second, cancels_and_signals);

#ifdef MODEL_FAULT

Test(condition, fault_is_found, .timeout = 120)
{
	const struct explore_model *const all[] = { &told_to_one, &cancelled, &goes_to_the_next };

	cr_assert(explore_some_fail(all, sizeof(all) / sizeof(all[0])));
}

#else

Test(condition, who_waits_is_signalled, .timeout = 300)
{
	cr_assert(explore_holds(&told_to_one));
}

Test(condition, who_is_cancelled_has_the_mutex, .timeout = 300)
{
	cr_assert(explore_holds(&cancelled));
}

Test(condition, signal_is_not_lost_with_one_that_is_cancelled, .timeout = 300)
{
	cr_assert(explore_holds(&goes_to_the_next));
}

#endif
