/* SPDX-License-Identifier: MIT */
/* test_uring.c - what the contract (tests/conformance) does not say: how many system calls, and signals. */
#include <signal.h>
#include <sys/time.h>

#include "unit/ring.h"

#define COUNT_ONLY (UINT64_C(1) << 60)

Test(uring_calls, nothing_to_do_makes_no_system_call, .timeout = 5)
{
	struct magi_uring *u = open_ring(0, MAGI_URING_ALL);
	struct magi_rec rec;

	magi_fault_plan(COUNT_ONLY, 0); /* entering the ring is a fault site */
	cr_assert(poll_ring(u, 0, &rec, 1) == 0);
	cr_assert(!ops->due((struct magi_io *)u));
	cr_assert(magi_fault_reached() == 0);
	magi_fault_plan(0, 0);
	close_ring(u);
}

Test(uring_calls, a_poll_hands_over_and_gathers_in_one_system_call, .timeout = 5)
{
	struct magi_uring *u = open_ring(0, MAGI_URING_ALL);
	struct magi_rec recs[64];
	uint64_t wait_ns[] = { 0, 1000000000 };

	for (int i = 0; i < 2; i++) {
		magi_fault_plan(COUNT_ONLY, 0);
		for (uint64_t token = 0; token < 50; token++)
			submit(u, MAGI_IO_NOP, token);
		cr_assert(magi_fault_reached() == 0, "submit makes no system call");
		cr_assert(poll_ring(u, wait_ns[i], recs, 64) == 50);
		cr_assert(magi_fault_reached() == 1);
	}
	magi_fault_plan(0, 0);
	close_ring(u);
}

Test(uring_calls, a_wait_up_to_the_deadline_is_one_system_call, .timeout = 5)
{
	struct magi_uring *u = open_ring(0, MAGI_URING_ALL);
	struct magi_rec rec;

	poll_ring(u, 1000000, &rec, 1); /* the first one also arms the eventfd */
	for (int i = 0; i < 5; i++) {
		magi_fault_plan(COUNT_ONLY, 0);
		cr_assert(poll_ring(u, 1000000, &rec, 1) == 0);
		cr_assert(magi_fault_reached() == 1);
	}
	magi_fault_plan(0, 0);
	close_ring(u);
}

static void ignore(int sig)
{
	(void)sig;
}

/* The system call then tells how many it took, and nothing of the signal. */
Test(uring_calls, a_signal_ends_a_wait_that_has_also_submitted, .timeout = 5)
{
	struct magi_uring *u = open_ring(0, MAGI_URING_ALL);
	struct sigaction action = { .sa_handler = ignore };
	struct itimerval timer = { .it_value.tv_usec = 5000 };
	struct magi_req req = { .code = MAGI_IO_RECV, .token = 1, .len = 1 };
	struct magi_rec rec;
	int fds[2];
	char byte;

	cr_assert(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	sigaction(SIGALRM, &action, NULL);
	req.fd = fds[0];
	req.addr = &byte;
	ops->submit((struct magi_io *)u, &req);
	setitimer(ITIMER_REAL, &timer, NULL);
	cr_assert(ops->poll((struct magi_io *)u, UINT64_MAX, &rec, 1) == 0);
	ops->cancel((struct magi_io *)u, 1);
	cr_assert(poll_ring(u, 1000000000, &rec, 1) == 1 && rec.res == -ECANCELED);
	close_ring(u);
	close(fds[0]);
	close(fds[1]);
}
