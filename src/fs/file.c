/* SPDX-License-Identifier: MIT */
/* file.c - reading and writing at an offset. */
#include <errno.h>
#include <magpie/file.h>
#include <sys/stat.h>

#include "task/file.h"
#include "task/transfer.h"
#include "task/wait.h"

enum { PIECES_MAX = 1024 }; /* the kernel's own limit on an array of pieces */

static uint32_t capped(size_t len)
{
	return (uint32_t)(len < MAGI_TRANSFER_MAX ? len : MAGI_TRANSFER_MAX);
}

mag_frame *mag_read(mag_worker *w, mag_frame *f, mag_fd fd, void *buf, size_t len, uint64_t offset)
{
	struct magi_req req = { .code = MAGI_IO_READ, .addr = buf, .len = capped(len), .offset = offset };

	if (!buf || !len) /* no bytes would look like the end of the file */
		return magi_wait_done(w, f, -EINVAL);
	return magi_file_await(w, f, fd, 0, &req, NULL, NULL);
}

mag_frame *mag_write(mag_worker *w, mag_frame *f, mag_fd fd, const void *buf, size_t len, uint64_t offset)
{
	struct magi_req req = {
		.code = MAGI_IO_WRITE, .addr = (void *)(uintptr_t)buf, .len = capped(len), .offset = offset
	};

	if (!buf && len)
		return magi_wait_done(w, f, -EINVAL);
	return magi_file_await(w, f, fd, 0, &req, NULL, NULL);
}

mag_frame *mag_read_all(mag_worker *w, mag_frame *f, mag_fd fd, void *buf, size_t len, uint64_t offset, size_t *count)
{
	struct magi_req req = { .code = MAGI_IO_READ, .addr = buf, .offset = offset };

	return magi_transfer_await(w, f, fd, 0, &req, len, count);
}

mag_frame *mag_write_all(mag_worker *w, mag_frame *f, mag_fd fd, const void *buf, size_t len, uint64_t offset,
			 size_t *count)
{
	struct magi_req req = { .code = MAGI_IO_WRITE, .addr = (void *)(uintptr_t)buf, .offset = offset };

	return magi_transfer_await(w, f, fd, 0, &req, len, count);
}

static mag_frame *vector(mag_worker *w, mag_frame *f, mag_fd fd, unsigned code, const struct iovec *iov, unsigned count,
			 uint64_t offset)
{
	struct magi_req req = {
		.code = (uint8_t)code, .addr = (void *)(uintptr_t)iov, .len = count, .offset = offset
	};

	if (!iov || !count || count > PIECES_MAX)
		return magi_wait_done(w, f, -EINVAL);
	return magi_file_await(w, f, fd, 0, &req, NULL, NULL);
}

mag_frame *mag_readv(mag_worker *w, mag_frame *f, mag_fd fd, const struct iovec *iov, unsigned count, uint64_t offset)
{
	return vector(w, f, fd, MAGI_IO_READV, iov, count, offset);
}

mag_frame *mag_writev(mag_worker *w, mag_frame *f, mag_fd fd, const struct iovec *iov, unsigned count, uint64_t offset)
{
	return vector(w, f, fd, MAGI_IO_WRITEV, iov, count, offset);
}

static mag_frame *sync_file(mag_worker *w, mag_frame *f, mag_fd fd, uint32_t data_only)
{
	struct magi_req req = { .code = MAGI_IO_FSYNC, .op_flags = data_only };

	return magi_file_await(w, f, fd, 0, &req, NULL, NULL);
}

mag_frame *mag_fsync(mag_worker *w, mag_frame *f, mag_fd fd)
{
	return sync_file(w, f, fd, 0);
}

mag_frame *mag_fdatasync(mag_worker *w, mag_frame *f, mag_fd fd)
{
	return sync_file(w, f, fd, 1);
}
