/* SPDX-License-Identifier: MIT */
/* sim_sys.c - the system calls that a hosted world answers (base/sys.h).
 *
 * Who:     the simulation's thread.
 * Always:  none of them waits. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "io/sim_world.h"

/* What MAGI_NOTE_SYSTEM begins with. */
enum call {
	SOCKET,
	SOCKETPAIR,
	BIND,
	LISTEN,
	CONNECT,
	GETNAME,
	SETSOCKOPT,
	GETSOCKOPT,
	FCNTL,
	OPEN,
	CLOSE,
	SENDFILE,
	PREAD,
	STATX
};

static int64_t noted(enum call call, int fd, int64_t result)
{
	magi_note(MAGI_NOTE_SYSTEM, call, fd, result);
	return result;
}

/* What is not of the flags. */
static int plain(int type)
{
	return type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK);
}

static int check_kind(int family, int type, int protocol)
{
	if (plain(type) > SOCK_PACKET)
		return -EINVAL;
	if (family != AF_INET && family != AF_INET6 && family != AF_UNIX)
		return -EAFNOSUPPORT;
	if (plain(type) != SOCK_STREAM && plain(type) != SOCK_DGRAM &&
	    (family != AF_UNIX || plain(type) != SOCK_SEQPACKET))
		return -ESOCKTNOSUPPORT;
	if (!protocol || (family == AF_UNIX && protocol == PF_UNIX))
		return 0;
	if (family == AF_UNIX || protocol != (plain(type) == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP))
		return -EPROTONOSUPPORT;
	return 0;
}

static struct sim_object *make(struct magi_world *w, int family, int type, enum sim_kind kind)
{
	struct sim_object *o = magi_world_object(w, kind);

	o->family = family;
	o->type = plain(type);
	o->flags = O_RDWR | (type & SOCK_NONBLOCK ? O_NONBLOCK : 0);
	return o;
}

static int sys_socket(struct magi_world *w, int family, int type, int protocol)
{
	int rc = check_kind(family, type, protocol);

	magi_world_enter(w);
	if (rc == 0 && plain(type) == SOCK_SEQPACKET)
		rc = -ESOCKTNOSUPPORT; /* only in pairs */
	if (rc == 0)
		rc = magi_world_fd_new(make(w, family, type, plain(type) == SOCK_STREAM ? SIM_SOCKET : SIM_DATAGRAM));
	magi_world_leave(w);
	return (int)noted(SOCKET, type, rc);
}

static int sys_socketpair(struct magi_world *w, int family, int type, int protocol, int pair[2])
{
	int rc = check_kind(family, type, protocol);
	struct sim_object *a, *b;

	if (rc == 0 && family != AF_UNIX)
		rc = -EOPNOTSUPP;
	if (rc < 0)
		return rc;
	magi_world_enter(w);
	a = make(w, family, type, plain(type) == SOCK_STREAM ? SIM_STREAM : SIM_DATAGRAM);
	b = make(w, family, type, a->kind);
	a->alone = b->alone = true;
	if (plain(type) == SOCK_STREAM) {
		magi_world_channel(a, b);
		magi_world_channel(b, a);
	} else {
		a->mate = b;
		b->mate = a;
	}
	rc = magi_world_fd_pair(a, b, pair);
	magi_world_leave(w);
	return (int)noted(SOCKETPAIR, rc < 0 ? -1 : pair[0], rc);
}

/* The socket, or NULL and why. */
static struct sim_object *socket_of(struct magi_world *w, int fd, int *rc)
{
	struct sim_object *o = magi_world_fd_find(w, fd);

	*rc = !o ? -EBADF : o->kind == SIM_FILE ? -ENOTSOCK : 0;
	return *rc < 0 ? NULL : o;
}

static int sys_bind(struct magi_world *w, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct sim_object *o;
	int rc;

	magi_world_enter(w);
	o = socket_of(w, fd, &rc);
	if (o)
		rc = magi_world_bind(o, addr, len);
	magi_world_leave(w);
	return (int)noted(BIND, fd, rc);
}

static int start_listening(struct sim_object *o, int backlog)
{
	int rc;

	if (o->kind == SIM_DATAGRAM)
		return -EOPNOTSUPP;
	if (o->kind == SIM_STREAM || (o->family == AF_UNIX && !o->local.len))
		return -EINVAL;
	rc = magi_world_autobind(o, NULL);
	if (rc < 0)
		return rc;
	for (struct sim_object *b = o->world->bound; b && !o->reuse_port; b = b->bound_next) {
		if (b != o && b->kind == SIM_LISTENER && o->family == b->family && o->family != AF_UNIX &&
		    magi_world_addr_port(&b->local) == magi_world_addr_port(&o->local) &&
		    magi_world_addr_same_host(&b->local, &o->local))
			return -EADDRINUSE;
	}
	o->kind = SIM_LISTENER;
	o->backlog = backlog > 0 ? (uint32_t)backlog : 1;
	return 0;
}

static int sys_listen(struct magi_world *w, int fd, int backlog)
{
	struct sim_object *o;
	int rc;

	magi_world_enter(w);
	o = socket_of(w, fd, &rc);
	if (o)
		rc = start_listening(o, backlog);
	magi_world_leave(w);
	return (int)noted(LISTEN, fd, rc);
}

static int sys_connect(struct magi_world *w, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct sim_object *o;
	int rc;

	magi_world_enter(w);
	o = socket_of(w, fd, &rc);
	if (o) /* a stream would wait: that is an operation's */
		rc = o->kind == SIM_DATAGRAM ? magi_world_datagram_connect(o, addr, len) : -EOPNOTSUPP;
	magi_world_leave(w);
	return (int)noted(CONNECT, fd, rc);
}

static int get_name(struct magi_world *w, int fd, bool peer, struct sockaddr *addr, socklen_t *len)
{
	struct sim_addr none = { .len = sizeof(sa_family_t) };
	const struct sim_addr *name;
	struct sim_object *o;
	int rc;

	magi_world_enter(w);
	o = socket_of(w, fd, &rc);
	if (o) {
		name = peer ? &o->peer : &o->local;
		if (peer && !name->len && !o->alone)
			rc = -ENOTCONN;
		none.s.ss_family = (sa_family_t)o->family;
		if (!name->len && o->family != AF_UNIX)
			none.len = o->family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
		if (rc == 0)
			magi_world_addr_get(name->len ? name : &none, addr, len);
	}
	magi_world_leave(w);
	return (int)noted(GETNAME, fd, rc);
}

static int sys_getsockname(struct magi_world *w, int fd, struct sockaddr *addr, socklen_t *len)
{
	return get_name(w, fd, false, addr, len);
}

static int sys_getpeername(struct magi_world *w, int fd, struct sockaddr *addr, socklen_t *len)
{
	return get_name(w, fd, true, addr, len);
}

static void set_option(struct sim_object *o, int level, int option, int value)
{
	if (level == SOL_SOCKET && option == SO_REUSEADDR)
		o->reuse_addr = value;
	if (level == SOL_SOCKET && option == SO_REUSEPORT)
		o->reuse_port = value;
	if (level == IPPROTO_IPV6 && option == IPV6_V6ONLY)
		o->v6_only = value;
}

static int sys_setsockopt(struct magi_world *w, int fd, int level, int option, const void *value, socklen_t size)
{
	struct sim_object *o;
	int rc, number = 0;

	magi_world_enter(w);
	o = socket_of(w, fd, &rc);
	if (o && size < sizeof(number))
		rc = -EINVAL;
	if (o && rc == 0) {
		memcpy(&number, value, sizeof(number));
		set_option(o, level, option, number);
	}
	magi_world_leave(w);
	return (int)noted(SETSOCKOPT, fd, rc);
}

static int get_option(struct sim_object *o, int level, int option)
{
	int error = o->error;

	if (level == IPPROTO_IPV6)
		return option == IPV6_V6ONLY && o->v6_only;
	if (level != SOL_SOCKET)
		return 0;
	switch (option) {
	case SO_ERROR:
		o->error = 0;
		return error;
	case SO_TYPE:
		return o->type;
	case SO_DOMAIN:
		return o->family;
	case SO_ACCEPTCONN:
		return o->kind == SIM_LISTENER;
	case SO_REUSEADDR:
		return o->reuse_addr;
	case SO_REUSEPORT:
		return o->reuse_port;
	default:
		return 0;
	}
}

static int sys_getsockopt(struct magi_world *w, int fd, int level, int option, void *value, socklen_t *size)
{
	struct sim_object *o;
	int rc, number;

	magi_world_enter(w);
	o = socket_of(w, fd, &rc);
	if (o) {
		number = get_option(o, level, option);
		if (*size > sizeof(number))
			*size = sizeof(number);
		memcpy(value, &number, *size);
	}
	magi_world_leave(w);
	return (int)noted(GETSOCKOPT, fd, rc);
}

static int sys_fcntl(struct magi_world *w, int fd, int command, int value)
{
	const int settable = O_APPEND | O_NONBLOCK;
	struct sim_object *o;
	int rc = -EINVAL;

	magi_world_enter(w);
	o = magi_world_fd_find(w, fd);
	if (!o) {
		rc = -EBADF;
	} else if (command == F_GETFL) {
		rc = o->flags;
	} else if (command == F_SETFL) {
		o->flags = (o->flags & ~settable) | (value & settable);
		rc = 0;
	} else if (command == F_GETFD || command == F_SETFD) {
		rc = command == F_GETFD ? FD_CLOEXEC : 0;
	}
	magi_world_leave(w);
	return (int)noted(FCNTL, fd, rc);
}

static int sys_open(struct magi_world *w, const char *path, int flags)
{
	int rc;

	magi_world_enter(w);
	rc = magi_world_file_open(w, NULL, path, (uint64_t)(unsigned)flags, 0600, 0);
	magi_world_leave(w);
	return (int)noted(OPEN, -1, rc);
}

static int sys_close(struct magi_world *w, int fd)
{
	int rc;

	magi_world_enter(w);
	rc = magi_world_fd_close(w, fd);
	magi_world_leave(w);
	return (int)noted(CLOSE, fd, rc);
}

enum { SENT_AT_A_TIME = 64 * 1024 };

static int64_t send_some(struct sim_object *to, struct sim_object *file, uint64_t offset, size_t n)
{
	char *bytes = magi_world_new(SENT_AT_A_TIME);
	uint32_t want = (uint32_t)(n < SENT_AT_A_TIME ? n : SENT_AT_A_TIME);
	int64_t rc = magi_world_file_read(file, bytes, want, offset);

	if (rc > 1 && magi_world_fault_transfer(to->world))
		rc = 1;
	else if (rc > 1 && magi_chance(MAGI_CHANCE_SHORT))
		rc = 1 + magi_world_random(to->world, (uint32_t)rc - 1);
	if (rc > 0)
		rc = magi_world_stream_write(to, bytes, (uint32_t)rc);
	free(bytes);
	return rc == SIM_WAIT ? -EAGAIN : rc;
}

static int64_t sys_sendfile(struct magi_world *w, int to, int file, uint64_t offset, size_t n)
{
	struct sim_object *out, *in;
	int64_t rc;

	magi_world_enter(w);
	out = magi_world_fd_find(w, to);
	in = magi_world_fd_find(w, file);
	rc = out && in ? send_some(out, in, offset, n) : -EBADF;
	magi_world_leave(w);
	return noted(SENDFILE, to, rc);
}

/* One piece; with RWF_NOWAIT if it is in memory. */
static int64_t sys_preadv2(struct magi_world *w, int fd, const struct iovec *iov, int count, uint64_t offset, int flags)
{
	struct sim_object *o;
	int64_t rc;

	magi_assert(count == 1);
	magi_world_enter(w);
	o = magi_world_fd_find(w, fd);
	if (!o)
		rc = -EBADF;
	else if (flags && magi_chance(MAGI_CHANCE_DELAY))
		rc = -EAGAIN;
	else
		rc = magi_world_file_read(o, iov->iov_base, (uint32_t)iov->iov_len, offset);
	magi_world_leave(w);
	return noted(PREAD, fd, rc);
}

static int sys_statx(struct magi_world *w, int dir, const char *path, int flags, unsigned mask, struct statx *status)
{
	struct sim_object *o;
	int rc = -ENOENT;

	(void)mask;
	magi_world_enter(w);
	o = magi_world_fd_find(w, dir);
	if (!o)
		rc = -EBADF;
	if (o && !*path && (flags & AT_EMPTY_PATH)) {
		magi_world_status(o, status);
		rc = 0;
	}
	magi_world_leave(w);
	return (int)noted(STATX, dir, rc);
}

const struct magi_sys magi_world_sys = {
	.socket = sys_socket,
	.socketpair = sys_socketpair,
	.bind = sys_bind,
	.listen = sys_listen,
	.connect = sys_connect,
	.getsockname = sys_getsockname,
	.getpeername = sys_getpeername,
	.setsockopt = sys_setsockopt,
	.getsockopt = sys_getsockopt,
	.fcntl = sys_fcntl,
	.open = sys_open,
	.close = sys_close,
	.sendfile = sys_sendfile,
	.preadv2 = sys_preadv2,
	.statx = sys_statx,
	.getaddrinfo = magi_world_getaddrinfo,
	.freeaddrinfo = magi_world_freeaddrinfo,
};
