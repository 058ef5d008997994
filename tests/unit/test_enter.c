/* SPDX-License-Identifier: MIT */
/* test_enter.c - ways into a runtime: mag_run and mag_spawn_from. */
#include "unit/play.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

struct answer {
	mag_frame frame;
	MAG_ARGS(answer, int64_t value; const char *text;);
};

MAG_TASK(answer)
{
	MAG_BEGIN(answer);
	if (self->text && strcmp(self->text, "text") != 0)
		MAG_RETURN(-EINVAL);
	MAG_RETURN(self->value);
	MAG_END;
}

static struct magi_world *new_world(void)
{
	struct magi_world *world = magi_world_create(1, MAGI_SIM_COMPLETION);

	magi_world_auto_advance(world, true);
	return world;
}

Test(enter, run_returns_what_the_function_returned, .timeout = 10)
{
	struct magi_world *world = new_world();
	mag_runtime_options o = play_options(world, 2);

	cr_assert_eq(mag_run(&o, answer, .value = 42, .text = "text"), 42);
	cr_assert_eq(mag_run(&o, answer, .value = -EPERM), -EPERM);
	cr_assert_eq(mag_run(&o, answer, .value = INT64_MAX), INT64_MAX);
	cr_assert_eq(mag_run(&o, answer, .value = INT64_MIN), INT64_MIN);
	cr_assert_eq(mag_run(&o, answer), 0);
	magi_world_destroy(world);
}

Test(enter, run_returns_why_there_was_no_runtime, .timeout = 10)
{
	mag_runtime_options o = { .size = sizeof(o), .backend = "wishful" };

	cr_assert_eq(mag_run(&o, answer, .value = 42), -EINVAL);
	cr_assert_not_null(strstr(mag_runtime_why(), "wishful"));
}

struct run_inside {
	mag_frame frame;
	MAG_NO_ARGS(run_inside);
};

MAG_TASK(run_inside)
{
	MAG_BEGIN(run_inside);
	MAG_RETURN(mag_run(NULL, answer, .value = 42));
	MAG_END;
}

/* Tried: the look at magi_self left out; the worker waits for itself. */
Test(enter, worker_must_not_wait_for_a_runtime, .timeout = 10)
{
	struct play p;
	int64_t rc;

	play_begin(&p, 1);
	play_run(&p, rc, run_inside);
	cr_assert_eq(rc, MAG_EDEADLK);
	play_end(&p);
}

struct wait_inside {
	mag_frame frame;
	MAG_ARGS(wait_inside, mag_future *future;);
};

MAG_TASK(wait_inside)
{
	MAG_BEGIN(wait_inside);
	MAG_RETURN(mag_future_wait(self->future, NULL, MAG_NEVER));
	MAG_END;
}

Test(enter, worker_must_not_block_on_a_future, .timeout = 10)
{
	struct play p;
	mag_future never;
	int64_t rc;

	play_begin(&p, 1);
	mag_future_init(&never);
	play_run(&p, rc, wait_inside, .future = &never);
	cr_assert_eq(rc, MAG_EDEADLK);
	mag_future_fini(&never);
	play_end(&p);
}

struct leave_behind {
	mag_frame frame;
	MAG_ARGS(leave_behind, uint32_t *ended;);
	int64_t rc;
};

struct left_behind {
	mag_frame frame;
	MAG_ARGS(left_behind, uint32_t *ended;);
	int64_t rc;
};

MAG_TASK(left_behind)
{
	MAG_BEGIN(left_behind);
	MAG_AWAIT(self->rc, mag_sleep, MAG_NEVER);
	raise_flag(self->ended);
	MAG_RETURN(self->rc);
	MAG_END;
}

MAG_TASK(leave_behind)
{
	MAG_BEGIN(leave_behind);
	self->rc = mag_spawn_from(mag_runtime_current(), NULL, left_behind, .ended = self->ended);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: mag_run that does not cancel the background. */
Test(enter, run_cancels_the_background_and_waits_for_it, .timeout = 10)
{
	struct magi_world *world = new_world();
	mag_runtime_options o = play_options(world, 2);
	uint32_t ended = 0;

	cr_assert_eq(mag_run(&o, leave_behind, .ended = &ended), 0);
	cr_assert(is_raised(&ended));
	magi_world_destroy(world);
}

/* Refuses each allocation of a start, a task and its end in turn. */
Test(enter, run_without_memory_fails_cleanly_wherever_it_is_refused, .timeout = 60)
{
	struct magi_world *world = new_world();
	mag_runtime_options o = play_options(world, 2);
	int64_t rc;

	for (uint64_t n = 1;; n++) {
		magi_fault_plan(n, 0);
		rc = mag_run(&o, answer, .value = 42);
		if (magi_fault_reached() < n)
			break;
		cr_assert(rc == 42 || rc == -ENOMEM || rc == -EAGAIN, "fault %llu: %s",
			  (unsigned long long)n, mag_errname(rc));
	}
	magi_fault_plan(0, 0);
	cr_assert_eq(rc, 42);
	magi_world_destroy(world);
}

/* Tried: the outer frame not given back when there is no memory for the inner one. */
Test(enter, spawn_without_memory_leaves_nothing_behind, .timeout = 20)
{
	struct play p;
	mag_stats s = { .size = sizeof(s) };
	mag_future done;
	int rc = -ENOMEM;

	play_begin(&p, 1);
	mag_future_init(&done);
	for (uint64_t n = 1; rc < 0; n++) {
		cr_assert_not(mag_future_poll(&done, NULL));
		cr_assert_eq(mag_runtime_stats(p.rt, &s), 0);
		cr_assert_eq(s.frames, 0);
		magi_fault_plan(n, 0);
		rc = mag_spawn_from(p.rt, &done, answer, .value = 7);
		magi_fault_plan(0, 0);
		cr_assert(rc == 0 || rc == -ENOMEM);
	}
	cr_assert_eq(play_wait(&done), 7);
	play_end(&p);
}

struct big {
	mag_frame frame;
	MAG_ARGS(big, int64_t value;);
	char room[500000];
};

MAG_TASK(big)
{
	MAG_BEGIN(big);
	memset(self->room, 1, sizeof(self->room));
	MAG_RETURN(self->value);
	MAG_END;
}

Test(enter, large_frames_come_in_too, .timeout = 10)
{
	struct play p;
	int64_t rc;

	play_begin(&p, 2);
	for (int i = 0; i < 20; i++) {
		play_run(&p, rc, big, .value = i);
		cr_assert_eq(rc, i);
	}
	play_end(&p);
}

/* Each round is a push to a worker that sleeps, is about to, or has just woken. */
static void knock(mag_runtime *rt, int rounds)
{
	for (int i = 0; i < rounds; i++) {
		mag_future done;

		mag_future_init(&done);
		cr_assert_eq(mag_spawn_from(rt, &done, answer, .value = i), 0);
		cr_assert_eq(play_wait(&done), i);
	}
}

enum { KNOCKS = 50000 / PLAY_SLOWDOWN };

static void knock_on_each(uint32_t spin_us)
{
	for (uint32_t workers = 1; workers <= 4; workers++) {
		mag_runtime *rt = play_real(workers, spin_us);

		knock(rt, KNOCKS / 4);
		cr_assert_eq(mag_runtime_destroy(rt, MAG_NEVER), 0);
	}
}

/* A seq_cst load where a read-modify-write is needed loses a wake [tokio#1788]. Tried: magi_inbox_send that loads
 * `sleepers` before it pushes; magi_sleep_begin after the look at the inbox. */
Test(enter, no_wake_is_lost_by_workers_that_never_spin, .timeout = 120)
{
	knock_on_each(NEVER_SPIN);
}

Test(enter, no_wake_is_lost_by_workers_that_spin, .timeout = 120)
{
	knock_on_each(0);
}

struct knocker {
	mag_runtime *rt;
	pthread_t thread;
};

static void *knock_beside(void *arg)
{
	struct knocker *k = arg;

	knock(k->rt, KNOCKS / 20);
	return NULL;
}

Test(enter, no_wake_is_lost_when_four_threads_knock, .timeout = 120)
{
	mag_runtime *rt = play_real(3, NEVER_SPIN);
	struct knocker k[4];

	for (int i = 0; i < 4; i++) {
		k[i].rt = rt;
		cr_assert_eq(pthread_create(&k[i].thread, NULL, knock_beside, &k[i]), 0);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(k[i].thread, NULL);
	cr_assert_eq(mag_runtime_destroy(rt, MAG_NEVER), 0);
}

struct closer {
	mag_runtime *rt;
	uint32_t *go;
	uint32_t refused, ended, started; /* ended: atomic */
	pthread_t thread;
};

struct count_end {
	mag_frame frame;
	MAG_ARGS(count_end, uint32_t *ended;);
	int64_t rc;
};

MAG_TASK(count_end)
{
	MAG_BEGIN(count_end);
	MAG_YIELD(self->rc);
	magi_add_ar(self->ended, 1u); /* [ended] */
	MAG_RETURN(0);
	MAG_END;
}

static void *spawn_until_closed(void *arg)
{
	struct closer *c = arg;
	int rc;

	while ((rc = mag_spawn_from(c->rt, NULL, count_end, .ended = &c->ended)) == 0) {
		c->started++;
		raise_flag(c->go);
	}
	c->refused = rc == MAG_ECLOSED;
	raise_flag(c->go);
	return NULL;
}

/* The runtime must outlive its use, so a stubborn task keeps it until the spawner was refused. */
struct keep {
	mag_frame frame;
	MAG_ARGS(keep, mag_future *until;);
	mag_scope shield;
	int64_t rc, end;
};

MAG_TASK(keep)
{
	MAG_BEGIN(keep);
	MAG_SHIELD(&self->shield, MAG_NEVER);
	MAG_AWAIT(self->rc, mag_future_await, self->until);
	MAG_SCOPE_END(self->end, &self->shield);
	MAG_RETURN(0);
	MAG_END;
}

/* Spawning while it shuts down [tokio#7499]. Tried: `closing` not looked at. */
Test(enter, what_was_taken_in_ends_and_the_rest_is_refused_while_it_closes, .timeout = 30)
{
	for (int i = 0; i < 50 / PLAY_SLOWDOWN; i++) {
		struct play p;
		mag_future until;
		uint32_t go = 0;
		struct closer c = { .go = &go };

		play_begin(&p, 2);
		c.rt = p.rt;
		mag_future_init(&until);
		cr_assert_eq(mag_spawn_from(p.rt, NULL, keep, .until = &until), 0);
		cr_assert_eq(pthread_create(&c.thread, NULL, spawn_until_closed, &c), 0);
		cr_assert(busy_until(&go, 10 * MAG_SECOND));
		cr_assert_gt(mag_runtime_destroy(p.rt, 0), 0);
		pthread_join(c.thread, NULL);
		cr_assert(c.refused);
		mag_future_complete(&until, 0);
		play_end(&p);
		mag_future_fini(&until);
		cr_assert_eq(magi_load_acq(&c.ended), c.started); /* [ended] */
	}
}
