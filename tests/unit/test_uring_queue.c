/* SPDX-License-Identifier: MIT */
/* test_uring_queue.c - what the kernel refuses, or has no room for. */
#include "unit/ring.h"

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

static void receive(struct magi_uring *u, int fd, uint64_t token)
{
	static char byte;
	struct magi_req req = { .code = MAGI_IO_RECV, .token = token, .fd = fd, .addr = &byte, .len = 1 };

	ops->submit((struct magi_io *)u, &req);
}

static bool cancel(struct magi_uring *u, uint64_t token)
{
	return ops->cancel((struct magi_io *)u, token);
}

/* Tried: a cancel that says true when it has found no room: the receive never ends. */
Test(uring_refusal, a_cancel_without_room_says_so_or_needs_none, .timeout = 10)
{
	for (int known = 0; known < 2; known++) { /* whether the kernel has the receive already */
		struct magi_uring *u = open_ring(8, MAGI_URING_ALL);
		struct magi_rec recs[16];
		int fds[2], got = 0, cancelled = 0;
		bool asked;

		cr_assert(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
		receive(u, fds[0], 99);
		if (known)
			cr_assert(poll_ring(u, 0, recs, 16) == 0);
		for (uint64_t token = 0; token < (known ? 8 : 7); token++)
			submit(u, MAGI_IO_NOP, token);
		magi_fault_plan(1, 1);
		asked = cancel(u, 99);
		magi_fault_plan(0, 0);
		cr_assert(known || !asked);
		while (ops->pending((struct magi_io *)u)) {
			int n = poll_ring(u, 1000000, recs, 16);

			for (int i = 0; i < n; i++)
				cancelled += recs[i].token == 99 && recs[i].res == -ECANCELED;
			got += n;
			asked = asked || cancel(u, 99);
		}
		cr_assert(cancelled == 1 && got == (known ? 9 : 8));
		close_ring(u);
		close(fds[0]);
		close(fds[1]);
	}
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
		int n = poll_ring(u, 0, recs, 16); /* blocking would flush anyhow */

		cr_assert(n > 0, "%d", got);
		for (int i = 0; i < n; i++)
			cr_assert(recs[i].token == (uint64_t)(got + i));
		got += n;
	}
	close_ring(u);
}

/* Every fourth request is a receive that only its cancel ends; a cancel that was refused is asked for again. */
Test(uring_refusal, no_plan_of_faults_loses_a_request_or_a_cancel, .timeout = 20)
{
	enum { N = 200 };

	for (uint64_t every = 1; every < 8; every++) {
		struct magi_uring *u = open_ring(8, MAGI_URING_ALL);
		struct magi_rec recs[16];
		int fds[2], got = 0, polls = 0, cancelled = 0;
		bool to_cancel[N] = { false };

		cr_assert(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
		magi_fault_plan(1, every);
		for (uint64_t token = 0; token < N; token++) {
			if (token % 4)
				submit(u, MAGI_IO_NOP, token);
			else
				receive(u, fds[0], token);
			if (token % 4 == 2)
				to_cancel[token - 2] = !cancel(u, token - 2);
		}
		while (ops->pending((struct magi_io *)u)) {
			int n;

			if (++polls == 1000)
				magi_fault_plan(0, 0);
			n = poll_ring(u, polls % 2 ? 0 : 1000000, recs, 16);
			for (int i = 0; i < n; i++)
				cancelled += recs[i].res == -ECANCELED;
			got += n;
			for (uint64_t token = 0; token < N; token++)
				to_cancel[token] = to_cancel[token] && !cancel(u, token);
		}
		magi_fault_plan(0, 0);
		cr_assert(got == N && cancelled >= 2, "%d, %d", got, cancelled);
		close_ring(u);
		close(fds[0]);
		close(fds[1]);
	}
}
