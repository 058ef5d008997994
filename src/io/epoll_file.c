/* SPDX-License-Identifier: MIT */
/* epoll_file.c - reading and writing descriptors of any kind, and what only a thread can do.
 *
 * What a page cache or a pipe has is read without blocking, where the kernel knows how (RWF_NOWAIT). Terminals and the
 * like are looked at first, and then a thread does it. Whatever waits for a disk goes to a thread of the runtime's blocking lane, which its owner
 * passes in as `punt`; an io without one does it here and now.
 *
 * Who:     the owner; run and block: a thread that has the operation.
 * Always:  an operation that a thread has is the thread's alone, but for `cancelled`.
 * Pairs:   [hint] cancelled: who does not see it does the work, and completion beats cancellation
 * Not:     threads of the backend's own: they would not share the lane's limits, nor end with it.
 *          Writing to files from the page cache's side: most file systems refuse to without blocking. */
#include <errno.h>
#include <fcntl.h>
#include <magpie/impl/atomic.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "io/epoll.h"

static int result(int64_t n)
{
	return n < 0 ? -errno : (int)n;
}

static bool is_write(const struct magi_req *req)
{
	return req->code == MAGI_IO_WRITE || req->code == MAGI_IO_WRITEV;
}

/* The pieces of memory of a transfer. */
static const struct iovec *pieces(const struct magi_req *req, struct iovec *one, int *count)
{
	if (req->code == MAGI_IO_READV || req->code == MAGI_IO_WRITEV) {
		*count = (int)req->len;
		return req->addr;
	}
	*one = (struct iovec){ req->addr, req->len };
	*count = 1;
	return one;
}

static size_t length(const struct iovec *iov, int count)
{
	size_t n = 0;

	for (int i = 0; i < count; i++)
		n += iov[i].iov_len;
	return n;
}

static int learn_kind(struct magi_epoll_fd *e)
{
	struct stat st;
	int flags;

	if (e->kind != MAGI_EPOLL_UNKNOWN)
		return 0;
	flags = fcntl(e->fd, F_GETFL);
	if (flags < 0 || fstat(e->fd, &st) < 0)
		return -errno;
	if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode) || S_ISDIR(st.st_mode)) /* [cov kernel] a disk of its own */
		e->kind = flags & O_DIRECT ? MAGI_EPOLL_DIRECT : MAGI_EPOLL_FILE;
	else if (S_ISCHR(st.st_mode) && lseek(e->fd, 0, SEEK_CUR) >= 0)
		e->kind = MAGI_EPOLL_DIRECT; /* a device with a position: offsets mean something */
	else
		e->kind = MAGI_EPOLL_STREAM;
	return 0;
}

static bool is_file(const struct magi_epoll_fd *e)
{
	return e->kind >= MAGI_EPOLL_FILE;
}

/* Whether nothing follows what has been read up to now. */
static bool at_end(const struct magi_req *req, uint64_t moved)
{
	off_t at = (off_t)(req->offset + moved);
	struct stat st;

	return at >= 0 && fstat(req->fd, &st) == 0 && S_ISREG(st.st_mode) && at >= st.st_size;
}

/* Less than was asked for is what the cache had, or all that there is. */
static int read_cached(struct magi_epoll_fd *e, struct magi_epoll_op *op)
{
	struct iovec one;
	int count;
	const struct iovec *iov = pieces(&op->req, &one, &count);
	ssize_t n = preadv2(op->req.fd, iov, count, (off_t)op->req.offset, RWF_NOWAIT);

	if (n < 0 && (errno == EOPNOTSUPP || errno == ENOSYS))
		e->kind = MAGI_EPOLL_DIRECT;
	if (n < 0)
		return errno == EAGAIN || e->kind == MAGI_EPOLL_DIRECT ? (int)MAGI_EPOLL_PUNT : -errno;
	if (n == 0 || (size_t)n == length(iov, count) || at_end(&op->req, (uint64_t)n))
		return (int)n;
	if (op->req.code == MAGI_IO_READV || op->req.len > INT_MAX)
		return (int)n;
	op->moved = (uint32_t)n;
	return MAGI_EPOLL_PUNT;
}

/* What cannot be told not to block is looked at first, and then left to a thread: somebody else may be faster, a write
 * longer than there is room for, and some devices always say that they are ready. */
static int move_looked_at(const struct magi_req *req)
{
	int events = magi_epoll_look(req->fd, is_write(req) ? POLLOUT : POLLIN);

	if (events <= 0)
		return events < 0 ? events : (int)MAGI_EPOLL_WAIT;
	return MAGI_EPOLL_PUNT;
}

static int move(struct magi_epoll_fd *e, const struct magi_req *req)
{
	struct iovec one;
	int count;
	const struct iovec *iov = pieces(req, &one, &count);
	ssize_t n;

	if (e->kind == MAGI_EPOLL_OTHER)
		return move_looked_at(req);
	n = is_write(req) ? pwritev2(req->fd, iov, count, -1, RWF_NOWAIT) :
			    preadv2(req->fd, iov, count, -1, RWF_NOWAIT);
	if (n < 0 && (errno == EOPNOTSUPP || errno == ENOSYS)) {
		e->kind = MAGI_EPOLL_OTHER;
		return move_looked_at(req);
	}
	return n < 0 && errno == EAGAIN ? (int)MAGI_EPOLL_WAIT : result(n);
}

int magi_epoll_transfer(struct magi_epoll_fd *e, struct magi_epoll_op *op)
{
	int rc = learn_kind(e);

	if (rc < 0)
		return rc;
	if (!is_file(e))
		return move(e, &op->req);
	/* at the file's position not even a cached read may be tried: a thread may hold the position's lock over a disk's wait */
	if (e->kind == MAGI_EPOLL_DIRECT || is_write(&op->req) || op->req.offset == UINT64_MAX)
		return MAGI_EPOLL_PUNT;
	return read_cached(e, op);
}

/* In a thread. */

static int transfer(const struct magi_epoll_op *op)
{
	const struct magi_req *req = &op->req;
	struct iovec rest = { (char *)req->addr + op->moved, req->len - op->moved };
	const struct iovec *iov = &rest;
	int count = 1, rc;
	off_t at = (off_t)(req->offset + op->moved); /* one that is too large is the system's to refuse */
	bool here = req->offset == UINT64_MAX;

	if (req->code == MAGI_IO_READV || req->code == MAGI_IO_WRITEV)
		iov = pieces(req, &rest, &count);
	if (is_write(req))
		rc = result(here ? writev(req->fd, iov, count) : pwritev(req->fd, iov, count, at));
	else
		rc = result(here ? readv(req->fd, iov, count) : preadv(req->fd, iov, count, at));
	if (!op->moved)
		return rc;
	return rc < 0 ? (int)op->moved : rc + (int)op->moved;
}

int magi_epoll_block(struct magi_epoll_op *op)
{
	const struct magi_req *req = &op->req;

	switch (req->code) {
	case MAGI_IO_OPEN:
		return magi_epoll_open(op);
	case MAGI_IO_FSYNC:
		return result(req->op_flags ? fdatasync(req->fd) : fsync(req->fd));
	case MAGI_IO_STAT:
		return result(statx(req->fd, req->addr, (int)req->op_flags, req->len, req->addr2));
	case MAGI_IO_UNLINK:
		return result(unlinkat(req->fd, req->addr, (int)req->op_flags));
	case MAGI_IO_MKDIR:
		return result(mkdirat(req->fd, req->addr, req->op_flags));
	case MAGI_IO_RENAME:
		return result(renameat(req->fd, req->addr, (int)req->len, req->addr2));
	default:
		return transfer(op);
	}
}

static int64_t run(void *arg)
{
	struct magi_epoll_op *op = arg;

	/* what was read before it was lent is not lost */
	if (!magi_load_rlx(&op->cancelled)) /* [hint] */
		op->res = magi_epoll_block(op);
	else
		op->res = op->moved ? (int)op->moved : -ECANCELED;
	magi_epoll_give_back(op);
	return 0;
}

void magi_epoll_lend(struct magi_epoll *u, struct magi_epoll_op *op)
{
	int rc;

	if (!u->punt) {
		magi_epoll_end(u, op, magi_epoll_block(op));
		return;
	}
	op->state = MAGI_EPOLL_LENT;
	magi_add_rlx(&u->guests, 1u); /* [eguests] its last act takes it back */
	rc = u->punt(u->punt_ctx, run, op);
	if (MAGI_LIKELY(rc == 0))
		return;
	magi_sub_ar(&u->guests, 1u); /* [eguests] */
	magi_epoll_end(u, op, op->moved ? (int)op->moved : -ENOMEM); /* no thread: -EAGAIN would mean something else */
}
