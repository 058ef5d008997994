/* SPDX-License-Identifier: MIT */
/* test_epoll_fd.c - what the epoll backend knows of descriptors: many of them, renamed, waited for in several ways. */
#include <pty.h>
#include <sys/resource.h>
#include <sys/un.h>

#include "unit/epoll_io.h"

enum { HIGH = 16 * MAGI_EPOLL_CHUNK + 3000 }; /* further than the directory of chunks reaches at first */

/* A duplicate with a high number; the test ends where there may be none. */
static int high(int fd)
{
	struct rlimit limit;
	int copy;

	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur <= HIGH && limit.rlim_max > HIGH) {
		limit.rlim_cur = HIGH + 1;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	copy = fcntl(fd, F_DUPFD_CLOEXEC, HIGH);
	if (copy < 0)
		cr_skip_test("there are no descriptors of so high a number");
	return copy;
}

Test(epoll_fd, a_high_number_is_served_as_any_other, .timeout = 20)
{
	struct magi_epoll *u = open_io(NULL);
	char in[4];
	int fds[2], copy;

	tcp_pair(fds);
	copy = high(fds[0]);
	submit(u, recv_of(copy, 7, in, sizeof(in), 1));
	expect_silence(u);
	cr_assert_eq(send(fds[1], "high", 4, 0), 4);
	cr_assert(result_of(u, 1) == 4 && !memcmp(in, "high", 4));
	close(copy);
	close(fds[0]);
	close(fds[1]);
	close_io(u);
}

Test(epoll_fd, a_number_for_which_there_is_no_memory_says_so, .timeout = 20)
{
	struct magi_epoll *u = open_io(NULL);
	char in[4];
	int fds[2], copy;

	tcp_pair(fds);
	copy = high(fds[0]);
	submit(u, recv_of(fds[0], 7, in, sizeof(in), 1)); /* room for requests is there now */
	expect_silence(u);
	for (uint64_t n = 1; n <= 2; n++) { /* the directory; a chunk */
		magi_fault_plan(n, 0);
		submit(u, recv_of(copy, 8, in, sizeof(in), 2));
		cr_assert_eq(result_of(u, 2), -ENOMEM, "%d", (int)n);
		magi_fault_plan(0, 0);
	}
	ops->cancel((struct magi_io *)u, 1);
	cr_assert_eq(result_of(u, 1), -ECANCELED);
	close(copy);
	close(fds[0]);
	close(fds[1]);
	close_io(u);
}

Test(epoll_fd, a_wild_number_costs_no_memory, .timeout = 20)
{
	static const int wild[] = { -1, INT_MIN, INT_MAX, HIGH };
	struct magi_epoll *u = open_io(NULL);
	char in[4];

	for (size_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
		submit(u, recv_of(wild[i], 7, in, sizeof(in), 1));
		cr_assert_eq(result_of(u, 1), -EBADF);
	}
	cr_assert_eq(u->chunk_count, 16);
	close_io(u);
}

/* It was released and adopted again: epoll has it registered still. Tried: without the second try, -EEXIST is told. */
Test(epoll_fd, the_same_file_under_a_new_name_is_heard, .timeout = 20)
{
	struct magi_epoll *u = open_io(NULL);
	char in[4];
	int fds[2];

	tcp_pair(fds);
	submit(u, recv_of(fds[0], 7, in, sizeof(in), 1));
	expect_silence(u);
	ops->cancel((struct magi_io *)u, 1);
	cr_assert_eq(result_of(u, 1), -ECANCELED);
	submit(u, recv_of(fds[0], 8, in, sizeof(in), 2));
	expect_silence(u);
	cr_assert_eq(send(fds[1], "new", 3, 0), 3);
	cr_assert_eq(result_of(u, 2), 3);
	close(fds[0]);
	close(fds[1]);
	close_io(u);
}

Test(epoll_fd, of_a_file_without_a_name_nothing_is_believed, .timeout = 20)
{
	struct magi_epoll *u = open_io(NULL);
	char a[4], b[4];
	int fds[2];

	tcp_pair(fds);
	submit(u, recv_of(fds[0], 7, a, sizeof(a), 1));
	expect_silence(u);
	submit(u, recv_of(fds[0], 0, b, sizeof(b), 2));
	cr_assert_eq(result_of(u, 1), -EBADF, "it may be another's by now");
	expect_silence(u);
	cr_assert_eq(send(fds[1], "x", 1, 0), 1);
	cr_assert_eq(result_of(u, 2), 1);
	close(fds[0]);
	close(fds[1]);
	close_io(u);
}

/* An event for one who sends is none for one who waits for data. */
Test(epoll_fd, each_is_told_what_it_has_asked_for, .timeout = 20)
{
	enum { SIZE = 1 << 20 };
	struct magi_epoll *u = open_io(NULL);
	char *bytes = calloc(1, SIZE);
	struct magi_req send_much = { .code = MAGI_IO_SEND, .file = 7, .addr = bytes, .len = SIZE, .token = 1 };
	struct magi_req poll_in = { .code = MAGI_IO_POLL, .file = 7, .op_flags = POLLIN, .token = 2 };
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	send_much.fd = poll_in.fd = fds[0];
	submit(u, send_much);
	cr_assert_gt(result_of(u, 1), 0);
	submit(u, send_much);
	submit(u, poll_in);
	expect_silence(u);
	while (recv(fds[1], bytes, SIZE, MSG_DONTWAIT) > 0)
		;
	cr_assert_gt(result_of(u, 1), 0);
	while (recv(fds[1], bytes, SIZE, MSG_DONTWAIT) > 0)
		;
	expect_silence(u);
	cr_assert_eq(send(fds[1], "x", 1, 0), 1);
	cr_assert_eq(result_of(u, 2), POLLIN);
	close(fds[0]);
	close(fds[1]);
	free(bytes);
	close_io(u);
}

/* A device that knows no reads that do not block, and has no position. */
Test(epoll_fd, a_terminal_is_looked_at_and_then_read, .timeout = 20)
{
	struct magi_epoll *u = open_io(NULL);
	struct magi_req read_some = { .code = MAGI_IO_READ, .len = 8, .offset = UINT64_MAX, .token = 1, .file = 7 };
	struct magi_req write_some = { .code = MAGI_IO_WRITE, .len = 3, .offset = UINT64_MAX, .token = 2, .file = 7 };
	char in[8], out[] = "abc";
	int master, slave;

	if (openpty(&master, &slave, NULL, NULL, NULL) < 0)
		cr_skip_test("there are no terminals here");
	read_some.fd = write_some.fd = slave;
	read_some.addr = in;
	write_some.addr = out;
	for (int i = 0; i < 2; i++) {
		submit(u, read_some);
		expect_silence(u);
		cr_assert_eq(write(master, "line\n", 5), 5);
		cr_assert(result_of(u, 1) == 5 && !memcmp(in, "line\n", 5));
	}
	submit(u, write_some);
	cr_assert_eq(result_of(u, 2), 3);
	close(master);
	close(slave);
	close_io(u);
}

/* Two wait for a listener without room; the number of one is another file's meanwhile. */
Test(epoll_fd, who_naps_does_not_wake_as_somebody_else, .timeout = 20)
{
	struct magi_epoll *u = open_io(NULL);
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct magi_req req = { .code = MAGI_IO_CONNECT, .file = 7, .addr = &at, .len = sizeof(at), .token = 1 };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), first, two[2], taken[2];
	char in[4];

	snprintf(at.sun_path + 1, sizeof(at.sun_path) - 1, "magpie-epoll-fd-%d", (int)getpid());
	cr_assert(bind(listener, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(listener, 0) == 0);
	first = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(connect(first, (struct sockaddr *)&at, sizeof(at)), 0);
	for (int i = 0; i < 2; i++) {
		req.fd = two[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		req.token = (uint64_t)i + 1;
		submit(u, req);
	}
	expect_silence(u);
	submit(u, recv_of(two[0], 8, in, sizeof(in), 3)); /* the number is the next file's */
	cr_assert_eq(result_of(u, 3), -EINVAL, "that is not connected");
	cr_assert_eq(result_of(u, 1), -EBADF);
	taken[0] = accept(listener, NULL, NULL);
	cr_assert_eq(result_of(u, 2), 0);
	taken[1] = accept(listener, NULL, NULL);
	cr_assert(taken[0] >= 0 && taken[1] >= 0);
	close(taken[0]);
	close(taken[1]);
	close(two[0]);
	close(two[1]);
	close(first);
	close(listener);
	close_io(u);
}
