/* SPDX-License-Identifier: MIT */
/* test_io_path.c - names of files: which there may be, and what may be done with them. */
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>

#include "conformance/sockets.h"

/* A path below this test's own directory; two at a time. */
static const char *in(const char *name)
{
	static char texts[2][700];
	static int turn;

	turn = !turn;
	snprintf(texts[turn], sizeof(texts[turn]), "/tmp/magpie-path-%d/%s", (int)getpid(), name);
	return texts[turn];
}

static int on_path(struct fixture *f, uint8_t code, const char *path, uint32_t flags)
{
	return fx_do(f, (struct magi_req){ .code = code, .fd = AT_FDCWD, .addr = (void *)(uintptr_t)path,
					   .op_flags = flags });
}

static int make_dir(struct fixture *f, const char *path)
{
	return on_path(f, MAGI_IO_MKDIR, path, 0700);
}

static int drop(struct fixture *f, const char *path)
{
	return on_path(f, MAGI_IO_UNLINK, path, 0);
}

static int drop_dir(struct fixture *f, const char *path)
{
	return on_path(f, MAGI_IO_UNLINK, path, AT_REMOVEDIR);
}

static int open_at(struct fixture *f, int dir, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = { .flags = flags | O_CLOEXEC, .resolve = resolve,
				.mode = flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)) ? 0600 : 0 };

	return fx_do(f, (struct magi_req){ .code = MAGI_IO_OPEN, .fd = dir, .addr = (void *)(uintptr_t)path,
					   .addr2 = &how });
}

static int open_path(struct fixture *f, const char *path, uint64_t flags)
{
	return open_at(f, AT_FDCWD, path, flags, 0);
}

static int move_to(struct fixture *f, const char *from, int dir, const char *to)
{
	return fx_do(f, (struct magi_req){ .code = MAGI_IO_RENAME, .fd = AT_FDCWD, .addr = (void *)(uintptr_t)from,
					   .len = (uint32_t)dir, .addr2 = (void *)(uintptr_t)to });
}

static int move(struct fixture *f, const char *from, const char *to)
{
	return move_to(f, from, AT_FDCWD, to);
}

static int at(struct fixture *f, uint8_t code, int fd, void *bytes, uint32_t n, uint64_t offset)
{
	return fx_do(f, (struct magi_req){ .code = code, .fd = fd, .addr = bytes, .len = n, .offset = offset });
}

static void close_it(struct fixture *f, int fd)
{
	cr_assert(do_move(f, MAGI_IO_CLOSE, fd, NULL, 0, 0) == 0, "%d", fd);
}

static void touch(struct fixture *f, const char *path)
{
	int fd = open_path(f, path, O_CREAT | O_WRONLY | O_EXCL);

	cr_assert(fd >= 0, "%s: %d", path, fd);
	close_it(f, fd);
}

CONFORMS(a_directory_holds_what_was_put_there)
{
	cr_assert(make_dir(f, in("")) == 0);
	cr_assert(make_dir(f, in("")) == -EEXIST && make_dir(f, in("none/d")) == -ENOENT);
	cr_assert(make_dir(f, in("d/")) == 0 && make_dir(f, in("dd")) == 0);
	cr_assert(drop_dir(f, in("dd")) == 0 && drop_dir(f, in("dd")) == -ENOENT, "that is not d");
	touch(f, in("d/file"));
	cr_assert(make_dir(f, in("d/file/x")) == -ENOTDIR && make_dir(f, in("d/file")) == -EEXIST);
	cr_assert(drop(f, in("d")) == -EISDIR && drop_dir(f, in("d")) == -ENOTEMPTY);
	cr_assert(drop_dir(f, in("d/file")) == -ENOTDIR && drop(f, in("d/file/")) == -ENOTDIR);
	cr_assert(drop(f, in("d/other")) == -ENOENT && drop(f, in("none/file")) == -ENOENT);
	cr_assert(drop(f, in("d/../d/./file")) == 0);
	cr_assert(drop_dir(f, in("d")) == 0 && drop_dir(f, in("")) == 0);
	cr_assert(drop(f, "/") == -EISDIR && drop_dir(f, "/") == -EBUSY);
}

CONFORMS(a_name_has_a_greatest_length)
{
	char name[300];

	memset(name, 'n', sizeof(name));
	name[256] = 0;
	cr_assert(make_dir(f, in("")) == 0);
	cr_assert(make_dir(f, in(name)) == -ENAMETOOLONG);
	name[255] = 0;
	cr_assert(make_dir(f, in(name)) == 0 && drop_dir(f, in(name)) == 0);
	cr_assert(make_dir(f, in(".a")) == 0 && make_dir(f, in("..")) == -EEXIST && make_dir(f, in(".b.")) == 0);
	cr_assert(make_dir(f, in("a.")) == 0 && make_dir(f, in("xy")) == 0 && make_dir(f, in(".y")) == 0);
	cr_assert(drop_dir(f, in(".a")) == 0 && drop_dir(f, in(".b.")) == 0 && drop_dir(f, in("a.")) == 0);
	cr_assert(drop_dir(f, in("xy")) == 0 && drop_dir(f, in(".y")) == 0);
	cr_assert(drop_dir(f, in("")) == 0);
}

CONFORMS(flags_of_an_open_say_what_may_be_there)
{
	int fd;

	cr_assert(make_dir(f, in("")) == 0);
	cr_assert(open_path(f, in("file"), O_RDONLY) == -ENOENT);
	cr_assert(open_path(f, in("file/"), O_CREAT | O_WRONLY) == -EISDIR);
	touch(f, in("file"));
	cr_assert(open_path(f, in("file"), O_CREAT | O_EXCL | O_RDWR) == -EEXIST);
	cr_assert(open_path(f, in("file/"), O_RDONLY) == -ENOTDIR);
	cr_assert(open_path(f, in("file"), O_RDONLY | O_DIRECTORY) == -ENOTDIR);
	cr_assert(open_path(f, in("file"), O_TMPFILE | O_RDWR) == -ENOTDIR);
	cr_assert(open_path(f, in("none"), O_TMPFILE | O_RDWR) == -ENOENT);
	cr_assert(open_path(f, in(""), O_WRONLY) == -EISDIR && open_path(f, in(""), O_CREAT | O_RDONLY) == -EISDIR);
	fd = open_path(f, in("file"), O_CREAT | O_RDONLY);
	cr_assert(fd >= 0);
	close_it(f, fd);
	fd = open_path(f, in(""), O_TMPFILE | O_RDWR);
	cr_assert(fd >= 0 && at(f, MAGI_IO_WRITE, fd, (char[]){ "x" }, 1, 0) == 1);
	close_it(f, fd);
	cr_assert(drop(f, in("file")) == 0);
	cr_assert(drop_dir(f, in("")) == 0, "what has no name is not there");
}

CONFORMS(a_file_is_read_and_written_as_it_was_opened)
{
	struct iovec iov = { (char[1]){ 0 }, 1 };
	char byte = 'x';
	int fd;

	cr_assert(make_dir(f, in("")) == 0);
	fd = open_path(f, in("file"), O_CREAT | O_WRONLY);
	cr_assert(at(f, MAGI_IO_READ, fd, &byte, 1, 0) == -EBADF);
	cr_assert(at(f, MAGI_IO_READV, fd, &iov, 1, 0) == -EBADF);
	cr_assert(at(f, MAGI_IO_WRITE, fd, (char[]){ "x" }, 1, 0) == 1);
	close_it(f, fd);
	fd = open_path(f, in("file"), O_RDONLY);
	cr_assert(at(f, MAGI_IO_WRITE, fd, &byte, 1, 0) == -EBADF);
	cr_assert(at(f, MAGI_IO_WRITEV, fd, &iov, 1, 0) == -EBADF);
	cr_assert(at(f, MAGI_IO_READV, fd, &iov, 1, 0) == 1 && *(char *)iov.iov_base == 'x');
	close_it(f, fd);
	fd = open_path(f, in("file"), O_RDWR | O_APPEND | O_DSYNC);
	cr_assert(at(f, MAGI_IO_WRITE, fd, (char[]){ "y" }, 1, 0) == 1, "at the end, whatever the offset");
	cr_assert(at(f, MAGI_IO_WRITE, fd, (char[]){ "" }, 0, 0) == 0);
	cr_assert(at(f, MAGI_IO_READ, fd, &byte, 1, 1) == 1 && byte == 'y');
	cr_assert(at(f, MAGI_IO_READ, fd, &byte, 1, 2) == 0);
	close_it(f, fd);
	fd = open_path(f, in("file"), O_RDWR | O_TRUNC);
	cr_assert(at(f, MAGI_IO_READ, fd, &byte, 1, 0) == 0);
	close_it(f, fd);
	fd = open_path(f, in(""), O_RDONLY | O_DIRECTORY);
	cr_assert(at(f, MAGI_IO_READ, fd, &byte, 1, 0) == -EISDIR);
	cr_assert(at(f, MAGI_IO_WRITE, fd, &byte, 1, 0) == -EBADF);
	close_it(f, fd);
	cr_assert(drop(f, in("file")) == 0 && drop_dir(f, in("")) == 0);
}

CONFORMS(the_position_goes_on_with_what_was_moved)
{
	char bytes[4] = "";
	int fd;

	cr_assert(make_dir(f, in("")) == 0);
	fd = open_path(f, in("file"), O_CREAT | O_RDWR);
	cr_assert(at(f, MAGI_IO_WRITE, fd, (char[]){ "a" }, 1, UINT64_MAX) == 1);
	cr_assert(at(f, MAGI_IO_WRITE, fd, (char[]){ "b" }, 1, UINT64_MAX) == 1);
	cr_assert(at(f, MAGI_IO_READ, fd, bytes, 1, UINT64_MAX) == 0, "that is the end");
	cr_assert(at(f, MAGI_IO_READ, fd, bytes, 1, 0) == 1 && bytes[0] == 'a');
	cr_assert(at(f, MAGI_IO_READ, fd, bytes, 1, 1) == 1 && bytes[0] == 'b');
	close_it(f, fd);
	cr_assert(drop(f, in("file")) == 0 && drop_dir(f, in("")) == 0);
}

CONFORMS(the_null_device_takes_all_and_has_nothing)
{
	int fd = open_path(f, "/dev/null", O_RDWR | O_TRUNC);
	char byte = 'x';

	cr_assert(at(f, MAGI_IO_WRITE, fd, &byte, 1, 0) == 1 && at(f, MAGI_IO_READ, fd, &byte, 1, 0) == 0);
	cr_assert(do_move(f, MAGI_IO_FSYNC, fd, NULL, 0, 0) == -EINVAL);
	close_it(f, fd);
}

CONFORMS(a_rename_takes_the_place_of_its_like)
{
	cr_assert(make_dir(f, in("")) == 0 && make_dir(f, in("d")) == 0 && make_dir(f, in("e")) == 0);
	touch(f, in("a"));
	touch(f, in("b"));
	touch(f, in("e/full"));
	cr_assert(move(f, in("a"), in("b")) == 0 && drop(f, in("a")) == -ENOENT);
	cr_assert(move(f, in("b"), in("b")) == 0 && move(f, in("none"), in("b")) == -ENOENT);
	cr_assert(move(f, in("b"), in("d")) == -EISDIR && move(f, in("d"), in("b")) == -ENOTDIR);
	cr_assert(move(f, in("b"), in("c/")) == -ENOTDIR && move(f, in("b"), in("none/c")) == -ENOENT);
	cr_assert(move(f, in("d"), in("e")) == -ENOTEMPTY && move(f, in("e"), in("d")) == 0);
	cr_assert(move(f, in("d"), in("d/below")) == -EINVAL && move(f, in("d"), in("d")) == 0);
	cr_assert(move(f, "/", in("x")) == -EBUSY && move(f, in("b"), "/") == -EBUSY);
	cr_assert(drop(f, in("d/full")) == 0 && drop_dir(f, in("d")) == 0 && drop(f, in("b")) == 0);
	cr_assert(drop_dir(f, in("")) == 0);
}

CONFORMS(a_name_begins_at_a_directory)
{
	int dir, file;

	cr_assert(make_dir(f, in("")) == 0 && make_dir(f, in("d")) == 0);
	touch(f, in("file"));
	dir = open_path(f, in("d"), O_RDONLY | O_DIRECTORY);
	file = open_path(f, in("file"), O_RDONLY);
	cr_assert(move_to(f, in("file"), file, "x") == -ENOTDIR);
	cr_assert(move_to(f, in("file/x"), dir, "x") == -ENOTDIR);
	cr_assert(move_to(f, in("file"), dir, "x") == 0);
	cr_assert(open_at(f, file, "x", O_RDONLY, 0) == -ENOTDIR);
	cr_assert(open_at(f, dir, "../file", O_RDONLY, RESOLVE_BENEATH) == -EXDEV);
	cr_assert(open_at(f, dir, "../d/x", O_RDONLY, RESOLVE_BENEATH) == -EXDEV);
	cr_assert(open_at(f, dir, "/tmp", O_RDONLY, RESOLVE_BENEATH) == -EXDEV);
	cr_assert(open_at(f, dir, "e/../../x", O_RDONLY, RESOLVE_BENEATH) == -ENOENT);
	close_it(f, file);
	file = open_at(f, dir, "./x", O_RDONLY, RESOLVE_BENEATH);
	cr_assert(file >= 0);
	close_it(f, file);
	cr_assert(drop(f, in("d/x")) == 0);
	cr_assert(make_dir(f, in("d/e")) == 0);
	file = open_at(f, dir, "e/../e/", O_RDONLY, RESOLVE_BENEATH);
	cr_assert(file >= 0, "%d", file);
	close_it(f, file);
	cr_assert(drop_dir(f, in("d/e")) == 0 && drop_dir(f, in("d")) == 0);
	cr_assert(open_at(f, dir, "x", O_CREAT | O_WRONLY, 0) == -ENOENT, "what was removed holds nothing any more");
	close_it(f, dir);
	touch(f, in("file"));
	cr_assert(move_to(f, in("file"), dir, "x") == -EBADF);
	cr_assert(open_at(f, dir, "x", O_RDONLY, 0) == -EBADF);
	cr_assert(drop(f, in("file")) == 0 && drop_dir(f, in("")) == 0);
}

CONFORMS(a_socket_is_not_opened)
{
	union address where = path_of("not-opened");
	int fd = bound(AF_UNIX, SOCK_STREAM, where);

	cr_assert(open_path(f, where.local.sun_path, O_RDWR) == -ENXIO);
	cr_assert(do_unlink(f, where) == 0);
	CLOSE(fd);
}

CONFORMS(descriptors_run_out_before_a_file_is_made)
{
	int fd;

	cr_assert(make_dir(f, in("")) == 0);
	fx_no_fds(f, true);
	if (f->kind == FX_COMPLETION || f->kind == FX_READINESS) { /* its files are the system's, which has some left */
		fx_no_fds(f, false);
	} else {
		fd = open_path(f, in("file"), O_CREAT | O_WRONLY);
		fx_no_fds(f, false);
		cr_assert(fd == -EMFILE, "%d", fd);
	}
	cr_assert(drop_dir(f, in("")) == 0);
}
