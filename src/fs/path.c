/* SPDX-License-Identifier: MIT */
/* path.c - what is known of a file, and directories' entries. */
#include <errno.h>
#include <magpie/file.h>
#include <sys/stat.h>

#include "base/sys.h"
#include "task/file.h"
#include "task/wait.h"

MAGI_ASSERT_STATIC(sizeof(mag_file_status) == sizeof(struct statx), "the kernel writes it");
MAGI_ASSERT_STATIC(offsetof(mag_file_status, mode) == offsetof(struct statx, stx_mode), "the kernel writes it");
MAGI_ASSERT_STATIC(offsetof(mag_file_status, bytes) == offsetof(struct statx, stx_size), "the kernel writes it");
MAGI_ASSERT_STATIC(offsetof(mag_file_status, modified) == offsetof(struct statx, stx_mtime), "the kernel writes it");
MAGI_ASSERT_STATIC(offsetof(mag_file_status, dev_minor) == offsetof(struct statx, stx_dev_minor), "as the kernel does");

enum { WANTED = STATX_BASIC_STATS | STATX_BTIME };

static bool is_cwd(mag_fd dir)
{
	return dir.index == MAG_CWD.index && dir.generation == MAG_CWD.generation;
}

/* A request about `path` in `dir`. */
static mag_frame *at(mag_worker *w, mag_frame *f, mag_fd dir, const char *path, struct magi_req *req)
{
	if (!path)
		return magi_wait_done(w, f, -EINVAL);
	req->addr = (void *)(uintptr_t)path;
	req->fd = AT_FDCWD;
	if (is_cwd(dir))
		return magi_io_await(w, f, req, NULL, 0, NULL, NULL);
	return magi_file_await(w, f, dir, 0, req, NULL, NULL);
}

mag_frame *mag_stat_at(mag_worker *w, mag_frame *f, mag_fd dir, const char *path, int flags, mag_file_status *status)
{
	struct magi_req req = {
		.code = MAGI_IO_STAT, .op_flags = (uint32_t)flags, .len = WANTED, .addr2 = status
	};

	if (!status)
		return magi_wait_done(w, f, -EINVAL);
	return at(w, f, dir, path, &req);
}

mag_frame *mag_stat(mag_worker *w, mag_frame *f, const char *path, mag_file_status *status)
{
	return mag_stat_at(w, f, MAG_CWD, path, 0, status);
}

mag_frame *mag_fstat(mag_worker *w, mag_frame *f, mag_fd fd, mag_file_status *status)
{
	if (is_cwd(fd))
		return magi_wait_done(w, f, MAG_ECLOSED);
	return mag_stat_at(w, f, fd, "", AT_EMPTY_PATH, status);
}

int mag_fd_status(mag_fd fd, mag_file_status *status)
{
	mag_worker *w = magi_self();
	struct magi_fd *r;
	int rc;

	if (!status)
		return -EINVAL;
	r = w ? magi_file_hold(magi_worker_of(w), fd) : NULL;
	if (!r)
		return MAG_ECLOSED;
	rc = magi_sys_statx(r->raw, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, WANTED, (struct statx *)(void *)status);
	magi_file_end(magi_worker_of(w), r, 0);
	return rc;
}

mag_frame *mag_unlink(mag_worker *w, mag_frame *f, const char *path)
{
	struct magi_req req = { .code = MAGI_IO_UNLINK };

	return at(w, f, MAG_CWD, path, &req);
}

mag_frame *mag_rmdir(mag_worker *w, mag_frame *f, const char *path)
{
	struct magi_req req = { .code = MAGI_IO_UNLINK, .op_flags = AT_REMOVEDIR };

	return at(w, f, MAG_CWD, path, &req);
}

mag_frame *mag_mkdir(mag_worker *w, mag_frame *f, const char *path, unsigned mode)
{
	struct magi_req req = { .code = MAGI_IO_MKDIR, .op_flags = mode };

	return at(w, f, MAG_CWD, path, &req);
}

mag_frame *mag_rename(mag_worker *w, mag_frame *f, const char *from, const char *to)
{
	struct magi_req req = { .code = MAGI_IO_RENAME, .len = (uint32_t)AT_FDCWD, .addr2 = (void *)(uintptr_t)to };

	if (!to)
		return magi_wait_done(w, f, -EINVAL);
	return at(w, f, MAG_CWD, from, &req);
}
