/* SPDX-License-Identifier: MIT */
/* test_offload_cancel.c - cancelling tasks whose jobs wait, run, or are about to end. */
#include "offload_latch.h"

#include <stdlib.h>

#include "base/random.h"
#include "offload/lane.h"

#define SOON MAG_MILLISECOND

Test(offload_cancel, a_waiting_job_is_taken_back_and_never_runs, .timeout = 20)
{
	mag_runtime *rt = lanes_with(.workers = 1, .blocking_max = 1);
	struct latch first = LATCH, second = LATCH;
	mag_future a, b;

	start(rt, &a, job_task, .fn = wait_at_latch, .arg = &first);
	wait_until(counted(&first.inside) == 1);
	start(rt, &b, job_task, .fn = wait_at_latch, .arg = &second, .timeout = SOON);
	cr_assert_eq(result_of(&b), MAG_ECANCELED);
	cr_assert_eq(lane_stats(rt, MAG_BLOCKING).queued, 0);
	open_latch(&first);
	cr_assert_eq(result_of(&a), PASSED);
	lanes_stop(rt);
	cr_assert_eq(counted(&second.inside), 0);
}

/* As a user's may, it asks about the lane: tried under the lane's lock, which never ends then. */
static void destroy_on_worker(void *arg)
{
	cr_assert_geq(mag_worker_index(), 0);
	(void)lane_stats(mag_runtime_current(), MAG_BLOCKING);
	destroy_of_latch(arg);
}

Test(offload_cancel, a_waiting_owned_job_is_destroyed_before_its_await_returns, .timeout = 20)
{
	mag_runtime *rt = lanes_with(.workers = 1, .blocking_max = 1);
	struct latch first = LATCH, second = LATCH;
	mag_future a, b;

	start(rt, &a, job_task, .fn = wait_at_latch, .arg = &first);
	wait_until(counted(&first.inside) == 1);
	start(rt, &b, job_task, .fn = wait_at_latch, .arg = &second, .destroy = destroy_on_worker, .timeout = SOON);
	cr_assert_eq(result_of(&b), MAG_ECANCELED);
	cr_assert_eq(counted(&second.destroyed), 1);
	open_latch(&first);
	cr_assert_eq(result_of(&a), PASSED);
	lanes_stop(rt);
	cr_assert_eq(counted(&second.inside), 0);
	cr_assert_eq(counted(&second.destroyed), 1);
}

Test(offload_cancel, a_cancelled_scope_starts_no_job_and_destroys_what_it_owned, .timeout = 20)
{
	mag_runtime *rt = lanes_with(.workers = 1);
	struct latch latch = LATCH;
	mag_future done;

	mag_group_cancel(mag_background(rt));
	start(rt, &done, job_task, .fn = wait_at_latch, .arg = &latch, .destroy = destroy_on_worker);
	cr_assert_eq(result_of(&done), MAG_ECANCELED);
	lanes_stop(rt);
	cr_assert_eq(counted(&latch.inside), 0);
	cr_assert_eq(counted(&latch.destroyed), 1);
}

struct canceller {
	mag_frame frame;
	MAG_ARGS(canceller, struct latch *latch; void (*destroy)(void *); uint32_t *cancelled;);
	mag_group group;
	mag_handle handle;
	int64_t rc;
};

/* Cancels a job while it runs; ends with its result. */
static MAG_TASK(canceller)
{
	MAG_BEGIN(canceller);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	MAG_SPAWN_AS(self->rc, &self->handle, &self->group, job_task, .fn = wait_at_latch, .arg = self->latch,
		     .destroy = self->destroy);
	while (!counted(&self->latch->inside))
		MAG_YIELD(self->rc);
	mag_handle_cancel(&self->handle);
	count_one(self->cancelled);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(mag_handle_result(&self->handle));
	MAG_END;
}

Test(offload_cancel, a_running_job_is_waited_for_and_its_result_delivered, .timeout = 20)
{
	mag_runtime *rt = lanes_with(.workers = 2);
	struct latch latch = LATCH;
	uint32_t cancelled = 0;
	mag_future done;

	start(rt, &done, canceller, .latch = &latch, .cancelled = &cancelled);
	wait_until(counted(&cancelled));
	for (int i = 0; i < 1000; i++)
		sched_yield(); /* time enough for an await that does not wait */
	cr_assert_not(mag_future_poll(&done, NULL));
	open_latch(&latch);
	cr_assert_eq(result_of(&done), PASSED);
	lanes_stop(rt);
}

Test(offload_cancel, a_running_owned_job_is_abandoned_at_once_and_destroyed_at_its_end, .timeout = 20)
{
	mag_runtime *rt = lanes_with(.workers = 2);
	struct latch latch = LATCH;
	uint32_t cancelled = 0;
	mag_future done;

	start(rt, &done, canceller, .latch = &latch, .destroy = destroy_of_latch, .cancelled = &cancelled);
	cr_assert_eq(result_of(&done), MAG_ECANCELED);
	cr_assert_eq(counted(&latch.passed), 0);
	cr_assert_eq(counted(&latch.destroyed), 0);
	cr_assert_eq(lane_stats(rt, MAG_BLOCKING).running, 1);
	open_latch(&latch);
	lanes_stop(rt);
	cr_assert_eq(counted(&latch.passed), 1);
	cr_assert_eq(counted(&latch.destroyed), 1);
}

/* Between the claim of a canceller and its look at the queue a job may be taken, run and ended: its result counts.
 * Tried: a hand that resumes the task in that case too, and a `gone` that resumes it as cancelled. */
struct claimed {
	mag_frame frame; /* of a task that was never started: what is parked in the lane's name */
	struct magi_hand hand;
	uint32_t resumed;
};

static mag_frame *count_resumption(mag_worker *w, mag_frame *f)
{
	(void)w;
	count_one(&((struct claimed *)(void *)f)->resumed);
	return NULL;
}

static int64_t nothing(void *arg)
{
	(void)arg;
	return 5;
}

static void end_after_claim(bool owned)
{
	mag_runtime *rt = lanes_with(.workers = 1);
	struct magi_lane *l = &rt->offload->lane[MAG_BLOCKING];
	struct claimed c = {
		.frame = { .step = count_resumption, .leader = &c.frame, .scope = &mag_background(rt)->scope },
	};
	struct magi_job job = { .fn = nothing, .frame = &c.frame, .destroy = owned ? destroy_of_latch : NULL };
	mag_frame *granted = NULL;

	magi_lock_acquire(&l->door);
	cr_assert_eq(magi_lane_prepare(l, 0), 0);
	magi_lock_acquire(magi_lane_lock(l));
	magi_jobs_write(&l->jobs[0], &job, owned ? 4 : 0);
	magi_jobs_publish(&l->jobs[0]);
	magi_lock_release(&l->door);
	c.frame.state = 0; /* claimed: not PARKED any more */
	cr_assert_eq(magi_lane_take(l, &c.hand, &job), 0); /* before the lane's own hand */
	magi_lane_done(l, &job, 0, 0);
	if (owned)
		cr_assert_not(magi_offload_finish_owned(&c.hand, 5));
	magi_lock_release(magi_lane_lock(l));
	if (!owned)
		magi_offload_finish(l, &c.frame, 5);
	lanes_stop(rt);
	cr_assert_eq(counted(&c.resumed), 0);
	cr_assert_not(magi_offload_gone(&l->waits, &c.frame, &granted));
	cr_assert_eq(granted, &c.frame);
	cr_assert_eq(c.frame.op.result, 5);
}

Test(offload_cancel, a_job_that_ends_while_it_is_cancelled_gives_its_result, .timeout = 20)
{
	end_after_claim(false);
	end_after_claim(true);
}

/* Tried: a queue that grows instead of closing its holes: 1024 entries. */
Test(offload_cancel, jobs_added_and_taken_back_over_and_over_use_no_memory, .timeout = 60)
{
	mag_runtime *rt = lanes_with(.workers = 1, .blocking_max = 1);
	struct latch first = LATCH, other = LATCH;
	uint32_t capacity;
	mag_future a, b, c;

	start(rt, &a, job_task, .fn = wait_at_latch, .arg = &first);
	wait_until(counted(&first.inside) == 1);
	start(rt, &b, job_task, .fn = wait_at_latch, .arg = &first);
	wait_until(lane_stats(rt, MAG_BLOCKING).queued == 1);
	for (int i = 0; i < 1000; i++) {
		start(rt, &c, job_task, .fn = wait_at_latch, .arg = &other, .timeout = MAG_MICROSECOND * 200);
		cr_assert_eq(result_of(&c), MAG_ECANCELED);
	}
	capacity = rt->offload->lane[MAG_BLOCKING].jobs[0].capacity;
	open_latch(&first);
	cr_assert_eq(result_of(&a), PASSED);
	cr_assert_eq(result_of(&b), PASSED);
	lanes_stop(rt);
	cr_assert_leq(capacity, 256);
	cr_assert_eq(counted(&other.inside), 0);
}

/* Races: jobs that are cancelled by another worker, by a foreign thread or by a deadline at every moment of their life.
 * Nothing is lost, run twice or destroyed twice. */

enum { RACES = 20000 / SLOWDOWN };

struct ledger {
	uint32_t ran, destroyed, passed, cancelled, wrong; /* atomic */
};

struct racer {
	struct ledger *ledger;
	uint32_t ran, destroyed; /* of this job: a job is in one place at a time */
	uint32_t spin;
};

static int64_t race(void *arg)
{
	struct racer *r = arg;

	count_one(&r->ledger->ran);
	r->ran++;
	for (volatile uint32_t i = 0; i < r->spin; i++)
		;
	return PASSED;
}

static void race_over(void *arg)
{
	struct racer *r = arg;

	count_one(&r->ledger->destroyed);
	if (r->destroyed++)
		count_one(&r->ledger->wrong);
	free(r);
}

struct run_racer {
	mag_frame frame;
	MAG_ARGS(run_racer, struct ledger *ledger; uint32_t spin; bool owned; uint64_t timeout;);
	struct racer lent;
	struct racer *racer;
	mag_scope scope;
	int64_t rc, why;
};

static MAG_TASK(run_racer)
{
	MAG_BEGIN(run_racer);
	self->racer = self->owned ? malloc(sizeof(*self->racer)) : &self->lent;
	*self->racer = (struct racer){ .ledger = self->ledger, .spin = self->spin };
	MAG_WITH_TIMEOUT(&self->scope, self->timeout);
	if (self->owned)
		MAG_AWAIT(self->rc, mag_offload_owned, MAG_BLOCKING, race, self->racer, race_over);
	else
		MAG_AWAIT(self->rc, mag_offload, MAG_BLOCKING, race, self->racer);
	MAG_SCOPE_END(self->why, &self->scope);
	if (self->rc == PASSED)
		count_one(&self->ledger->passed);
	else if (self->rc == MAG_ECANCELED)
		count_one(&self->ledger->cancelled);
	else
		count_one(&self->ledger->wrong);
	if (!self->owned && self->lent.ran != (self->rc == PASSED))
		count_one(&self->ledger->wrong);
	MAG_RETURN(0);
	MAG_END;
}

struct races {
	mag_frame frame;
	MAG_ARGS(races, struct ledger *ledger; int n; bool owned;);
	struct magi_random random;
	mag_group group;
	mag_handle handle[8];
	int64_t rc;
	int i, k;
};

/* Eight at a time, each with a deadline or cancelled by its handle, but the last. */
static MAG_TASK(races)
{
	MAG_BEGIN(races);
	magi_random_seed(&self->random, 1);
	for (self->i = 0; self->i < self->n / 8; self->i++) {
		MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
		for (self->k = 0; self->k < 8; self->k++) {
			MAG_SPAWN_AS(self->rc, &self->handle[self->k], &self->group, run_racer, .ledger = self->ledger,
				     .owned = self->owned, .spin = magi_random_below(&self->random, 2000),
				     .timeout = self->k % 2 && self->k != 7 ? magi_random_below(&self->random, 30000)
									    : MAG_NEVER);
		}
		for (self->k = 0; self->k < 8; self->k += 2) {
			if (magi_random_below(&self->random, 4))
				MAG_YIELD(self->rc);
			mag_handle_cancel(&self->handle[self->k]);
		}
		MAG_GROUP_END(self->rc, &self->group);
	}
	MAG_RETURN(0);
	MAG_END;
}

static void race_on(uint32_t workers, uint32_t threads, bool owned)
{
	mag_runtime *rt = lanes_with(.workers = workers, .blocking_max = threads);
	struct ledger ledger = { 0 };
	mag_future done;

	start(rt, &done, races, .ledger = &ledger, .n = RACES, .owned = owned);
	cr_assert_eq(result_of(&done), 0);
	lanes_stop(rt);
	cr_assert_eq(ledger.wrong, 0);
	cr_assert_eq(ledger.passed + ledger.cancelled, RACES);
	cr_assert_gt(ledger.passed, 0);
	cr_assert_gt(ledger.cancelled, 0);
	if (owned)
		cr_assert_eq(ledger.destroyed, RACES);
	else
		cr_assert_eq(ledger.ran, ledger.passed);
}

Test(offload_cancel, lent_jobs_cancelled_at_any_moment_run_once_or_not_at_all, .timeout = 120)
{
	race_on(2, 1, false);
	race_on(4, 3, false);
}

Test(offload_cancel, owned_jobs_cancelled_at_any_moment_are_destroyed_once, .timeout = 120)
{
	race_on(2, 1, true);
	race_on(4, 3, true);
}
