/* SPDX-License-Identifier: MIT */
/* uring.c - the backend contract on io_uring.
 *
 * submit only fills queue entries; one system call a poll hands them over and gathers completions (uring_queue.c). A
 * poll that has nothing to hand over and nothing to gather makes none.
 *
 * Who:     the owner; wake: any thread (uring_bell.c).
 * Always:  each submitted request is counted in `pending` until its terminal record is handed out.
 *          Completions of the ring's own operations are never reported.
 * Pairs:   [uring] the completion queue's tail is loaded (acquire), its head stored (release)
 * Not:     a table of requests by token: user_data is the token, and looking it up would cost each operation */
#include <errno.h>
#include <magpie/impl/atomic.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/tsan.h"
#include "io/uring.h"

#define REFUSED_NS MAGI_NS_PER_MS /* how long to wait before requests that the kernel refused are handed over again */

static struct magi_uring *ring_of(const struct magi_io *io)
{
	return (struct magi_uring *)(uintptr_t)io;
}

static int uring_open(struct magi_io **io, const struct magi_io_params *params)
{
	return magi_uring_open(io, params, MAGI_URING_ALL);
}

static void uring_submit(struct magi_io *io, const struct magi_req *req)
{
	struct magi_uring *u = ring_of(io);

	magi_assert(req->code < MAGI_IO_CODES && req->token <= MAGI_TOKEN_MAX);
	MAGI_TSAN_RELEASE(u);
	u->pending++;
	if (magi_uring_queue(u, req) == 0)
		return;
	magi_assert(u->failed_count < MAGI_URING_FAILED); /* neither the kernel nor malloc have had memory for long */
	u->failed[u->failed_count++] = req->token;
}

static bool uring_cancel(struct magi_io *io, uint64_t token)
{
	struct magi_uring *u = ring_of(io);
	struct magi_req req = { .code = MAGI_URING_CANCEL, .offset = token };
	struct io_uring_sync_cancel_reg now = { .addr = token, .fd = -1 }; /* timeout 0: does not wait */
	int rc;

	/* in order behind the request, wherever that waits */
	if (magi_uring_queue(u, &req) == 0)
		return true;
	/* That needs no room. It does not find what the kernel has not been given, nor does every kernel know it. */
	rc = io_uring_register_sync_cancel(&u->ring, &now);
	return rc >= 0 || rc == -EALREADY || rc == -ETIME;
}

static uint32_t ready(const struct magi_uring *u)
{
	return magi_load_acq(u->ring.cq.ktail) - *u->ring.cq.khead; /* [uring] */
}

/* Whether the kernel has completions that it puts into the queue only when it is entered. */
static bool kernel_holds(const struct magi_uring *u)
{
	return magi_load_rlx(u->ring.sq.kflags) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW); /* [uring] */
}

/* Whether a system call would move anything. */
static bool to_hand_over(const struct magi_uring *u)
{
	return u->ring.sq.sqe_tail != *u->ring.sq.khead || u->backlog.count || kernel_holds(u);
}

static bool uring_due(struct magi_io *io)
{
	struct magi_uring *u = ring_of(io);

	return to_hand_over(u) || ready(u) || u->failed_count;
}

/* The kernel's own words for "a signal has cut it short", from ERESTARTSYS on. They are no errno, but some of its
 * operations let them out: opening a FIFO does. */
enum { RESTART_FIRST = 512, RESTART_LAST = 516 };

static int32_t errno_of(int32_t res)
{
	return MAGI_UNLIKELY(res <= -RESTART_FIRST && res >= -RESTART_LAST) ? -EINTR : res;
}

static bool report(struct magi_uring *u, const struct io_uring_cqe *cqe, struct magi_rec *rec)
{
	uint32_t flags = 0;

	if (cqe->user_data > MAGI_TOKEN_MAX) {
		magi_uring_own(u, cqe->user_data, cqe->res);
		return false;
	}
	rec->token = cqe->user_data;
	rec->res = errno_of(cqe->res);
	rec->buffer = NULL;
	if (cqe->flags & IORING_CQE_F_BUFFER) {
		uint16_t id = (uint16_t)(cqe->flags >> IORING_CQE_BUFFER_SHIFT);

		if (cqe->res > 0) {
			rec->buffer = magi_uring_buffer_take(u, id);
			flags |= MAGI_REC_BUFFER;
		} else {
			magi_uring_buffer_keep(u, id);
		}
	}
	if (cqe->flags & IORING_CQE_F_SOCK_NONEMPTY)
		flags |= MAGI_REC_NONEMPTY;
	if (cqe->flags & IORING_CQE_F_MORE)
		flags |= MAGI_REC_MORE;
	else
		u->pending--;
	rec->flags = flags;
	return true;
}

static int reap_failed(struct magi_uring *u, struct magi_rec *recs, int max)
{
	int n = 0;

	while (u->failed_count && n < max) {
		recs[n++] = (struct magi_rec){ .token = u->failed[--u->failed_count], .res = -ENOMEM };
		u->pending--;
	}
	return n;
}

static int reap(struct magi_uring *u, struct magi_rec *recs, int max)
{
	struct io_uring_cq *cq = &u->ring.cq;
	uint32_t head = *cq->khead;
	uint32_t tail = magi_load_acq(cq->ktail); /* [uring] */
	int n = 0;

	while (head != tail && n < max)
		n += report(u, &cq->cqes[head++ & cq->ring_mask], &recs[n]);
	magi_store_rel(cq->khead, head); /* [uring] */
	MAGI_TSAN_ACQUIRE(u);
	return n;
}

static int poll_now(struct magi_uring *u, struct magi_rec *recs, int max)
{
	if (to_hand_over(u))
		magi_uring_hand_over(u);
	return reap(u, recs, max);
}

/* How long to wait in the kernel; 0: not at all. */
static uint64_t wait_time(uint64_t deadline, bool all_handed_over)
{
	uint64_t wait_ns = UINT64_MAX;

	if (deadline != UINT64_MAX) {
		uint64_t now = magi_clock_ns();

		wait_ns = deadline > now ? deadline - now : 0;
	}
	return !all_handed_over && wait_ns > REFUSED_NS ? REFUSED_NS : wait_ns;
}

#if defined(MAGI_TSAN)
/* As in base/futex.c: ThreadSanitizer keeps a signal back until its thread calls something that it wraps, which entering
 * the ring is not: the wait is cut into slices. */
static uint64_t slice_of(uint64_t wait_ns)
{
	return wait_ns < 20 * MAGI_NS_PER_MS ? wait_ns : 20 * MAGI_NS_PER_MS;
}

static void let_signals_in(void)
{
	usleep(0); /* wrapped */
}
#else
static uint64_t slice_of(uint64_t wait_ns)
{
	return wait_ns;
}

static void let_signals_in(void)
{
}
#endif

/* Nothing is at hand: waits for the first completion, doorbell, signal or the deadline. */
static int poll_blocking(struct magi_uring *u, uint64_t deadline, struct magi_rec *recs, int max)
{
	for (;;) {
		bool all = !u->backlog.count && magi_uring_listen(u);
		bool woken, quiet;
		uint64_t wait_ns, slice, began;
		int rc, n;

		if (!all)
			all = magi_uring_hand_over(u) && magi_uring_listen(u);
		wait_ns = wait_time(deadline, all);
		if (!wait_ns || !magi_uring_fall_asleep(u))
			return poll_now(u, recs, max);
		u->bell_heard = false;
		slice = slice_of(wait_ns);
		began = slice == wait_ns ? 0 : magi_clock_ns();
		rc = magi_uring_enter(u, 0, slice);
		woken = magi_uring_get_up(u);
		quiet = !ready(u);
		n = reap(u, recs, max);
		if (woken)
			magi_uring_woken(u);
		/* quiet: the deadline or a signal, which enter does not tell when it has also submitted something */
		quiet = quiet && all && (slice == wait_ns || magi_clock_ns() - began < slice);
		if (rc == -EINTR || !(n || woken))
			let_signals_in();
		if (n || woken || quiet || rc == -EINTR || (rc < 0 && rc != -ETIME && rc != -EBUSY))
			return n;
	}
}

/* The ring's own descriptor: docs/decisions/0010-hosted.md. */
static int uring_doze(struct magi_io *io, uint64_t *until)
{
	struct magi_uring *u = ring_of(io);
	bool all;

	if (u->failed_count)
		return -EAGAIN;
	if (u->bufs.again_count) /* which is nothing to be told, so no poll is due for it */
		magi_uring_provide_again(u);
	all = !u->backlog.count && magi_uring_listen(u);
	if (to_hand_over(u))
		all = magi_uring_hand_over(u) && magi_uring_listen(u) && all;
	if (ready(u) || !magi_uring_fall_asleep(u))
		return -EAGAIN;
	u->bell_heard = false;
	u->dozes = true;
	if (!all) {
		uint64_t soon = magi_clock_ns() + REFUSED_NS;

		*until = soon < *until ? soon : *until;
	}
	return u->ring_fd;
}

static bool end_doze(struct magi_uring *u)
{
	u->dozes = false;
	return magi_uring_get_up(u);
}

static int uring_poll(struct magi_io *io, uint64_t deadline, struct magi_rec *recs, int max)
{
	struct magi_uring *u = ring_of(io);
	bool rung = MAGI_UNLIKELY(u->dozes) && end_doze(u);
	int n = 0;

	if (MAGI_UNLIKELY(u->bufs.again_count))
		magi_uring_provide_again(u);
	if (MAGI_UNLIKELY(u->failed_count))
		n = reap_failed(u, recs, max);
	if (deadline && !n && !ready(u))
		return poll_blocking(u, deadline, recs, max);
	n += poll_now(u, recs + n, max - n);
	if (MAGI_UNLIKELY(rung)) /* by what was gathered just now: the loop has waited for it */
		magi_uring_woken(u);
	return n;
}

static void uring_wake(struct magi_io *io, struct magi_io *from)
{
	magi_uring_wake(ring_of(io), from ? ring_of(from) : NULL);
}

static bool uring_give(struct magi_io *io, void *buffer)
{
	return magi_uring_give(ring_of(io), buffer);
}

static bool uring_hungry(const struct magi_io *io)
{
	const struct magi_uring_bufs *b = &ring_of(io)->bufs;

	/* a ring whose requests bring their own buffers needs none */
	return b->wanted && MAGI_URING_BUFS - b->unused_count < MAGI_URING_HUNGRY;
}

static uint64_t uring_now(struct magi_io *io)
{
	(void)io;
	return magi_clock_ns();
}

static uint32_t uring_pending(const struct magi_io *io)
{
	return ring_of(io)->pending;
}

static void uring_close(struct magi_io *io, void (*take)(void *buffer, void *ctx), void *ctx)
{
	struct magi_uring *u = ring_of(io);

	magi_assert(u->pending == 0);
	magi_uring_close(u, take, ctx);
}

const struct magi_io_ops magi_uring_ops = {
	.name = "uring",
	.open = uring_open,
	.submit = uring_submit,
	.cancel = uring_cancel,
	.poll = uring_poll,
	.doze = uring_doze,
	.wake = uring_wake,
	.give = uring_give,
	.hungry = uring_hungry,
	.due = uring_due,
	.now = uring_now,
	.pending = uring_pending,
	.close = uring_close,
};
