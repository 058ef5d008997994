/* SPDX-License-Identifier: MIT */
/* sim_datagram.c - the sim backend's datagram sockets: UDP, and Unix ones in pairs or by name.
 *
 * What:    packets in a queue at the receiver, in the order in which they come: each takes its own time. UDP loses what
 *          there is no room for, a Unix socket lets the sender wait.
 * Who:     the io's owner, in the world.
 * Always:  a packet is received whole, or its rest is lost. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/sim_world.h"

enum {
	QUEUE_BYTES = 64 * 1024,
	UDP_MAX = 65507,
	UNIX_MAX = 200 * 1024,
	OVERHEAD = 256,      /* a packet of no bytes takes room too */
	LATE_MS = 50
};

/* Whom it reaches: 0, or -errno. *to is NULL when nobody is there and nobody says so. */
static int find_receiver(struct sim_object *o, const struct msghdr *msg, struct sim_addr *towards,
			 struct sim_object **to)
{
	int rc;

	*to = NULL;
	if (o->alone) {
		*to = o->mate;
		if (!o->mate)
			return o->type == SOCK_SEQPACKET ? -EPIPE : -ECONNREFUSED;
		return 0;
	}
	if (msg && msg->msg_name && msg->msg_namelen)
		magi_world_addr_set(towards, msg->msg_name, msg->msg_namelen);
	else
		*towards = o->peer;
	if (!towards->len)
		return o->family == AF_UNIX ? -ENOTCONN : -EDESTADDRREQ;
	if (towards->s.ss_family != o->family)
		return o->family == AF_UNIX ? -EINVAL : -EAFNOSUPPORT;
	rc = magi_world_find(o->world, (const struct sockaddr *)&towards->s, towards->len, SOCK_DGRAM, to);
	if (rc == -EINVAL || (rc < 0 && o->family == AF_UNIX))
		return rc;
	if (rc < 0 && o->peer.len)
		o->error = ECONNREFUSED; /* the next one is told */
	return 0;
}

static void insert(struct sim_object *to, struct sim_packet *p)
{
	struct sim_packet **link = &to->packets;

	while (*link && (*link)->at <= p->at)
		link = &(*link)->next;
	p->next = *link;
	*link = p;
	to->packet_bytes += p->len + OVERHEAD;
	if (p->at > to->world->now)
		magi_world_alarm(to, p->at);
	else
		magi_world_changed(to);
}

static void deliver(struct sim_object *from, struct sim_object *to, const struct sim_addr *towards, const void *bytes,
		    uint32_t n, uint64_t late)
{
	struct magi_world *w = from->world;
	struct sim_packet *p;

	if (to->packet_bytes && to->packet_bytes + n + OVERHEAD > QUEUE_BYTES)
		return;
	p = magi_world_new(sizeof(*p) + n);
	p->len = n;
	memcpy(p->bytes, bytes, n);
	p->from = from->family == AF_UNIX ? from->local : magi_world_addr_source(&from->local, towards);
	if (from->family != AF_UNIX && to->family == AF_INET6)
		magi_world_addr_as_v6(&p->from);
	p->at = w->now + late + (from->family == AF_UNIX ? 0 : magi_world_between(w, 10, 200) * MAGI_NS_PER_US);
	insert(to, p);
}

/* Over the network, where it may be lost, come twice, or come late. */
static void deliver_remote(struct sim_object *from, struct sim_object *to, const struct sim_addr *towards,
			   const void *bytes, uint32_t n)
{
	struct magi_world *w = from->world;
	uint64_t until, late = 0;

	if (magi_world_cut(w, &from->local, towards, w->now, &until))
		return;
	if (sim_chance(w, MAGI_CHANCE_LOSS)) {
		switch (magi_world_random(w, 4)) {
		case 0:
			deliver(from, to, towards, bytes, n, 0);
			magi_note(MAGI_NOTE_NET, SIM_NET_TWICE, n, 0);
			break;
		case 1:
			late = magi_world_between(w, 1, LATE_MS) * MAGI_NS_PER_MS;
			magi_note(MAGI_NOTE_NET, SIM_NET_LATE, n, (int64_t)late);
			break;
		default:
			magi_note(MAGI_NOTE_NET, SIM_NET_LOST, n, 0);
			return;
		}
	}
	deliver(from, to, towards, bytes, n, late);
}

static int take_error(struct sim_object *o)
{
	int error = o->error;

	o->error = 0;
	return -error;
}

static int datagram_send(struct sim_op *op, struct sim_object **where)
{
	bool named = op->req.code == MAGI_IO_SENDMSG;
	uint32_t n = magi_world_length(&op->req), flags = named || op->req.code == MAGI_IO_SEND ? op->req.op_flags : 0;
	struct sim_object *o = op->object, *to;
	struct sim_addr towards = { 0 };
	char *bytes;
	int rc;

	if (o->error)
		return take_error(o);
	if (named && ((const struct msghdr *)op->req.addr)->msg_controllen)
		return -EOPNOTSUPP; /* no descriptors are passed here */
	if (n > (o->family == AF_UNIX ? UNIX_MAX : UDP_MAX))
		return -EMSGSIZE;
	rc = find_receiver(o, named ? op->req.addr : NULL, &towards, &to);
	if (rc == 0 && magi_world_addr_is_ip(&towards))
		rc = magi_world_autobind(o, &towards);
	if (rc < 0 || !to)
		return rc < 0 ? rc : (int)n;
	if (o->family == AF_UNIX && to->packet_bytes && to->packet_bytes + n + OVERHEAD > QUEUE_BYTES) {
		*where = to;
		return flags & MSG_DONTWAIT ? -EAGAIN : SIM_WAIT;
	}
	bytes = magi_world_new(n ? n : 1);
	magi_world_gather(&op->req, 0, bytes, n);
	if (o->family == AF_UNIX)
		deliver(o, to, &towards, bytes, n, 0);
	else
		deliver_remote(o, to, &towards, bytes, n);
	free(bytes);
	return (int)n;
}

/* A connected socket hears its peer alone. */
static bool wanted(const struct sim_object *o, const struct sim_packet *p)
{
	return o->alone || !o->peer.len || o->family == AF_UNIX ||
	       (magi_world_addr_same_host(&o->peer, &p->from) &&
		magi_world_addr_port(&o->peer) == magi_world_addr_port(&p->from));
}

static struct sim_packet *first_packet(struct sim_object *o)
{
	struct sim_packet *p;

	while ((p = o->packets) && !wanted(o, p)) {
		o->packets = p->next;
		o->packet_bytes -= p->len + OVERHEAD;
		free(p);
	}
	if (p && p->at > o->world->now) {
		magi_world_alarm(o, p->at);
		return NULL;
	}
	return p;
}

bool magi_world_datagram_ready(struct sim_object *object)
{
	return first_packet(object) != NULL;
}

static void remove_first(struct sim_object *o)
{
	struct sim_packet *p = o->packets;

	o->packets = p->next;
	o->packet_bytes -= p->len + OVERHEAD;
	free(p);
	magi_world_changed(o);
}

static void tell_name(struct sim_op *op, const struct sim_packet *p, uint32_t n)
{
	op->msg = *(struct msghdr *)op->req.addr;
	op->msg.msg_controllen = 0;
	op->msg.msg_flags = n < p->len ? MSG_TRUNC : 0;
	op->name = p->from;
	op->msg.msg_namelen = p->from.len;
}

static int datagram_receive(struct sim_op *op, struct magi_rec *rec)
{
	bool socket = op->req.code == MAGI_IO_RECV || op->req.code == MAGI_IO_RECVMSG;
	uint32_t flags = socket ? op->req.op_flags : 0, room = magi_world_length(&op->req), n;
	struct sim_object *o = op->object;
	struct sim_packet *p;
	char *to;

	if ((op->req.flags & MAGI_REQ_BUFFER) &&
	    (!op->io->buffer_count || sim_chance(o->world, MAGI_CHANCE_BUFFERS)))
		return -ENOBUFS;
	if (o->error)
		return take_error(o);
	p = first_packet(o);
	if (!p) {
		if (o->alone && !o->mate && o->type == SOCK_SEQPACKET)
			return 0;
		return flags & MSG_DONTWAIT ? -EAGAIN : SIM_WAIT;
	}
	if (op->req.flags & MAGI_REQ_BUFFER) {
		room = MAGI_BUFFER_BYTES;
		to = rec->buffer = op->io->buffers[--op->io->buffer_count];
		rec->flags |= MAGI_REC_BUFFER;
	} else {
		to = magi_world_bounce(op, room);
	}
	n = p->len < room ? p->len : room;
	memcpy(to, p->bytes, n);
	op->bounced = n;
	if (op->req.code == MAGI_IO_RECVMSG)
		tell_name(op, p, n);
	if (flags & MSG_TRUNC)
		n = p->len;
	if (!(flags & MSG_PEEK))
		remove_first(o);
	if (socket && first_packet(o))
		rec->flags |= MAGI_REC_NONEMPTY;
	return (int)n;
}

int magi_world_datagram(struct sim_op *op, struct sim_object **where, struct magi_rec *rec)
{
	switch (op->req.code) {
	case MAGI_IO_RECV:
	case MAGI_IO_RECVMSG:
	case MAGI_IO_READ:
	case MAGI_IO_READV:
		return datagram_receive(op, rec);
	case MAGI_IO_SEND:
	case MAGI_IO_SENDMSG:
	case MAGI_IO_WRITE:
	case MAGI_IO_WRITEV:
		return datagram_send(op, where);
	case MAGI_IO_CONNECT:
		return magi_world_datagram_connect(op->object, op->req.addr, op->req.len);
	case MAGI_IO_SHUTDOWN:
		return op->object->peer.len || op->object->alone ? 0 : -ENOTCONN;
	default:
		return -EOPNOTSUPP;
	}
}

int magi_world_datagram_connect(struct sim_object *o, const struct sockaddr *addr, socklen_t len)
{
	struct sim_object *to;
	struct sim_addr towards;
	int rc;

	if (o->alone)
		return -EISCONN;
	if (len < sizeof(sa_family_t))
		return -EINVAL;
	if (addr->sa_family == AF_UNSPEC) {
		o->peer.len = 0;
		return 0;
	}
	if (addr->sa_family != o->family)
		return o->family == AF_UNIX ? -EINVAL : -EAFNOSUPPORT;
	rc = magi_world_find(o->world, addr, len, SOCK_DGRAM, &to);
	if (rc == -EINVAL || (rc < 0 && o->family == AF_UNIX))
		return rc;
	magi_world_addr_set(&towards, addr, len);
	rc = magi_world_autobind(o, &towards);
	if (rc == 0)
		o->peer = towards;
	return rc;
}
