/* SPDX-License-Identifier: MIT */
/* open.c - opening files.
 *
 * Who:     the task; the descriptor is taken into the table of files by the ring's worker, before the task resumes.
 * Always:  a descriptor that the kernel gave is the caller's or closed. */
#include <errno.h>
#include <linux/openat2.h>
#include <magpie/file.h>

#include "base/sys.h"
#include "task/file.h"
#include "task/report.h"
#include "task/wait.h"

MAGI_ASSERT_STATIC(sizeof(struct open_how) <= sizeof(union magi_op), "the frame's op words hold it");

static int64_t opened(struct magi_worker *w, void *fd, const struct magi_rec *rec)
{
	int rc;

	if (rec->res < 0)
		return rec->res;
	rc = magi_fds_add(&w->rt->fds, rec->res, fd);
	if (rc < 0) {
		*(mag_fd *)fd = MAG_FD_NONE;
		magi_sys_close(rec->res);
	} else if (magi_debug(w->rt)) {
		magi_fd_made(&w->rt->fds, *(mag_fd *)fd, magi_here(w));
	}
	return rc;
}

static uint64_t how_to_resolve(unsigned resolve)
{
	uint64_t how = 0;

	if (resolve & MAG_PATH_BENEATH)
		how |= RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
	if (resolve & MAG_PATH_NO_SYMLINKS)
		how |= RESOLVE_NO_SYMLINKS;
	if (resolve & MAG_PATH_NO_CROSSING)
		how |= RESOLVE_NO_XDEV;
	return how;
}

mag_frame *mag_open_at(mag_worker *w, mag_frame *f, mag_fd dir, const char *path, int flags, unsigned mode,
		       unsigned resolve, mag_fd *fd)
{
	const unsigned known = MAG_PATH_BENEATH | MAG_PATH_NO_SYMLINKS | MAG_PATH_NO_CROSSING;
	struct open_how *how = (struct open_how *)(void *)&f->op;
	struct magi_req req = { .code = MAGI_IO_OPEN, .fd = AT_FDCWD, .addr = (void *)(uintptr_t)path, .addr2 = how };

	if (!fd)
		return magi_wait_done(w, f, -EINVAL);
	*fd = MAG_FD_NONE;
	if (!path || (resolve & ~known))
		return magi_wait_done(w, f, -EINVAL);
	/* these words are free from here to the end: neither of the two ways waits for a turn */
	how->flags = (uint64_t)(unsigned)(flags | O_CLOEXEC);
	how->mode = flags & (O_CREAT | O_TMPFILE) & ~O_DIRECTORY ? mode & 07777 : 0;
	how->resolve = how_to_resolve(resolve);
	if (dir.index == MAG_CWD.index && dir.generation == MAG_CWD.generation)
		return magi_io_await(w, f, &req, NULL, 0, opened, fd);
	return magi_file_await(w, f, dir, 0, &req, opened, fd);
}

mag_frame *mag_open(mag_worker *w, mag_frame *f, const char *path, int flags, unsigned mode, mag_fd *fd)
{
	return mag_open_at(w, f, MAG_CWD, path, flags, mode, 0, fd);
}

mag_frame *mag_open_beneath(mag_worker *w, mag_frame *f, mag_fd dir, const char *path, int flags, unsigned mode,
			    mag_fd *fd)
{
	return mag_open_at(w, f, dir, path, flags, mode, MAG_PATH_BENEATH, fd);
}
