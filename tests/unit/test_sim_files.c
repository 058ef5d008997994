/* SPDX-License-Identifier: MIT */
/* test_sim_files.c - the simulated disk: names, contents, and what a power cut leaves. */
#include <stdio.h>
#include <sys/stat.h>

#include "support/fakeio.h"

static int path_op(struct fake_io *f, uint8_t code, const char *path, uint32_t flags)
{
	return fake_do(f, (struct magi_req){ .code = code, .fd = AT_FDCWD, .addr = (void *)(uintptr_t)path,
					     .op_flags = flags });
}

static int make_dir(struct fake_io *f, const char *path)
{
	return path_op(f, MAGI_IO_MKDIR, path, 0700);
}

static int move(struct fake_io *f, const char *from, const char *to)
{
	return fake_do(f, (struct magi_req){ .code = MAGI_IO_RENAME, .fd = AT_FDCWD, .addr = (void *)(uintptr_t)from,
					     .len = (uint32_t)AT_FDCWD, .addr2 = (void *)(uintptr_t)to });
}

static void put(struct fake_io *f, const char *path, const char *text, bool sync)
{
	int fd = fake_open_path(f, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC), n = (int)strlen(text);

	cr_assert(fd >= 0, "%s: %d", path, fd);
	cr_assert_eq(fake_do(f, fake_file(MAGI_IO_WRITE, fd, text, (uint32_t)n, 0)), n);
	if (sync)
		cr_assert_eq(fake_do(f, (struct magi_req){ .code = MAGI_IO_FSYNC, .fd = fd }), 0);
	cr_assert_eq(fake_do(f, (struct magi_req){ .code = MAGI_IO_CLOSE, .fd = fd }), 0);
}

static void sync_dir(struct fake_io *f, const char *path)
{
	int fd = fake_open_path(f, AT_FDCWD, path, O_RDONLY | O_DIRECTORY);

	cr_assert(fd >= 0);
	cr_assert_eq(fake_do(f, (struct magi_req){ .code = MAGI_IO_FSYNC, .fd = fd }), 0);
	cr_assert_eq(magi_sys_close(fd), 0);
}

/* The contents, or a negative error. */
static int get(struct fake_io *f, const char *path, char text[64])
{
	int fd = fake_open_path(f, AT_FDCWD, path, O_RDONLY), n;

	if (fd < 0)
		return fd;
	n = fake_do(f, fake_file(MAGI_IO_READ, fd, text, 63, 0));
	cr_assert(n >= 0);
	text[n] = 0;
	cr_assert_eq(magi_sys_close(fd), 0);
	return n;
}

Test(sim_files, errors_of_names_are_the_kernels, .timeout = 10)
{
	struct fake_io f;

	fake_open(&f, 1);
	cr_assert_eq(make_dir(&f, "/tmp/d"), 0);
	cr_assert_eq(make_dir(&f, "/tmp/d"), -EEXIST);
	cr_assert_eq(make_dir(&f, "/tmp/none/d"), -ENOENT);
	put(&f, "tmp/d/file", "abc", false);
	cr_assert_eq(make_dir(&f, "/tmp/d/file/x"), -ENOTDIR);
	cr_assert_eq(fake_open_path(&f, AT_FDCWD, "/tmp/d/file", O_CREAT | O_EXCL | O_RDWR), -EEXIST);
	cr_assert_eq(fake_open_path(&f, AT_FDCWD, "/tmp/d", O_RDWR), -EISDIR);
	cr_assert_eq(fake_open_path(&f, AT_FDCWD, "/tmp/d/file", O_RDONLY | O_DIRECTORY), -ENOTDIR);
	cr_assert_eq(fake_open_path(&f, AT_FDCWD, "/tmp/d/file/", O_RDONLY), -ENOTDIR);
	cr_assert_eq(fake_open_path(&f, AT_FDCWD, "/tmp/e", O_RDONLY), -ENOENT);
	cr_assert_eq(fake_open_path(&f, AT_FDCWD, "", O_RDONLY), -ENOENT);
	cr_assert_eq(path_op(&f, MAGI_IO_UNLINK, "/tmp/d", AT_REMOVEDIR), -ENOTEMPTY);
	cr_assert_eq(path_op(&f, MAGI_IO_UNLINK, "/tmp/d", 0), -EISDIR);
	cr_assert_eq(path_op(&f, MAGI_IO_UNLINK, "/tmp/d/file", AT_REMOVEDIR), -ENOTDIR);
	cr_assert_eq(path_op(&f, MAGI_IO_UNLINK, "/tmp/../tmp/./d//file", 0), 0);
	cr_assert_eq(path_op(&f, MAGI_IO_UNLINK, "/tmp/d/file", 0), -ENOENT);
	cr_assert_eq(path_op(&f, MAGI_IO_UNLINK, "/tmp/d", AT_REMOVEDIR), 0);
	cr_assert_eq(magi_world_open_fds(f.host.world), 0);
	fake_close(&f);
}

Test(sim_files, a_directory_is_a_place_to_start_from, .timeout = 10)
{
	struct open_how beneath = { .flags = O_RDONLY, .resolve = RESOLVE_BENEATH };
	struct magi_req req = { .code = MAGI_IO_OPEN, .addr2 = &beneath };
	struct fake_io f;
	int dir, fd;

	fake_open(&f, 1);
	put(&f, "/tmp/a", "a", false);
	cr_assert_eq(make_dir(&f, "/tmp/d"), 0);
	put(&f, "/tmp/d/b", "b", false);
	dir = fake_open_path(&f, AT_FDCWD, "/tmp/d", O_RDONLY | O_DIRECTORY);
	fd = fake_open_path(&f, dir, "../a", O_RDONLY);
	cr_assert(dir >= 0 && fd >= 0);
	req.fd = dir;
	req.addr = (char[]){ "../a" };
	cr_assert_eq(fake_do(&f, req), -EXDEV);
	req.addr = (char[]){ "/tmp/a" };
	cr_assert_eq(fake_do(&f, req), -EXDEV);
	cr_assert_eq(fake_open_path(&f, fd, "x", O_RDONLY), -ENOTDIR);
	cr_assert_eq(fake_do(&f, fake_file(MAGI_IO_READ, dir, (char[4]){ 0 }, 4, 0)), -EISDIR);
	cr_assert_eq(magi_sys_close(fd), 0);
	cr_assert_eq(magi_sys_close(dir), 0);
	fake_close(&f);
}

Test(sim_files, flags_say_where_and_whether_it_is_written, .timeout = 10)
{
	struct fake_io f;
	char text[64];
	int fd;

	fake_open(&f, 1);
	put(&f, "/tmp/a", "begin", false);
	fd = fake_open_path(&f, AT_FDCWD, "/tmp/a", O_WRONLY | O_APPEND);
	cr_assert_eq(fake_do(&f, fake_file(MAGI_IO_WRITE, fd, "+end", 4, 0)), 4);
	cr_assert_eq(fake_do(&f, fake_file(MAGI_IO_READ, fd, text, 4, 0)), -EBADF);
	cr_assert_eq(magi_sys_close(fd), 0);
	cr_assert(get(&f, "/tmp/a", text) == 9 && !strcmp(text, "begin+end"));
	fd = fake_open_path(&f, AT_FDCWD, "/tmp/a", O_RDONLY);
	cr_assert_eq(fake_do(&f, fake_file(MAGI_IO_WRITE, fd, "no", 2, 0)), -EBADF);
	cr_assert_eq(magi_sys_close(fd), 0);
	fd = fake_open_path(&f, AT_FDCWD, "/tmp/a", O_RDWR | O_TRUNC);
	cr_assert_eq(fake_do(&f, fake_file(MAGI_IO_READ, fd, text, 4, 0)), 0);
	cr_assert_eq(magi_sys_close(fd), 0);
	fd = magi_sys_open("/dev/null", O_RDONLY | O_CLOEXEC);
	cr_assert_eq(fake_do(&f, fake_file(MAGI_IO_READ, fd, text, 4, 0)), 0);
	cr_assert_eq(magi_sys_close(fd), 0);
	fake_close(&f);
}

Test(sim_files, a_file_without_a_name_lives_while_it_is_open, .timeout = 10)
{
	struct statx st;
	struct fake_io f;
	char text[4];
	int fd;

	fake_open(&f, 1);
	put(&f, "/tmp/a", "abc", false);
	fd = fake_open_path(&f, AT_FDCWD, "/tmp/a", O_RDONLY);
	cr_assert_eq(path_op(&f, MAGI_IO_UNLINK, "/tmp/a", 0), 0);
	cr_assert_eq(fake_do(&f, fake_file(MAGI_IO_READ, fd, text, 4, 0)), 3);
	cr_assert_eq(magi_sys_statx(fd, "", AT_EMPTY_PATH, 0, &st), 0);
	cr_assert(st.stx_size == 3 && st.stx_nlink == 0 && S_ISREG(st.stx_mode));
	cr_assert_eq(magi_sys_close(fd), 0);
	fake_close(&f);
}

Test(sim_files, a_rename_replaces_what_is_there, .timeout = 10)
{
	struct fake_io f;
	char text[64];

	fake_open(&f, 1);
	put(&f, "/tmp/new", "new", false);
	put(&f, "/tmp/old", "old", false);
	cr_assert_eq(move(&f, "/tmp/new", "/tmp/old"), 0);
	cr_assert(get(&f, "/tmp/old", text) == 3 && !strcmp(text, "new"));
	cr_assert_eq(get(&f, "/tmp/new", text), -ENOENT);
	cr_assert_eq(make_dir(&f, "/tmp/d"), 0);
	cr_assert_eq(make_dir(&f, "/tmp/d/e"), 0);
	cr_assert_eq(move(&f, "/tmp/d", "/tmp/d/e/f"), -EINVAL);
	cr_assert_eq(move(&f, "/tmp/old", "/tmp/d"), -EISDIR);
	cr_assert_eq(move(&f, "/tmp/d", "/tmp/old"), -ENOTDIR);
	cr_assert_eq(move(&f, "/tmp/none", "/tmp/old"), -ENOENT);
	cr_assert_eq(move(&f, "/tmp/d/e", "/tmp/e"), 0);
	cr_assert_eq(make_dir(&f, "/tmp/e/../e/g"), 0);
	fake_close(&f);
}

static void power_cut(struct fake_io *f)
{
	magi_sim_ops.close(f->io, fake_take, NULL);
	magi_world_power_cut(f->host.world);
	cr_assert_eq(magi_sim_ops.open(&f->io, &(struct magi_io_params){ .world = f->host.world }), 0);
}

/* Tried: a power cut that keeps what was written. */
Test(sim_files, a_power_cut_leaves_what_was_synced, .timeout = 10)
{
	struct fake_io f;
	char text[64];

	fake_open(&f, 1);
	put(&f, "/tmp/both", "synced", true);
	put(&f, "/tmp/name", "not synced", false);
	sync_dir(&f, "/tmp");
	put(&f, "/tmp/contents", "synced", true); /* but not its name */
	put(&f, "/tmp/both", "changed since", false);
	cr_assert_eq(move(&f, "/tmp/name", "/tmp/renamed"), 0);
	power_cut(&f);
	cr_assert(get(&f, "/tmp/both", text) == 6 && !strcmp(text, "synced"));
	cr_assert_eq(get(&f, "/tmp/name", text), 0);
	cr_assert_eq(get(&f, "/tmp/contents", text), -ENOENT);
	cr_assert_eq(get(&f, "/tmp/renamed", text), -ENOENT);
	fake_close(&f);
}

Test(sim_files, the_way_to_replace_a_file_for_good, .timeout = 10)
{
	struct fake_io f;
	char text[64];

	fake_open(&f, 1);
	put(&f, "/tmp/a", "one", true);
	sync_dir(&f, "/tmp");
	put(&f, "/tmp/a.new", "two", true);
	cr_assert_eq(move(&f, "/tmp/a.new", "/tmp/a"), 0);
	power_cut(&f);
	cr_assert(get(&f, "/tmp/a", text) == 3 && !strcmp(text, "one"), "the rename was not synced");
	put(&f, "/tmp/a.new", "two", true);
	cr_assert_eq(move(&f, "/tmp/a.new", "/tmp/a"), 0);
	sync_dir(&f, "/tmp");
	power_cut(&f);
	cr_assert(get(&f, "/tmp/a", text) == 3 && !strcmp(text, "two"));
	fake_close(&f);
}

Test(sim_files, a_disk_has_errors_and_a_failed_sync_has_lost_the_data, .timeout = 10)
{
	struct fake_io f;
	char text[8];
	int fd, rc;

	fake_open(&f, 1);
	put(&f, "/tmp/a", "kept", true);
	fd = fake_open_path(&f, AT_FDCWD, "/tmp/a", O_RDWR);
	cr_assert_eq(fake_do(&f, fake_file(MAGI_IO_WRITE, fd, "lost", 4, 0)), 4);
	f.host.one_in[MAGI_CHANCE_DISK] = 1;
	cr_assert_eq(fake_do(&f, fake_file(MAGI_IO_READ, fd, text, 4, 0)), -EIO);
	rc = fake_do(&f, fake_file(MAGI_IO_WRITE, fd, "more", 4, 0));
	cr_assert(rc == -EIO || rc == -ENOSPC);
	cr_assert_eq(fake_do(&f, (struct magi_req){ .code = MAGI_IO_FSYNC, .fd = fd }), -EIO);
	f.host.one_in[MAGI_CHANCE_DISK] = 0;
	cr_assert_eq(fake_do(&f, (struct magi_req){ .code = MAGI_IO_FSYNC, .fd = fd }), 0);
	cr_assert_eq(fake_do(&f, fake_file(MAGI_IO_READ, fd, text, 4, 0)), 4);
	cr_assert(!memcmp(text, "kept", 4));
	cr_assert_eq(magi_sys_close(fd), 0);
	fake_close(&f);
}

static void remember(void *ctx, int fd, const char *kind, const char *text)
{
	char *to = ctx;

	(void)fd;
	sprintf(to + strlen(to), "%s %s;", kind, text);
}

Test(sim_files, what_is_open_is_told_by_name, .timeout = 10)
{
	struct fake_io f;
	char told[200] = "";
	int fd, pair[2];

	fake_open(&f, 1);
	put(&f, "/tmp/a", "", false);
	fd = fake_open_path(&f, AT_FDCWD, "/tmp/a", O_RDONLY);
	fake_connection(&f, pair);
	magi_world_each_open(f.host.world, remember, told);
	cr_assert_str_eq(told, "file /tmp/a;stream 127.0.0.1:32769 to 127.0.0.1:32768;"
			       "stream 127.0.0.1:32768 to 127.0.0.1:32769;");
	cr_assert(magi_sys_close(fd) == 0 && magi_sys_close(pair[0]) == 0 && magi_sys_close(pair[1]) == 0);
	fake_close(&f);
}
