/* SPDX-License-Identifier: MIT */
/* sockets.h - sockets for the tests that ask the kernel and the simulated world the same (test_io_address.c and so on):
 * system calls by base/sys.h, which a hosted world answers, operations by the fixture. What they expect is what the
 * kernel does. */
#ifndef MAGPIE_TESTS_CONFORMANCE_SOCKETS_H
#define MAGPIE_TESTS_CONFORMANCE_SOCKETS_H

#include <stddef.h>
#include <stdio.h>
#include <sys/un.h>

#include "base/sys.h"
#include "conformance/fixture.h"

enum { UNIX_PATH_AT = offsetof(struct sockaddr_un, sun_path) };

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un local;
	struct sockaddr_storage room;
};

FX_UNUSED static union address v4(uint32_t host, uint16_t port)
{
	return (union address){ .v4 = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(host),
					.sin_port = htons(port) } };
}

FX_UNUSED static union address v6(struct in6_addr host, uint16_t port)
{
	return (union address){ .v6 = { .sin6_family = AF_INET6, .sin6_addr = host, .sin6_port = htons(port) } };
}

FX_UNUSED static socklen_t length_of(const union address *a)
{
	if (a->any.sa_family == AF_INET)
		return sizeof(a->v4);
	if (a->any.sa_family == AF_INET6)
		return sizeof(a->v6);
	return (socklen_t)(UNIX_PATH_AT + strlen(a->local.sun_path) + 1);
}

/* A path that is no file yet, of this process alone. */
FX_UNUSED static union address path_of(const char *name)
{
	union address a = { .local = { .sun_family = AF_UNIX } };

	snprintf(a.local.sun_path, sizeof(a.local.sun_path), "/tmp/magpie-%s-%d", name, (int)getpid());
	return a;
}

FX_UNUSED static int socket_of(int family, int type)
{
	int fd = magi_sys_socket(family, type | SOCK_CLOEXEC, 0);

	cr_assert(fd >= 0, "socket: %d", fd);
	return fd;
}

FX_UNUSED static int bind_to(int fd, union address a)
{
	return magi_sys_bind(fd, &a.any, length_of(&a));
}

FX_UNUSED static int bound(int family, int type, union address a)
{
	int fd = socket_of(family, type), rc = bind_to(fd, a);

	cr_assert(rc == 0, "bind: %d", rc);
	return fd;
}

/* A port that nobody has at any address, and that the system gives to nobody who leaves the choice to it: it is below those. */
FX_UNUSED static uint16_t lone_port(void)
{
	static uint32_t turn;

	for (int i = 0; i < 1000; i++) {
		uint16_t port = (uint16_t)(10000 + ((uint32_t)getpid() * 31 + turn++ * 977) % 20000);
		int fd = socket_of(AF_INET6, SOCK_STREAM), rc = bind_to(fd, v6(in6addr_any, port));

		magi_sys_close(fd);
		if (rc == 0)
			return port;
	}
	cr_assert(false, "no port is free");
	return 0;
}

FX_UNUSED static union address name_of(int fd)
{
	union address a = { 0 };
	socklen_t len = sizeof(a);

	cr_assert(magi_sys_getsockname(fd, &a.any, &len) == 0);
	return a;
}

FX_UNUSED static uint16_t port_of(int fd)
{
	union address a = name_of(fd);

	return ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
}

FX_UNUSED static void set_on(int fd, int level, int option)
{
	cr_assert(magi_sys_setsockopt(fd, level, option, &(int){ 1 }, sizeof(int)) == 0);
}

FX_UNUSED static int get(int fd, int level, int option)
{
	int value = -1;
	socklen_t size = sizeof(value);

	cr_assert(magi_sys_getsockopt(fd, level, option, &value, &size) == 0);
	return value;
}

FX_UNUSED static int do_connect(struct fixture *f, int fd, union address a)
{
	return fx_do(f, (struct magi_req){ .code = MAGI_IO_CONNECT, .fd = fd, .addr = &a, .len = length_of(&a) });
}

FX_UNUSED static int do_move(struct fixture *f, uint8_t code, int fd, void *bytes, uint32_t n, uint32_t flags)
{
	return fx_do(f, (struct magi_req){ .code = code, .fd = fd, .addr = bytes, .len = n, .op_flags = flags });
}

FX_UNUSED static int do_accept(struct fixture *f, int fd)
{
	return fx_do(f, (struct magi_req){ .code = MAGI_IO_ACCEPT, .fd = fd, .op_flags = SOCK_CLOEXEC });
}

FX_UNUSED static int do_unlink(struct fixture *f, union address a)
{
	return fx_do(f, (struct magi_req){ .code = MAGI_IO_UNLINK, .fd = AT_FDCWD, .addr = a.local.sun_path });
}

FX_UNUSED static void close_all(const int *fds, int n)
{
	for (int i = 0; i < n; i++)
		cr_assert(magi_sys_close(fds[i]) == 0, "the %d-th of %d", i, n);
}

#define CLOSE(...) close_all((int[]){ __VA_ARGS__ }, (int)(sizeof((int[]){ __VA_ARGS__ }) / sizeof(int)))

#endif
