/* SPDX-License-Identifier: MIT */
/* test_offload_end.c - the end of a runtime whose lanes are idle, busy or stuck. */
#include "offload_latch.h"

#include <dirent.h>

static int threads_of_process(void)
{
	DIR *d = opendir("/proc/self/task");
	int n = 0;

	for (struct dirent *e = readdir(d); e; e = readdir(d))
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static int64_t look_busy(void *arg)
{
	(void)arg;
	for (volatile int i = 0; i < 10000; i++)
		;
	return 0;
}

struct abandoner {
	mag_frame frame;
	MAG_ARGS(abandoner, struct latch *latch; uint32_t lane;);
	mag_group group;
	mag_handle handle;
	int64_t rc;
};

/* Leaves an owned job running. */
static MAG_TASK(abandoner)
{
	MAG_BEGIN(abandoner);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	MAG_SPAWN_AS(self->rc, &self->handle, &self->group, job_task, .lane = self->lane, .fn = wait_at_latch,
		     .arg = self->latch, .destroy = destroy_of_latch);
	while (!counted(&self->latch->inside))
		MAG_YIELD(self->rc);
	mag_handle_cancel(&self->handle);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(0);
	MAG_END;
}

/* Whoever destroys the runtime before the deadline is over is told of nothing. */
Test(offload_end, an_abandoned_job_is_waited_for_until_the_deadline, .timeout = 20)
{
	mag_runtime *rt = lanes_with(.workers = 1);
	struct latch latch = LATCH;
	mag_future done;

	start(rt, &done, abandoner, .latch = &latch);
	cr_assert_eq(result_of(&done), 0);
	open_latch(&latch);
	lanes_stop(rt);
	cr_assert_eq(counted(&latch.destroyed), 1);
}

/* Tried: lanes that are freed with the runtime: a use after free under AddressSanitizer. */
Test(offload_end, stragglers_are_counted_and_end_by_themselves, .timeout = 20)
{
	static struct latch blocking = LATCH, compute = LATCH;
	mag_runtime *rt = lanes_with(.workers = 2);
	mag_future done;
	int before = threads_of_process() - 3; /* the workers, and the one that says what hangs */

	start(rt, &done, abandoner, .latch = &blocking);
	cr_assert_eq(result_of(&done), 0);
	start(rt, &done, abandoner, .latch = &compute, .lane = MAG_COMPUTE);
	cr_assert_eq(result_of(&done), 0);
	start(rt, &done, job_task, .fn = look_busy, .arg = NULL);
	cr_assert_eq(result_of(&done), 0);
	cr_assert_eq(mag_runtime_destroy(rt, mag_deadline_in(500 * MAG_MILLISECOND)), 2);
	wait_until(threads_of_process() == before + 2); /* the kernel takes a joined one away a little later */
	cr_assert_eq(counted(&blocking.destroyed) + counted(&compute.destroyed), 0);
	open_latch(&compute);
	wait_until(threads_of_process() == before + 1);
	cr_assert_eq(counted(&compute.destroyed), 1);
	open_latch(&blocking);
	wait_until(threads_of_process() == before);
	cr_assert_eq(counted(&blocking.destroyed), 1);
}

Test(offload_end, a_task_whose_job_does_not_end_is_a_straggler_and_the_runtime_stays, .timeout = 20)
{
	mag_runtime *rt = lanes_with(.workers = 1);
	struct latch latch = LATCH;
	mag_future done;

	start(rt, &done, job_task, .fn = wait_at_latch, .arg = &latch);
	wait_until(counted(&latch.inside));
	cr_assert_eq(mag_runtime_destroy(rt, mag_deadline_in(MAG_MILLISECOND)), 1);
	open_latch(&latch);
	cr_assert_eq(result_of(&done), PASSED);
	lanes_stop(rt);
}

Test(offload_end, waiting_jobs_are_taken_back_when_the_runtime_ends, .timeout = 20)
{
	mag_runtime *rt = lanes_with(.workers = 1, .blocking_max = 1);
	struct latch first = LATCH, others = LATCH;
	mag_future a, b[20];

	start(rt, &a, job_task, .fn = wait_at_latch, .arg = &first);
	wait_until(counted(&first.inside));
	for (int i = 0; i < 20; i++)
		start(rt, &b[i], job_task, .fn = wait_at_latch, .arg = &others, .destroy = destroy_of_latch);
	cr_assert_geq(mag_runtime_destroy(rt, 0), 1);
	for (int i = 0; i < 20; i++)
		cr_assert_eq(result_of(&b[i]), MAG_ECANCELED);
	open_latch(&first);
	cr_assert_eq(result_of(&a), PASSED);
	lanes_stop(rt);
	cr_assert_eq(counted(&others.destroyed), 20);
	cr_assert_eq(counted(&others.inside), 0);
}

/* A deadline that is over is no reason to leave threads behind that have nothing to do. */
Test(offload_end, idle_threads_are_joined_also_without_time, .timeout = 60)
{
	int least;

	lanes_stop(lanes_with(.workers = 1)); /* a sanitizer starts a thread of its own with the first one */
	least = threads_of_process();
	for (int round = 0; round < 100 / SLOWDOWN; round++) {
		mag_runtime *rt = lanes_with(.workers = 1);
		static mag_future done[16];

		for (int i = 0; i < 16; i++)
			start(rt, &done[i], job_task, .lane = i % 2, .fn = look_busy);
		for (int i = 0; i < 16; i++)
			cr_assert_eq(result_of(&done[i]), 0);
		/* the tasks' very ends may be yet to come */
		while (mag_runtime_destroy(rt, 0) > 0)
			sched_yield();
		wait_until(threads_of_process() <= least); /* the kernel takes a joined one away a little later */
	}
}
