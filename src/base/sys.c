/* SPDX-License-Identifier: MIT */
/* sys.c - the system, or the simulation that takes its place, or the fault that was planned. */
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <magpie/error.h>
#include <net/if.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "base/fault.h"

void magi_fault_syscalls(uint64_t n, int error)
{
	magi_fault_set(MAGI_FAULT_SYSTEM, n, error);
}

uint64_t magi_fault_syscalls_reached(void)
{
	return magi_fault_count(MAGI_FAULT_SYSTEM);
}

/* -errno when this call shall fail. */
static int planned(const char *call)
{
	return -magi_fault_at(MAGI_FAULT_SYSTEM, call);
}

static const struct magi_sys *simulated(struct magi_world **world)
{
	struct magi_host *h = magi_host();

	if (__builtin_expect(!h || !h->sys, 1))
		return NULL;
	*world = h->world;
	return h->sys;
}

/* What there is to ask: first the plan, then the simulation, last the system. */
#define ASK(name, call, ...)                              \
	do {                                              \
		struct magi_world *world;                 \
		const struct magi_sys *sim;               \
		int fault = planned(#name);               \
                                                          \
		if (fault < 0)                            \
			return fault;                     \
		sim = simulated(&world);                  \
		if (sim)                                  \
			return sim->name(world, __VA_ARGS__); \
		return result(call);                      \
	} while (0)

static int result(int n)
{
	return n < 0 ? -errno : n;
}

int magi_sys_socket(int family, int type, int protocol)
{
	ASK(socket, socket(family, type, protocol), family, type, protocol);
}

int magi_sys_socketpair(int family, int type, int protocol, int pair[2])
{
	ASK(socketpair, socketpair(family, type, protocol, pair), family, type, protocol, pair);
}

int magi_sys_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	ASK(bind, bind(fd, addr, len), fd, addr, len);
}

int magi_sys_listen(int fd, int backlog)
{
	ASK(listen, listen(fd, backlog), fd, backlog);
}

int magi_sys_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
	ASK(connect, connect(fd, addr, len), fd, addr, len);
}

int magi_sys_getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
	ASK(getsockname, getsockname(fd, addr, len), fd, addr, len);
}

int magi_sys_getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
	ASK(getpeername, getpeername(fd, addr, len), fd, addr, len);
}

int magi_sys_setsockopt(int fd, int level, int option, const void *value, socklen_t size)
{
	ASK(setsockopt, setsockopt(fd, level, option, value, size), fd, level, option, value, size);
}

int magi_sys_getsockopt(int fd, int level, int option, void *value, socklen_t *size)
{
	ASK(getsockopt, getsockopt(fd, level, option, value, size), fd, level, option, value, size);
}

int magi_sys_fcntl(int fd, int command, int value)
{
	ASK(fcntl, fcntl(fd, command, value), fd, command, value);
}

int magi_sys_open(const char *path, int flags)
{
	ASK(open, open(path, flags), path, flags);
}

int magi_sys_close(int fd)
{
	struct magi_world *world;
	const struct magi_sys *sim = simulated(&world);
	int fault = planned("close"), rc = sim ? sim->close(world, fd) : result(close(fd));

	return fault < 0 ? fault : rc;
}

int64_t magi_sys_sendfile(int to, int file, uint64_t offset, size_t n)
{
	struct magi_world *world;
	const struct magi_sys *sim = simulated(&world);
	off_t at = (off_t)offset;
	int fault = planned("sendfile");
	ssize_t sent;

	if (fault < 0)
		return fault;
	if (sim)
		return sim->sendfile(world, to, file, offset, n);
	sent = sendfile(to, file, &at, n);
	return sent < 0 ? -errno : sent;
}

int64_t magi_sys_preadv2(int fd, const struct iovec *iov, int count, uint64_t offset, int flags)
{
	struct magi_world *world;
	const struct magi_sys *sim = simulated(&world);
	int fault = planned("preadv2");
	ssize_t n;

	if (fault < 0)
		return fault;
	if (sim)
		return sim->preadv2(world, fd, iov, count, offset, flags);
	n = preadv2(fd, iov, count, (off_t)offset, flags);
	return n < 0 ? -errno : n;
}

int magi_sys_statx(int dir, const char *path, int flags, unsigned mask, struct statx *status)
{
	ASK(statx, statx(dir, path, flags, mask, status), dir, path, flags, mask, status);
}

static int look_up(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
	int rc = getaddrinfo(name, service, hints, list);

	switch (rc) {
	case 0:
		return 0;
	case EAI_MEMORY: /* [cov kernel] the resolver without memory */
		return -ENOMEM;
	case EAI_SYSTEM: /* [cov kernel] nor the files that it needs */
		return errno ? -errno : MAG_ERESOLVE; /* [cov kernel] the same */
	default:
		return MAG_ERESOLVE;
	}
}

int magi_sys_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **list)
{
	struct magi_world *world;
	const struct magi_sys *sim = simulated(&world);
	int fault = planned("getaddrinfo");

	if (fault < 0)
		return fault;
	return sim ? sim->getaddrinfo(world, name, service, hints, list) : look_up(name, service, hints, list);
}

void magi_sys_freeaddrinfo(struct addrinfo *list)
{
	struct magi_world *world;
	const struct magi_sys *sim = simulated(&world);

	if (sim)
		sim->freeaddrinfo(world, list);
	else
		freeaddrinfo(list);
}

int magi_sys_if_index(const char *name)
{
	struct magi_world *world;
	int fault = planned("if_index");
	unsigned index;

	if (fault < 0)
		return fault;
	if (simulated(&world))
		index = strcmp(name, "lo") == 0;
	else
		index = if_nametoindex(name);
	return index && index <= INT32_MAX ? (int)index : -ENODEV;
}

int magi_sys_if_name(unsigned index, char *name)
{
	struct magi_world *world;
	int fault = planned("if_name");

	if (fault < 0)
		return fault;
	if (!simulated(&world))
		return if_indextoname(index, name) ? 0 : -ENODEV;
	strcpy(name, "lo");
	return index == 1 ? 0 : -ENODEV;
}
