/* SPDX-License-Identifier: MIT */
/* test_offload.c - jobs and their results, wrong use, foreign threads, failing memory. */
#include "offload_latch.h"

#include <errno.h>
#include <signal.h>

static int64_t give_back(void *arg)
{
	return *(int64_t *)arg;
}

Test(offload, the_result_comes_back_as_it_is, .timeout = 20)
{
	int64_t results[] = { 0, 1, -1, -EIO, MAG_ECLOSED, INT64_MAX, INT64_MIN };
	uint32_t lanes[] = { MAG_BLOCKING, MAG_BLOCKING | MAG_KIND_RESOLVE, MAG_BLOCKING | MAG_KIND_FILE, MAG_COMPUTE };
	mag_runtime *rt = lanes_with(.workers = 2);
	mag_future done;

	for (size_t l = 0; l < sizeof(lanes) / sizeof(lanes[0]); l++) {
		for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
			start(rt, &done, job_task, .lane = lanes[l], .fn = give_back, .arg = &results[i]);
			cr_assert_eq(result_of(&done), results[i]);
		}
	}
	lanes_stop(rt);
}

Test(offload, wrong_use_is_refused_and_runs_nothing, .timeout = 20)
{
	struct latch latch = LATCH;
	struct {
		uint32_t lane;
		int64_t (*fn)(void *);
	} wrong[] = {
		{ 2, wait_at_latch },
		{ 255, wait_at_latch },
		{ MAG_BLOCKING | 3 << 8, wait_at_latch },
		{ MAG_COMPUTE | MAG_KIND_FILE, wait_at_latch },
		{ 1u << 31, wait_at_latch },
		{ MAG_BLOCKING, NULL },
	};
	mag_runtime *rt = lanes_with(.workers = 1);
	mag_future done;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		start(rt, &done, job_task, .lane = wrong[i].lane, .fn = wrong[i].fn, .arg = &latch);
		cr_assert_eq(result_of(&done), -EINVAL);
		start(rt, &done, job_task, .lane = wrong[i].lane, .fn = wrong[i].fn, .arg = &latch,
		      .destroy = destroy_of_latch);
		cr_assert_eq(result_of(&done), -EINVAL);
	}
	cr_assert_eq(counted(&latch.inside), 0);
	cr_assert_eq(counted(&latch.destroyed), 0);
	lanes_stop(rt);
}

Test(offload, stats_are_as_large_as_the_caller_says, .timeout = 20)
{
	mag_runtime *rt = lanes_with(.workers = 1);
	mag_lane_stats s = { .size = sizeof(s) + 1 };

	cr_assert_eq(mag_offload_stats(rt, MAG_BLOCKING, &s), -EINVAL);
	s.size = 0;
	cr_assert_eq(mag_offload_stats(rt, MAG_BLOCKING, &s), -EINVAL);
	s.size = sizeof(s);
	cr_assert_eq(mag_offload_stats(rt, 7, &s), -EINVAL);
	s.size = offsetof(mag_lane_stats, running);
	s.running = 77;
	cr_assert_eq(mag_offload_stats(rt, MAG_COMPUTE, &s), 0);
	cr_assert_eq(s.jobs, 0);
	cr_assert_eq(s.running, 77);
	lanes_stop(rt);
}

Test(offload, more_threads_than_a_lane_can_have_are_refused, .timeout = 20)
{
	mag_runtime_options o = { .size = sizeof(o), .blocking_max = MAG_LANE_THREADS_MAX + 1 };
	mag_runtime *rt;

	cr_assert_eq(mag_runtime_create(&o, &rt), -EINVAL);
	cr_assert_not_null(strstr(mag_runtime_why(), "blocking_max"));
	o.blocking_max = 0;
	o.compute_threads = UINT32_MAX;
	cr_assert_eq(mag_runtime_create(&o, &rt), -EINVAL);
}

static int64_t look_around(void *arg)
{
	sigset_t blocked;

	(void)arg;
	if (mag_worker_index() != -1 || mag_runtime_current())
		return 1;
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	return sigismember(&blocked, SIGINT) == 1 && sigismember(&blocked, SIGTERM) == 1 ? 0 : 2;
}

Test(offload, a_job_runs_on_no_worker_and_takes_no_signals, .timeout = 20)
{
	mag_runtime *rt = lanes_with(.workers = 1);
	mag_future done;

	start(rt, &done, job_task, .lane = MAG_BLOCKING, .fn = look_around);
	cr_assert_eq(result_of(&done), 0);
	lanes_stop(rt);
}

/* Many at once: each job adds to a word of its own task, unguarded, and to one of all. */

struct sum {
	uint64_t own;
	uint32_t *all;
};

static int64_t add_up(void *arg)
{
	struct sum *s = arg;

	count_one(s->all);
	return (int64_t)++s->own;
}

struct adder {
	mag_frame frame;
	MAG_ARGS(adder, uint32_t lane; int n; uint32_t *all;);
	struct sum sum;
	int i;
	int64_t rc;
};

static MAG_TASK(adder)
{
	MAG_BEGIN(adder);
	self->sum = (struct sum){ 0, self->all };
	for (self->i = 1; self->i <= self->n; self->i++) {
		MAG_AWAIT(self->rc, mag_offload, self->lane, add_up, &self->sum);
		if (self->rc != self->i)
			MAG_RETURN(-EBADMSG);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct adders {
	mag_frame frame;
	MAG_ARGS(adders, int tasks; int n; uint32_t *all;);
	mag_group group;
	int i;
	int64_t rc;
};

static MAG_TASK(adders)
{
	MAG_BEGIN(adders);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < self->tasks; self->i++) {
		MAG_SPAWN(self->rc, &self->group, adder, .n = self->n, .all = self->all,
			  .lane = self->i % 4 == 3 ? (uint32_t)MAG_COMPUTE : (uint32_t)(self->i % 4) << 8);
		if (self->rc < 0)
			break;
	}
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

static void add_on(uint32_t workers, uint32_t spin_us)
{
	enum { TASKS = 1000, JOBS = 100 / SLOWDOWN };
	mag_runtime *rt = lanes_with(.workers = workers, .spin_us = spin_us);
	uint32_t all = 0;
	mag_future done;

	start(rt, &done, adders, .tasks = TASKS, .n = JOBS, .all = &all);
	cr_assert_eq(result_of(&done), 0);
	cr_assert_eq(counted(&all), (uint32_t)TASKS * JOBS);
	lanes_stop(rt);
}

Test(offload, each_of_many_jobs_runs_once_and_answers_its_own_task, .timeout = 120)
{
	add_on(1, 0);
	add_on(2, 0);
	add_on(4, UINT32_MAX);
}

struct on_worker {
	mag_frame frame;
	MAG_ARGS(on_worker, int worker; int n; uint32_t *all;);
	struct sum sum;
	int i;
	int64_t rc;
};

static MAG_TASK(on_worker)
{
	MAG_BEGIN(on_worker);
	self->sum = (struct sum){ 0, self->all };
	for (self->i = 0; self->i < self->n; self->i++) {
		MAG_AWAIT(self->rc, mag_offload, MAG_BLOCKING, add_up, &self->sum);
		if (self->rc < 0 || mag_worker_index() != self->worker)
			MAG_RETURN(-EBADMSG);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct on_workers {
	mag_frame frame;
	MAG_ARGS(on_workers, uint32_t *all;);
	mag_group group;
	int i;
	int64_t rc;
};

static MAG_TASK(on_workers)
{
	MAG_BEGIN(on_workers);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 16; self->i++) {
		MAG_SPAWN_ON(self->rc, (unsigned)self->i % 3, &self->group, on_worker, .worker = self->i % 3, .n = 200,
			     .all = self->all);
	}
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(offload, a_pinned_task_comes_back_to_its_worker, .timeout = 60)
{
	mag_runtime *rt = lanes_with(.workers = 3);
	uint32_t all = 0;
	mag_future done;

	start(rt, &done, on_workers, .all = &all);
	cr_assert_eq(result_of(&done), 0);
	lanes_stop(rt);
}

/* Foreign threads. */

enum { CALLERS = 4, CALLS = 200 / SLOWDOWN };

static void *call_from_outside(void *arg)
{
	mag_runtime *rt = arg;

	for (int64_t i = 0; i < CALLS; i++) {
		mag_future done;

		start(rt, &done, job_task, .lane = i % 2 ? MAG_COMPUTE : MAG_BLOCKING, .fn = give_back, .arg = &i);
		cr_assert_eq(result_of(&done), i);
	}
	return NULL;
}

Test(offload, foreign_threads_offload_by_way_of_tasks, .timeout = 60)
{
	mag_runtime *rt = lanes_with(.workers = 2);
	pthread_t threads[CALLERS];

	for (int i = 0; i < CALLERS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, call_from_outside, rt), 0);
	for (int i = 0; i < CALLERS; i++)
		pthread_join(threads[i], NULL);
	lanes_stop(rt);
}

static int64_t call_back(void *arg)
{
	int64_t seven = 7;
	mag_future done;

	start(arg, &done, job_task, .lane = MAG_COMPUTE, .fn = give_back, .arg = &seven);
	return result_of(&done);
}

Test(offload, a_job_is_a_foreign_thread_and_may_wait_for_tasks, .timeout = 20)
{
	mag_runtime *rt = lanes_with(.workers = 1);
	mag_future done;

	start(rt, &done, job_task, .lane = MAG_BLOCKING, .fn = call_back, .arg = rt);
	cr_assert_eq(result_of(&done), 7);
	lanes_stop(rt);
}

struct waiter {
	mag_frame frame;
	MAG_ARGS(waiter, int64_t *run; int64_t *wait; int64_t *destroy;);
	int64_t rc;
};

static MAG_TASK(waiter)
{
	mag_future never;

	MAG_BEGIN(waiter);
	mag_future_init(&never);
	*self->run = mag_run(NULL, waiter, .run = NULL);
	*self->wait = mag_future_wait(&never, NULL, MAG_NEVER);
	*self->destroy = mag_runtime_destroy(mag_runtime_current(), 0);
	mag_future_fini(&never);
	MAG_YIELD(self->rc);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(offload, waiting_as_a_thread_on_a_worker_is_refused, .timeout = 20)
{
	mag_runtime *rt = lanes_with(.workers = 1);
	int64_t run = 0, wait = 0, destroy = 0;
	mag_future done;

	start(rt, &done, waiter, .run = &run, .wait = &wait, .destroy = &destroy);
	cr_assert_eq(result_of(&done), 0);
	cr_assert_eq(run, MAG_EDEADLK);
	cr_assert_eq(wait, MAG_EDEADLK);
	cr_assert_eq(destroy, MAG_EDEADLK);
	lanes_stop(rt);
}

/* Memory and threads that fail, in turn. Whatever fails, the await says so or the job has run, and the argument is
 * destroyed once. */

struct frugal {
	mag_frame frame;
	MAG_ARGS(frugal, struct latch *latch;);
	int64_t rc;
	int i;
};

static MAG_TASK(frugal)
{
	MAG_BEGIN(frugal);
	for (self->i = 0; self->i < 3; self->i++) {
		MAG_AWAIT(self->rc, mag_offload_owned, (uint32_t)self->i << 8, wait_at_latch, self->latch,
			  destroy_of_latch);
		if (self->rc != PASSED && self->rc != -ENOMEM && self->rc != -EAGAIN)
			MAG_RETURN(-EBADMSG);
	}
	MAG_RETURN(0);
	MAG_END;
}

static uint64_t run_with_fault(uint64_t n, uint64_t every)
{
	mag_runtime *rt = lanes_with(.workers = 1);
	struct latch latch = LATCH;
	mag_future done;
	int rc;

	latch.open = true;
	mag_future_init(&done);
	magi_fault_plan(n, every);
	rc = mag_spawn_from(rt, &done, frugal, .latch = &latch);
	if (rc == 0) {
		cr_assert_eq(result_of(&done), 0);
		cr_assert_eq(counted(&latch.destroyed), 3);
		cr_assert_leq(counted(&latch.passed), 3);
	}
	n = magi_fault_reached();
	magi_fault_plan(0, 0);
	lanes_stop(rt);
	return n;
}

Test(offload, every_failing_allocation_is_told_and_nothing_is_lost, .timeout = 60)
{
	uint64_t n = 1;

	while (run_with_fault(n, 0) >= n)
		n++;
	cr_assert_gt(n, 5, "there were no faults to speak of");
	run_with_fault(1, 1);
	run_with_fault(3, 1);
	run_with_fault(4, 2);
}
