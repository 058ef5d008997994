/* SPDX-License-Identifier: MIT */
/* socket.c - making sockets and asking about them: what the kernel does at once, without waiting.
 *
 * Who:     any worker.
 * Always:  a descriptor is in the table of files or closed when a function returns. */
#include <errno.h>
#include <magpie/io.h>

#include "base/alloc.h"
#include "base/sys.h"
#include "net/net.h"
#include "task/file.h"
#include "task/report.h"

int magi_adopt(struct magi_worker *w, int raw, mag_fd *fd)
{
	int rc;

	*fd = MAG_FD_NONE;
	if (raw < 0)
		return raw;
	rc = magi_fds_add(&w->rt->fds, raw, fd);
	if (rc < 0)
		magi_sys_close(raw);
	else if (magi_debug(w->rt))
		magi_fd_made(&w->rt->fds, *fd, magi_here(w));
	return rc;
}

int magi_set(int raw, int level, int option, int value)
{
	return magi_sys_setsockopt(raw, level, option, &value, sizeof(value));
}

int mag_socket(int family, int type, int protocol, mag_fd *fd)
{
	mag_worker *w = magi_self();
	int raw;

	if (!fd)
		return -EINVAL;
	*fd = MAG_FD_NONE;
	if (!w)
		return -EPERM;
	if (magi_fault())
		return -ENFILE;
	raw = magi_sys_socket(family, type | SOCK_CLOEXEC, protocol);
	return magi_adopt(magi_worker_of(w), raw, fd);
}

int mag_socket_pair(int type, mag_fd pair[2])
{
	mag_worker *w = magi_self();
	int raw[2], rc;

	if (!pair)
		return -EINVAL;
	pair[0] = pair[1] = MAG_FD_NONE;
	if (!w)
		return -EPERM;
	if (magi_fault())
		return -ENFILE;
	rc = magi_sys_socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, raw);
	if (rc < 0)
		return rc;
	rc = magi_adopt(magi_worker_of(w), raw[0], &pair[0]);
	if (rc < 0) {
		magi_sys_close(raw[1]);
		return rc;
	}
	rc = magi_adopt(magi_worker_of(w), raw[1], &pair[1]);
	if (rc < 0) {
		magi_sys_close(mag_fd_release(pair[0]));
		pair[0] = MAG_FD_NONE;
	}
	return rc;
}

/* Calls of the kernel on a file that is held meanwhile. */

int mag_bind(mag_fd fd, const mag_addr *addr)
{
	mag_worker *w = magi_self();
	struct magi_fd *r;
	int rc;

	if (!addr || !addr->len)
		return -EINVAL;
	r = w ? magi_file_hold(magi_worker_of(w), fd) : NULL;
	if (!r)
		return MAG_ECLOSED;
	rc = magi_sys_bind(r->raw, (const struct sockaddr *)&addr->storage, addr->len);
	magi_file_end(magi_worker_of(w), r, 0);
	return rc;
}

int mag_socket_option(mag_fd fd, int level, int option, const void *value, size_t size)
{
	mag_worker *w = magi_self();
	struct magi_fd *r;
	int rc;

	if (!value && size)
		return -EINVAL;
	r = w ? magi_file_hold(magi_worker_of(w), fd) : NULL;
	if (!r)
		return MAG_ECLOSED;
	rc = magi_sys_setsockopt(r->raw, level, option, value, (socklen_t)size);
	magi_file_end(magi_worker_of(w), r, 0);
	return rc;
}

static int ask_name(mag_fd fd, mag_addr *addr, int (*ask)(int raw, struct sockaddr *name, socklen_t *len))
{
	mag_worker *w = magi_self();
	struct magi_fd *r;
	int rc;

	if (!addr)
		return -EINVAL;
	addr->len = 0;
	r = w ? magi_file_hold(magi_worker_of(w), fd) : NULL;
	if (!r)
		return MAG_ECLOSED;
	addr->len = sizeof(addr->storage);
	rc = ask(r->raw, (struct sockaddr *)&addr->storage, &addr->len);
	if (rc < 0)
		addr->len = 0;
	magi_file_end(magi_worker_of(w), r, 0);
	return rc;
}

int mag_fd_local_addr(mag_fd fd, mag_addr *addr)
{
	return ask_name(fd, addr, magi_sys_getsockname);
}

int mag_fd_peer_addr(mag_fd fd, mag_addr *addr)
{
	return ask_name(fd, addr, magi_sys_getpeername);
}

int magi_listen(const mag_addr *addr, int backlog, int (*prepare)(int raw, const void *options), const void *options,
		mag_fd *fd)
{
	mag_worker *w = magi_self();
	int raw, rc;

	*fd = MAG_FD_NONE;
	if (!w)
		return -EPERM;
	if (magi_fault())
		return -ENFILE;
	raw = magi_sys_socket(addr->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (raw < 0)
		return raw;
	rc = prepare(raw, options);
	if (rc == 0)
		rc = magi_sys_bind(raw, (const struct sockaddr *)&addr->storage, addr->len);
	if (rc == 0)
		rc = magi_sys_listen(raw, backlog);
	if (rc < 0) {
		magi_sys_close(raw);
		return rc;
	}
	return magi_adopt(magi_worker_of(w), raw, fd);
}
