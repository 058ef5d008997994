/* SPDX-License-Identifier: MIT */
/* sim_stream.c - the sim backend's stream sockets: connections, and bytes through them.
 *
 * What:    a connect in hosted mode takes as long as on a wire: its question travels to the listener, is asked again
 *          when it is lost, and is answered on the way back.
 * Who:     the io's owner, in the world.
 * Always:  either there is a result and its effect; or SIM_WAIT, no effect but bytes that op->done counts, and the
 *          object whose change to await. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "io/sim_world.h"

#define ASK_AGAIN_NS MAGI_NS_PER_S        /* when a connect's question was lost; then twice that, … */
#define ASK_NO_MORE_NS (10 * MAGI_NS_PER_S)

static int stream_accept(struct sim_op *op)
{
	struct sim_object *listener = op->object, *o;
	struct magi_world *w = listener->world;
	int fd;

	if (listener->kind != SIM_LISTENER)
		return -EINVAL;
	o = listener->queue;
	if (!o)
		return SIM_WAIT;
	fd = magi_world_fd_add(w, o);
	if (fd < 0)
		return fd;
	o->refs--; /* the queue's; the descriptor has one now */
	listener->queue = o->queue_next;
	listener->queued--;
	o->queue_next = NULL;
	o->flags = op->req.op_flags & SOCK_NONBLOCK ? O_NONBLOCK | O_RDWR : O_RDWR;
	op->name = o->peer;
	magi_world_changed(listener);
	return fd;
}

/* The other end's object, in the listener's queue. */
static void join(struct sim_object *client, struct sim_object *listener, const struct sim_addr *towards)
{
	struct magi_world *w = client->world;
	struct sim_object *server = magi_world_object(w, SIM_STREAM);

	server->refs = 1;
	server->family = listener->family;
	server->alone = true;
	server->local = *towards;
	server->peer = client->local;
	if (!server->peer.len)
		server->peer = (struct sim_addr){ .s.ss_family = AF_UNIX, .len = sizeof(sa_family_t) };
	if (listener->family == AF_INET6) {
		magi_world_addr_as_v6(&server->local);
		magi_world_addr_as_v6(&server->peer);
	}
	client->kind = SIM_STREAM;
	client->peer = *towards;
	magi_world_channel(server, client);
	magi_world_channel(client, server);
	if (listener->queue)
		listener->queue_last->queue_next = server;
	else
		listener->queue = server;
	listener->queue_last = server;
	listener->queued++;
	magi_world_changed(listener);
	magi_world_changed(client);
	magi_note(MAGI_NOTE_NET, SIM_NET_CONNECTED, magi_world_addr_port(&client->local),
		  magi_world_addr_port(towards));
}

/* Later, when the question may have got there; or never. */
static int ask(struct sim_op *op, uint64_t wait_ns)
{
	struct magi_world *w = op->object->world;

	if (w->now - op->started >= ASK_NO_MORE_NS)
		return -ETIMEDOUT;
	op->at = w->now + wait_ns;
	op->connecting = true;
	return SIM_WAIT;
}

static int connect_hosted(struct sim_op *op, const struct sim_addr *towards)
{
	struct sim_object *client = op->object, *listener;
	struct magi_world *w = client->world;
	uint64_t until;
	int rc;

	if (!op->connecting) {
		rc = magi_world_autobind(client, towards);
		if (rc < 0)
			return rc;
		op->started = w->now;
		op->later = magi_world_between(w, 10, 500) * MAGI_NS_PER_US;
		magi_world_draw_cut(w, &client->local, towards);
		return ask(op, op->later);
	}
	if (magi_world_cut(w, &client->local, towards, w->now, &until))
		return ask(op, ASK_AGAIN_NS << op->tries++);
	rc = magi_world_find(w, op->req.addr, op->req.len, SOCK_STREAM, &listener);
	if (rc < 0)
		return rc;
	if (listener->queued >= listener->backlog)
		return ask(op, ASK_AGAIN_NS << op->tries++);
	if (sim_chance(w, MAGI_CHANCE_RESET))
		return -ECONNRESET;
	join(client, listener, towards);
	return 0;
}

static int stream_connect(struct sim_op *op, struct sim_object **where)
{
	struct sim_object *client = op->object, *listener;
	const struct sockaddr *to = op->req.addr;
	struct sim_addr towards;
	int rc;

	if (op->req.len < sizeof(sa_family_t))
		return -EINVAL;
	if (client->kind != SIM_SOCKET)
		return client->kind == SIM_LISTENER && client->family == AF_UNIX ? -EINVAL : -EISCONN;
	if (to->sa_family != client->family)
		return client->family == AF_UNIX ? -EINVAL : -EAFNOSUPPORT;
	magi_world_addr_set(&towards, to, op->req.len);
	rc = magi_world_find(client->world, to, op->req.len, SOCK_STREAM, &listener);
	if (rc == -EINVAL)
		return rc;
	if (sim_hosted(client->world) && magi_world_addr_is_ip(&towards)) {
		*where = NULL;
		return connect_hosted(op, &towards);
	}
	if (rc == 0 && listener->kind != SIM_LISTENER)
		rc = -ECONNREFUSED;
	if (rc == 0)
		rc = magi_world_autobind(client, &towards);
	if (rc < 0)
		return rc;
	if (listener->queued >= listener->backlog) {
		*where = listener;
		return SIM_WAIT;
	}
	join(client, listener, &towards);
	return 0;
}

/* A broken connection says so once; then reads find the end, and writes nobody. */
static int broken(struct sim_object *o, int then)
{
	int error = o->error;

	if (!sim_hosted(o->world))
		return -ECONNRESET;
	o->error = 0;
	return error ? -error : then;
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

/* Into the bounce, behind what earlier tries have read. */
static int read_bounced(struct sim_op *op, bool all, bool peek)
{
	struct sim_channel *c = op->object->in;
	uint32_t want = magi_world_length(&op->req), n;
	char *to = magi_world_bounce(op, want);

	n = magi_world_shorten(op->io, want - op->done);
	all = all && n == want - op->done; /* a short one is told at once */
	op->done += magi_world_channel_read(c, to + op->done, n, peek);
	op->bounced = op->done;
	return all && op->done < want && !magi_world_channel_look(c) ? SIM_WAIT : (int)op->done;
}

static int check_read(struct sim_op *op)
{
	struct sim_object *o = op->object;

	if (o->kind != SIM_STREAM)
		return o->family == AF_UNIX ? -EINVAL : -ENOTCONN;
	if (!o->in)
		return -EBADF;
	/* as the kernel: a buffer is picked before there is data to put there */
	if ((op->req.flags & MAGI_REQ_BUFFER) && (!op->io->buffer_count || sim_chance(o->world, MAGI_CHANCE_BUFFERS)))
		return -ENOBUFS;
	if (o->in->remote && !o->in->reset && sim_chance(o->world, MAGI_CHANCE_RESET)) {
		magi_note(MAGI_NOTE_NET, SIM_NET_BROKEN, op->req.fd, 0);
		magi_world_break(o);
	}
	return o->in->reset ? broken(o, 0) : 1;
}

static int stream_read(struct sim_op *op, struct magi_rec *rec)
{
	bool socket = op->req.code == MAGI_IO_RECV || op->req.code == MAGI_IO_RECVMSG;
	uint32_t flags = socket ? op->req.op_flags : 0;
	struct sim_channel *c;
	int rc = check_read(op);

	if (rc <= 0)
		return rc < 0 && op->done ? (int)op->done : rc;
	c = op->object->in;
	if (!magi_world_channel_look(c))
		return flags & MSG_DONTWAIT ? -EAGAIN : SIM_WAIT;
	if (!c->there)
		return (int)op->done;
	if (op->req.flags & MAGI_REQ_BUFFER)
		rc = read_into_buffer(op, rec);
	else
		rc = read_bounced(op, sim_hosted(op->io->world) && (flags & MSG_WAITALL) && !(flags & MSG_PEEK),
				  flags & MSG_PEEK);
	if (socket && c->there)
		rec->flags |= MAGI_REC_NONEMPTY;
	return rc;
}

int magi_world_stream_write(struct sim_object *o, const void *bytes, uint32_t n)
{
	struct sim_channel *c = o->out;

	if (o->kind != SIM_STREAM)
		return o->family == AF_UNIX ? -ENOTCONN : -EPIPE;
	if (!c)
		return -EBADF;
	if (c->remote && !c->reset && sim_chance(o->world, MAGI_CHANCE_RESET)) {
		magi_note(MAGI_NOTE_NET, SIM_NET_BROKEN, (int64_t)magi_world_addr_port(&o->local), 0);
		magi_world_break(o);
	}
	if (c->reset)
		return broken(o, -EPIPE);
	if (c->stopped && c->remote && c->reader)
		return (int)n; /* nobody there wants it, and nobody says so */
	if (c->ended || c->stopped)
		return -EPIPE;
	if (!n)
		return 0;
	if (c->remote)
		magi_world_draw_cut(o->world, &o->local, &o->peer);
	return c->count == c->capacity ? SIM_WAIT : (int)magi_world_channel_write(c, bytes, n);
}

static int stream_write(struct sim_op *op)
{
	bool socket = op->req.code == MAGI_IO_SEND || op->req.code == MAGI_IO_SENDMSG;
	uint32_t flags = socket ? op->req.op_flags : 0, want = magi_world_length(&op->req) - op->done, n;
	char *bytes;
	int rc;

	if (op->req.code == MAGI_IO_SENDMSG && ((const struct msghdr *)op->req.addr)->msg_controllen)
		return -EOPNOTSUPP; /* no descriptors are passed here */
	n = want ? magi_world_shorten(op->io, want) : 0;
	bytes = magi_world_new(n ? n : 1);
	magi_world_gather(&op->req, op->done, bytes, n);
	rc = magi_world_stream_write(op->object, bytes, n);
	free(bytes);
	if (rc == SIM_WAIT)
		return flags & MSG_DONTWAIT ? -EAGAIN : SIM_WAIT;
	if (rc < 0)
		return op->done ? (int)op->done : rc;
	op->done += (uint32_t)rc;
	if (sim_hosted(op->io->world) && (flags & MSG_WAITALL) && n == want && (uint32_t)rc < want)
		return flags & MSG_DONTWAIT ? (int)op->done : SIM_WAIT;
	return (int)op->done;
}

static int stream_shutdown(struct sim_op *op)
{
	struct sim_object *o = op->object;
	uint32_t how = op->req.op_flags;

	if (o->kind != SIM_STREAM)
		return -ENOTCONN;
	if (!o->in || !o->out)
		return -ENOTSOCK;
	if (how > SHUT_RDWR)
		return -EINVAL;
	if (how != SHUT_WR) {
		o->in->stopped = true;
		magi_world_changed(o->in->writer);
	}
	if (how != SHUT_RD)
		magi_world_channel_end(o->out);
	magi_world_changed(o);
	return 0;
}

int magi_world_stream(struct sim_op *op, struct sim_object **where, struct magi_rec *rec)
{
	switch (op->req.code) {
	case MAGI_IO_ACCEPT:
		return stream_accept(op);
	case MAGI_IO_CONNECT:
		return stream_connect(op, where);
	case MAGI_IO_RECV:
	case MAGI_IO_RECVMSG:
	case MAGI_IO_READ:
	case MAGI_IO_READV:
		return stream_read(op, rec);
	case MAGI_IO_SEND:
	case MAGI_IO_SENDMSG:
	case MAGI_IO_WRITE:
	case MAGI_IO_WRITEV:
		return stream_write(op);
	case MAGI_IO_SHUTDOWN:
		return stream_shutdown(op);
	default:
		return -EINVAL;
	}
}
