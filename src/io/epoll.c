/* SPDX-License-Identifier: MIT */
/* epoll.c - the backend contract without io_uring.
 *
 * submit only queues; a poll tries what is queued, and asks epoll when that was nothing, or a few times in a row was
 * all. What is on its descriptor's side (epoll.h) is tried in order until one would block.
 *
 * Who:     the owner; wake: any thread (epoll_bell.c).
 * Always:  each submitted request is counted in `pending` until its terminal record is handed out.
 *          All that can go on is in the work queue: an empty one means that epoll, a thread or time must tell.
 * Not:     records from submit: the caller has not parked its task yet, when it submits.
 *          A descriptor held open by what waits, as a ring does: it would cost a duplicate for each wait. The runtime's
 *          table closes none under an operation; who does so without it must cancel. */
#include <errno.h>
#include <magpie/impl/atomic.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/futex.h"
#include "io/epoll.h"

enum {
	SKIPS = 2,    /* polls in a row that may leave epoll out, having found records without it; picked */
	PAUSE_US = 4, /* `due` asks epoll no sooner: who spins would do nothing else; picked */
	NAP_US = 1000 /* what nobody can tell of is tried so often; picked */
};

static struct magi_epoll *epoll_of(const struct magi_io *io)
{
	return (struct magi_epoll *)(uintptr_t)io;
}

/* Opening and closing. */

static int epoll_open(struct magi_io **io, const struct magi_io_params *params)
{
	struct magi_epoll *u = magi_zalloc(sizeof(*u));
	int rc;

	if (!u)
		return -ENOMEM;
	u->punt = params->punt;
	u->punt_ctx = params->punt_ctx;
	u->pause_ticks = PAUSE_US * magi_ticks_per_us();
	rc = magi_epoll_ops_init(u);
	if (rc < 0)
		goto free_io;
	rc = magi_epoll_fds_init(u);
	if (rc < 0)
		goto fini_ops;
	rc = magi_epoll_bell_init(u);
	if (rc < 0)
		goto fini_fds;
	*io = (struct magi_io *)u;
	return 0;

fini_fds:
	magi_epoll_fds_fini(u);
fini_ops:
	magi_epoll_ops_fini(u);
free_io:
	magi_free(u);
	return rc;
}

static void epoll_close(struct magi_io *io, void (*take)(void *buffer, void *ctx), void *ctx)
{
	struct magi_epoll *u = epoll_of(io);

	magi_assert(u->pending == 0);
	magi_epoll_guests_gone(u);
	magi_epoll_bell_fini(u);
	magi_epoll_fds_fini(u);
	magi_epoll_ops_fini(u);
	for (uint32_t i = 0; i < u->buffer_count; i++)
		take(u->buffers[i], ctx);
	magi_free(u);
}

/* Taking requests. */

/* The side of a descriptor that the request waits on; -1: it waits on none. */
static int direction_of(const struct magi_req *req)
{
	switch (req->code) {
	case MAGI_IO_ACCEPT:
	case MAGI_IO_RECV:
	case MAGI_IO_RECVMSG:
	case MAGI_IO_READ:
	case MAGI_IO_READV:
		return MAGI_EPOLL_READ;
	case MAGI_IO_CONNECT:
	case MAGI_IO_SEND:
	case MAGI_IO_SENDMSG:
	case MAGI_IO_WRITE:
	case MAGI_IO_WRITEV:
		return MAGI_EPOLL_WRITE;
	default:
		return -1;
	}
}

static void epoll_submit(struct magi_io *io, const struct magi_req *req)
{
	struct magi_epoll *u = epoll_of(io);
	struct magi_epoll_op *op;
	struct magi_epoll_fd *e;
	int direction = direction_of(req), why = 0;

	magi_assert(req->code < MAGI_IO_CODES && req->token <= MAGI_TOKEN_MAX);
	op = magi_epoll_op_new(u, req);
	if (MAGI_UNLIKELY(!op)) {
		magi_assert(u->failed_count < MAGI_EPOLL_FAILED); /* malloc has had no memory for long */
		u->failed[u->failed_count++] = req->token;
		u->pending++;
		return;
	}
	if (req->flags & MAGI_REQ_BUFFER)
		u->wanted = true;
	if (direction < 0) {
		magi_epoll_work_add(u, &op->work);
		return;
	}
	e = magi_epoll_fd_find(u, req->fd, &why);
	if (MAGI_UNLIKELY(!e)) {
		magi_epoll_end(u, op, why);
		return;
	}
	magi_epoll_fd_use(u, e, req);
	magi_epoll_list_add(&e->side[direction].ops, op);
	magi_epoll_activate(u, &e->side[direction]);
}

/* Most sends find room. */
static int epoll_attempt(struct magi_io *io, const struct magi_req *req)
{
	(void)io;
	return req->code == MAGI_IO_SEND ? magi_epoll_send(req) : (int)MAGI_IO_LATER;
}

static bool epoll_cancel(struct magi_io *io, uint64_t token)
{
	struct magi_epoll *u = epoll_of(io);
	struct magi_epoll_op *op = magi_epoll_op_find(u, token);

	if (!op)
		return true;
	switch (op->state) {
	case MAGI_EPOLL_LENT:
		magi_store_rlx(&op->cancelled, 1u); /* [hint] */
		magi_futex_wake(&op->cancelled, 1);
		break;
	case MAGI_EPOLL_WAITING:
		magi_epoll_list_remove(op);
		magi_epoll_end(u, op, -ECANCELED);
		break;
	case MAGI_EPOLL_QUEUED:
		/* a close that has not begun must not be lost */
		if (op->req.code != MAGI_IO_CLOSE)
			magi_epoll_end(u, op, -ECANCELED);
		break;
	default:
		break;
	}
	return true;
}

/* Doing what is queued. A record was made: 1. */

static int tell(struct magi_epoll *u, struct magi_epoll_op *op, struct magi_rec *rec, int res)
{
	rec->token = op->req.token;
	rec->res = res;
	magi_epoll_op_free(u, op);
	return 1;
}

static int begin_poll(struct magi_epoll *u, struct magi_epoll_op *op, struct magi_rec *rec)
{
	const struct magi_req *req = &op->req;
	struct magi_epoll_fd *e;
	int rc = magi_epoll_look(req->fd, req->op_flags);

	if (rc)
		return tell(u, op, rec, rc);
	e = magi_epoll_fd_find(u, req->fd, &rc);
	if (!e)
		return tell(u, op, rec, rc);
	magi_epoll_fd_use(u, e, req);
	rc = magi_epoll_arm(u, e, (req->op_flags & 0xffff) | EPOLLERR);
	if (rc < 0)
		return tell(u, op, rec, rc == -EPERM ? -EINVAL : rc);
	magi_epoll_list_add(&e->polls, op);
	return 0;
}

/* Not by a thread: what must be done in any case, and after the last task, cannot depend on one that is free. Few file
 * systems wait at a close. */
static int do_close(struct magi_epoll *u, struct magi_epoll_op *op, struct magi_rec *rec)
{
	int why;
	struct magi_epoll_fd *e = magi_epoll_fd_find(u, op->req.fd, &why);

	if (e)
		magi_epoll_forget(u, e);
	return tell(u, op, rec, close(op->req.fd) < 0 ? -errno : 0);
}

static int begin(struct magi_epoll *u, struct magi_epoll_op *op, struct magi_rec *rec)
{
	const struct magi_req *req = &op->req;

	if (op->state == MAGI_EPOLL_ENDED)
		return tell(u, op, rec, op->res);
	switch (req->code) {
	case MAGI_IO_NOP:
		return tell(u, op, rec, 0);
	case MAGI_IO_SHUTDOWN:
		return tell(u, op, rec, shutdown(req->fd, (int)req->op_flags) < 0 ? -errno : 0);
	case MAGI_IO_POLL:
		return begin_poll(u, op, rec);
	case MAGI_IO_CLOSE:
		return do_close(u, op, rec);
	default:
		magi_epoll_lend(u, op);
		return 0;
	}
}

static void nap(struct magi_epoll *u, struct magi_epoll_op *op)
{
	if (!u->naps.first)
		u->nap_until = magi_clock_ns() + NAP_US * MAGI_NS_PER_US;
	magi_epoll_list_add(&u->naps, op);
}

static void end_naps(struct magi_epoll *u)
{
	struct magi_epoll_op *op;

	if (MAGI_LIKELY(!u->naps.first) || magi_clock_ns() < u->nap_until)
		return;
	while ((op = u->naps.first)) {
		int why;
		struct magi_epoll_fd *e = magi_epoll_fd_find(u, op->req.fd, &why);
		struct magi_epoll_side *s = &e->side[direction_of(&op->req)];

		magi_epoll_list_remove(op);
		if (op->req.file != e->file) {
			magi_epoll_end(u, op, -EBADF); /* closed meanwhile, by somebody else */
			continue;
		}
		magi_epoll_list_add(&s->ops, op);
		s->ready = true;
		magi_epoll_activate(u, s);
	}
}

/* The first of a side's operations is tried. */
static int try_first(struct magi_epoll *u, struct magi_epoll_side *s, struct magi_rec *rec)
{
	struct magi_epoll_fd *e = magi_epoll_fd_of(s);
	struct magi_epoll_op *op = s->ops.first;
	int res = magi_epoll_try(u, e, op, rec);

	if (res == MAGI_EPOLL_WAIT) {
		res = magi_epoll_expect(u, s);
		if (MAGI_LIKELY(res == 0))
			return 0;
		if (res == -EPERM && op->req.code >= MAGI_IO_READ && op->req.code <= MAGI_IO_WRITEV)
			res = MAGI_EPOLL_PUNT; /* a device that cannot be waited for */
	}
	if (res >= 0 && op->req.code == MAGI_IO_ACCEPT && (op->req.flags & MAGI_REQ_MULTISHOT)) {
		rec->token = op->req.token;
		rec->res = res;
		rec->flags = MAGI_REC_MORE;
		return 1;
	}
	magi_epoll_list_remove(op);
	if (res == MAGI_EPOLL_PUNT)
		magi_epoll_lend(u, op);
	else if (res == MAGI_EPOLL_NAP)
		nap(u, op);
	else
		return tell(u, op, rec, res);
	return 0;
}

static int reap_failed(struct magi_epoll *u, struct magi_rec *recs, int max)
{
	int n = 0;

	while (u->failed_count && n < max) {
		recs[n++] = (struct magi_rec){ .token = u->failed[--u->failed_count], .res = -ENOMEM };
		u->pending--;
	}
	return n;
}

/* Each side gets one try a turn. */
static int do_work(struct magi_epoll *u, struct magi_rec *recs, int max)
{
	struct magi_epoll_work *work;
	int n = 0;

	magi_epoll_collect(u);
	end_naps(u);
	if (MAGI_UNLIKELY(u->failed_count))
		n = reap_failed(u, recs, max);
	while (n < max && (work = magi_epoll_work_take(u))) {
		struct magi_epoll_side *s = (struct magi_epoll_side *)(void *)work;

		recs[n] = (struct magi_rec){ 0 };
		if (!work->side) {
			n += begin(u, (struct magi_epoll_op *)(void *)work, &recs[n]);
		} else if (s->ops.first && s->ready) {
			n += try_first(u, s, &recs[n]);
			magi_epoll_activate(u, s);
		}
	}
	return n;
}

/* Polling. */

static bool any_work(const struct magi_epoll *u)
{
	return u->work_first || u->failed_count || magi_load_rlx(&u->finished); /* [efinished] */
}

static bool epoll_due(struct magi_io *io)
{
	struct magi_epoll *u = epoll_of(io);

	if (any_work(u))
		return true;
	if (!u->waiting || magi_ticks() - u->looked_at < u->pause_ticks)
		return false;
	magi_epoll_harvest(u, 0);
	end_naps(u);
	return any_work(u);
}

static uint64_t wait_time(const struct magi_epoll *u, uint64_t deadline)
{
	uint64_t now;

	if (u->naps.first && u->nap_until < deadline)
		deadline = u->nap_until;
	if (deadline == UINT64_MAX)
		return UINT64_MAX;
	now = magi_clock_ns();
	return deadline > now ? deadline - now : 0;
}

/* Nothing is at hand: waits for an event, a ring, a signal or the deadline. */
static int poll_blocking(struct magi_epoll *u, uint64_t deadline, struct magi_rec *recs, int max)
{
	for (;;) {
		uint64_t wait_ns = wait_time(u, deadline);
		bool woken;
		int rc, n;

		if (!wait_ns || !magi_epoll_fall_asleep(u)) {
			magi_epoll_harvest(u, 0);
			return do_work(u, recs, max);
		}
		rc = magi_epoll_harvest(u, wait_ns);
		woken = magi_epoll_get_up(u);
		n = do_work(u, recs, max);
		if (n || woken || rc < 0 || (deadline != UINT64_MAX && magi_clock_ns() >= deadline))
			return n;
	}
}

static int epoll_doze(struct magi_io *io, uint64_t *until)
{
	struct magi_epoll *u = epoll_of(io);

	if (any_work(u) || !magi_epoll_fall_asleep(u))
		return -EAGAIN;
	u->dozes = true;
	if (u->naps.first && u->nap_until < *until)
		*until = u->nap_until;
	return u->epfd;
}

/* The bell's event is there until it is looked at, and the descriptor is readable. */
static void end_doze(struct magi_epoll *u)
{
	u->dozes = false;
	magi_epoll_get_up(u);
	magi_epoll_harvest(u, 0);
}

static int epoll_poll(struct magi_io *io, uint64_t deadline, struct magi_rec *recs, int max)
{
	struct magi_epoll *u = epoll_of(io);
	int n;

	if (MAGI_UNLIKELY(u->dozes))
		end_doze(u);
	n = do_work(u, recs, max);
	if (n && u->skipped++ < SKIPS)
		return n;
	if (!n && deadline)
		return poll_blocking(u, deadline, recs, max);
	if (u->waiting)
		magi_epoll_harvest(u, 0);
	return n + do_work(u, recs + n, max - n);
}

static void epoll_wake(struct magi_io *io, struct magi_io *from)
{
	(void)from;
	magi_epoll_wake(epoll_of(io));
}

static bool epoll_give(struct magi_io *io, void *buffer)
{
	struct magi_epoll *u = epoll_of(io);

	if (u->buffer_count == MAGI_EPOLL_BUFS)
		return false;
	u->buffers[u->buffer_count++] = buffer;
	return true;
}

static bool epoll_hungry(const struct magi_io *io)
{
	const struct magi_epoll *u = epoll_of(io);

	return u->wanted && u->buffer_count < MAGI_EPOLL_HUNGRY;
}

static uint64_t epoll_now(struct magi_io *io)
{
	(void)io;
	return magi_clock_ns();
}

static uint32_t epoll_pending(const struct magi_io *io)
{
	return epoll_of(io)->pending;
}

const struct magi_io_ops magi_epoll_ops = {
	.name = "epoll",
	.open = epoll_open,
	.submit = epoll_submit,
	.attempt = epoll_attempt,
	.cancel = epoll_cancel,
	.poll = epoll_poll,
	.doze = epoll_doze,
	.wake = epoll_wake,
	.give = epoll_give,
	.hungry = epoll_hungry,
	.due = epoll_due,
	.now = epoll_now,
	.pending = epoll_pending,
	.close = epoll_close,
};
