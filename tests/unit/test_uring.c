/* SPDX-License-Identifier: MIT */
/* test_uring.c - what is io_uring's own: set-up and its errors, refusals, the number of system calls, the doorbell.
 *
 * The contract is tested in tests/conformance. A seccomp filter would need a process of its own, and fork in a Criterion
 * test hangs: what the errors mean is tested on the function that decides it. */
#include <criterion/criterion.h>

#include <errno.h>
#include <magpie/error.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "io/uring.h"

#define COUNT_ONLY (UINT64_C(1) << 60)

static const struct magi_io_ops *ops = &magi_uring_ops;

static struct magi_uring *open_ring(uint32_t entries, uint32_t features)
{
	struct magi_io_params params = { .entries = entries };
	struct magi_io *io = NULL;
	int rc = magi_uring_open(&io, &params, features);

	if (rc == MAG_EBACKEND)
		cr_skip_test("io_uring cannot be used here");
	cr_assert(rc == 0, "%d", rc);
	return (struct magi_uring *)io;
}

static void take(void *buffer, void *ctx)
{
	(void)ctx;
	free(buffer);
}

static void close_ring(struct magi_uring *u)
{
	ops->close((struct magi_io *)u, take, NULL);
}

static void submit(struct magi_uring *u, uint8_t code, uint64_t token)
{
	struct magi_req req = { .code = code, .token = token };

	ops->submit((struct magi_io *)u, &req);
}

static int poll_ring(struct magi_uring *u, uint64_t wait_ns, struct magi_rec *recs, int max)
{
	struct magi_io *io = (struct magi_io *)u;

	return ops->poll(io, wait_ns ? ops->now(io) + wait_ns : 0, recs, max);
}

static int lowest_fd(void)
{
	int fd = dup(0);

	close(fd);
	return fd;
}

Test(uring_setup, forbidden_names_the_switch_or_the_filter, .timeout = 5)
{
	char why[300];

	cr_assert(magi_uring_explain(-EPERM, 2, why, sizeof(why)) == MAG_EBACKEND);
	cr_assert(strstr(why, "kernel.io_uring_disabled"));
	cr_assert(magi_uring_explain(-EPERM, 0, why, sizeof(why)) == MAG_EBACKEND);
	cr_assert(strstr(why, "seccomp") && strstr(why, "io_uring_setup"));
	cr_assert(magi_uring_explain(-EPERM, -1, NULL, 0) == MAG_EBACKEND);
}

Test(uring_setup, missing_or_old_says_what_is_needed, .timeout = 5)
{
	const int errors[] = { -ENOSYS, -EOPNOTSUPP, -EINVAL };
	char why[300];

	for (int i = 0; i < 3; i++) {
		cr_assert(magi_uring_explain(errors[i], -1, why, sizeof(why)) == MAG_EBACKEND);
		cr_assert(strstr(why, "6.1"));
	}
}

Test(uring_setup, want_of_memory_or_descriptors_is_not_want_of_io_uring, .timeout = 5)
{
	char why[300];

	cr_assert(magi_uring_explain(-ENOMEM, 0, why, sizeof(why)) == -ENOMEM);
	cr_assert(strstr(why, "memory"));
	cr_assert(magi_uring_explain(-EMFILE, 0, why, sizeof(why)) == -EMFILE);
	cr_assert(strstr(why, "ulimit -n"));
	cr_assert(magi_uring_explain(-EIO, 0, why, sizeof(why)) == -EIO);
}

Test(uring_setup, a_reason_that_is_too_long_is_cut, .timeout = 5)
{
	char why[8];

	magi_uring_explain(-EPERM, 0, why, sizeof(why));
	cr_assert(strlen(why) == 7);
}

Test(uring_setup, no_memory_for_a_ring_asks_for_a_smaller_one, .timeout = 5)
{
	struct magi_uring *u;
	struct magi_rec rec;

	close_ring(open_ring(0, MAGI_URING_ALL));
	magi_fault_plan(2, 0); /* the first site is the memory of the io itself */
	u = open_ring(0, MAGI_URING_ALL);
	magi_fault_plan(0, 0);
	cr_assert(u->ring.sq.ring_entries == MAGI_URING_ENTRIES / 2);
	submit(u, MAGI_IO_NOP, 7);
	cr_assert(poll_ring(u, 1000000000, &rec, 1) == 1 && rec.token == 7);
	close_ring(u);
}

Test(uring_setup, no_memory_for_the_smallest_ring_fails, .timeout = 5)
{
	char why[200] = "";
	struct magi_io_params params = { .why = why, .why_size = sizeof(why) };
	struct magi_io *io;

	magi_fault_plan(2, 1);
	cr_assert(ops->open(&io, &params) == -ENOMEM);
	magi_fault_plan(0, 0);
	cr_assert(strstr(why, "memory"));
}

Test(uring_setup, every_failure_on_the_way_is_undone, .timeout = 20)
{
	int fds = lowest_fd(), failures = 0;
	struct magi_io_params params = { 0 };
	struct magi_io *io;

	close_ring(open_ring(0, MAGI_URING_ALL));
	for (uint64_t n = 1; n < 100; n++) {
		uint64_t reached;
		int rc;

		magi_fault_plan(n, 0);
		rc = ops->open(&io, &params);
		reached = magi_fault_reached();
		magi_fault_plan(0, 0);
		if (rc == 0)
			close_ring((struct magi_uring *)io);
		else
			failures++;
		cr_assert(rc == 0 || rc == -ENOMEM || rc == -EMFILE, "%d", rc);
		cr_assert(lowest_fd() == fds, "site %d leaks a descriptor", (int)n);
		if (reached < n)
			break;
	}
	cr_assert(failures >= 5);
}

Test(uring_setup, each_feature_can_be_missing, .timeout = 20)
{
	for (uint32_t bit = 1; bit < MAGI_URING_ALL; bit <<= 1) {
		struct magi_uring *u = open_ring(16, MAGI_URING_ALL & ~bit);
		struct magi_rec rec;

		cr_assert(!(u->features & bit));
		submit(u, MAGI_IO_NOP, bit);
		cr_assert(poll_ring(u, 1000000000, &rec, 1) == 1 && rec.token == bit);
		close_ring(u);
	}
}

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

Test(uring_refusal, what_the_kernel_does_not_take_waits_in_order, .timeout = 10)
{
	enum { N = 1000 };
	struct magi_uring *u = open_ring(8, MAGI_URING_ALL);
	struct magi_rec recs[N];
	int got = 0;

	magi_fault_plan(1, 0); /* the kernel refuses once, when the queue is first full */
	for (uint64_t token = 0; token < N; token++)
		submit(u, MAGI_IO_NOP, token);
	magi_fault_plan(0, 0);
	cr_assert(u->backlog.count > 900);
	cr_assert(ops->pending((struct magi_io *)u) == N);
	while (got < N) {
		int n = poll_ring(u, 1000000000, recs + got, N - got);

		cr_assert(n > 0);
		got += n;
	}
	for (uint64_t token = 0; token < N; token++)
		cr_assert(recs[token].token == token && recs[token].res == 0);
	cr_assert(ops->pending((struct magi_io *)u) == 0 && u->backlog.count == 0);
	close_ring(u);
}

Test(uring_refusal, what_finds_no_memory_is_told, .timeout = 10)
{
	enum { N = 30 };
	struct magi_uring *u = open_ring(8, MAGI_URING_ALL);
	struct magi_rec recs[N];
	int refused = 0, got = 0;

	magi_fault_plan(1, 1);
	for (uint64_t token = 0; token < N; token++)
		submit(u, MAGI_IO_NOP, token);
	magi_fault_plan(0, 0);
	while (got < N) {
		int n = poll_ring(u, 1000000000, recs + got, N - got);

		cr_assert(n > 0);
		got += n;
	}
	for (int i = 0; i < N; i++) {
		cr_assert(recs[i].res == (recs[i].token < 8 ? 0 : -ENOMEM));
		refused += recs[i].res < 0;
	}
	cr_assert(refused == N - 8);
	cr_assert(ops->pending((struct magi_io *)u) == 0);
	close_ring(u);
}

Test(uring_refusal, a_cancel_stays_behind_its_request, .timeout = 10)
{
	struct magi_uring *u = open_ring(8, MAGI_URING_ALL);
	struct magi_req req = { .code = MAGI_IO_RECV, .token = 99, .len = 1 };
	struct magi_rec recs[32];
	int fds[2], got = 0, cancelled = 0;
	char byte;

	cr_assert(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
	req.fd = fds[0];
	req.addr = &byte;
	magi_fault_plan(1, 0);
	for (uint64_t token = 0; token < 20; token++)
		submit(u, MAGI_IO_NOP, token);
	ops->submit((struct magi_io *)u, &req);
	ops->cancel((struct magi_io *)u, 99);
	magi_fault_plan(0, 0);
	cr_assert(u->backlog.count >= 14);
	while (got < 21) {
		int n = poll_ring(u, 1000000000, recs + got, 32 - got);

		cr_assert(n > 0);
		got += n;
	}
	for (int i = 0; i < got; i++)
		cancelled += recs[i].token == 99 && recs[i].res == -ECANCELED;
	cr_assert(cancelled == 1);
	close_ring(u);
	close(fds[0]);
	close(fds[1]);
}

Test(uring_refusal, a_full_completion_queue_is_flushed, .timeout = 10)
{
	enum { N = 1000 };
	struct magi_uring *u = open_ring(8, MAGI_URING_ALL);
	struct magi_rec recs[16];
	int got = 0;
	bool overflow;

	for (uint64_t token = 0; token < N; token++)
		submit(u, MAGI_IO_NOP, token);
	overflow = io_uring_cq_has_overflow(&u->ring);
	cr_assert(overflow, "%u completions fit", u->ring.cq.ring_entries);
	cr_assert(ops->due((struct magi_io *)u));
	while (got < N) {
		int n = poll_ring(u, 1000000000, recs, 16);

		cr_assert(n > 0, "%d", got);
		for (int i = 0; i < n; i++)
			cr_assert(recs[i].token == (uint64_t)(got + i));
		got += n;
	}
	close_ring(u);
}

Test(uring_refusal, no_plan_of_faults_loses_a_request, .timeout = 20)
{
	for (uint64_t every = 1; every < 8; every++) {
		struct magi_uring *u = open_ring(8, MAGI_URING_ALL);
		struct magi_rec recs[16];
		int got = 0, polls = 0;

		magi_fault_plan(1, every);
		for (uint64_t token = 0; token < 200; token++)
			submit(u, MAGI_IO_NOP, token);
		while (ops->pending((struct magi_io *)u)) {
			if (++polls == 1000)
				magi_fault_plan(0, 0);
			got += poll_ring(u, polls % 2 ? 0 : 1000000000, recs, 16);
		}
		magi_fault_plan(0, 0);
		cr_assert(got == 200);
		close_ring(u);
	}
}

static bool eventfd_rung(struct magi_uring *u)
{
	struct pollfd p = { .fd = u->eventfd, .events = POLLIN };
	uint64_t value;

	if (poll(&p, 1, 0) != 1)
		return false;
	cr_assert(read(u->eventfd, &value, sizeof(value)) == sizeof(value));
	return true;
}

/* As a blocked owner looks to a waker; the rings here never block, so nothing reads the eventfd but the test. */
static void pretend_asleep(struct magi_uring *u)
{
	u->state = MAGI_URING_ASLEEP;
}

Test(uring_bell, only_a_sleeper_is_rung, .timeout = 5)
{
	struct magi_uring *u = open_ring(0, MAGI_URING_ALL);

	magi_uring_wake(u, NULL);
	cr_assert(!eventfd_rung(u));
	pretend_asleep(u);
	magi_uring_wake(u, NULL);
	cr_assert(eventfd_rung(u));
	magi_uring_wake(u, NULL);
	cr_assert(!eventfd_rung(u), "it is being woken already");
	close_ring(u);
}

Test(uring_bell, a_doorbell_that_is_not_proven_is_backed_by_the_eventfd, .timeout = 5)
{
	struct magi_uring *u = open_ring(0, MAGI_URING_ALL), *from = open_ring(0, MAGI_URING_ALL);

	/* nobody stirs here: each try ends with the eventfd, and after some nobody tries any more */
	for (uint32_t i = 0; i < MAGI_URING_BELL_TRIES + 2; i++) {
		pretend_asleep(u);
		magi_uring_wake(u, from);
		cr_assert(eventfd_rung(u));
	}
	cr_assert(!(u->features & MAGI_URING_BELL) || u->bell_tries == MAGI_URING_BELL_TRIES);
	close_ring(u);
	close_ring(from);
}

Test(uring_bell, a_proven_doorbell_goes_through_the_ring, .timeout = 5)
{
	struct magi_uring *u = open_ring(0, MAGI_URING_ALL), *from = open_ring(0, MAGI_URING_ALL);
	struct magi_rec rec;

	if (!(u->features & MAGI_URING_BELL))
		cr_skip_test("this kernel has no MSG_RING");
	u->bell_works = 1;
	pretend_asleep(u);
	magi_uring_wake(u, from);
	cr_assert(!eventfd_rung(u));
	cr_assert(ops->due((struct magi_io *)u));
	cr_assert(poll_ring(u, 0, &rec, 1) == 0);
	cr_assert(u->bell_heard);
	close_ring(u);
	close_ring(from);
}

Test(uring_bell, a_doorbell_that_fails_is_replaced_by_the_eventfd, .timeout = 5)
{
	struct magi_uring *u = open_ring(0, MAGI_URING_ALL), *from = open_ring(0, MAGI_URING_ALL);
	int ring_fd = u->ring_fd;
	struct magi_rec rec;

	u->bell_works = 1;
	/* the kernel takes the doorbell and says that there is no such ring */
	u->ring_fd = -1;
	pretend_asleep(u);
	magi_uring_wake(u, from);
	cr_assert(eventfd_rung(u));
	u->ring_fd = ring_fd;
	/* the kernel does not take it at all */
	magi_fault_plan(1, 0);
	pretend_asleep(u);
	magi_uring_wake(u, from);
	magi_fault_plan(0, 0);
	cr_assert(eventfd_rung(u));
	/* and it is not rung later either; nor are the failures anybody's records */
	cr_assert(poll_ring(from, 0, &rec, 1) == 0);
	cr_assert(poll_ring(u, 0, &rec, 1) == 0);
	cr_assert(!u->bell_heard);
	close_ring(u);
	close_ring(from);
}

Test(uring_bell, a_doorbell_with_a_full_queue_uses_the_eventfd, .timeout = 5)
{
	struct magi_uring *u = open_ring(0, MAGI_URING_ALL), *from = open_ring(8, MAGI_URING_ALL);
	struct magi_rec recs[8];

	u->bell_works = 1;
	for (uint64_t token = 0; token < 8; token++)
		submit(from, MAGI_IO_NOP, token);
	pretend_asleep(u);
	magi_uring_wake(u, from);
	cr_assert(eventfd_rung(u));
	cr_assert(poll_ring(from, 0, recs, 8) == 8);
	close_ring(u);
	close_ring(from);
}
