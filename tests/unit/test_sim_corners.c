/* SPDX-License-Identifier: MIT */
/* test_sim_corners.c - where the simulated world ends: what it lacks, how much of it there is, how it is told. */
#include <stdio.h>
#include <sys/un.h>

#include "io/sim_world.h"
#include "support/fakeio.h"

static int simple(struct fake_io *f, uint8_t code, int fd)
{
	return fake_do(f, (struct magi_req){ .code = code, .fd = fd });
}

static int make_dir(struct fake_io *f, const char *path)
{
	return fake_do(f, (struct magi_req){ .code = MAGI_IO_MKDIR, .fd = AT_FDCWD, .addr = (void *)(uintptr_t)path,
					     .op_flags = 0700 });
}

static int drop(struct fake_io *f, const char *path, uint32_t flags)
{
	return fake_do(f, (struct magi_req){ .code = MAGI_IO_UNLINK, .fd = AT_FDCWD, .addr = (void *)(uintptr_t)path,
					     .op_flags = flags });
}

static void remember(void *ctx, int fd, const char *kind, const char *text)
{
	char *to = ctx;

	(void)fd;
	sprintf(to + strlen(to), "%s %s;", kind, text);
}

static int bound_to(int family, int type, const void *addr, socklen_t len)
{
	int fd = magi_sys_socket(family, type, 0);

	cr_assert(fd >= 0);
	cr_assert_eq(magi_sys_bind(fd, addr, len), 0);
	return fd;
}

static void close_from(int first, int last)
{
	for (int fd = first; fd <= last; fd++)
		cr_assert_eq(magi_sys_close(fd), 0);
}

Test(sim_corners, each_kind_of_descriptor_is_told_by_its_name, .timeout = 10)
{
	struct sockaddr_un path = { .sun_family = AF_UNIX, .sun_path = "/tmp/s" };
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "\0name" };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = in6addr_loopback, .sin6_port = htons(7) };
	const socklen_t at = offsetof(struct sockaddr_un, sun_path);
	char told[600] = "";
	struct fake_io f;
	int first, pair[2];

	fake_open(&f, 1);
	first = magi_sys_socket(AF_INET, SOCK_STREAM, 0);
	bound_to(AF_INET6, SOCK_DGRAM, &six, sizeof(six));
	cr_assert_eq(magi_sys_listen(bound_to(AF_UNIX, SOCK_STREAM, &path, at + 6), 1), 0);
	bound_to(AF_UNIX, SOCK_DGRAM, &name, at + 5);
	cr_assert_eq(magi_world_pair(f.host.world, pair), 0);
	cr_assert_eq(magi_world_pipe(f.host.world, pair), 0);
	cr_assert_geq(fake_open_path(&f, AT_FDCWD, "/", O_RDONLY), 0);
	cr_assert_eq(make_dir(&f, "/tmp/d"), 0);
	cr_assert_geq(fake_open_path(&f, AT_FDCWD, "/tmp/d", O_RDONLY), 0);
	cr_assert_geq(fake_open_path(&f, AT_FDCWD, "/tmp/d/file", O_RDWR | O_CREAT), 0);
	cr_assert_geq(fake_open_path(&f, AT_FDCWD, "/tmp/gone", O_RDWR | O_CREAT), 0);
	cr_assert_eq(drop(&f, "/tmp/gone", 0), 0);
	magi_world_each_open(f.host.world, remember, told);
	cr_assert_str_eq(told, "socket (none);datagram [::1]:7;listener unix:/tmp/s;datagram unix:@name;"
			       "stream (none);stream (none);pipe (none);pipe (none);directory /;directory /tmp/d;"
			       "file /tmp/d/file;file (no name);");
	close_from(first, first + 11);
	fake_close(&f);
}

Test(sim_corners, a_name_that_is_too_long_to_be_told_is_none, .timeout = 10)
{
	char told[600] = "", path[600] = "/tmp";
	struct fake_io f;
	int fd;

	fake_open(&f, 1);
	for (int i = 0; i < 2; i++) {
		snprintf(path + strlen(path), sizeof(path) - strlen(path), "/%0200d", i);
		cr_assert_eq(make_dir(&f, path), 0);
	}
	fd = fake_open_path(&f, AT_FDCWD, path, O_RDONLY);
	magi_world_each_open(f.host.world, remember, told);
	cr_assert_str_eq(told, "directory (no name);");
	cr_assert_eq(magi_sys_close(fd), 0);
	fake_close(&f);
}

Test(sim_corners, what_is_no_descriptor_of_the_world_is_none, .timeout = 10)
{
	struct fake_io f;
	int fd;

	fake_open(&f, 1);
	fd = magi_sys_socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(magi_sys_close(3), -EBADF);
	cr_assert_eq(magi_sys_close(MAGI_SIM_FD + 1000000), -EBADF);
	cr_assert_eq(magi_world_reset(f.host.world, 3), -EBADF);
	cr_assert_eq(magi_world_reset(f.host.world, fd), -EBADF, "no connection");
	cr_assert_eq(magi_sys_close(fd), 0);
	fake_close(&f);
}

Test(sim_corners, there_are_no_more_descriptors_than_it_was_told, .timeout = 10)
{
	struct fake_io f;
	int pair[2], fd;

	fake_open(&f, 1);
	fd = magi_sys_socket(AF_INET, SOCK_STREAM, 0);
	magi_world_limit_fds(f.host.world, 0);
	cr_assert_eq(magi_sys_socket(AF_INET, SOCK_STREAM, 0), -EMFILE);
	cr_assert_eq(magi_world_file(f.host.world, "x", 1), -EMFILE);
	cr_assert_eq(magi_world_listener(f.host.world), -EMFILE);
	cr_assert_eq(magi_world_pair(f.host.world, pair), -EMFILE);
	cr_assert_eq(magi_sys_socketpair(AF_UNIX, SOCK_STREAM, 0, pair), -EMFILE);
	cr_assert_eq(magi_sys_open("/dev/null", O_RDONLY), -EMFILE);
	cr_assert_eq(magi_sys_close(fd), 0);
	fake_close(&f);
}

Test(sim_corners, what_the_world_does_not_have_is_refused, .timeout = 10)
{
	struct sockaddr_un path = { .sun_family = AF_UNIX, .sun_path = "/tmp/s" };
	struct sockaddr_in four = fake_v4(INADDR_LOOPBACK, 80);
	char control[CMSG_SPACE(sizeof(int))] = "";
	struct msghdr msg = { .msg_control = control, .msg_controllen = sizeof(control) };
	struct fake_io f;
	int fd, streams[2], packets[2];

	fake_open(&f, 1);
	cr_assert_eq(magi_sys_socket(AF_UNIX, SOCK_SEQPACKET, 0), -ESOCKTNOSUPPORT, "only in pairs");
	fd = magi_sys_socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(magi_sys_connect(fd, (struct sockaddr *)&four, sizeof(four)), -EOPNOTSUPP, "it would wait");
	cr_assert_eq(magi_sys_socketpair(AF_UNIX, SOCK_STREAM, 0, streams), 0);
	cr_assert_eq(magi_sys_socketpair(AF_UNIX, SOCK_DGRAM, 0, packets), 0);
	cr_assert_eq(magi_sys_bind(packets[0], (struct sockaddr *)&path, sizeof(path)), -EINVAL);
	cr_assert_eq(magi_sys_connect(packets[0], (struct sockaddr *)&path, sizeof(path)), -EISCONN);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_SENDMSG, streams[0], &msg, 0)), -EOPNOTSUPP, "no descriptors");
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_SENDMSG, packets[0], &msg, 0)), -EOPNOTSUPP);
	cr_assert_eq(fake_open_path(&f, AT_FDCWD, "/tmp/d", O_RDONLY | O_CREAT | O_DIRECTORY), -EINVAL);
	close_from(fd, fd + 4);
	fake_close(&f);
}

Test(sim_corners, a_file_has_a_greatest_size, .timeout = 10)
{
	struct fake_io f;
	int fd;

	fake_open(&f, 1);
	fd = fake_open_path(&f, AT_FDCWD, "/tmp/a", O_RDWR | O_CREAT);
	cr_assert_eq(fake_do(&f, fake_file(MAGI_IO_WRITE, fd, "x", 1, UINT32_MAX)), -EFBIG);
	cr_assert_eq(fake_do(&f, fake_file(MAGI_IO_READ, fd, (char[1]){ 0 }, 1, UINT32_MAX)), 0);
	cr_assert_eq(magi_sys_close(fd), 0);
	fake_close(&f);
}

Test(sim_corners, a_directory_that_was_removed_leads_nowhere, .timeout = 10)
{
	struct fake_io f;
	int dir;

	fake_open(&f, 1);
	cr_assert_eq(make_dir(&f, "/tmp/d"), 0);
	dir = fake_open_path(&f, AT_FDCWD, "/tmp/d", O_RDONLY | O_DIRECTORY);
	cr_assert_eq(drop(&f, "/tmp/d", AT_REMOVEDIR), 0);
	cr_assert_eq(fake_open_path(&f, dir, "..", O_RDONLY), -ENOENT);
	cr_assert_eq(magi_sys_close(dir), 0);
	fake_close(&f);
}

Test(sim_corners, a_directory_keeps_its_names_when_its_sync_fails, .timeout = 10)
{
	struct fake_io f;
	int dir;

	fake_open(&f, 1);
	cr_assert_eq(make_dir(&f, "/tmp/d"), 0);
	dir = fake_open_path(&f, AT_FDCWD, "/tmp", O_RDONLY | O_DIRECTORY);
	f.host.one_in[MAGI_CHANCE_DISK] = 1;
	cr_assert_eq(simple(&f, MAGI_IO_FSYNC, dir), -EIO);
	cr_assert_lt(make_dir(&f, "/tmp/e"), 0);
	f.host.one_in[MAGI_CHANCE_DISK] = 0;
	cr_assert_eq(make_dir(&f, "/tmp/d"), -EEXIST);
	cr_assert_eq(magi_sys_close(dir), 0);
	fake_close(&f);
}

Test(sim_corners, a_power_cut_before_the_first_file_leaves_the_first_files, .timeout = 10)
{
	struct fake_io f;
	int fd;

	fake_open(&f, 1);
	magi_sim_ops.close(f.io, fake_take, NULL);
	magi_world_power_cut(f.host.world);
	cr_assert_eq(magi_sim_ops.open(&f.io, &(struct magi_io_params){ .world = f.host.world }), 0);
	fd = fake_open_path(&f, AT_FDCWD, "/tmp", O_RDONLY);
	cr_assert_geq(fd, 0);
	cr_assert_eq(magi_sys_close(fd), 0);
	fake_close(&f);
}

static uint16_t next_port(int *fd)
{
	struct sockaddr_in in = fake_v4(INADDR_ANY, 0);
	socklen_t len = sizeof(in);

	*fd = bound_to(AF_INET, SOCK_STREAM, &in, sizeof(in));
	cr_assert_eq(magi_sys_getsockname(*fd, (struct sockaddr *)&in, &len), 0);
	return ntohs(in.sin_port);
}

Test(sim_corners, ports_begin_again_and_leave_out_what_is_taken, .timeout = 10)
{
	struct sockaddr_in taken = fake_v4(INADDR_LOOPBACK, 32768);
	struct fake_io f;
	int fds[3];

	fake_open(&f, 1);
	fds[0] = bound_to(AF_INET, SOCK_STREAM, &taken, sizeof(taken));
	f.host.world->next_port = 60999;
	cr_assert_eq(next_port(&fds[1]), 60999);
	cr_assert_eq(next_port(&fds[2]), 32769);
	close_from(fds[0], fds[2]);
	fake_close(&f);
}

Test(sim_corners, a_full_listener_is_asked_again_and_in_the_end_no_more, .timeout = 10)
{
	struct sockaddr_in at = fake_v4(INADDR_LOOPBACK, 80);
	struct magi_req connect = fake_move(MAGI_IO_CONNECT, 0, &at, sizeof(at));
	uint64_t began, tokens[2];
	struct fake_io f;
	int listener, first, in;

	fake_open(&f, 1);
	listener = bound_to(AF_INET, SOCK_STREAM, &at, sizeof(at));
	cr_assert_eq(magi_sys_listen(listener, 1), 0);
	first = connect.fd = magi_sys_socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(fake_do(&f, connect), 0);
	for (int i = 0; i < 2; i++) {
		connect.fd = magi_sys_socket(AF_INET, SOCK_STREAM, 0);
		tokens[i] = fake_submit(&f, connect);
	}
	fake_pass(&f, MAGI_NS_PER_MS);
	began = magi_clock_ns();
	in = simple(&f, MAGI_IO_ACCEPT, listener);
	cr_assert_eq(fake_wait_for(&f, tokens[0]), 0);
	cr_assert_geq(magi_clock_ns() - began, MAGI_NS_PER_S / 2, "it asks once a second");
	cr_assert_eq(fake_wait_for(&f, tokens[1]), -ETIMEDOUT);
	cr_assert_geq(magi_clock_ns() - began, 9 * MAGI_NS_PER_S);
	cr_assert_eq(in, first + 3);
	close_from(listener, in);
	fake_close(&f);
}

Test(sim_corners, all_of_a_message_waits_for_room_piece_by_piece, .timeout = 10)
{
	struct iovec iov[3] = { { (char[]){ "ab" }, 2 }, { NULL, 0 }, { (char[]){ "cd" }, 2 } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 3 };
	struct magi_req all = { .code = MAGI_IO_SENDMSG, .addr = &msg, .op_flags = MSG_WAITALL };
	char in[4] = "", part[2], rest[2];
	struct iovec back[3] = { { part, 2 }, { NULL, 0 }, { rest, 2 } };
	struct msghdr into = { .msg_iov = back, .msg_iovlen = 3 };
	struct fake_io f;
	uint64_t token;
	int pair[2];

	fake_open(&f, 1);
	magi_world_stream_bytes(f.host.world, 0); /* the least there is */
	cr_assert_eq(magi_world_pair(f.host.world, pair), 0);
	all.fd = pair[0];
	token = fake_submit(&f, all);
	for (int i = 0; i < 4; i++)
		cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_RECV, pair[1], in + i, 1)), 1);
	cr_assert_eq(fake_wait_for(&f, token), 4);
	cr_assert(!memcmp(in, "abcd", 4));
	token = fake_submit(&f, all);
	all = (struct magi_req){ .code = MAGI_IO_RECVMSG, .fd = pair[1], .addr = &into, .op_flags = MSG_WAITALL };
	cr_assert_eq(fake_do(&f, all), 4);
	cr_assert(!memcmp(part, "ab", 2) && !memcmp(rest, "cd", 2));
	cr_assert_eq(fake_wait_for(&f, token), 4);
	close_from(pair[0], pair[1]);
	fake_close(&f);
}

Test(sim_corners, a_cancelled_receive_tells_what_it_had, .timeout = 10)
{
	struct fake_io f;
	char in[8];
	uint64_t token;
	int pair[2];

	fake_open(&f, 1);
	cr_assert_eq(magi_world_pair(f.host.world, pair), 0);
	token = fake_submit(&f, (struct magi_req){ .code = MAGI_IO_RECV, .fd = pair[1], .addr = in, .len = 8,
						   .op_flags = MSG_WAITALL });
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_SEND, pair[0], (char[]){ "abc" }, 3)), 3);
	fake_pass(&f, MAGI_NS_PER_MS);
	cr_assert(magi_sim_ops.cancel(f.io, token));
	cr_assert_eq(fake_wait_for(&f, token), 3);
	cr_assert(!memcmp(in, "abc", 3));
	close_from(pair[0], pair[1]);
	fake_close(&f);
}

Test(sim_corners, what_does_not_wait_is_not_cancelled, .timeout = 10)
{
	static const uint8_t codes[] = { MAGI_IO_NOP, MAGI_IO_SHUTDOWN, MAGI_IO_CLOSE };
	struct fake_io f;
	int pair[2];

	fake_open(&f, 1);
	cr_assert_eq(magi_world_pair(f.host.world, pair), 0);
	for (int i = 0; i < 3; i++) {
		uint64_t token = fake_submit(&f, (struct magi_req){ .code = codes[i], .fd = pair[0] });

		cr_assert(magi_sim_ops.cancel(f.io, token));
		cr_assert_eq(fake_wait_for(&f, token), 0);
	}
	cr_assert_eq(magi_sys_close(pair[1]), 0);
	fake_close(&f);
}

Test(sim_corners, a_connect_that_is_cancelled_late_has_been_heard, .timeout = 10)
{
	struct sockaddr_in at = fake_v4(INADDR_LOOPBACK, 80);
	int heard = 0;

	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct fake_io f;
		uint64_t accept, connect;
		int listener, fd, res;

		fake_open(&f, seed);
		listener = bound_to(AF_INET, SOCK_STREAM, &at, sizeof(at));
		fd = magi_sys_socket(AF_INET, SOCK_STREAM, 0);
		cr_assert_eq(magi_sys_listen(listener, 4), 0);
		f.host.one_in[MAGI_CHANCE_CANCEL] = 1;
		connect = fake_submit(&f, fake_move(MAGI_IO_CONNECT, fd, &at, sizeof(at)));
		fake_poll(&f, 0);
		cr_assert(magi_sim_ops.cancel(f.io, connect));
		cr_assert(magi_sim_ops.cancel(f.io, connect), "and once more");
		f.host.one_in[MAGI_CHANCE_CANCEL] = 0;
		res = fake_wait_for(&f, connect);
		cr_assert(res == 0 || res == -ECANCELED, "%d", res);
		accept = fake_submit(&f, fake_move(MAGI_IO_ACCEPT, listener, NULL, 0));
		fake_pass(&f, MAGI_NS_PER_S);
		cr_assert_not_null(fake_find(&f, accept), "the other side has heard of it");
		heard += res == -ECANCELED;
		cr_assert_eq(magi_sys_close(fake_wait_for(&f, accept)), 0);
		close_from(listener, fd);
		fake_close(&f);
	}
	cr_assert(heard > 0 && heard < 40, "%d of 40 were cancelled all the same", heard);
}

/* ASan sees what is left. */
Test(sim_corners, a_run_that_is_broken_off_leaves_no_memory, .timeout = 10)
{
	struct fake_io f;
	char byte;
	int fd[2];

	fake_open(&f, 1);
	fake_connection(&f, fd);
	fake_submit(&f, fake_move(MAGI_IO_RECV, fd[0], &byte, 1));
	fake_poll(&f, 0);
	cr_assert_eq(magi_world_open_fds(f.host.world), 2);
	fake_submit(&f, (struct magi_req){ .code = MAGI_IO_NOP });
	f.host.one_in[MAGI_CHANCE_DELAY] = 1;
	fake_submit(&f, fake_move(MAGI_IO_SEND, fd[0], &byte, 1));
	fake_poll(&f, 0);
	cr_assert_gt(magi_world_ops_pending(f.host.world), 0);
	fake_end(&f.host);
}

Test(sim_corners, as_much_may_be_under_way_as_there_is, .timeout = 10)
{
	enum { N = 100 };
	struct fake_io f;
	struct sockaddr_in to;
	char byte;
	int fds[N], from;

	fake_open(&f, 1);
	from = magi_sys_socket(AF_INET, SOCK_DGRAM, 0);
	for (int i = 0; i < N; i++) {
		to = fake_v4(INADDR_LOOPBACK, (uint16_t)(1000 + i));
		fds[i] = bound_to(AF_INET, SOCK_DGRAM, &to, sizeof(to));
		cr_assert_eq(magi_sys_connect(from, (struct sockaddr *)&to, sizeof(to)), 0);
		cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_SEND, from, (char[]){ "x" }, 1)), 1);
	}
	for (int i = 0; i < N; i++)
		cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_RECV, fds[i], &byte, 1)), 1);
	close_from(from, fds[N - 1]);
	fake_close(&f);
}

Test(sim_corners, a_datagram_finds_no_buffer_although_some_were_given, .timeout = 10)
{
	struct magi_req req = { .code = MAGI_IO_RECV, .flags = MAGI_REQ_BUFFER };
	struct fake_io f;
	int pair[2];

	fake_open(&f, 1);
	cr_assert_eq(magi_sys_socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	cr_assert(magi_sim_ops.give(f.io, malloc(MAGI_BUFFER_BYTES)));
	req.fd = pair[1];
	f.host.one_in[MAGI_CHANCE_BUFFERS] = 1;
	cr_assert_eq(fake_do(&f, req), -ENOBUFS);
	close_from(pair[0], pair[1]);
	fake_close(&f);
}

Test(sim_corners, a_network_that_is_parted_already_stays_so, .timeout = 10)
{
	struct fake_io f;
	char byte = 0;
	uint64_t token;
	int fd[2];

	fake_open(&f, 1);
	fake_connection(&f, fd);
	magi_world_partition(f.host.world, true);
	magi_world_partition(f.host.world, true);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_SEND, fd[0], (char[]){ "x" }, 1)), 1);
	token = fake_submit(&f, fake_move(MAGI_IO_RECV, fd[1], &byte, 1));
	fake_pass(&f, MAGI_NS_PER_S);
	cr_assert_null(fake_find(&f, token));
	magi_world_partition(f.host.world, false);
	magi_world_partition(f.host.world, false);
	cr_assert(fake_wait_for(&f, token) == 1 && byte == 'x');
	close_from(fd[0], fd[1]);
	fake_close(&f);
}
