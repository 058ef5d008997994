/* SPDX-License-Identifier: MIT */
/* sim_fake.c - operations of the sim backend on what it made up.
 *
 * Who:     the io's owner, under the world's lock.
 * Always:  either there is a result and its effect; or SIM_WAIT, no effect, and the object whose change to await. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "io/sim_world.h"

static int fake_accept(struct sim_op *op)
{
	struct sim_object *listener = op->object;
	int fd;

	if (listener->kind != SIM_LISTENER)
		return -EINVAL;
	if (!listener->queued)
		return SIM_WAIT;
	fd = magi_world_fd_add(listener->world, listener->queue[0]);
	if (fd < 0)
		return fd;
	listener->queue[0]->refs--; /* the queue's; the descriptor has one now */
	listener->queued--;
	memmove(listener->queue, listener->queue + 1, listener->queued * sizeof(listener->queue[0]));
	if (op->req.addr) {
		struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		socklen_t *room = op->req.addr2;

		memcpy(op->req.addr, &in, *room < sizeof(in) ? *room : sizeof(in));
		*room = sizeof(in);
	}
	magi_world_changed(listener);
	return fd;
}

static int fake_connect(struct sim_op *op, struct sim_object **where)
{
	struct sim_object *client = op->object, *listener, *server;
	struct sockaddr_in in;

	if (client->kind != SIM_SOCKET)
		return client->kind == SIM_STREAM ? -EISCONN : -EINVAL;
	if (op->req.len < sizeof(in))
		return -EINVAL;
	memcpy(&in, op->req.addr, sizeof(in));
	listener = magi_world_find_port(client->world, ntohs(in.sin_port));
	if (!listener)
		return -ECONNREFUSED;
	if (listener->queued == SIM_BACKLOG) {
		*where = listener;
		return SIM_WAIT;
	}
	server = magi_world_object(client->world, SIM_STREAM);
	server->refs = 1;
	client->kind = SIM_STREAM;
	magi_world_channel(server, client);
	magi_world_channel(client, server);
	listener->queue[listener->queued++] = server;
	magi_world_changed(listener);
	magi_world_changed(client);
	return 0;
}

/* RECV into a buffer of the io, which the record gives away. */
static int read_into_buffer(struct sim_op *op, struct magi_rec *rec)
{
	struct sim_io *io = op->io;
	uint32_t n = magi_world_shorten(io, MAGI_BUFFER_BYTES);

	rec->buffer = io->buffers[--io->buffer_count];
	rec->flags |= MAGI_REC_BUFFER;
	return (int)magi_world_channel_read(op->object->in, rec->buffer, n, op->req.op_flags & MSG_PEEK);
}

static int fake_read(struct sim_op *op, struct magi_rec *rec)
{
	struct sim_channel *c = op->object->in;
	bool socket = op->req.code == MAGI_IO_RECV || op->req.code == MAGI_IO_RECVMSG;
	uint32_t flags = socket ? op->req.op_flags : 0, n = magi_world_length(&op->req);

	if (op->object->kind != SIM_STREAM)
		return op->object->kind == SIM_SOCKET ? -ENOTCONN : -EINVAL;
	if (!c)
		return -EBADF;
	/* as the kernel: a buffer is picked before there is data to put there */
	if ((op->req.flags & MAGI_REQ_BUFFER) && !op->io->buffer_count)
		return -ENOBUFS;
	if (c->reset)
		return -ECONNRESET;
	if (!c->count)
		return c->ended || c->stopped ? 0 : flags & MSG_DONTWAIT ? -EAGAIN : SIM_WAIT;
	if (op->req.flags & MAGI_REQ_BUFFER) {
		n = (uint32_t)read_into_buffer(op, rec);
	} else {
		char *to = magi_world_bounce(op, n);

		n = magi_world_channel_read(c, to, magi_world_shorten(op->io, n), flags & MSG_PEEK);
		op->bounced = n;
	}
	if (socket && c->count)
		rec->flags |= MAGI_REC_NONEMPTY;
	return (int)n;
}

static int fake_write(struct sim_op *op)
{
	struct sim_channel *c = op->object->out;
	uint32_t n = magi_world_length(&op->req);
	char *bytes;

	if (op->object->kind != SIM_STREAM)
		return op->object->kind == SIM_SOCKET ? -ENOTCONN : -EINVAL;
	if (!c)
		return -EBADF;
	if (c->reset)
		return -ECONNRESET;
	if (c->ended || c->stopped)
		return -EPIPE;
	if (!n)
		return 0;
	if (c->count == c->capacity)
		return op->req.code == MAGI_IO_SEND && (op->req.op_flags & MSG_DONTWAIT) ? -EAGAIN : SIM_WAIT;
	n = magi_world_shorten(op->io, n);
	bytes = magi_world_new(n);
	n = magi_world_channel_write(c, bytes, magi_world_gather(&op->req, 0, bytes, n));
	free(bytes);
	return (int)n;
}

static int file_read(struct sim_op *op)
{
	struct sim_object *file = op->object;
	uint64_t at = op->req.offset == UINT64_MAX ? file->position : op->req.offset;
	uint32_t n = magi_world_length(&op->req);

	if (at >= file->size)
		return 0;
	if (n > file->size - at)
		n = (uint32_t)(file->size - at);
	n = magi_world_shorten(op->io, n);
	memcpy(magi_world_bounce(op, n), file->bytes + at, n);
	op->bounced = n;
	if (op->req.offset == UINT64_MAX)
		file->position += n;
	return (int)n;
}

static int file_write(struct sim_op *op)
{
	struct sim_object *file = op->object;
	uint64_t at = op->req.offset == UINT64_MAX ? file->position : op->req.offset;
	uint32_t n = magi_world_shorten(op->io, magi_world_length(&op->req));

	if (at + n > UINT32_MAX)
		return -EFBIG;
	if (at + n > file->size) {
		char *bytes = realloc(file->bytes, at + n);

		if (!bytes)
			return -ENOSPC;
		memset(bytes + file->size, 0, at + n - file->size);
		file->bytes = bytes;
		file->size = at + n;
	}
	if (n)
		magi_world_gather(&op->req, 0, file->bytes + at, n);
	if (op->req.offset == UINT64_MAX)
		file->position += n;
	return (int)n;
}

static int fake_poll(struct sim_op *op)
{
	const struct sim_object *o = op->object;
	uint32_t events = 0;

	if (o->kind == SIM_FILE)
		events |= POLLIN | POLLOUT;
	if (o->kind == SIM_SOCKET)
		events |= POLLOUT | POLLHUP;
	if (o->queued)
		events |= POLLIN;
	if (o->in && (o->in->count || o->in->ended || o->in->stopped || o->in->reset))
		events |= POLLIN;
	if (o->in && (o->in->ended || o->in->stopped))
		events |= POLLRDHUP;
	if (o->in && o->in->ended && (!o->out || o->out->ended || o->out->stopped))
		events |= POLLHUP;
	if (o->out && (o->out->count < o->out->capacity || o->out->stopped || o->out->reset))
		events |= POLLOUT;
	if ((o->out && o->out->stopped && !o->in) || (o->in && o->in->reset))
		events |= POLLERR;
	events &= op->req.op_flags | POLLERR | POLLHUP;
	return events ? (int)events : SIM_WAIT;
}

static int fake_shutdown(struct sim_op *op)
{
	struct sim_object *o = op->object;
	uint32_t how = op->req.op_flags;

	if (o->kind != SIM_STREAM || !o->in || !o->out)
		return o->kind == SIM_SOCKET ? -ENOTCONN : -ENOTSOCK;
	if (how == SHUT_RD || how == SHUT_RDWR) {
		o->in->stopped = true;
		magi_world_changed(o->in->writer);
	}
	if (how == SHUT_WR || how == SHUT_RDWR) {
		o->out->ended = true;
		magi_world_changed(o->out->reader);
	}
	magi_world_changed(o);
	return 0;
}

static int fake_stat(struct sim_op *op)
{
	struct statx *st = (struct statx *)(void *)magi_world_bounce(op, sizeof(*st));

	memset(st, 0, sizeof(*st));
	op->bounced = sizeof(*st);
	st->stx_mask = STATX_BASIC_STATS;
	st->stx_size = op->object->size;
	st->stx_nlink = 1;
	st->stx_mode = 0600 | (op->object->kind == SIM_FILE ? S_IFREG : S_IFSOCK);
	return 0;
}

int magi_world_fake(struct sim_op *op, struct sim_object **where, struct magi_rec *rec)
{
	bool file = op->object->kind == SIM_FILE;

	*where = op->object;
	switch (op->req.code) {
	case MAGI_IO_ACCEPT:
		return fake_accept(op);
	case MAGI_IO_CONNECT:
		return fake_connect(op, where);
	case MAGI_IO_RECV:
	case MAGI_IO_RECVMSG:
		return file ? -ENOTSOCK : fake_read(op, rec);
	case MAGI_IO_SEND:
	case MAGI_IO_SENDMSG:
		return file ? -ENOTSOCK : fake_write(op);
	case MAGI_IO_READ:
	case MAGI_IO_READV:
		return file ? file_read(op) : fake_read(op, rec);
	case MAGI_IO_WRITE:
	case MAGI_IO_WRITEV:
		return file ? file_write(op) : fake_write(op);
	case MAGI_IO_POLL:
		return fake_poll(op);
	case MAGI_IO_SHUTDOWN:
		return fake_shutdown(op);
	case MAGI_IO_STAT:
		return fake_stat(op);
	case MAGI_IO_FSYNC:
		return file ? 0 : -EINVAL;
	case MAGI_IO_CLOSE:
		return magi_world_fd_close(op->io->world, op->req.fd);
	default:
		return -EINVAL;
	}
}
