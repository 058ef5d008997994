/* SPDX-License-Identifier: MIT */
/* connect.c - connections that come in, one at a time, and those that go out.
 *
 * Who:     the task; a connection is taken into the table of files by the ring's worker, before the task resumes.
 * Always:  a connection that the kernel gave is the caller's or closed. */
#include <errno.h>
#include <magpie/io.h>

#include "net/net.h"
#include "task/file.h"
#include "task/wait.h"

static int64_t accepted(struct magi_worker *w, void *fd, const struct magi_rec *rec)
{
	return magi_adopt(w, rec->res, fd);
}

mag_frame *mag_accept(mag_worker *w, mag_frame *f, mag_fd listener, mag_fd *fd, mag_addr *peer)
{
	struct magi_req req = { .code = MAGI_IO_ACCEPT, .op_flags = SOCK_CLOEXEC };

	if (!fd)
		return magi_wait_done(w, f, -EINVAL);
	*fd = MAG_FD_NONE;
	if (peer) {
		peer->len = sizeof(peer->storage);
		req.addr = &peer->storage;
		req.addr2 = &peer->len;
	}
	return magi_file_await(w, f, listener, MAGI_FD_READING, &req, accepted, fd);
}

mag_frame *mag_connect(mag_worker *w, mag_frame *f, mag_fd fd, const mag_addr *addr)
{
	struct magi_req req = { .code = MAGI_IO_CONNECT };

	if (!addr || !addr->len)
		return magi_wait_done(w, f, -EINVAL);
	req.addr = (void *)(uintptr_t)&addr->storage;
	req.len = addr->len;
	return magi_file_await(w, f, fd, MAGI_FD_WRITING, &req, NULL, NULL);
}
