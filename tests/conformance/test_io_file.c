/* SPDX-License-Identifier: MIT */
/* test_io_file.c - the contract: operations on files and paths. */
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "conformance/fixture.h"

static struct magi_req at(uint8_t code, int fd, void *addr, uint32_t len, uint64_t offset)
{
	return (struct magi_req){ .code = code, .fd = fd, .addr = addr, .len = len, .offset = offset };
}

CONFORMS(files_are_read_at_an_offset_up_to_their_end)
{
	char in[16];
	int fd = fx_file(f, "0123456789", 10);
	int n = fx_do(f, at(MAGI_IO_READ, fd, in, 16, 6));

	cr_assert(n >= 1 && n <= 4);
	cr_assert(memcmp(in, "6789", (size_t)n) == 0);
	cr_assert(fx_do(f, at(MAGI_IO_READ, fd, in, 16, 10)) == 0);
	fx_close_fd(f, fd);
}

CONFORMS(files_grow_when_written)
{
	char in[4];
	int fd = fx_file(f, "ab", 2);
	int n = fx_do(f, at(MAGI_IO_WRITE, fd, (char[]){ "xy" }, 2, 4)), m;

	cr_assert(n == 1 || n == 2);
	m = fx_do(f, at(MAGI_IO_READ, fd, in, 4, 2));
	cr_assert(m >= 1 && memcmp(in, "\0\0xy", (size_t)m) == 0);
	cr_assert(fx_do(f, (struct magi_req){ .code = MAGI_IO_FSYNC, .fd = fd }) == 0);
	cr_assert(fx_do(f, (struct magi_req){ .code = MAGI_IO_FSYNC, .fd = fd, .op_flags = 1 }) == 0);
	fx_close_fd(f, fd);
}

CONFORMS(the_file_position_is_used_when_no_offset_is_given)
{
	char in[12]; /* a read that asks for more than there is may write all of what it was given */
	int fd = fx_file(f, "0123456789", 10), got = 0;

	while (got < 10) {
		int n = fx_do(f, at(MAGI_IO_READ, fd, in + got, 3, UINT64_MAX));

		cr_assert(n >= 1 && n <= 3);
		got += n;
		cr_assert(got <= 10);
	}
	cr_assert(memcmp(in, "0123456789", 10) == 0);
	fx_close_fd(f, fd);
}

CONFORMS(vectors_gather_and_scatter)
{
	struct iovec out[2] = { { (char[]){ "abc" }, 3 }, { (char[]){ "defg" }, 4 } };
	char a[5], b[5];
	struct iovec in[2] = { { a, 5 }, { b, 5 } };
	int fd = fx_file(f, "", 0);
	int wrote = fx_do(f, at(MAGI_IO_WRITEV, fd, out, 2, 0)), n;

	cr_assert(wrote >= 1 && wrote <= 7);
	n = fx_do(f, at(MAGI_IO_READV, fd, in, 2, 0));
	cr_assert(n >= 1 && n <= wrote);
	cr_assert(memcmp(a, "abcdefg", (size_t)(n < 5 ? n : 5)) == 0);
	cr_assert(n <= 5 || memcmp(b, "fg", (size_t)n - 5) == 0);
	fx_close_fd(f, fd);
}

CONFORMS(a_file_tells_its_size)
{
	struct statx st;
	int fd = fx_file(f, "0123456789", 10);
	struct magi_req req = at(MAGI_IO_STAT, fd, (char[]){ "" }, STATX_SIZE | STATX_TYPE, 0);

	req.op_flags = AT_EMPTY_PATH;
	req.addr2 = &st;
	cr_assert(fx_do(f, req) == 0);
	cr_assert(st.stx_size == 10 && S_ISREG(st.stx_mode));
	fx_close_fd(f, fd);
}

CONFORMS(paths_are_made_opened_renamed_and_removed)
{
	char dir[64], file[80], moved[80];
	struct open_how how = { .flags = O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, .mode = 0600 };
	struct magi_req req = { .fd = AT_FDCWD };
	int fd;

	snprintf(dir, sizeof(dir), "/tmp/magpie-io-%d", (int)getpid());
	snprintf(file, sizeof(file), "%s/a", dir);
	snprintf(moved, sizeof(moved), "%s/b", dir);
	req.code = MAGI_IO_MKDIR;
	req.addr = dir;
	req.op_flags = 0700;
	cr_assert(fx_do(f, req) == 0);
	req = (struct magi_req){ .code = MAGI_IO_OPEN, .fd = AT_FDCWD, .addr = file, .addr2 = &how };
	fd = fx_do(f, req);
	cr_assert(fd >= 0);
	cr_assert(fx_do(f, req) == -EEXIST);
	cr_assert(fx_do(f, at(MAGI_IO_WRITE, fd, (char[]){ "x" }, 1, 0)) == 1);
	cr_assert(fx_do(f, (struct magi_req){ .code = MAGI_IO_CLOSE, .fd = fd }) == 0);
	req = (struct magi_req){ .code = MAGI_IO_RENAME, .fd = AT_FDCWD, .addr = file, .len = (uint32_t)AT_FDCWD,
				 .addr2 = moved };
	cr_assert(fx_do(f, req) == 0);
	req = (struct magi_req){ .code = MAGI_IO_UNLINK, .fd = AT_FDCWD, .addr = file };
	cr_assert(fx_do(f, req) == -ENOENT);
	req.addr = moved;
	cr_assert(fx_do(f, req) == 0);
	req.addr = dir;
	req.op_flags = AT_REMOVEDIR;
	cr_assert(fx_do(f, req) == 0);
}

/* What an open gives after its cancel is a descriptor all the same: it must be told, or it leaks. */
CONFORMS(an_open_that_beats_its_cancel_gives_its_descriptor)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC };
	int next = fx_next_fd();

	for (int i = 0; i < 50; i++) {
		struct magi_req req = { .code = MAGI_IO_OPEN, .fd = AT_FDCWD, .addr = (char[]){ "/dev/null" },
					.addr2 = &how };
		uint64_t token = fx_submit(f, req);
		int res;

		f->ops->cancel(f->io, token);
		res = fx_wait(f, token).res;
		cr_assert(res >= 0 || res == -ECANCELED || res == -EINTR, "%d", res);
		if (res >= 0)
			f->kind == FX_HOSTED ? magi_world_close(f->world, res) : close(res);
	}
	cr_assert(fx_next_fd() == next);
}
