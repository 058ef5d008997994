/* SPDX-License-Identifier: MIT */
/* stream.c - bytes to and from sockets: awaits that are one request. */
#include <errno.h>
#include <magpie/io.h>
#include <magpie/poll.h>

#include "task/file.h"
#include "task/transfer.h"
#include "task/wait.h"

/* What one request may carry; the rest is the next one's. */
static uint32_t capped(size_t len)
{
	return (uint32_t)(len < MAGI_TRANSFER_MAX ? len : MAGI_TRANSFER_MAX);
}

mag_frame *mag_recv(mag_worker *w, mag_frame *f, mag_fd fd, void *buf, size_t len)
{
	struct magi_req req = { .code = MAGI_IO_RECV, .addr = buf, .len = capped(len) };

	if (!buf || !len) /* no bytes would look like the end of the stream */
		return magi_wait_done(w, f, -EINVAL);
	return magi_file_await(w, f, fd, MAGI_FD_READING, &req, NULL, NULL);
}

mag_frame *mag_recv_all(mag_worker *w, mag_frame *f, mag_fd fd, void *buf, size_t len, size_t *count)
{
	struct magi_req req = { .code = MAGI_IO_RECV, .addr = buf, .op_flags = MSG_WAITALL };

	return magi_transfer_await(w, f, fd, MAGI_FD_READING, &req, len, count);
}

mag_frame *mag_send(mag_worker *w, mag_frame *f, mag_fd fd, const void *buf, size_t len)
{
	struct magi_req req = { .code = MAGI_IO_SEND, .addr = (void *)(uintptr_t)buf, .len = capped(len) };

	if (!buf && len)
		return magi_wait_done(w, f, -EINVAL);
	return magi_file_await(w, f, fd, MAGI_FD_WRITING, &req, NULL, NULL);
}

mag_frame *mag_send_all_count(mag_worker *w, mag_frame *f, mag_fd fd, const void *buf, size_t len, size_t *count)
{
	struct magi_req req = { .code = MAGI_IO_SEND, .addr = (void *)(uintptr_t)buf, .op_flags = MSG_WAITALL };

	return magi_transfer_await(w, f, fd, MAGI_FD_WRITING, &req, len, count);
}

mag_frame *mag_send_all(mag_worker *w, mag_frame *f, mag_fd fd, const void *buf, size_t len)
{
	return mag_send_all_count(w, f, fd, buf, len, NULL);
}

mag_frame *mag_sendmsg(mag_worker *w, mag_frame *f, mag_fd fd, const struct msghdr *msg, int flags)
{
	struct magi_req req = { .code = MAGI_IO_SENDMSG, .addr = (void *)(uintptr_t)msg, .op_flags = (uint32_t)flags };

	if (!msg)
		return magi_wait_done(w, f, -EINVAL);
	return magi_file_await(w, f, fd, MAGI_FD_WRITING, &req, NULL, NULL);
}

mag_frame *mag_recvmsg(mag_worker *w, mag_frame *f, mag_fd fd, struct msghdr *msg, int flags)
{
	struct magi_req req = { .code = MAGI_IO_RECVMSG, .addr = msg, .op_flags = (uint32_t)flags | MSG_CMSG_CLOEXEC };

	if (!msg)
		return magi_wait_done(w, f, -EINVAL);
	return magi_file_await(w, f, fd, MAGI_FD_READING, &req, NULL, NULL);
}

mag_frame *mag_shutdown(mag_worker *w, mag_frame *f, mag_fd fd, int how)
{
	struct magi_req req = { .code = MAGI_IO_SHUTDOWN, .op_flags = (uint32_t)how };

	return magi_file_await(w, f, fd, 0, &req, NULL, NULL);
}

mag_frame *mag_poll(mag_worker *w, mag_frame *f, mag_fd fd, unsigned events)
{
	struct magi_req req = { .code = MAGI_IO_POLL, .op_flags = events };

	if (!events)
		return magi_wait_done(w, f, -EINVAL);
	return magi_file_await(w, f, fd, 0, &req, NULL, NULL);
}
