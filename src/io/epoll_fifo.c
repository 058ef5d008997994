/* SPDX-License-Identifier: MIT */
/* epoll_fifo.c - opening a FIFO in a thread, which waits until somebody has opened its other end, and can be cancelled.
 *
 * Nothing ends a thread's open(2) but a signal, and signals are the program's. So it is opened without blocking, which
 * counts as a reader for who wants to write, and looked at until there is a writer; or tried until there is a reader.
 *
 * Who:     the thread that has the operation.
 * Pairs:   [hint] cancelled: the next look sees it, which its futex makes come at once
 * Not:     reading to find out whether there is a writer: it may take away a byte. tee(2) takes nothing. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <magpie/impl/atomic.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/futex.h"
#include "io/epoll.h"

enum { LOOK_NS = 500000, LOOK_MAX_NS = 16000000 }; /* between two looks, at first and at most; picked */

static int open_with(const struct magi_req *req, uint64_t more)
{
	struct open_how how = *(const struct open_how *)req->addr2;
	int fd;

	how.flags |= more;
	fd = (int)syscall(SYS_openat2, req->fd, req->addr, &how, sizeof(how));
	if (fd < 0 && errno == ENOSYS && !how.resolve) /* before 5.6 */
		fd = openat(req->fd, req->addr, (int)how.flags, (mode_t)how.mode);
	return fd < 0 ? -errno : fd;
}

static mode_t kind_of(const struct magi_req *req)
{
	const struct open_how *how = req->addr2;
	struct stat st;

	if (fstatat(req->fd, req->addr, &st, how->flags & O_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0) < 0)
		return 0;
	return st.st_mode & S_IFMT;
}

/* Whether there is a writer, or was since we opened it. 1, 0 or -errno. */
static int has_writer(int fd)
{
	int events = magi_epoll_look(fd, POLLIN), scratch[2];
	ssize_t n;
	bool waits;

	if (events)
		return events < 0 ? events : 1;
	if (pipe2(scratch, O_CLOEXEC) < 0)
		return -errno;
	n = tee(fd, scratch[1], 1, SPLICE_F_NONBLOCK);
	waits = n < 0 && errno == EAGAIN; /* for data: without a writer it would have told the end */
	close(scratch[0]);
	close(scratch[1]);
	return n > 0 || waits; /* [cov race] written between the two looks */
}

static int opened(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
	return fd;
}

static bool writes(const struct magi_req *req)
{
	return (((const struct open_how *)req->addr2)->flags & O_ACCMODE) == O_WRONLY;
}

static void rest(struct magi_epoll_op *op, uint64_t *ns)
{
	magi_futex_wait(&op->cancelled, 0, *ns);
	*ns = *ns * 2 < LOOK_MAX_NS ? *ns * 2 : LOOK_MAX_NS;
}

/* fd: as it was opened without blocking, -ENXIO: there is no reader. */
static int wait_for_other_end(struct magi_epoll_op *op, int fd)
{
	uint64_t ns = LOOK_NS;
	int there = 0;

	for (;;) {
		if (fd >= 0)
			there = writes(&op->req) ? 1 : has_writer(fd);
		if (there > 0)
			return opened(fd);
		if (there == 0 && magi_load_rlx(&op->cancelled)) /* [hint] */
			there = -ECANCELED;
		if (there < 0 && fd >= 0)
			close(fd);
		if (there < 0)
			return there;
		if (fd < 0 && fd != -ENXIO)
			return fd;
		rest(op, &ns);
		if (fd < 0)
			fd = open_with(&op->req, O_NONBLOCK);
		if (fd == -ENXIO && kind_of(&op->req) != S_IFIFO) /* it has been replaced */
			return fd;
	}
}

/* What is no device is opened without blocking: it may have become a FIFO since somebody looked. A device may take that for
 * another wish. */
int magi_epoll_open(struct magi_epoll_op *op)
{
	uint64_t flags = ((const struct open_how *)op->req.addr2)->flags;
	mode_t kind = flags & (O_NONBLOCK | O_PATH) ? S_IFCHR : kind_of(&op->req);
	struct stat st;
	int fd;

	if (kind == S_IFCHR || kind == S_IFBLK)
		return open_with(&op->req, 0);
	fd = open_with(&op->req, O_NONBLOCK);
	if (fd == -EAGAIN) /* somebody has a lease on it, and is waited for */
		return open_with(&op->req, 0);
	if (fd == -ENXIO && kind == S_IFIFO)
		return wait_for_other_end(op, fd);
	if (fd < 0)
		return fd;
	if ((flags & O_ACCMODE) == O_RDONLY && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode))
		return wait_for_other_end(op, fd);
	return opened(fd);
}
