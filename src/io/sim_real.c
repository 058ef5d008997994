/* SPDX-License-Identifier: MIT */
/* sim_real.c - operations of the sim backend that the system does: on its descriptors, and on paths.
 *
 * They are tried at polls; what would block is tried again later. An operation on a disk's file may take its time:
 * tests can bear that.
 *
 * Who:     the io's owner, under the world's lock. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "io/sim_world.h"

#define PIPE_ROOM 4096 /* what a pipe that polls writable takes without blocking */

bool magi_world_is_real(const struct sim_op *op)
{
	const struct magi_req *req = &op->req;

	if (sim_hosted(op->io->world))
		return false;
	switch (req->code) {
	case MAGI_IO_NOP:
	case MAGI_IO_OPEN:
	case MAGI_IO_UNLINK:
	case MAGI_IO_MKDIR:
	case MAGI_IO_RENAME:
		return true;
	case MAGI_IO_STAT:
		return req->fd < MAGI_SIM_FD || *(const char *)req->addr;
	default:
		return req->fd < MAGI_SIM_FD;
	}
}

static int result(int64_t n)
{
	return n < 0 ? -errno : (int)n;
}

/* The events that are there, without waiting. */
static int events_of(int fd, uint32_t wanted)
{
	struct pollfd p = { .fd = fd, .events = (short)wanted };

	return poll(&p, 1, 0) > 0 ? p.revents : 0;
}

static bool is_regular(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode));
}

/* But not a datagram: its rest would be lost. */
static uint32_t shorten(struct sim_op *op, uint32_t n)
{
	int type = SOCK_STREAM;
	socklen_t size = sizeof(type);

	getsockopt(op->req.fd, SOL_SOCKET, SO_TYPE, &type, &size);
	return type == SOCK_STREAM ? magi_world_shorten(op->io, n) : n;
}

static int real_receive(struct sim_op *op, struct magi_rec *rec)
{
	const struct magi_req *req = &op->req;
	struct sim_io *io = op->io;
	int flags = (int)req->op_flags | MSG_DONTWAIT, rc;

	if (req->flags & MAGI_REQ_BUFFER) {
		if (!io->buffer_count)
			return -ENOBUFS;
		rec->buffer = io->buffers[io->buffer_count - 1];
		rc = result(recv(req->fd, rec->buffer, MAGI_BUFFER_BYTES, flags));
		if (rc > 0) {
			io->buffer_count--;
			rec->flags |= MAGI_REC_BUFFER;
		} else {
			rec->buffer = NULL;
		}
	} else if (req->code == MAGI_IO_RECV) {
		uint32_t n = magi_world_length(req);
		char *to = magi_world_bounce(op, n);

		rc = result(recv(req->fd, to, shorten(op, n), flags));
	} else {
		uint32_t n = magi_world_length(req);
		struct iovec iov = { magi_world_bounce(op, n), n };

		op->msg = *(struct msghdr *)req->addr;
		op->msg.msg_iov = &iov;
		op->msg.msg_iovlen = 1;
		rc = result(recvmsg(req->fd, &op->msg, flags));
	}
	op->bounced = rc > 0 ? (uint32_t)rc : 0;
	return rc == -EAGAIN && !(req->op_flags & MSG_DONTWAIT) ? SIM_WAIT : rc;
}

static int real_send(const struct magi_req *req)
{
	int flags = (int)req->op_flags | MSG_DONTWAIT | MSG_NOSIGNAL, rc;

	if (req->code == MAGI_IO_SEND)
		rc = result(send(req->fd, req->addr, req->len, flags));
	else
		rc = result(sendmsg(req->fd, req->addr, flags));
	return rc == -EAGAIN && !(req->op_flags & MSG_DONTWAIT) ? SIM_WAIT : rc;
}

static int real_read(struct sim_op *op)
{
	const struct magi_req *req = &op->req;
	uint32_t n = shorten(op, magi_world_length(req));
	char *to = magi_world_bounce(op, magi_world_length(req));
	int rc;

	if (!is_regular(req->fd) && fcntl(req->fd, F_GETFD) >= 0 && !events_of(req->fd, POLLIN))
		return SIM_WAIT;
	if (req->offset == UINT64_MAX || !is_regular(req->fd))
		rc = result(read(req->fd, to, n));
	else
		rc = result(pread(req->fd, to, n, (off_t)req->offset));
	op->bounced = rc > 0 ? (uint32_t)rc : 0;
	return rc;
}

static int real_write(struct sim_op *op)
{
	const struct magi_req *req = &op->req;
	uint32_t n = shorten(op, magi_world_length(req));
	char *from = magi_world_bounce(op, magi_world_length(req));
	bool regular = is_regular(req->fd);

	if (!regular && fcntl(req->fd, F_GETFD) >= 0 && !events_of(req->fd, POLLOUT))
		return SIM_WAIT;
	if (!regular && n > PIPE_ROOM)
		n = PIPE_ROOM;
	n = magi_world_gather(req, 0, from, n);
	if (req->offset == UINT64_MAX || !regular)
		return result(write(req->fd, from, n));
	return result(pwrite(req->fd, from, n, (off_t)req->offset));
}

/* A blocking socket must not block the world. */
static int real_connect(struct sim_op *op)
{
	const struct magi_req *req = &op->req;
	int flags = fcntl(req->fd, F_GETFL), rc;
	socklen_t size = sizeof(rc);

	if (flags < 0)
		return -errno;
	if (op->connecting) {
		if (!events_of(req->fd, POLLOUT))
			return SIM_WAIT;
		return getsockopt(req->fd, SOL_SOCKET, SO_ERROR, &rc, &size) < 0 ? -errno : -rc;
	}
	fcntl(req->fd, F_SETFL, flags | O_NONBLOCK);
	rc = result(connect(req->fd, req->addr, req->len));
	fcntl(req->fd, F_SETFL, flags);
	op->connecting = rc == -EINPROGRESS;
	return rc == -EINPROGRESS || rc == -EAGAIN ? SIM_WAIT : rc;
}

static int real_accept(const struct magi_req *req)
{
	int listens = 0, rc;
	socklen_t size = sizeof(listens);

	/* of another socket nothing would ever come */
	if (getsockopt(req->fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens &&
	    !events_of(req->fd, POLLIN))
		return SIM_WAIT;
	rc = result(accept4(req->fd, req->addr, req->addr2, (int)req->op_flags));
	return rc == -EAGAIN ? SIM_WAIT : rc;
}

static int real_poll(const struct magi_req *req)
{
	int events = events_of(req->fd, req->op_flags);

	if (events & POLLNVAL)
		return -EBADF;
	return events ? events : SIM_WAIT;
}

static int real_file(struct sim_op *op)
{
	const struct magi_req *req = &op->req;

	switch (req->code) {
	case MAGI_IO_NOP:
		return 0;
	case MAGI_IO_OPEN:
		return result(syscall(SYS_openat2, req->fd, req->addr, req->addr2, sizeof(struct open_how)));
	case MAGI_IO_CLOSE:
		return result(close(req->fd));
	case MAGI_IO_FSYNC:
		return result(req->op_flags ? fdatasync(req->fd) : fsync(req->fd));
	case MAGI_IO_STAT:
		op->bounced = sizeof(struct statx);
		return result(statx(req->fd, req->addr, (int)req->op_flags, req->len,
				    (void *)magi_world_bounce(op, sizeof(struct statx))));
	case MAGI_IO_UNLINK:
		return result(unlinkat(req->fd, req->addr, (int)req->op_flags));
	case MAGI_IO_MKDIR:
		return result(mkdirat(req->fd, req->addr, req->op_flags));
	case MAGI_IO_RENAME:
		return result(renameat(req->fd, req->addr, (int)req->len, req->addr2));
	default:
		return -EINVAL;
	}
}

int magi_world_real(struct sim_op *op, struct magi_rec *rec)
{
	switch (op->req.code) {
	case MAGI_IO_ACCEPT:
		return real_accept(&op->req);
	case MAGI_IO_CONNECT:
		return real_connect(op);
	case MAGI_IO_RECV:
	case MAGI_IO_RECVMSG:
		return real_receive(op, rec);
	case MAGI_IO_SEND:
	case MAGI_IO_SENDMSG:
		return real_send(&op->req);
	case MAGI_IO_READ:
	case MAGI_IO_READV:
		return real_read(op);
	case MAGI_IO_WRITE:
	case MAGI_IO_WRITEV:
		return real_write(op);
	case MAGI_IO_POLL:
		return real_poll(&op->req);
	case MAGI_IO_SHUTDOWN:
		return result(shutdown(op->req.fd, (int)op->req.op_flags));
	default:
		return real_file(op);
	}
}
