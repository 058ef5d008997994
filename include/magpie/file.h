/* SPDX-License-Identifier: MIT */
/* file.h - files by offset, directories' entries, whole files.
 *
 * For each operation here, as in magpie/io.h: memory passed by pointer, paths too, is the operation's until the await
 * returns; errors in common are MAG_ECANCELED, MAG_ECLOSED, -EINVAL (a NULL), -ENOMEM, and those of the system call of
 * that name. Reads and writes of a file are not queued: several are under way at once. A read or write that the kernel
 * is in the middle of is waited for, also after a cancellation. */
#ifndef MAGPIE_FILE_H
#define MAGPIE_FILE_H

#include <fcntl.h>
#include <magpie/fd.h>

MAGI_C_BEGIN

struct iovec;

#define MAG_OFFSET_NONE UINT64_MAX /* the file's own position; for pipes and terminals */

/* How a path is followed. */
enum mag_resolve_path {
	MAG_PATH_BENEATH = 1,     /* nothing leads out of the directory: no "..", absolute path or link does: -EXDEV */
	MAG_PATH_NO_SYMLINKS = 2, /* no symbolic links at all: -ELOOP */
	MAG_PATH_NO_CROSSING = 4  /* stays on the file system: -EXDEV */
};

/* The directory that relative paths start from, where a mag_fd of one is asked for. */
#define MAG_CWD ((mag_fd){ UINT32_MAX, 0 })

/* MAG_AWAIT(rc, mag_open, path, flags, mode, &fd): opens a file. flags: O_RDONLY and so on; O_CLOEXEC is added. mode:
 * of a file that is made.
 *
 * Await:    yes, a cancellation point: a file that was opened first is returned
 * Threads:  any worker
 * Owns:     the caller owns *fd, when it returns 0: mag_close
 * Returns:  0, or an error, and *fd is MAG_FD_NONE: -ENOENT, -EACCES, -EMFILE, …
 * Since:    0.1 */
MAG_API MAG_OP mag_open(MAG_OP_ARGS, const char *path, int flags, unsigned mode, mag_fd *fd);

/* MAG_AWAIT(rc, mag_open_beneath, dir, path, flags, mode, &fd): the same for a path that must not lead out of directory
 * `dir`, however it is spelt and whatever links lie on it: -EXDEV. */
MAG_API MAG_OP mag_open_beneath(MAG_OP_ARGS, mag_fd dir, const char *path, int flags, unsigned mode, mag_fd *fd);

/* MAG_AWAIT(rc, mag_open_at, dir, path, flags, mode, resolve, &fd): the same with a set of enum mag_resolve_path. */
MAG_API MAG_OP mag_open_at(MAG_OP_ARGS, mag_fd dir, const char *path, int flags, unsigned mode, unsigned resolve,
			   mag_fd *fd);

/* MAG_AWAIT(n, mag_read, fd, buf, len, offset), MAG_AWAIT(n, mag_write, …): some of it.
 *
 * Await:    yes, cancellation points
 * Threads:  any worker
 * Owns:     the buffer is the operation's until it returns
 * Returns:  1 … len bytes; mag_read: 0 at the end of the file; -EINVAL: buf NULL or len 0 (mag_write of 0 bytes is
 *           fine)
 * Since:    0.1 */
MAG_API MAG_OP mag_read(MAG_OP_ARGS, mag_fd fd, void *buf, size_t len, uint64_t offset);
MAG_API MAG_OP mag_write(MAG_OP_ARGS, mag_fd fd, const void *buf, size_t len, uint64_t offset);

/* MAG_AWAIT(n, mag_read_all, fd, buf, len, offset, &count), MAG_AWAIT(n, mag_write_all, …): all of it.
 *
 * Await:    yes, cancellation points
 * Threads:  any worker
 * Owns:     the buffer and *count are the operation's until it returns
 * Returns:  len; MAG_EEOF (the file ends before); or an error. In each case *count says how many bytes were moved;
 *           count may be NULL. len 0 is fine and does nothing
 * Since:    0.1 */
MAG_API MAG_OP mag_read_all(MAG_OP_ARGS, mag_fd fd, void *buf, size_t len, uint64_t offset, size_t *count);
MAG_API MAG_OP mag_write_all(MAG_OP_ARGS, mag_fd fd, const void *buf, size_t len, uint64_t offset, size_t *count);

/* MAG_AWAIT(n, mag_readv, fd, iov, count, offset), MAG_AWAIT(n, mag_writev, …): into, out of, several pieces; some of
 * it.
 *
 * Await:    yes, cancellation points
 * Threads:  any worker
 * Owns:     the array and all it points to are the operation's until it returns
 * Returns:  bytes; mag_readv: 0 at the end of the file; -EINVAL: iov NULL, count 0 or more than 1024
 * Since:    0.1 */
MAG_API MAG_OP mag_readv(MAG_OP_ARGS, mag_fd fd, const struct iovec *iov, unsigned count, uint64_t offset);
MAG_API MAG_OP mag_writev(MAG_OP_ARGS, mag_fd fd, const struct iovec *iov, unsigned count, uint64_t offset);

/* MAG_AWAIT(rc, mag_fsync, fd), MAG_AWAIT(rc, mag_fdatasync, fd): what was written is on the disk.
 *
 * Await:    yes, cancellation points
 * Threads:  any worker
 * Returns:  0, or -EIO, -EINVAL (not a file)
 * Since:    0.1 */
MAG_API MAG_OP mag_fsync(MAG_OP_ARGS, mag_fd fd);
MAG_API MAG_OP mag_fdatasync(MAG_OP_ARGS, mag_fd fd);

typedef struct mag_file_time {
	int64_t s;
	uint32_t ns;
	int32_t unused;
} mag_file_time;

/* What is known of a file; the layout is that of the kernel's struct statx. */
typedef struct mag_file_status {
	uint32_t mask; /* which fields hold: STATX_… */
	uint32_t block_bytes;
	uint64_t attributes;
	uint32_t links;
	uint32_t uid, gid;
	uint16_t mode; /* S_ISREG and so on, and permissions */
	uint16_t unused1;
	uint64_t inode;
	uint64_t bytes;
	uint64_t blocks; /* of 512 bytes */
	uint64_t attributes_mask;
	mag_file_time accessed, born, changed, modified;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t unused2[14];
} mag_file_status;

/* MAG_AWAIT(rc, mag_stat, path, &status), MAG_AWAIT(rc, mag_stat_at, dir, path, flags, &status): flags:
 * AT_SYMLINK_NOFOLLOW or 0; MAG_AWAIT(rc, mag_fstat, fd, &status).
 *
 * Await:    yes, cancellation points
 * Threads:  any worker
 * Returns:  0, or -ENOENT, -EACCES, …
 * Since:    0.1 */
MAG_API MAG_OP mag_stat(MAG_OP_ARGS, const char *path, mag_file_status *status);
MAG_API MAG_OP mag_stat_at(MAG_OP_ARGS, mag_fd dir, const char *path, int flags, mag_file_status *status);
MAG_API MAG_OP mag_fstat(MAG_OP_ARGS, mag_fd fd, mag_file_status *status);

/* The same without waiting: of an open file, as far as this host knows (a file server is not asked).
 *
 * Threads:  any worker
 * Returns:  0, MAG_ECLOSED
 * Since:    0.1 */
MAG_API int mag_fd_status(mag_fd fd, mag_file_status *status);

/* MAG_AWAIT(rc, mag_unlink, path), …: a file, an empty directory, a new directory, another name.
 *
 * Await:    yes, cancellation points; what was begun is done
 * Threads:  any worker
 * Returns:  0, or -ENOENT, -EEXIST, -ENOTEMPTY, -EACCES, …
 * Since:    0.1 */
MAG_API MAG_OP mag_unlink(MAG_OP_ARGS, const char *path);
MAG_API MAG_OP mag_rmdir(MAG_OP_ARGS, const char *path);
MAG_API MAG_OP mag_mkdir(MAG_OP_ARGS, const char *path, unsigned mode);
MAG_API MAG_OP mag_rename(MAG_OP_ARGS, const char *from, const char *to);

/* MAG_CALL(n, mag_read_file, .path = "…", .limit = 1 << 20, .data = &self->data): reads a whole file. A 0 byte stands
 * behind its end, uncounted. .dir and .resolve: as mag_open_at; when left out, the path is a plain one.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Owns:     the caller owns *data, when it returns >= 0: mag_free
 * Returns:  its length; MAG_ETOOLONG (more than `limit` bytes; -EINVAL: a limit of 0), -ENOMEM, or an error of opening
 *           or reading; then *data is NULL
 * Since:    0.1 */
struct mag_read_file {
	mag_frame frame;
	MAG_ARGS(mag_read_file, const char *path; size_t limit; char **data; mag_fd dir; unsigned resolve;);
	mag_fd fd;
	char *buf;
	size_t length, room, want;
	int64_t rc, closed;
};
MAG_API MAG_DECLARE_TASK(mag_read_file);

/* MAG_CALL(rc, mag_write_file, .path = "…", .data = …, .length = …, .mode = 0644): makes or replaces a whole file;
 * .sync: also waits until it is on the disk.
 *
 * Await:    yes, a cancellation point; cut short, a part may be written
 * Threads:  any worker
 * Returns:  0, or an error of opening, writing or closing
 * Since:    0.1 */
struct mag_write_file {
	mag_frame frame;
	MAG_ARGS(mag_write_file, const char *path; const void *data; size_t length; unsigned mode; bool sync;);
	mag_fd fd;
	int64_t rc, closed;
};
MAG_API MAG_DECLARE_TASK(mag_write_file);

/* Frees what mag_read_file gave. NULL is fine.  Threads: any */
MAG_API void mag_free(void *memory);

MAGI_C_END

#endif
