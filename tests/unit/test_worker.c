/* SPDX-License-Identifier: MIT */
/* test_worker.c - the worker's loop: the trampoline, pinned tasks, idling. Fairness: test_worker_fair.c. */
#include "unit/play.h"

#include <time.h>

struct nothing {
	mag_frame frame;
	MAG_NO_ARGS(nothing);
};

MAG_TASK(nothing)
{
	MAG_BEGIN(nothing);
	MAG_RETURN(0);
	MAG_END;
}

/* The trampoline. */

struct long_chain {
	mag_frame frame;
	MAG_ARGS(long_chain, uint32_t links;);
	mag_future ready;
	uint32_t i;
	int64_t rc;
};

/* Each link is ready at once: a call that ends, or an await of what is complete. */
MAG_TASK(long_chain)
{
	MAG_BEGIN(long_chain);
	mag_future_init(&self->ready);
	mag_future_complete(&self->ready, 1);
	for (self->i = 0; self->i < self->links; self->i += 2) {
		MAG_CALL(self->rc, nothing);
		if (self->rc < 0)
			MAG_RETURN(self->rc);
		MAG_AWAIT(self->rc, mag_future_await, &self->ready);
		if (self->rc != 1)
			MAG_RETURN(-EIO);
	}
	MAG_RETURN(self->i);
	MAG_END;
}

struct deep {
	mag_frame frame;
	MAG_ARGS(deep, uint32_t depth;);
	int64_t rc;
};

MAG_TASK(deep)
{
	MAG_BEGIN(deep);
	if (!self->depth)
		MAG_RETURN(0);
	MAG_CALL(self->rc, deep, .depth = self->depth - 1);
	MAG_RETURN(self->rc < 0 ? self->rc : self->rc + 1);
	MAG_END;
}

static mag_runtime *small_stack(struct magi_world **world)
{
	mag_runtime_options options;
	mag_runtime *rt;

	*world = magi_world_create(1, MAGI_SIM_COMPLETION);
	options = play_options(*world, 1);
#ifndef MAGI_TSAN
	options.stack_bytes = 65536;
#endif
	cr_assert_eq(mag_runtime_create(&options, &rt), 0, "%s", mag_runtime_why());
	return rt;
}

enum { LINKS = 10000000 / PLAY_SLOWDOWN, DEPTH = 200000 / PLAY_SLOWDOWN };

/* Completion inside completion overflowed stacks elsewhere. Tried: magi_call and magi_end that call the next step
 * instead of returning its frame. */
Test(worker, chain_of_ten_million_links_runs_on_a_small_stack, .timeout = 60)
{
	struct magi_world *world;
	mag_runtime *rt = small_stack(&world);
	mag_future done;

	mag_future_init(&done);
	cr_assert_eq(mag_spawn_from(rt, &done, long_chain, .links = LINKS), 0);
	cr_assert_eq(play_wait(&done), LINKS);
	cr_assert_eq(mag_runtime_destroy(rt, MAG_NEVER), 0);
	magi_world_destroy(world);
}

Test(worker, calls_two_hundred_thousand_deep_return_on_a_small_stack, .timeout = 60)
{
	struct magi_world *world;
	mag_runtime *rt = small_stack(&world);
	mag_future done;

	mag_future_init(&done);
	cr_assert_eq(mag_spawn_from(rt, &done, deep, .depth = DEPTH), 0);
	cr_assert_eq(play_wait(&done), DEPTH);
	cr_assert_eq(mag_runtime_destroy(rt, MAG_NEVER), 0);
	magi_world_destroy(world);
}

/* Pinned tasks. */

struct pinned_leaf {
	mag_frame frame;
	MAG_ARGS(pinned_leaf, uint32_t home;);
	int64_t rc;
};

MAG_TASK(pinned_leaf)
{
	MAG_BEGIN(pinned_leaf);
	MAG_YIELD(self->rc);
	MAG_RETURN(mag_worker_index() == (int)self->home ? 0 : -EXDEV);
	MAG_END;
}

struct pause_once {
	mag_frame frame;
	MAG_NO_ARGS(pause_once);
	int64_t rc;
};

MAG_TASK(pause_once)
{
	MAG_BEGIN(pause_once);
	MAG_YIELD(self->rc);
	MAG_RETURN(0);
	MAG_END;
}

struct await_it {
	mag_frame frame;
	MAG_ARGS(await_it, mag_future *future;);
	int64_t rc;
};

MAG_TASK(await_it)
{
	MAG_BEGIN(await_it);
	MAG_AWAIT(self->rc, mag_future_await, self->future);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct complete_it {
	mag_frame frame;
	MAG_ARGS(complete_it, mag_future *future;);
};

MAG_TASK(complete_it)
{
	MAG_BEGIN(complete_it);
	mag_future_complete(self->future, 0);
	MAG_RETURN(0);
	MAG_END;
}

struct pinned {
	mag_frame frame;
	MAG_ARGS(pinned, uint32_t home; mag_future *future;);
	mag_future elsewhere;
	mag_group group;
	mag_scope scope;
	int64_t i, rc, end;
};

#define STILL_AT_HOME()                                                  \
	do {                                                             \
		if (self->rc < 0 || mag_worker_index() != (int)self->home) \
			MAG_RETURN(-EXDEV);                              \
	} while (0)

/* Waits in each way there is; unpinned children wake it from other workers. */
MAG_TASK(pinned)
{
	MAG_BEGIN(pinned);
	for (self->i = 0; self->i < 50; self->i++) {
		MAG_YIELD(self->rc);
		STILL_AT_HOME();
		MAG_AWAIT(self->rc, mag_sleep, MAG_MICROSECOND);
		STILL_AT_HOME();
		MAG_CALL(self->rc, pinned_leaf, .home = self->home);
		STILL_AT_HOME();
		MAG_FORK(nothing);
		MAG_FORK(nothing);
		STILL_AT_HOME();
		MAG_JOIN(self->rc);
		STILL_AT_HOME();
		MAG_GROUP_BEGIN(&self->group);
		MAG_SPAWN(self->rc, &self->group, nothing);
		STILL_AT_HOME();
		MAG_SPAWN(self->rc, &self->group, pause_once);
		MAG_GROUP_END(self->rc, &self->group);
		STILL_AT_HOME();
		mag_future_init(&self->elsewhere);
		MAG_FORK(await_it, .future = &self->elsewhere); /* arrives at the join from another worker */
		STILL_AT_HOME();
		MAG_GROUP_BEGIN(&self->group);
		MAG_SPAWN_ON(self->rc, (self->home + 1) % 3, &self->group, complete_it, .future = &self->elsewhere);
		MAG_JOIN(self->end);
		STILL_AT_HOME();
		MAG_GROUP_END(self->rc, &self->group);
		STILL_AT_HOME();
		MAG_WITH_TIMEOUT(&self->scope, MAG_MICROSECOND);
		MAG_AWAIT(self->rc, mag_sleep, MAG_NEVER);
		MAG_SCOPE_END(self->end, &self->scope);
		self->rc = 0;
		STILL_AT_HOME();
	}
	MAG_AWAIT(self->rc, mag_future_await, self->future);
	STILL_AT_HOME();
	MAG_RETURN(0);
	MAG_END;
}

struct pin_all {
	mag_frame frame;
	MAG_ARGS(pin_all, uint32_t n; mag_future *future; uint32_t *started;);
	mag_group group;
	uint32_t i;
	int64_t rc;
};

MAG_TASK(pin_all)
{
	MAG_BEGIN(pin_all);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 4 * self->n; self->i++) {
		MAG_SPAWN_ON(self->rc, self->i % self->n, &self->group, pinned, .home = self->i % self->n,
			     .future = self->future);
		if (self->rc < 0)
			break;
	}
	raise_flag(self->started);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: magi_resume_here left out of magi_arrive and of take_parent; is_pinned left out of magi_resume_later. */
Test(worker, pinned_task_runs_on_its_worker_only, .timeout = 60)
{
	struct play p;
	mag_future done, open;
	uint32_t started = 0;

	play_begin(&p, 3);
	mag_future_init(&done);
	mag_future_init(&open);
	cr_assert_eq(mag_spawn_from(p.rt, &done, pin_all, .n = 3, .future = &open, .started = &started), 0);
	cr_assert(busy_until(&started, 30 * MAG_SECOND));
	mag_future_complete(&open, 0);
	cr_assert_eq(play_wait(&done), 0);
	mag_future_fini(&open);
	play_end(&p);
}

struct pin_wrong {
	mag_frame frame;
	MAG_NO_ARGS(pin_wrong);
	mag_group group;
	int64_t rc, end;
};

MAG_TASK(pin_wrong)
{
	MAG_BEGIN(pin_wrong);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN_ON(self->rc, 2, &self->group, nothing);
	MAG_GROUP_END(self->end, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(worker, there_is_no_pinning_to_a_worker_that_is_not_there, .timeout = 10)
{
	struct play p;
	int64_t rc;

	play_begin(&p, 2);
	play_run(&p, rc, pin_wrong);
	cr_assert_eq(rc, -EINVAL);
	play_end(&p);
}

/* Idling. */

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * MAG_SECOND + (uint64_t)ts.tv_nsec;
}

struct wait_long {
	mag_frame frame;
	MAG_ARGS(wait_long, uint64_t ns;);
	int64_t rc;
};

MAG_TASK(wait_long)
{
	MAG_BEGIN(wait_long);
	MAG_AWAIT(self->rc, mag_sleep, self->ns);
	MAG_RETURN(self->rc);
	MAG_END;
}

static void expect_quiet(uint32_t workers, uint32_t spin_us)
{
	mag_runtime *rt = play_real(workers, spin_us);
	mag_future never, done;
	uint64_t before, used = UINT64_MAX, limit = 30 * MAG_MILLISECOND * PLAY_SLOWDOWN;

	mag_future_init(&never);
	mag_future_init(&done);
	cr_assert_eq(mag_spawn_from(rt, &done, wait_long, .ns = 1000 * MAG_SECOND), 0);
	cr_assert_eq(mag_future_wait(&never, NULL, mag_deadline_in(50 * MAG_MILLISECOND)), MAG_ETIMEDOUT);
	for (int i = 0; i < 10 && used > limit; i++) { /* where others have the CPUs they come to rest later */
		before = cpu_ns();
		cr_assert_eq(mag_future_wait(&never, NULL, mag_deadline_in(300 * MAG_MILLISECOND)), MAG_ETIMEDOUT);
		used = cpu_ns() - before;
	}
	cr_assert(used <= limit, "%u workers: %llu us of CPU in 0.3 s", workers, (unsigned long long)used / 1000);
	cr_assert_eq(mag_runtime_destroy(rt, MAG_NEVER), 0);
	mag_future_fini(&never);
	mag_future_fini(&done);
}

/* A time-out as a safety net, or a spin without an end, would be seen. Tried: the watch of steal.c at 100 us always. */
Test(worker, idle_workers_use_no_cpu, .timeout = 20)
{
	expect_quiet(1, NEVER_SPIN);
	expect_quiet(4, NEVER_SPIN);
	expect_quiet(4, 0);
	expect_quiet(2, 10000);
}
