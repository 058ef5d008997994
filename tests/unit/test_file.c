/* SPDX-License-Identifier: MIT */
/* test_file.c - files by offset, paths, whole files. */
#include "net_run.h"

#include <magpie/file.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "support/client.h"

/* A folder of the test's own. */
static char folder[64];

static void make_folder(void)
{
	snprintf(folder, sizeof(folder), "/tmp/magpie-file-XXXXXX");
	cr_assert(mkdtemp(folder));
}

static void remove_folder(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	cr_assert_eq(system(command), 0);
}

TestSuite(file, .init = make_folder, .fini = remove_folder, .timeout = 60);

static const char *in_folder(char *path, size_t size, const char *name)
{
	snprintf(path, size, "%s/%s", folder, name);
	return path;
}
#define PATH(path, name) in_folder((path), sizeof(path), (name))

struct offsets {
	mag_frame frame;
	MAG_NO_ARGS(offsets);
	char path[128], buf[64];
	mag_fd fd;
	struct iovec out[2], in[2];
	mag_file_status status;
	size_t count;
	int64_t rc;
};

MAG_TASK(offsets)
{
	MAG_BEGIN(offsets);
	MAG_AWAIT(self->rc, mag_open, PATH(self->path, "a"), O_RDWR | O_CREAT | O_EXCL, 0640, &self->fd);
	CHECK_EQ(self->rc, 0);
	CHECK_EQ(open_files(), 1);
	MAG_AWAIT(self->rc, mag_write, self->fd, "0123456789", 10, 0);
	CHECK_EQ(self->rc, 10);
	MAG_AWAIT(self->rc, mag_write_all, self->fd, "xyz", 3, 100000, &self->count);
	CHECK(self->rc == 3 && self->count == 3);
	MAG_AWAIT(self->rc, mag_read, self->fd, self->buf, sizeof(self->buf), 5);
	CHECK_EQ(self->rc, 64);
	CHECK(!memcmp(self->buf, "56789\0\0", 7));
	MAG_AWAIT(self->rc, mag_read_all, self->fd, self->buf, 10, 99996, &self->count);
	CHECK_EQ(self->rc, MAG_EEOF);
	CHECK(self->count == 7 && !memcmp(self->buf, "\0\0\0\0xyz", 7));
	MAG_AWAIT(self->rc, mag_read, self->fd, self->buf, 10, 100003);
	CHECK_EQ(self->rc, 0);
	self->out[0] = (struct iovec){ (void *)(uintptr_t) "ab", 2 };
	self->out[1] = (struct iovec){ (void *)(uintptr_t) "cde", 3 };
	MAG_AWAIT(self->rc, mag_writev, self->fd, self->out, 2, 1);
	CHECK_EQ(self->rc, 5);
	self->in[0] = (struct iovec){ self->buf, 3 };
	self->in[1] = (struct iovec){ self->buf + 10, 5 };
	MAG_AWAIT(self->rc, mag_readv, self->fd, self->in, 2, 0);
	CHECK_EQ(self->rc, 8);
	CHECK(!memcmp(self->buf, "0ab", 3) && !memcmp(self->buf + 10, "cde67", 5));
	MAG_AWAIT(self->rc, mag_fsync, self->fd);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_fdatasync, self->fd);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_fstat, self->fd, &self->status);
	CHECK_EQ(self->rc, 0);
	CHECK_EQ(self->status.bytes, 100003);
	CHECK(S_ISREG(self->status.mode));
	CHECK_EQ(self->status.mode & 0777 & 0640, self->status.mode & 0777);
	CHECK(self->status.modified.s > 0);
	memset(&self->status, 0, sizeof(self->status));
	CHECK_EQ(mag_fd_status(self->fd, &self->status), 0);
	CHECK_EQ(self->status.bytes, 100003);
	MAG_AWAIT(self->rc, mag_close, self->fd);
	MAG_AWAIT(self->rc, mag_stat, self->path, &self->status);
	CHECK_EQ(self->rc, 0);
	CHECK_EQ(self->status.bytes, 100003);
	CHECK_EQ(open_files(), 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(file, reads_and_writes_at_offsets)
{
	RUN(offsets);
}

struct paths {
	mag_frame frame;
	MAG_NO_ARGS(paths);
	char a[128], b[128];
	mag_fd dir, fd;
	mag_file_status status;
	int64_t rc;
};

MAG_TASK(paths)
{
	MAG_BEGIN(paths);
	MAG_AWAIT(self->rc, mag_mkdir, PATH(self->a, "dir"), 0755);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_mkdir, self->a, 0755);
	CHECK_EQ(self->rc, -EEXIST);
	MAG_AWAIT(self->rc, mag_open, PATH(self->b, "dir/file"), O_WRONLY | O_CREAT, 0644, &self->fd);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_close, self->fd);
	MAG_AWAIT(self->rc, mag_rmdir, self->a);
	CHECK_EQ(self->rc, -ENOTEMPTY);
	MAG_AWAIT(self->rc, mag_rename, self->b, PATH(self->a, "dir/other"));
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_stat, self->b, &self->status);
	CHECK_EQ(self->rc, -ENOENT);

	/* below a directory, and not out of it */
	MAG_AWAIT(self->rc, mag_open, PATH(self->b, "dir"), O_RDONLY | O_DIRECTORY, 0, &self->dir);
	CHECK_EQ(self->rc, 0);
	CHECK_EQ(symlink("other", PATH(self->a, "dir/inside")), 0);
	CHECK_EQ(symlink("/etc/passwd", PATH(self->a, "dir/outside")), 0);
	MAG_AWAIT(self->rc, mag_open_beneath, self->dir, "other", O_RDONLY, 0, &self->fd);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_close, self->fd);
	MAG_AWAIT(self->rc, mag_open_beneath, self->dir, "inside", O_RDONLY, 0, &self->fd);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_close, self->fd);
	MAG_AWAIT(self->rc, mag_open_at, self->dir, "inside", O_RDONLY, 0,
		  MAG_PATH_BENEATH | MAG_PATH_NO_SYMLINKS, &self->fd);
	CHECK_EQ(self->rc, -ELOOP);
	MAG_AWAIT(self->rc, mag_open_beneath, self->dir, "outside", O_RDONLY, 0, &self->fd);
	CHECK_EQ(self->rc, -EXDEV);
	MAG_AWAIT(self->rc, mag_open_beneath, self->dir, "../dir/other", O_RDONLY, 0, &self->fd);
	CHECK_EQ(self->rc, -EXDEV);
	MAG_AWAIT(self->rc, mag_open_beneath, self->dir, "/etc/passwd", O_RDONLY, 0, &self->fd);
	CHECK_EQ(self->rc, -EXDEV);
	CHECK_EQ(self->fd.generation, 0);
	MAG_AWAIT(self->rc, mag_stat_at, self->dir, "inside", AT_SYMLINK_NOFOLLOW, &self->status);
	CHECK(self->rc == 0 && S_ISLNK(self->status.mode));
	MAG_AWAIT(self->rc, mag_stat_at, self->dir, "inside", 0, &self->status);
	CHECK(self->rc == 0 && S_ISREG(self->status.mode));
	MAG_AWAIT(self->rc, mag_unlink, PATH(self->a, "dir/other"));
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_unlink, self->a);
	CHECK_EQ(self->rc, -ENOENT);
	MAG_AWAIT(self->rc, mag_unlink, self->b);
	CHECK_EQ(self->rc, -EISDIR);
	MAG_AWAIT(self->rc, mag_close, self->dir);
	CHECK_EQ(open_files(), 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(file, paths_and_what_lies_beneath)
{
	RUN(paths);
}

struct whole {
	mag_frame frame;
	MAG_ARGS(whole, size_t bytes;);
	char path[128];
	char *data, *back;
	int64_t rc;
};

MAG_TASK(whole)
{
	MAG_BEGIN(whole);
	PATH(self->path, "whole");
	self->data = malloc(self->bytes + 1);
	for (size_t i = 0; i < self->bytes; i++)
		self->data[i] = (char)(i * 2654435761u >> 9);
	MAG_CALL(self->rc, mag_write_file, .path = self->path, .data = self->data, .length = self->bytes, .mode = 0600,
		 .sync = self->bytes < 100);
	CHECK_EQ(self->rc, 0);
	MAG_CALL(self->rc, mag_read_file, .path = self->path, .limit = self->bytes + 1, .data = &self->back);
	CHECK_EQ(self->rc, self->bytes);
	CHECK(!memcmp(self->data, self->back, self->bytes));
	CHECK_EQ(self->back[self->bytes], 0);
	mag_free(self->back);
	if (self->bytes) {
		MAG_CALL(self->rc, mag_read_file, .path = self->path, .limit = self->bytes, .data = &self->back);
		CHECK_EQ(self->rc, self->bytes);
		mag_free(self->back);
	}
	if (self->bytes > 1) {
		MAG_CALL(self->rc, mag_read_file, .path = self->path, .limit = self->bytes - 1, .data = &self->back);
		CHECK_EQ(self->rc, MAG_ETOOLONG);
		CHECK(!self->back);
	}
	/* a shorter one takes the place of a longer one */
	MAG_CALL(self->rc, mag_write_file, .path = self->path, .data = "short", .length = 5, .mode = 0600);
	CHECK_EQ(self->rc, 0);
	MAG_CALL(self->rc, mag_read_file, .path = self->path, .limit = 100, .data = &self->back);
	CHECK_EQ(self->rc, 5);
	mag_free(self->back);
	free(self->data);
	CHECK_EQ(open_files(), 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(file, whole_files_within_a_limit)
{
	static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 131072, 131073, 1000000 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		RUN(whole, .bytes = sizes[i]);
}

/* Files that do not say how long they are. */
struct endless {
	mag_frame frame;
	MAG_NO_ARGS(endless);
	char *data;
	int64_t rc;
};

MAG_TASK(endless)
{
	MAG_BEGIN(endless);
	MAG_CALL(self->rc, mag_read_file, .path = "/proc/self/status", .limit = 1 << 20, .data = &self->data);
	CHECK_SAYING(self->rc > 0, self->rc);
	CHECK(strstr(self->data, "Pid:"));
	mag_free(self->data);
	MAG_CALL(self->rc, mag_read_file, .path = "/dev/zero", .limit = 1 << 20, .data = &self->data);
	CHECK_EQ(self->rc, MAG_ETOOLONG);
	CHECK(!self->data);
	CHECK_EQ(open_files(), 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(file, a_file_without_a_size_is_read_to_its_end_or_limit)
{
	RUN(endless);
}

/* Cancellation: a wait on a pipe ends; nothing is opened in a cancelled scope, or what is opened is returned. */
struct cancelled {
	mag_frame frame;
	MAG_NO_ARGS(cancelled);
	char path[128], buf[8];
	mag_fd in, out, fd;
	mag_group cutter;
	mag_scope scope;
	size_t count;
	int64_t rc, end;
	int i, before;
};

static int adopt_pipe(mag_fd *in, mag_fd *out)
{
	int raw[2], rc;

	if (pipe2(raw, O_CLOEXEC) < 0)
		return -errno;
	rc = mag_fd_adopt(raw[0], in);
	return rc < 0 ? rc : mag_fd_adopt(raw[1], out);
}

MAG_TASK(cancelled)
{
	MAG_BEGIN(cancelled);
	CHECK_EQ(adopt_pipe(&self->in, &self->out), 0);
	MAG_WITH_TIMEOUT(&self->scope, 5 * MAG_MILLISECOND);
	MAG_AWAIT(self->rc, mag_read, self->in, self->buf, 8, MAG_OFFSET_NONE);
	MAG_SCOPE_END(self->end, &self->scope);
	CHECK_EQ(self->rc, MAG_ECANCELED);
	MAG_AWAIT(self->rc, mag_write_all, self->out, "abc", 3, MAG_OFFSET_NONE, NULL);
	CHECK_EQ(self->rc, 3);
	CUT_SHORT_BEGIN(mag_fd_raw(self->in), 0, 0);
	MAG_AWAIT(self->rc, mag_read_all, self->in, self->buf, 8, MAG_OFFSET_NONE, &self->count);
	MAG_GROUP_END(self->end, &self->cutter);
	MAG_SCOPE_END(self->end, &self->scope);
	CHECK_EQ(self->rc, MAG_ECANCELED);
	CHECK(self->count == 3 && !memcmp(self->buf, "abc", 3));
	MAG_AWAIT(self->rc, mag_close, self->out);
	MAG_AWAIT(self->rc, mag_read, self->in, self->buf, 8, MAG_OFFSET_NONE);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_close, self->in);

	self->before = client_descriptors();
	for (self->i = 0; self->i < 200; self->i++) {
		MAG_WITH_TIMEOUT(&self->scope, (uint64_t)self->i * MAG_MICROSECOND);
		MAG_AWAIT(self->rc, mag_open, PATH(self->path, "c"), O_RDWR | O_CREAT, 0600, &self->fd);
		CHECK_SAYING(self->rc == 0 || self->rc == MAG_ECANCELED, self->rc);
		CHECK_EQ(self->rc == 0, self->fd.generation != 0);
		MAG_SCOPE_END(self->end, &self->scope);
		if (self->rc == 0)
			MAG_AWAIT(self->rc, mag_close, self->fd);
		CHECK_EQ(open_files(), 0);
	}
	CHECK_EQ(client_descriptors(), self->before);
	MAG_RETURN(0);
	MAG_END;
}

Test(file, cancellation_loses_neither_bytes_nor_files)
{
	RUN(cancelled);
}

struct wrong {
	mag_frame frame;
	MAG_NO_ARGS(wrong);
	mag_fd fd;
	mag_file_status status;
	char buf[8], *data, name[5000];
	struct iovec part;
	int64_t rc;
};

MAG_TASK(wrong)
{
	MAG_BEGIN(wrong);
	MAG_AWAIT(self->rc, mag_open, NULL, O_RDONLY, 0, &self->fd);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_open, "/dev/null", O_RDONLY, 0, NULL);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_open_at, MAG_CWD, "/dev/null", O_RDONLY, 0, 64, &self->fd);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_open_at, MAG_FD_NONE, "x", O_RDONLY, 0, 0, &self->fd);
	CHECK_EQ(self->rc, MAG_ECLOSED);
	MAG_AWAIT(self->rc, mag_open, "", O_RDONLY, 0, &self->fd);
	CHECK_EQ(self->rc, -ENOENT);
	memset(self->name, 'n', sizeof(self->name) - 1);
	self->name[sizeof(self->name) - 1] = 0;
	MAG_AWAIT(self->rc, mag_open, self->name, O_RDONLY, 0, &self->fd);
	CHECK_EQ(self->rc, -ENAMETOOLONG);
	CHECK_EQ(self->fd.generation, 0);
	MAG_AWAIT(self->rc, mag_read, MAG_FD_NONE, self->buf, 8, 0);
	CHECK_EQ(self->rc, MAG_ECLOSED);
	MAG_AWAIT(self->rc, mag_open, "/dev/null", O_RDWR, 0, &self->fd);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_read, self->fd, NULL, 8, 0);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_read, self->fd, self->buf, 0, 0);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_write, self->fd, NULL, 8, 0);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_write, self->fd, NULL, 0, 0);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_readv, self->fd, NULL, 1, 0);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_writev, self->fd, &self->part, 0, 0);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_writev, self->fd, &self->part, 1025, 0);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_fsync, self->fd);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_fstat, self->fd, NULL);
	CHECK_EQ(self->rc, -EINVAL);
	CHECK_EQ(mag_fd_status(self->fd, NULL), -EINVAL);
	MAG_AWAIT(self->rc, mag_close, self->fd);
	CHECK_EQ(mag_fd_status(self->fd, &self->status), MAG_ECLOSED);
	MAG_AWAIT(self->rc, mag_fstat, self->fd, &self->status);
	CHECK_EQ(self->rc, MAG_ECLOSED);
	MAG_AWAIT(self->rc, mag_fstat, MAG_CWD, &self->status);
	CHECK_EQ(self->rc, MAG_ECLOSED);
	MAG_AWAIT(self->rc, mag_stat, NULL, &self->status);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_unlink, NULL);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_rename, "/x", NULL);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_CALL(self->rc, mag_read_file, .path = "/dev/null", .limit = 0, .data = &self->data);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_CALL(self->rc, mag_read_file, .path = "/dev/null", .limit = 10, .data = NULL);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_CALL(self->rc, mag_read_file, .path = "/nonexistent", .limit = 10, .data = &self->data);
	CHECK_EQ(self->rc, -ENOENT);
	MAG_CALL(self->rc, mag_read_file, .path = "/tmp", .limit = 10, .data = &self->data);
	CHECK_EQ(self->rc, -EISDIR);
	MAG_CALL(self->rc, mag_write_file, .path = NULL);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_CALL(self->rc, mag_write_file, .path = "/tmp/x", .data = NULL, .length = 3);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_CALL(self->rc, mag_write_file, .path = "/nonexistent/x", .data = "", .length = 0);
	CHECK_EQ(self->rc, -ENOENT);
	MAG_CALL(self->rc, mag_write_file, .path = "/dev/full", .data = "x", .length = 1);
	CHECK_EQ(self->rc, -ENOSPC);
	CHECK_EQ(open_files(), 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(file, wrong_use_gets_an_error)
{
	RUN(wrong);
}
