/* SPDX-License-Identifier: MIT */
/* test_runtime.c - starting and stopping a runtime, and all that can be wrong about it. */
#include "unit/play.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sched/cpus.h"

static mag_runtime_options good(uint32_t workers)
{
	return (mag_runtime_options){ .size = sizeof(mag_runtime_options), .workers = workers };
}

static void expect_refused(const mag_runtime_options *options, int rc, const char *why)
{
	mag_runtime *rt = (mag_runtime *)1;

	cr_assert_eq(mag_runtime_create(options, &rt), rc);
	cr_assert_null(rt);
	cr_assert_not_null(strstr(mag_runtime_why(), why), "'%s' lacks '%s'", mag_runtime_why(), why);
}

/* Tried: each check of take_options left out. */
Test(runtime, bad_options_are_refused_with_a_reason, .timeout = 10)
{
	mag_runtime_options o = good(1);

	o.size = 0;
	expect_refused(&o, -EINVAL, "size");
	o.size = 3;
	expect_refused(&o, -EINVAL, "size");
	o.size = sizeof(o) + 8;
	expect_refused(&o, -EINVAL, "size");
	o = good(MAG_WORKERS_MAX + 1);
	expect_refused(&o, -EINVAL, "65 workers");
	o = good(UINT32_MAX);
	expect_refused(&o, -EINVAL, "workers");
	o = good(1);
	o.backend = "wishful";
	expect_refused(&o, -EINVAL, "wishful");
	o.backend = "sim"; /* without a world */
	expect_refused(&o, -EINVAL, "'sim'");
}

Test(runtime, unknown_backend_in_the_environment_is_refused, .timeout = 10)
{
	mag_runtime_options o = good(1);

	setenv("MAGPIE_BACKEND", "wishful", 1);
	expect_refused(&o, -EINVAL, "wishful");
	expect_refused(NULL, -EINVAL, "wishful");
	unsetenv("MAGPIE_BACKEND");
}

Test(runtime, options_go_before_the_environment, .timeout = 10)
{
	struct play p;

	setenv("MAGPIE_BACKEND", "wishful", 1);
	play_begin(&p, 1);
	cr_assert_str_eq(mag_runtime_backend(p.rt), "sim");
	play_end(&p);
	unsetenv("MAGPIE_BACKEND");
}

Test(runtime, epoll_is_had_by_name, .timeout = 10)
{
	mag_runtime_options o = good(2);
	mag_runtime *rt;

	for (int i = 0; i < 2; i++) {
		o.backend = i ? NULL : "epoll";
		cr_assert_eq(mag_runtime_create(&o, &rt), 0, "%s", mag_runtime_why());
		cr_assert_str_eq(mag_runtime_backend(rt), "epoll");
		cr_assert_eq(mag_runtime_destroy(rt, MAG_NEVER), 0);
		setenv("MAGPIE_BACKEND", "epoll", 1);
	}
	unsetenv("MAGPIE_BACKEND");
}

/* Tried: the comparison left out. */
Test(runtime, program_of_another_layout_is_refused, .timeout = 10)
{
	mag_runtime *rt = (mag_runtime *)1;

	cr_assert_eq(magi_runtime_create(NULL, MAGI_ABI + 1, &rt), MAG_EABI);
	cr_assert_null(rt);
	cr_assert_not_null(strstr(mag_runtime_why(), "layout"));
	cr_assert_eq(magi_run(NULL, MAGI_ABI ^ 1u << 16, NULL, 0, 0, 0, NULL, 0), MAG_EABI);
}

/* As one with checks at a library without is, or the reverse. Tried: MAGI_ABI without that bit. */
Test(runtime, program_of_another_mind_about_checks_is_refused, .timeout = 10)
{
#ifdef MAGPIE_DEBUG
	static const char words[] = "built without -DMAGPIE_DEBUG=1, this library with";
#else
	static const char words[] = "built with -DMAGPIE_DEBUG=1, this library without";
#endif
	mag_runtime *rt;

	cr_assert_eq(magi_runtime_create(NULL, MAGI_ABI ^ MAGI_ABI_DEBUG, &rt), MAG_EABI);
	cr_assert(strstr(mag_runtime_why(), words), "%s", mag_runtime_why());
#ifdef MAGPIE_DEBUG
	cr_assert_neq(MAGI_ABI & MAGI_ABI_DEBUG, 0);
#else
	cr_assert_eq(MAGI_ABI & MAGI_ABI_DEBUG, 0);
#endif
}

Test(runtime, options_of_an_older_program_are_shorter, .timeout = 10)
{
	struct magi_world *world = magi_world_create(1, MAGI_SIM_COMPLETION);
	mag_runtime_options o = play_options(world, 2);
	mag_runtime *rt;

	setenv("MAGPIE_BACKEND", "wishful", 1); /* so that nothing is begun */
	o.size = offsetof(mag_runtime_options, spin_us);
	expect_refused(&o, -EINVAL, "wishful");
	unsetenv("MAGPIE_BACKEND");
	o.size = sizeof(o);
	cr_assert_eq(mag_runtime_create(&o, &rt), 0);
	cr_assert_str_eq(mag_runtime_why(), "", "what went wrong before is forgotten");
	cr_assert_eq(mag_runtime_destroy(rt, MAG_NEVER), 0);
	magi_world_destroy(world);
}

Test(runtime, there_are_as_many_workers_as_were_asked_for, .timeout = 20)
{
	static const uint32_t counts[] = { 1, 2, 3, 7, MAG_WORKERS_MAX };

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct play p;

		play_begin(&p, counts[i]);
		cr_assert_eq(mag_runtime_workers(p.rt), counts[i]);
		play_end(&p);
	}
}

Test(runtime, no_number_means_the_cpus, .timeout = 10)
{
	struct play p;
	uint32_t cpus = magi_cpus_allowed();

	play_begin(&p, 0);
	cr_assert_eq(mag_runtime_workers(p.rt), cpus < MAG_WORKERS_MAX ? cpus : MAG_WORKERS_MAX);
	play_end(&p);
}

Test(runtime, nothing_is_destroyed_without_a_word, .timeout = 5)
{
	cr_assert_eq(mag_runtime_destroy(NULL, MAG_NEVER), 0);
}

/* Workers go to sleep, and are told to stop at any moment of that. Tried: stop set after magi_wake_all. */
Test(runtime, starting_and_stopping_at_once_never_hangs, .timeout = 60)
{
	for (int i = 0; i < 300 / PLAY_SLOWDOWN; i++) {
		struct play p;

		play_begin(&p, 1 + (uint32_t)i % 4);
		play_end(&p);
	}
}

struct add_one {
	mag_frame frame;
	MAG_ARGS(add_one, uint32_t *sum; mag_runtime *rt;);
	int64_t rc;
};

MAG_TASK(add_one)
{
	MAG_BEGIN(add_one);
	MAG_YIELD(self->rc);
	MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
	magi_add_ar(self->sum, mag_runtime_current() == self->rt); /* [sum] */
	MAG_RETURN(0);
	MAG_END;
}

Test(runtime, several_live_side_by_side, .timeout = 20)
{
	enum { N = 4, TASKS = 50 };
	struct play p[N];
	uint32_t sum[N] = { 0 };

	for (uint32_t i = 0; i < N; i++)
		play_begin(&p[i], i + 1);
	for (int k = 0; k < N * TASKS; k++)
		cr_assert_eq(mag_spawn_from(p[k % N].rt, NULL, add_one, .sum = &sum[k % N], .rt = p[k % N].rt), 0);
	for (int i = N - 1; i >= 0; i--) {
		/* what is left is cancelled, but its body runs to its end */
		play_end(&p[i]);
		cr_assert_eq(magi_load_acq(&sum[i]), TASKS); /* [sum] */
	}
}

struct complete_there {
	mag_frame frame;
	MAG_ARGS(complete_there, mag_future *future;);
};

MAG_TASK(complete_there)
{
	MAG_BEGIN(complete_there);
	mag_future_complete(self->future, 42);
	MAG_RETURN(0);
	MAG_END;
}

struct await_here {
	mag_frame frame;
	MAG_ARGS(await_here, mag_future *future; mag_runtime *rt;);
	int64_t rc;
};

MAG_TASK(await_here)
{
	MAG_BEGIN(await_here);
	MAG_AWAIT(self->rc, mag_future_await, self->future);
	MAG_RETURN(mag_runtime_current() == self->rt ? self->rc : -EXDEV);
	MAG_END;
}

/* Tried: magi_wait_resume that takes the completer's runtime for the waiter's. */
Test(runtime, task_of_one_wakes_a_task_of_another, .timeout = 20)
{
	struct play a, b;

	play_begin(&a, 2);
	play_begin(&b, 2);
	for (int i = 0; i < 200; i++) {
		mag_future between, done;

		mag_future_init(&between);
		mag_future_init(&done);
		cr_assert_eq(mag_spawn_from(a.rt, &done, await_here, .future = &between, .rt = a.rt), 0);
		cr_assert_eq(mag_spawn_from(b.rt, NULL, complete_there, .future = &between), 0);
		cr_assert_eq(play_wait(&done), 42);
		mag_future_fini(&between);
	}
	play_end(&a);
	play_end(&b);
}

struct stubborn {
	mag_frame frame;
	MAG_ARGS(stubborn, mag_future *release; mag_future *begun;);
	mag_scope shield;
	int64_t rc, end;
};

/* Does not end because it is cancelled. */
MAG_TASK(stubborn)
{
	MAG_BEGIN(stubborn);
	MAG_SHIELD(&self->shield, MAG_NEVER);
	mag_future_complete(self->begun, 0);
	MAG_AWAIT(self->rc, mag_future_await, self->release);
	MAG_SCOPE_END(self->end, &self->shield);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Pools that hang at their shutdown [tokio#5338]. Tried: wait_drained without a limit. */
Test(runtime, destroy_counts_the_tasks_that_do_not_end_in_time, .timeout = 20)
{
	struct play p;
	mag_future release, begun[3], late;

	play_begin(&p, 2);
	mag_future_init(&release);
	for (int i = 0; i < 3; i++) {
		mag_future_init(&begun[i]);
		cr_assert_eq(mag_spawn_from(p.rt, NULL, stubborn, .release = &release, .begun = &begun[i]), 0);
	}
	for (int i = 0; i < 3; i++)
		cr_assert_eq(play_wait(&begun[i]), 0);
	cr_assert_eq(mag_runtime_destroy(p.rt, mag_deadline_in(20 * MAG_MILLISECOND)), 3);
	mag_future_init(&late);
	cr_assert_eq(mag_spawn_from(p.rt, &late, complete_there, .future = &late), MAG_ECLOSED);
	mag_future_fini(&late);
	cr_assert_eq(mag_runtime_destroy(p.rt, 0), 3, "a deadline that has passed");
	mag_future_complete(&release, 0);
	play_end(&p); /* now they end, and the runtime can be destroyed after all */
	mag_future_fini(&release);
}

struct destroy_here {
	mag_frame frame;
	MAG_ARGS(destroy_here, mag_runtime *rt;);
};

MAG_TASK(destroy_here)
{
	MAG_BEGIN(destroy_here);
	MAG_RETURN(mag_runtime_destroy(self->rt, MAG_NEVER));
	MAG_END;
}

Test(runtime, worker_cannot_destroy_its_own_runtime, .timeout = 10)
{
	struct play p;
	int64_t rc;

	play_begin(&p, 1);
	play_run(&p, rc, destroy_here, .rt = p.rt);
	cr_assert_eq(rc, MAG_EDEADLK);
	play_end(&p);
}

/* Refuses each allocation of the start in turn, until one start needs fewer. Under the address sanitizer nothing may be
 * left. Tried: free_all that forgets the workers; start_threads that leaves the others waiting for one that failed. */
static void refuse_in_turn(mag_runtime_options o)
{
	int failed = 0;

	for (uint64_t n = 1;; n++) {
		mag_runtime *rt = (mag_runtime *)1;
		int rc;

		magi_fault_plan(n, 0);
		rc = mag_runtime_create(&o, &rt);
		if (magi_fault_reached() < n) {
			magi_fault_plan(0, 0);
			cr_assert_eq(rc, 0);
			cr_assert_eq(mag_runtime_destroy(rt, MAG_NEVER), 0);
			break;
		}
		magi_fault_plan(0, 0);
		if (rc == 0) { /* it can do without */
			cr_assert_eq(mag_runtime_destroy(rt, MAG_NEVER), 0);
			continue;
		}
		failed++;
		cr_assert(rc == -ENOMEM || rc == -EAGAIN || rc == -EMFILE, "fault %llu: %s",
			  (unsigned long long)n, mag_errname(rc));
		cr_assert_null(rt);
		cr_assert_str_neq(mag_runtime_why(), "", "fault %llu", (unsigned long long)n);
	}
	cr_assert(failed >= 4, "%d", failed);
}

Test(runtime, start_without_memory_fails_cleanly_wherever_it_is_refused, .timeout = 60)
{
	struct magi_world *world = magi_world_create(1, MAGI_SIM_COMPLETION);

	refuse_in_turn(play_options(world, 1));
	refuse_in_turn(play_options(world, 3));
	magi_world_destroy(world);
}

Test(runtime, start_on_the_kernel_without_memory_fails_cleanly, .timeout = 60)
{
	mag_runtime_options o = { .size = sizeof(o), .workers = 3 };
	mag_runtime *rt = play_real(1, NEVER_SPIN); /* or skip */

	cr_assert_eq(mag_runtime_destroy(rt, MAG_NEVER), 0);
	refuse_in_turn(o);
}

Test(runtime, thread_that_cannot_be_started_is_said_and_undone, .timeout = 20)
{
	struct magi_world *world = magi_world_create(1, MAGI_SIM_COMPLETION);
	mag_runtime_options o = play_options(world, 4);

	o.stack_bytes = 1; /* below the system's least */
	expect_refused(&o, -EINVAL, "thread 1 of 4");
	o.stack_bytes = (size_t)1 << 60;
	expect_refused(&o, -EAGAIN, "thread 1 of 4");
	magi_world_destroy(world);
}

Test(runtime, statistics_add_up_when_all_is_quiet, .timeout = 20)
{
	struct play p;
	mag_stats s = { .size = sizeof(s) };
	uint32_t sum = 0;

	play_begin(&p, 2);
	for (int i = 0; i < 100; i++) {
		mag_future done;

		mag_future_init(&done);
		cr_assert_eq(mag_spawn_from(p.rt, &done, add_one, .sum = &sum, .rt = p.rt), 0);
		cr_assert_eq(play_wait(&done), 0);
	}
	do
		cr_assert_eq(mag_runtime_stats(p.rt, &s), 0); /* the last frame goes after its future */
	while (s.frames);
	cr_assert_eq(s.timers, 0);
	cr_assert_eq(s.fds, 0);
	cr_assert(s.picks >= 200);
	cr_assert(s.bytes > 0);
	s.size = 0;
	cr_assert_eq(mag_runtime_stats(p.rt, &s), -EINVAL);
	s.size = sizeof(s) + 1;
	cr_assert_eq(mag_runtime_stats(p.rt, &s), -EINVAL);
	s = (mag_stats){ .size = offsetof(mag_stats, steals), .steals = 77 };
	cr_assert_eq(mag_runtime_stats(p.rt, &s), 0);
	cr_assert(s.picks >= 200);
	cr_assert_eq(s.steals, 77);
	play_end(&p);
}
