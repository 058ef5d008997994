/* SPDX-License-Identifier: MIT */
/* test_offload_hand.c - how many threads a lane has, and when. */
#include "offload_latch.h"

#include <stdlib.h>

#include "offload/lane.h"
#include "support/kernel_threads.h"

enum { JOBS_MAX = 200 };

struct crowd {
	struct latch latch;
	mag_future done[JOBS_MAX];
	int n;
};

#define CROWD { .latch = LATCH }

/* So many jobs that wait at the latch, each with a task of its own. */
static void send_in(mag_runtime *rt, struct crowd *c, uint32_t lane, int n)
{
	for (int i = 0; i < n; i++, c->n++)
		start(rt, &c->done[c->n], job_task, .lane = lane, .fn = wait_at_latch, .arg = &c->latch);
}

static void let_out(struct crowd *c)
{
	open_latch(&c->latch);
	for (int i = 0; i < c->n; i++)
		cr_assert_eq(result_of(&c->done[i]), PASSED);
}

Test(offload_hand, there_are_no_threads_before_the_first_job, .timeout = 20)
{
	mag_runtime *rt = lanes_with(.workers = 1);

	cr_assert_eq(lane_stats(rt, MAG_BLOCKING).threads, 0);
	cr_assert_eq(lane_stats(rt, MAG_COMPUTE).threads, 0);
	lanes_stop(rt);
}

/* Tried: a hand that takes a job and calls nobody for the rest: some wait for ever. */
Test(offload_hand, each_job_that_blocks_gets_a_thread_up_to_the_bound, .timeout = 30)
{
	mag_runtime *rt = lanes_with(.workers = 1, .blocking_max = 12);
	static struct crowd c = CROWD;

	send_in(rt, &c, MAG_BLOCKING, 9);
	wait_until(counted(&c.latch.inside) == 9);
	send_in(rt, &c, MAG_BLOCKING | MAG_KIND_FILE, 100);
	wait_until(counted(&c.latch.inside) == 11); /* the last place is for names */
	wait_until(lane_stats(rt, MAG_BLOCKING).queued == 98);
	cr_assert_leq(lane_stats(rt, MAG_BLOCKING).threads, 12);
	cr_assert_eq(lane_stats(rt, MAG_BLOCKING).running, 11);
	let_out(&c);
	cr_assert_leq(lane_stats(rt, MAG_BLOCKING).threads, 12);
	wait_until(lane_stats(rt, MAG_BLOCKING).jobs == 109); /* counted a little after the task is told */
	lanes_stop(rt);
}

Test(offload_hand, the_compute_lane_has_as_many_threads_as_it_was_given, .timeout = 30)
{
	mag_runtime *rt = lanes_with(.workers = 1, .compute_threads = 3);
	static struct crowd c = CROWD;

	send_in(rt, &c, MAG_COMPUTE, 10);
	wait_until(counted(&c.latch.inside) == 3);
	wait_until(lane_stats(rt, MAG_COMPUTE).queued == 7);
	cr_assert_eq(lane_stats(rt, MAG_COMPUTE).threads, 3);
	let_out(&c);
	lanes_stop(rt);
}

static int64_t do_nothing(void *arg)
{
	(void)arg;
	return 0;
}

struct chain {
	mag_frame frame;
	MAG_ARGS(chain, int n;);
	int i;
	int64_t rc;
};

static MAG_TASK(chain)
{
	MAG_BEGIN(chain);
	for (self->i = 0; self->i < self->n; self->i++)
		MAG_AWAIT(self->rc, mag_offload, MAG_BLOCKING, do_nothing, NULL);
	MAG_RETURN(0);
	MAG_END;
}

/* Short jobs call for nobody, so a hand has to watch. Tried: without it, or when it only looks on, jobs wait for
 * ever. */
Test(offload_hand, jobs_that_block_after_many_short_ones_get_threads_too, .timeout = 60)
{
	mag_runtime *rt = lanes_with(.workers = 1, .blocking_max = 24);

	for (int round = 0; round < 5; round++) {
		struct crowd *c = calloc(1, sizeof(*c));
		mag_future done[8];

		*c = (struct crowd)CROWD;
		for (int i = 0; i < 8; i++)
			start(rt, &done[i], chain, .n = 100);
		send_in(rt, c, MAG_BLOCKING, 17); /* of 18 that they may use */
		wait_until(counted(&c->latch.inside) == 17);
		for (int i = 0; i < 8; i++)
			cr_assert_eq(result_of(&done[i]), 0);
		let_out(c);
		free(c);
	}
	lanes_stop(rt);
}

Test(offload_hand, idle_threads_end_and_come_back_when_they_are_needed, .timeout = 30)
{
	mag_runtime *rt = lanes_with(.workers = 1, .lane_idle_ns = 5 * MAG_MILLISECOND);

	for (int round = 0; round < 20; round++) {
		struct crowd *c = calloc(1, sizeof(*c));

		*c = (struct crowd)CROWD;
		send_in(rt, c, MAG_BLOCKING, 10);
		send_in(rt, c, MAG_COMPUTE, 1);
		wait_until(counted(&c->latch.inside) == 11);
		let_out(c);
		free(c);
		wait_until(lane_stats(rt, MAG_BLOCKING).threads == 0);
		wait_until(lane_stats(rt, MAG_COMPUTE).threads == 0);
	}
	wait_until(lane_stats(rt, MAG_BLOCKING).jobs == 200);
	lanes_stop(rt);
}

/* A hand whose time is over just when it is called, over and over. */
Test(offload_hand, none_is_lost_when_idle_threads_end_all_the_time, .timeout = 60)
{
	uint64_t idle_ns[] = { 1, 3 * MAG_MICROSECOND, 60 * MAG_MICROSECOND };

	for (int round = 0; round < 3; round++) {
		mag_runtime *rt = lanes_with(.workers = 2, .lane_idle_ns = idle_ns[round],
					     .spin_us = round ? UINT32_MAX : 0);
		mag_future done[4];

		for (int i = 0; i < 4; i++)
			start(rt, &done[i], chain, .n = 3000 / SLOWDOWN);
		for (int i = 0; i < 4; i++)
			cr_assert_eq(result_of(&done[i]), 0);
		lanes_stop(rt);
	}
}

/* Calls one after the other: a task that makes a pool for each, and leaks it, would have a thread for each. */

static int64_t counts(void *arg)
{
	count_one(arg);
	return 0;
}

struct caller {
	mag_frame frame;
	MAG_ARGS(caller, uint32_t *calls; uint32_t n;);
	int64_t rc;
};

MAG_TASK(caller)
{
	MAG_BEGIN(caller);
	while (self->n--) {
		MAG_AWAIT(self->rc, mag_offload, MAG_BLOCKING, counts, self->calls);
		if (self->rc < 0)
			MAG_RETURN(self->rc);
	}
	MAG_RETURN(0);
	MAG_END;
}

Test(offload_hand, calls_one_after_the_other_share_threads_and_none_is_left, .timeout = 30)
{
	mag_runtime *rt = lanes_with(.workers = 1);
	uint32_t calls = 0;
	mag_future done;

	start(rt, &done, caller, .calls = &calls, .n = 100);
	cr_assert_eq(result_of(&done), 0);
	cr_assert_eq(counted(&calls), 100);
	cr_assert_leq(lane_stats(rt, MAG_BLOCKING).threads, 16);
	lanes_stop(rt);
	wait_until(kernel_threads() == 0);
}

/* Kinds. */

Test(offload_hand, hanging_names_leave_threads_to_files_and_the_others, .timeout = 30)
{
	mag_runtime *rt = lanes_with(.workers = 1);
	static struct crowd names = CROWD, files = CROWD, rest = CROWD;

	send_in(rt, &names, MAG_BLOCKING | MAG_KIND_RESOLVE, 100);
	wait_until(counted(&names.latch.inside) == 16);
	send_in(rt, &files, MAG_BLOCKING | MAG_KIND_FILE, 100);
	wait_until(counted(&files.latch.inside) == 40);
	send_in(rt, &rest, MAG_BLOCKING, 100);
	wait_until(counted(&rest.latch.inside) == 8);
	wait_until(lane_stats(rt, MAG_BLOCKING).queued == 236);
	cr_assert_eq(counted(&names.latch.inside), 16);
	cr_assert_eq(lane_stats(rt, MAG_BLOCKING).threads, 64);
	let_out(&files);
	let_out(&rest);
	let_out(&names);
	lanes_stop(rt);
}

/* The rule alone. */
static uint32_t runs_of(struct magi_lane *l, uint32_t kind, uint32_t wanted)
{
	struct magi_hand hand;
	struct magi_job job;
	uint32_t n = 0;

	for (uint32_t i = 0; i < wanted; i++) {
		static mag_frame frame;

		job = (struct magi_job){ .fn = do_nothing, .frame = &frame };
		magi_lock_acquire(&l->door);
		cr_assert_eq(magi_lane_prepare(l, kind), 0);
		magi_jobs_write(&l->jobs[kind], &job, kind);
		magi_jobs_publish(&l->jobs[kind]);
		magi_lock_release(&l->door);
		magi_lock_acquire(magi_lane_lock(l));
		if (magi_lane_take(l, &hand, &job) == (int)kind)
			n++;
		else
			magi_jobs_remove(&l->jobs[kind], frame.op.wait.need >> MAGI_JOB_BITS, &job);
		magi_lock_release(magi_lane_lock(l));
	}
	return n;
}

Test(offload_hand, each_kind_can_be_sure_of_its_share_whoever_comes_first, .timeout = 20)
{
	static mag_runtime rt = { .ticks_per_us = 1 };

	for (uint32_t max = 1; max <= 80; max++) {
		for (uint32_t order = 0; order < 6; order++) {
			uint32_t kinds[3] = { order % 3, (order + 1 + order / 3) % 3, (order + 2 - order / 3) % 3 };
			uint32_t least = max < 4 ? 0 : max / 8 ? max / 8 : 1;
			struct magi_lane l = { 0 };
			uint32_t n[3], all;

			rt.options.blocking_max = max;
			magi_lane_init(&l, NULL, &rt, 2, MAG_BLOCKING);
			l.alive = 1; /* no thread is started here */
			for (int i = 0; i < 3; i++)
				n[kinds[i]] = runs_of(&l, kinds[i], max + 1);
			all = n[0] + n[1] + n[2];
			cr_assert_leq(all, max);
			cr_assert_leq(n[MAG_KIND_RESOLVE >> 8], (max + 3) / 4);
			for (int i = 0; i < 3; i++)
				cr_assert_geq(n[i], least);
			for (int i = 0; i < 3; i++)
				free(l.jobs[i].at);
		}
	}
}

/* Spinning: a lane that had nothing to do for a while costs nothing. */

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * MAG_SECOND + (uint64_t)ts.tv_nsec;
}

struct nap {
	mag_frame frame;
	MAG_ARGS(nap, uint64_t ns;);
	int64_t rc;
};

static MAG_TASK(nap)
{
	MAG_BEGIN(nap);
	MAG_AWAIT(self->rc, mag_sleep, self->ns);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(offload_hand, idle_threads_use_no_cpu, .timeout = 20)
{
	mag_runtime *rt = lanes_with(.workers = 1);
	static struct crowd c = CROWD;
	mag_future done;
	uint64_t before, used = UINT64_MAX, limit = SLOWDOWN * 3 * MAG_MILLISECOND;

	send_in(rt, &c, MAG_BLOCKING, 8);
	wait_until(counted(&c.latch.inside) == 8);
	let_out(&c);
	start(rt, &done, chain, .n = 1000);
	cr_assert_eq(result_of(&done), 0);
	start(rt, &done, nap, .ns = 20 * MAG_MILLISECOND); /* watching and spinning end */
	cr_assert_eq(result_of(&done), 0);
	for (int i = 0; i < 20 && used > limit; i++) { /* later, where others have the CPUs */
		before = cpu_ns();
		start(rt, &done, nap, .ns = 300 * MAG_MILLISECOND);
		cr_assert_eq(result_of(&done), 0);
		used = cpu_ns() - before;
	}
	cr_assert_leq(used, limit);
	lanes_stop(rt);
}

/* Offloads one job after it has planned that the n-th fault site from there fails. */
struct unlucky {
	mag_frame frame;
	MAG_ARGS(unlucky, uint64_t n;);
	int64_t rc;
};

static MAG_TASK(unlucky)
{
	MAG_BEGIN(unlucky);
	magi_fault_plan(self->n, 0);
	MAG_AWAIT(self->rc, mag_offload, MAG_BLOCKING, do_nothing, NULL);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* The thread for a job that waits behind one that blocks cannot be made, for want of memory (site 1) or of threads (2).
 * When there are some again, those who add jobs must call for one. Tried: start() that fails and leaves the lane
 * `attentive`: nobody calls any more, and all that was added waits for the job that blocks. */
Test(offload_hand, a_thread_that_could_not_be_made_is_made_for_a_later_job, .timeout = 30)
{
	for (uint64_t n = 1; n <= 2; n++) {
		mag_runtime *rt = lanes_with(.workers = 1);
		struct latch blocked = LATCH;
		mag_future first, unserved, later[6];

		start(rt, &first, job_task, .lane = MAG_BLOCKING, .fn = wait_at_latch, .arg = &blocked);
		wait_until(counted(&blocked.inside) == 1);
		start(rt, &unserved, unlucky, .n = n);
		wait_until(magi_fault_reached() >= n);
		wait_until(lane_stats(rt, MAG_BLOCKING).queued == 1);
		magi_fault_plan(0, 0);
		cr_assert_eq(lane_stats(rt, MAG_BLOCKING).threads, 1);
		for (int i = 0; i < 6; i++)
			start(rt, &later[i], job_task, .lane = MAG_BLOCKING, .fn = do_nothing);
		for (int i = 0; i < 6; i++)
			cr_assert_eq(result_of(&later[i]), 0);
		cr_assert_eq(result_of(&unserved), 0);
		cr_assert_eq(counted(&blocked.passed), 0);
		open_latch(&blocked);
		cr_assert_eq(result_of(&first), PASSED);
		lanes_stop(rt);
	}
}
