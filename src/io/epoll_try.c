/* SPDX-License-Identifier: MIT */
/* epoll_try.c - operations on sockets, tried so that none of them blocks.
 *
 * Receiving and sending say so with each call. Accepting and connecting cannot: the socket itself is made non-blocking,
 * for good when it listens, for the moment of the call when it connects.
 *
 * Who:     the owner.
 * Always:  a try has a result and its effect, or neither. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "io/epoll.h"

static int result(int64_t n)
{
	return n < 0 ? -errno : (int)n;
}

/* What may block although it was told not to wait: its caller asked for that himself. */
static int blocked(int rc, uint32_t flags)
{
	return rc == -EAGAIN && !(flags & MSG_DONTWAIT) ? (int)MAGI_EPOLL_WAIT : rc;
}

static int receive_some(struct magi_epoll_fd *e, const struct magi_req *req, void *to, uint32_t size, uint32_t *flags)
{
	int rc = result(recv(req->fd, to, size, (int)req->op_flags | MSG_DONTWAIT));

	if (rc > 0 && !(req->op_flags & ~(uint32_t)MSG_WAITALL)) {
		if ((uint32_t)rc == size)
			*flags |= MAGI_REC_NONEMPTY;
		else if (magi_epoll_is_empty(e))
			e->side[MAGI_EPOLL_READ].ready = false;
	}
	return blocked(rc, req->op_flags);
}

static int try_recv(struct magi_epoll *u, struct magi_epoll_fd *e, struct magi_epoll_op *op, struct magi_rec *rec)
{
	const struct magi_req *req = &op->req;
	void *buffer;
	int rc;

	if (!(req->flags & MAGI_REQ_BUFFER))
		return receive_some(e, req, req->addr, req->len, &rec->flags);
	if (!u->buffer_count)
		return -ENOBUFS;
	buffer = u->buffers[u->buffer_count - 1];
	rc = receive_some(e, req, buffer, MAGI_BUFFER_BYTES, &rec->flags);
	if (rc > 0) {
		u->buffer_count--;
		rec->buffer = buffer;
		rec->flags |= MAGI_REC_BUFFER;
	}
	return rc;
}

static int send_some(const struct magi_req *req)
{
	int flags = (int)req->op_flags | MSG_DONTWAIT | MSG_NOSIGNAL;

	if (req->code == MAGI_IO_SEND)
		return result(send(req->fd, req->addr, req->len, flags));
	return result(sendmsg(req->fd, req->addr, flags));
}

int magi_epoll_send(const struct magi_req *req)
{
	int rc = send_some(req);

	return rc == -EAGAIN ? (int)MAGI_IO_LATER : rc;
}

/* A local datagram waits for room at its receiver, of which the sender's socket tells nothing: it polls writable. */
static int try_send(const struct magi_req *req)
{
	int rc = send_some(req);

	for (int i = 0; i < 2 && blocked(rc, req->op_flags) == MAGI_EPOLL_WAIT; i++) {
		if (!(magi_epoll_look(req->fd, POLLOUT) & POLLOUT))
			return MAGI_EPOLL_WAIT;
		rc = i ? (int)MAGI_EPOLL_NAP : send_some(req); /* or room has come just now */
	}
	return blocked(rc, req->op_flags);
}

static int try_recvmsg(const struct magi_req *req)
{
	return blocked(result(recvmsg(req->fd, req->addr, (int)req->op_flags | MSG_DONTWAIT)), req->op_flags);
}

static int try_accept(struct magi_epoll_fd *e, const struct magi_req *req)
{
	int flags, rc;

	if (!e->nonblock) {
		flags = fcntl(req->fd, F_GETFL);
		if (flags < 0 || (!(flags & O_NONBLOCK) && fcntl(req->fd, F_SETFL, flags | O_NONBLOCK) < 0))
			return -errno;
		e->nonblock = true;
	}
	rc = result(accept4(req->fd, req->addr, req->addr2, (int)req->op_flags));
	return rc == -EAGAIN ? (int)MAGI_EPOLL_WAIT : rc;
}

static int try_connect(struct magi_epoll_op *op)
{
	const struct magi_req *req = &op->req;
	const struct sockaddr *to = req->addr;
	int flags = fcntl(req->fd, F_GETFL), rc, error = 0;
	socklen_t size = sizeof(error);

	if (flags < 0)
		return -errno;
	if (op->connecting) {
		if (!magi_epoll_look(req->fd, POLLOUT))
			return MAGI_EPOLL_WAIT;
		return getsockopt(req->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? -errno : -error;
	}
	if (!(flags & O_NONBLOCK))
		fcntl(req->fd, F_SETFL, flags | O_NONBLOCK);
	rc = result(connect(req->fd, to, req->len));
	if (!(flags & O_NONBLOCK))
		fcntl(req->fd, F_SETFL, flags);
	if (rc == -EINPROGRESS) {
		op->connecting = true;
		return MAGI_EPOLL_WAIT;
	}
	/* The other end's queue is full. Its socket will not tell when that ends. */
	return rc == -EAGAIN && to->sa_family == AF_UNIX ? (int)MAGI_EPOLL_NAP : rc;
}

int magi_epoll_look(int fd, uint32_t wanted)
{
	struct pollfd p = { .fd = fd, .events = (short)wanted };
	int n;

	do
		n = poll(&p, 1, 0);
	while (n < 0 && errno == EINTR); /* [cov race] a signal within the call */
	if (n <= 0)
		return result(n);
	return p.revents & POLLNVAL ? -EBADF : p.revents;
}

int magi_epoll_try(struct magi_epoll *u, struct magi_epoll_fd *e, struct magi_epoll_op *op, struct magi_rec *rec)
{
	switch (op->req.code) {
	case MAGI_IO_RECV:
		return try_recv(u, e, op, rec);
	case MAGI_IO_SEND:
	case MAGI_IO_SENDMSG:
		return try_send(&op->req);
	case MAGI_IO_RECVMSG:
		return try_recvmsg(&op->req);
	case MAGI_IO_ACCEPT:
		return try_accept(e, &op->req);
	case MAGI_IO_CONNECT:
		return try_connect(op);
	default:
		return magi_epoll_transfer(e, op);
	}
}
