/* SPDX-License-Identifier: MIT */
/* unix.c - Unix sockets. */
#include <errno.h>
#include <magpie/unix.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "net/net.h"

MAGI_ASSERT_STATIC(sizeof(((struct sockaddr_un *)0)->sun_path) == MAG_UNIX_PATH_MAX + 1, "a path and its final 0");

static struct sockaddr_un *un(const mag_addr *addr)
{
	return (struct sockaddr_un *)(void *)(uintptr_t)&addr->storage;
}

static bool is_unix(const mag_addr *addr)
{
	return addr && addr->len > offsetof(struct sockaddr_un, sun_path) && addr->storage.ss_family == AF_UNIX;
}

int mag_addr_unix(mag_addr *addr, const char *path)
{
	bool abstract;
	size_t n;

	if (!addr)
		return -EINVAL;
	memset(addr, 0, sizeof(*addr));
	if (!path || !*path)
		return -EINVAL;
	abstract = *path == '@';
	n = strlen(path);
	if (n > MAG_UNIX_PATH_MAX + (abstract ? 1 : 0))
		return MAG_ETOOLONG;
	un(addr)->sun_family = AF_UNIX;
	memcpy(un(addr)->sun_path, path, n);
	if (abstract)
		un(addr)->sun_path[0] = 0;
	/* an abstract name ends where the address ends; a path has its 0 */
	addr->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (abstract ? 0 : 1));
	return 0;
}

int magi_addr_format_unix(const mag_addr *addr, char *text, size_t size)
{
	int n = (int)addr->len - (int)offsetof(struct sockaddr_un, sun_path);
	const char *path = un(addr)->sun_path;

	if (n <= 0)
		return snprintf(text, size, "unix:");
	if (path[0] == 0)
		return snprintf(text, size, "unix:@%.*s", n - 1, path + 1);
	return snprintf(text, size, "unix:%.*s", n, path);
}

static int nothing(int raw, const void *options)
{
	(void)raw;
	(void)options;
	return 0;
}

int mag_unix_listen(const mag_addr *addr, int backlog, mag_fd *fd)
{
	if (!fd)
		return -EINVAL;
	*fd = MAG_FD_NONE;
	if (!is_unix(addr) || backlog < 0)
		return -EINVAL;
	return magi_listen(addr, backlog ? backlog : 4096, nothing, NULL, fd);
}

int mag_unix_datagram(const mag_addr *addr, mag_fd *fd)
{
	if (addr && !is_unix(addr)) {
		if (fd)
			*fd = MAG_FD_NONE;
		return -EINVAL;
	}
	return magi_bound(AF_UNIX, addr, fd);
}

MAG_TASK(mag_unix_connect)
{
	MAG_BEGIN(mag_unix_connect);
	if (!self->fd)
		MAG_RETURN(-EINVAL);
	*self->fd = MAG_FD_NONE;
	if (!is_unix(self->addr))
		MAG_RETURN(-EINVAL);
	self->rc = mag_socket(AF_UNIX, SOCK_STREAM, 0, &self->opened);
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
