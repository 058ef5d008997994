/* SPDX-License-Identifier: MIT */
/* tcp.c - TCP listeners and connections. */
#include <errno.h>
#include <magpie/options.h>
#include <magpie/tcp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "net/net.h"

static bool is_ip(const mag_addr *addr)
{
	return addr && addr->len && (addr->storage.ss_family == AF_INET || addr->storage.ss_family == AF_INET6);
}

static int take_options(mag_tcp_options *o, const mag_tcp_options *given)
{
	int rc = mag_options_take(o, sizeof(*o), given);

	return o->backlog < 0 ? -EINVAL : rc;
}

struct listening {
	const mag_addr *addr;
	mag_tcp_options o;
};

/* What connections inherit from the listener costs nothing at each accept. */
static int prepare(int raw, const void *arg)
{
	const struct listening *l = arg;
	int rc = magi_set(raw, SOL_SOCKET, SO_REUSEADDR, 1);

	if (rc == 0 && l->o.reuse_port)
		rc = magi_set(raw, SOL_SOCKET, SO_REUSEPORT, 1);
	if (rc == 0 && !l->o.delay)
		rc = magi_set(raw, IPPROTO_TCP, TCP_NODELAY, 1);
	if (rc == 0 && l->o.keepalive)
		rc = magi_set(raw, SOL_SOCKET, SO_KEEPALIVE, 1);
	if (rc == 0 && l->addr->storage.ss_family == AF_INET6)
		rc = magi_set(raw, IPPROTO_IPV6, IPV6_V6ONLY, l->o.ipv6_only);
	return rc;
}

int mag_tcp_listen(const mag_addr *addr, const mag_tcp_options *options, mag_fd *fd)
{
	struct listening l = { .addr = addr };
	int rc;

	if (!fd)
		return -EINVAL;
	*fd = MAG_FD_NONE;
	if (!is_ip(addr))
		return -EINVAL;
	rc = take_options(&l.o, options);
	if (rc < 0)
		return rc;
	return magi_listen(addr, l.o.backlog ? l.o.backlog : MAG_TCP_BACKLOG, prepare, &l, fd);
}

int mag_tcp_set_nodelay(mag_fd fd, bool on)
{
	int value = on;

	return mag_socket_option(fd, IPPROTO_TCP, TCP_NODELAY, &value, sizeof(value));
}

static int open_socket(const mag_addr *addr, const mag_tcp_options *given, mag_fd *fd)
{
	mag_tcp_options o;
	int rc = take_options(&o, given), one = 1;

	if (rc == 0)
		rc = mag_socket(addr->storage.ss_family, SOCK_STREAM, 0, fd);
	if (rc == 0 && !o.delay)
		mag_tcp_set_nodelay(*fd, true);
	if (rc == 0 && o.keepalive)
		mag_socket_option(*fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	return rc;
}

MAG_TASK(mag_tcp_connect)
{
	MAG_BEGIN(mag_tcp_connect);
	if (!self->fd)
		MAG_RETURN(-EINVAL);
	*self->fd = MAG_FD_NONE;
	if (!is_ip(self->addr))
		MAG_RETURN(-EINVAL);
	self->rc = open_socket(self->addr, self->options, &self->opened);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_AWAIT(self->rc, mag_connect, self->opened, self->addr);
	if (self->rc < 0) {
		MAG_AWAIT(self->closed, mag_close, self->opened);
		MAG_RETURN(self->rc);
	}
	*self->fd = self->opened;
	MAG_RETURN(0);
	MAG_END;
}
