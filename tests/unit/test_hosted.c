/* SPDX-License-Identifier: MIT */
/* test_hosted.c - a runtime that somebody else's event loop turns. The loop here is poll(2). */
#include "unit/hosted.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* As a loop does: waits for the descriptor or the deadline, then turns. What the descriptor said. */
static int turn(mag_runtime *rt)
{
	struct pollfd p = { .fd = mag_hosted_fd(rt), .events = POLLIN };
	uint64_t at = mag_hosted_deadline(rt), now = mag_now();
	int ms = at == MAG_NEVER ? 10000 : at <= now ? 0 : (int)((at - now) / MAG_MILLISECOND) + 1;
	int n = poll(&p, 1, ms);

	cr_assert(n || at != MAG_NEVER, "the descriptor never became readable");
	cr_assert_geq(mag_hosted_turn(rt), 0);
	return n;
}

static int64_t loop_until(mag_runtime *rt, mag_future *done)
{
	int64_t result;

	while (!mag_future_poll(done, &result))
		turn(rt);
	mag_future_fini(done);
	return result;
}

/* Timers, and where tasks run. */

struct sleeper {
	mag_frame frame;
	MAG_ARGS(sleeper, pthread_t *ran_on; int times;);
	int64_t rc;
	int i;
};

MAG_TASK(sleeper)
{
	MAG_BEGIN(sleeper);
	for (self->i = 0; self->i < self->times; self->i++) {
		MAG_AWAIT(self->rc, mag_sleep, 2 * MAG_MILLISECOND);
		NEED(self->rc == 0);
		NEED(mag_worker_index() == 0);
		*self->ran_on = pthread_self();
	}
	MAG_RETURN(self->times);
	MAG_END;
}

/* Tried: a deadline that leaves out the timers; a doze that does not submit. */
Test(hosted, tasks_run_on_the_thread_of_the_loop_at_their_time, .timeout = 20)
{
	ON_EACH(rt, 0) {
		mag_future done;
		pthread_t ran_on = 0;

		cr_assert_eq(mag_runtime_workers(rt), 1);
		START(rt, &done, sleeper, .ran_on = &ran_on, .times = 3);
		cr_assert_eq(loop_until(rt, &done), 3);
		cr_assert(pthread_equal(ran_on, pthread_self()));
		cr_assert_null(mag_runtime_current());
		cr_assert_eq(mag_hosted_deadline(rt), MAG_NEVER);
	}
}

/* Input and output. */

struct reader {
	mag_frame frame;
	MAG_ARGS(reader, int number;);
	mag_fd fd;
	char buf[8];
	int64_t rc, closed;
};

MAG_TASK(reader)
{
	MAG_BEGIN(reader);
	self->rc = mag_fd_adopt(self->number, &self->fd);
	NEED(self->rc == 0);
	MAG_AWAIT(self->rc, mag_recv, self->fd, self->buf, sizeof(self->buf));
	MAG_AWAIT(self->closed, mag_close, self->fd);
	NEED(self->closed == 0);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(hosted, what_arrives_makes_its_descriptor_readable, .timeout = 20)
{
	ON_EACH(rt, 1) {
		struct pollfd p = { .fd = mag_hosted_fd(rt), .events = POLLIN };
		mag_future done;
		int pair[2];

		cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		START(rt, &done, reader, .number = pair[0]);
		while (poll(&p, 1, 0) == 1)
			turn(rt);
		cr_assert_not(mag_future_poll(&done, NULL));
		cr_assert_eq(write(pair[1], "magpie", 6), 6);
		cr_assert_eq(turn(rt), 1);
		cr_assert_eq(loop_until(rt, &done), 6);
		cr_assert_eq(p.fd, mag_hosted_fd(rt));
		close(pair[1]);
	}
}

/* Others' wakes. */

struct waiter {
	mag_frame frame;
	MAG_ARGS(waiter, mag_event *event;);
	int64_t rc;
};

MAG_TASK(waiter)
{
	MAG_BEGIN(waiter);
	MAG_AWAIT(self->rc, mag_event_wait, self->event);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct setter {
	mag_event event;
	uint32_t polls; /* the loop is about to wait, or does already: both must do */
};

static void *set_event(void *arg)
{
	struct setter *s = arg;

	busy_until(&s->polls, 10 * MAG_SECOND);
	mag_event_set(&s->event);
	return NULL;
}

/* Tried: dozing without the announcement; without the doorbell's read. */
Test(hosted, another_thread_wakes_it, .timeout = 30)
{
	ON_EACH(rt, 1) {
		for (int i = 0; i < 20; i++) {
			struct setter s = { MAG_EVENT_INIT, 0 };
			mag_future done;
			pthread_t thread;

			START(rt, &done, waiter, .event = &s.event);
			turn(rt);
			cr_assert_eq(pthread_create(&thread, NULL, set_event, &s), 0);
			raise_flag(&s.polls);
			cr_assert_eq(loop_until(rt, &done), 0);
			pthread_join(thread, NULL);
		}
	}
}

/* Turns end. */

struct busy {
	mag_frame frame;
	MAG_ARGS(busy, const uint32_t *enough;);
	int64_t rc;
};

MAG_TASK(busy)
{
	MAG_BEGIN(busy);
	while (!is_raised(self->enough))
		MAG_YIELD(self->rc);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: without the look at the clock. */
Test(hosted, tasks_that_never_wait_leave_the_loop_its_turns, .timeout = 20)
{
	ON_EACH(rt, 1) {
		uint32_t enough = 0;
		mag_future done;

		START(rt, &done, busy, .enough = &enough);
		for (int i = 0; i < 5; i++) {
			cr_assert_eq(mag_hosted_turn(rt), 1);
			cr_assert_eq(mag_hosted_deadline(rt), 0);
		}
		raise_flag(&enough);
		cr_assert_eq(loop_until(rt, &done), 0);
		while (mag_hosted_turn(rt))
			;
		cr_assert_eq(mag_hosted_turn(rt), 0); /* and again without anything to do */
	}
}

/* The end. */

/* Tried: an end of the background that does not wake who waits for it. */
Test(hosted, its_end_cancels_and_waits_for_the_tasks_of_all_workers, .timeout = 30)
{
	for (uint32_t workers = 1; workers <= 2; workers++) {
		ON_EACH(rt, workers) {
			mag_event never = MAG_EVENT_INIT;
			mag_future done[6];
			int64_t rc;

			for (int i = 0; i < 6; i++)
				START(rt, &done[i], waiter, .event = &never);
			turn(rt);
			cr_assert_eq(mag_runtime_destroy(rt, mag_deadline_in(10 * MAG_SECOND)), 0);
			for (int i = 0; i < 6; i++) {
				cr_assert(mag_future_poll(&done[i], &rc));
				cr_assert_eq(rc, MAG_ECANCELED);
				mag_future_fini(&done[i]);
			}
			rt = hosted(NULL, 1);
		}
	}
}

/* A job that runs is waited for: its task cannot be cancelled meanwhile. */
static int64_t until_raised(void *flag)
{
	busy_until(flag, 20 * MAG_SECOND);
	return 3;
}

struct stubborn {
	mag_frame frame;
	MAG_ARGS(stubborn, uint32_t *enough;);
	int64_t rc;
};

MAG_TASK(stubborn)
{
	MAG_BEGIN(stubborn);
	MAG_AWAIT(self->rc, mag_offload, MAG_BLOCKING, until_raised, self->enough);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(hosted, a_task_that_does_not_end_is_told_at_the_deadline, .timeout = 20)
{
	mag_runtime *rt = hosted(NULL, 1);
	uint32_t enough = 0;
	mag_lane_stats lane = { .size = sizeof(lane) };
	mag_future done;
	int64_t rc;

	START(rt, &done, stubborn, .enough = &enough);
	while (!lane.running) {
		mag_hosted_turn(rt);
		mag_offload_stats(rt, MAG_BLOCKING, &lane);
	}
	cr_assert_eq(mag_runtime_destroy(rt, mag_deadline_in(5 * MAG_MILLISECOND)), 1);
	raise_flag(&enough);
	cr_assert_eq(mag_runtime_destroy(rt, mag_deadline_in(10 * MAG_SECOND)), 0);
	cr_assert(mag_future_poll(&done, &rc));
	cr_assert_eq(rc, 3);
	mag_future_fini(&done);
}

/* Wrong use. */

struct inner {
	mag_frame frame;
	MAG_ARGS(inner, mag_runtime *rt;);
};

MAG_TASK(inner)
{
	mag_runtime *other;

	MAG_BEGIN(inner);
	NEED(mag_hosted_turn(self->rt) == MAG_EDEADLK);
	NEED(mag_runtime_destroy(self->rt, 0) == MAG_EDEADLK);
	NEED(mag_hosted_create(NULL, &other) == MAG_EDEADLK && !other);
	MAG_RETURN(0);
	MAG_END;
}

static void *from_elsewhere(void *arg)
{
	mag_runtime *rt = arg;

	cr_assert_eq(mag_hosted_turn(rt), -EPERM);
	cr_assert_eq(mag_runtime_destroy(rt, 0), -EPERM);
	return NULL;
}

Test(hosted, wrong_use_is_refused, .timeout = 20)
{
	mag_runtime_options bad = { .size = 3 }, world = { .size = sizeof(world), .backend = "sim" };
	mag_runtime *rt = hosted(NULL, 1), *other;
	mag_future done;
	pthread_t thread;

	START(rt, &done, inner, .rt = rt);
	cr_assert_eq(loop_until(rt, &done), 0);
	cr_assert_eq(pthread_create(&thread, NULL, from_elsewhere, rt), 0);
	pthread_join(thread, NULL);
	close_host(rt);
	cr_assert_eq(mag_runtime_create(NULL, &other), 0);
	cr_assert_eq(mag_hosted_turn(other), -EINVAL);
	cr_assert_eq(mag_hosted_fd(other), -EINVAL);
	cr_assert_eq(mag_runtime_destroy(other, mag_deadline_in(10 * MAG_SECOND)), 0);
	cr_assert_eq(mag_hosted_create(&bad, &other), -EINVAL);
	cr_assert_null(other);
	world.world = magi_world_create(1, MAGI_SIM_COMPLETION);
	cr_assert_eq(mag_hosted_create(&world, &other), MAG_EDEADLK); /* that has no descriptor */
	cr_assert_null(other);
	magi_world_destroy(world.world);
}

static bool sigpipe_is_blocked(void)
{
	sigset_t mask;

	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	return sigismember(&mask, SIGPIPE);
}

/* Tried: the first that ends unblocks what it has blocked. */
Test(hosted, a_loop_turns_several_and_ends_them_in_any_order, .timeout = 20)
{
	mag_runtime *first = hosted(NULL, 1), *second = hosted("epoll", 1);
	pthread_t ran_on;
	mag_future done;

	close_host(first);
	cr_assert(sigpipe_is_blocked(), "the second one relies on it");
	START(second, &done, sleeper, .ran_on = &ran_on, .times = 1);
	cr_assert_eq(loop_until(second, &done), 1);
	close_host(second);
	cr_assert_not(sigpipe_is_blocked());
}

/* Loops of loops. */
Test(hosted, its_descriptor_can_lie_in_an_epoll_set, .timeout = 20)
{
	ON_EACH(rt, 1) {
		int set = epoll_create1(EPOLL_CLOEXEC), pair[2];
		struct epoll_event event = { .events = EPOLLIN };
		mag_future done;
		int64_t rc = 0;

		cr_assert_eq(epoll_ctl(set, EPOLL_CTL_ADD, mag_hosted_fd(rt), &event), 0);
		cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		START(rt, &done, reader, .number = pair[0]);
		for (int i = 0; !mag_future_poll(&done, &rc); i++) {
			int n = epoll_wait(set, &event, 1, 10000);

			cr_assert(n == 1 || (n < 0 && errno == EINTR));
			mag_hosted_turn(rt);
			if (i == 0)
				cr_assert_eq(write(pair[1], "m", 1), 1);
		}
		cr_assert_eq(rc, 1);
		mag_future_fini(&done);
		close(pair[1]);
		close(set);
	}
}

/* mag_run with one worker: on the thread that calls it. */

struct here {
	mag_frame frame;
	MAG_ARGS(here, pthread_t *ran_on;);
	int64_t rc;
};

MAG_TASK(here)
{
	MAG_BEGIN(here);
	MAG_AWAIT(self->rc, mag_sleep, MAG_MICROSECOND);
	*self->ran_on = pthread_self();
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(hosted, mag_run_needs_no_thread_for_one_worker, .timeout = 20)
{
	mag_runtime_options o = { .size = sizeof(o), .workers = 1 };
	pthread_t ran_on;
	sigset_t mask;

	cr_assert_eq(mag_run(&o, here, .ran_on = &ran_on), 0);
	cr_assert(pthread_equal(ran_on, pthread_self()));
	cr_assert_null(mag_runtime_current());
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	cr_assert_not(sigismember(&mask, SIGPIPE), "it is the caller's thread again");
	o.stack_bytes = 256 * 1024; /* which the caller's may not have */
	cr_assert_eq(mag_run(&o, here, .ran_on = &ran_on), 0);
	cr_assert_not(pthread_equal(ran_on, pthread_self()));
}
