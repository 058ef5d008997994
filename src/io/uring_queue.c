/* SPDX-License-Identifier: MIT */
/* uring_queue.c - what waits to be handed over: the submission queue, behind it the backlog; and the one system call.
 *
 * Who:     the owner.
 * Always:  requests reach the kernel in the order in which they were queued.
 * Pairs:   [uring] the queue's tail is stored (release), the kernel's head loaded (acquire)
 * Not:     liburing's submit: it waits in a loop of its own, and one poll is to be one system call. */
#include <errno.h>
#include <magpie/impl/atomic.h>
#include <poll.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "io/uring.h"

#define BACKLOG_FIRST 64 /* requests; most rings never have one */

uint32_t magi_uring_unsubmitted(const struct magi_uring *u)
{
	const struct io_uring_sq *sq = &u->ring.sq;

	return sq->sqe_tail - magi_load_acq(sq->khead); /* [uring] */
}

struct io_uring_sqe *magi_uring_sqe(struct magi_uring *u)
{
	struct io_uring_sq *sq = &u->ring.sq;

	if (magi_uring_unsubmitted(u) >= sq->ring_entries)
		return NULL;
	return &sq->sqes[sq->sqe_tail++ & sq->ring_mask];
}

static int enter(struct magi_uring *u, uint32_t flags, uint64_t wait_ns)
{
	struct io_uring_sq *sq = &u->ring.sq;
	struct __kernel_timespec ts;
	struct io_uring_getevents_arg arg = { 0 };
	uint32_t to_submit, wait = 0;
	void *argp = NULL;
	size_t size = 0;
	int rc;

	if (magi_fault())
		return -EAGAIN;
	sq->sqe_head = sq->sqe_tail;
	magi_store_rel(sq->ktail, sq->sqe_tail); /* [uring] */
	to_submit = magi_uring_unsubmitted(u);
	flags |= u->enter_flags;
	if (wait_ns) {
		wait = 1;
		flags |= IORING_ENTER_GETEVENTS;
		if (u->features & MAGI_URING_NO_IOWAIT)
			flags |= MAGI_ENTER_NO_IOWAIT;
		if (wait_ns != UINT64_MAX) {
			ts.tv_sec = (long long)(wait_ns / MAGI_NS_PER_S);
			ts.tv_nsec = (long long)(wait_ns % MAGI_NS_PER_S);
			arg.ts = (uintptr_t)&ts;
			argp = &arg;
			size = sizeof(arg);
			flags |= IORING_ENTER_EXT_ARG;
		}
	}
	rc = io_uring_enter2((unsigned)u->ring.enter_ring_fd, to_submit, wait, flags, argp, size);
	/* the kernel found no memory to keep a completion and has dropped it: its request would never end */
	magi_assert(rc != -EBADR);
	return rc;
}

/* 1: the ring has something; 0: the time is over; -EINTR. */
static int poll_ring(const struct magi_uring *u, uint64_t until)
{
	struct pollfd ring = { .fd = u->ring_fd, .events = POLLIN };
	struct timespec ts = { 0 };
	int n;

	if (until != UINT64_MAX) {
		uint64_t now = magi_clock_ns(), left = until > now ? until - now : 0;

		ts.tv_sec = (time_t)(left / MAGI_NS_PER_S);
		ts.tv_nsec = (long)(left % MAGI_NS_PER_S);
	}
	n = ppoll(&ring, 1, until == UINT64_MAX ? NULL : &ts, NULL);
	return n < 0 ? -errno : n;
}

/* Does what `enter` does with the time to wait, and never blocks in the ring. */
static int enter_by_poll(struct magi_uring *u, uint32_t flags, uint64_t wait_ns)
{
	uint64_t now = magi_clock_ns(), until = wait_ns < UINT64_MAX - now ? now + wait_ns : UINT64_MAX;
	int rc = enter(u, flags | IORING_ENTER_GETEVENTS, 0), n = rc;

	while (n >= 0 && magi_load_acq(u->ring.cq.ktail) == *u->ring.cq.khead) { /* [uring] */
		n = poll_ring(u, until);
		if (n == 0)
			n = -ETIME;
		else if (n > 0)
			n = enter(u, IORING_ENTER_GETEVENTS, 0);
	}
	/* what was submitted is told first, as the kernel does */
	return n < 0 && rc <= 0 ? n : rc;
}

int magi_uring_enter(struct magi_uring *u, uint32_t flags, uint64_t wait_ns)
{
	return MAGI_WAIT_POLL && wait_ns ? enter_by_poll(u, flags, wait_ns) : enter(u, flags, wait_ns);
}

static bool backlog_grow(struct magi_uring_backlog *b)
{
	uint32_t capacity = b->capacity ? b->capacity * 2 : BACKLOG_FIRST;
	struct magi_req *reqs = magi_realloc(b->reqs, capacity * sizeof(*reqs));

	if (!reqs)
		return false;
	/* what had wrapped round goes behind the old end */
	memcpy(reqs + b->capacity, reqs, b->head * sizeof(*reqs));
	b->reqs = reqs;
	b->capacity = capacity;
	return true;
}

static int backlog_push(struct magi_uring_backlog *b, const struct magi_req *req)
{
	if (b->count == b->capacity && !backlog_grow(b))
		return -ENOMEM;
	b->reqs[(b->head + b->count++) & (b->capacity - 1)] = *req;
	return 0;
}

/* Moves what fits into the submission queue. */
static void backlog_drain(struct magi_uring *u)
{
	struct magi_uring_backlog *b = &u->backlog;

	while (b->count) {
		struct io_uring_sqe *sqe = magi_uring_sqe(u);

		if (!sqe)
			return;
		magi_uring_prep(u, sqe, &b->reqs[b->head]);
		b->head = (b->head + 1) & (b->capacity - 1);
		b->count--;
	}
}

int magi_uring_queue(struct magi_uring *u, const struct magi_req *req)
{
	struct io_uring_sqe *sqe = NULL;

	if (!u->backlog.count) {
		sqe = magi_uring_sqe(u);
		if (!sqe) {
			/* no completions are asked for here: submit must not call back into anything */
			magi_uring_enter(u, 0, 0);
			sqe = magi_uring_sqe(u);
		}
	}
	if (!sqe)
		return backlog_push(&u->backlog, req);
	magi_uring_prep(u, sqe, req);
	return 0;
}

bool magi_uring_hand_over(struct magi_uring *u)
{
	uint32_t before;

	do {
		backlog_drain(u);
		before = magi_uring_unsubmitted(u);
		magi_uring_enter(u, IORING_ENTER_GETEVENTS, 0);
		/* no progress: the kernel has no memory now, or completions must be taken first */
	} while (u->backlog.count && magi_uring_unsubmitted(u) < before);
	return !u->backlog.count && !magi_uring_unsubmitted(u);
}

void magi_uring_queue_fini(struct magi_uring *u)
{
	magi_free(u->backlog.reqs);
}
