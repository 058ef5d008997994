/* SPDX-License-Identifier: MIT */
/* test_uring_wait_poll.c - a build with MAGPIE_WAIT_POLL, for valgrind: owners wait in poll(2), never in their ring. */
#undef MAGI_WAIT_POLL
#define MAGI_WAIT_POLL 1
#define poll_ring wait_in_poll /* the name is ring.h's here */
#include "io/uring_queue.c"
#undef poll_ring

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include "unit/ring.h"

/* As such a build opens it: completions are there without an entry into the kernel. */
static struct magi_uring *open_it(void)
{
	return open_ring(8, MAGI_URING_ALL & ~(uint32_t)(MAGI_URING_DEFER | MAGI_URING_COOP));
}

Test(uring_wait_poll, the_deadline_ends_a_wait_and_not_before, .timeout = 10)
{
	struct magi_uring *u = open_it();
	uint64_t began = magi_clock_ns();
	struct magi_rec rec;

	cr_assert_eq(poll_ring(u, 2 * MAGI_NS_PER_MS, &rec, 1), 0);
	cr_assert_geq(magi_clock_ns() - began, 2 * MAGI_NS_PER_MS);
	close_ring(u);
}

Test(uring_wait_poll, the_kernels_answers_are_enters, .timeout = 10)
{
	struct magi_uring *u = open_it();

	cr_assert_eq(magi_uring_enter(u, 0, MAGI_NS_PER_MS), -ETIME);
	submit(u, MAGI_IO_NOP, 1);
	cr_assert_eq(magi_uring_enter(u, 0, UINT64_MAX), 1, "what was handed over, and it is done");
	cr_assert_eq(magi_uring_enter(u, 0, MAGI_NS_PER_S), 0, "it has not been taken yet");
	magi_fault_plan(1, 0);
	cr_assert_eq(magi_uring_enter(u, 0, MAGI_NS_PER_S), -EAGAIN);
	magi_fault_plan(0, 0);
	cr_assert_eq(poll_ring(u, 0, &(struct magi_rec){ 0 }, 1), 1);
	close_ring(u);
}

static void *send_later(void *fd)
{
	cr_assert_eq(send(*(int *)fd, "x", 1, 0), 1);
	return NULL;
}

Test(uring_wait_poll, what_comes_meanwhile_ends_a_wait, .timeout = 10)
{
	struct magi_uring *u = open_it();
	struct magi_req req = { .code = MAGI_IO_RECV, .token = 5, .addr = (char[1]){ 0 }, .len = 1 };
	struct magi_rec rec;
	pthread_t sender;
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	req.fd = fds[0];
	ops->submit((struct magi_io *)u, &req);
	cr_assert_eq(poll_ring(u, MAGI_NS_PER_MS, &rec, 1), 0);
	pthread_create(&sender, NULL, send_later, &fds[1]);
	cr_assert(ops->poll((struct magi_io *)u, UINT64_MAX, &rec, 1) == 1 && rec.token == 5 && rec.res == 1);
	pthread_join(sender, NULL);
	close(fds[0]);
	close(fds[1]);
	close_ring(u);
}

static void nothing(int number)
{
	(void)number;
}

struct nudge {
	pthread_t whom;
	uint32_t over;
};

static void *nudge_on(void *arg)
{
	struct nudge *n = arg;

	while (!magi_load_acq(&n->over)) { /* [test] */
		pthread_kill(n->whom, SIGUSR1);
		sched_yield();
	}
	return NULL;
}

/* In a loop: a signal before the wait is none. */
Test(uring_wait_poll, a_signal_ends_a_wait_and_what_was_handed_over_is_told_first, .timeout = 10)
{
	struct sigaction action = { .sa_handler = nothing };
	struct nudge n = { .whom = pthread_self() };
	struct magi_uring *u = open_it();
	struct magi_req req = { .code = MAGI_IO_RECV, .token = 5, .addr = (char[1]){ 0 }, .len = 1 };
	pthread_t thread;
	int fds[2], rc;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	sigaction(SIGUSR1, &action, NULL);
	pthread_create(&thread, NULL, nudge_on, &n);
	cr_assert_eq(magi_uring_enter(u, 0, UINT64_MAX), -EINTR);
	req.fd = fds[0];
	ops->submit((struct magi_io *)u, &req);
	rc = magi_uring_enter(u, 0, UINT64_MAX);
	cr_assert(rc == 1 || rc == -EINTR, "%d", rc);
	magi_store_rel(&n.over, 1u); /* [test] */
	pthread_join(thread, NULL);
	ops->cancel((struct magi_io *)u, 5);
	cr_assert_eq(ops->poll((struct magi_io *)u, UINT64_MAX, &(struct magi_rec){ 0 }, 1), 1);
	close(fds[0]);
	close(fds[1]);
	close_ring(u);
}
