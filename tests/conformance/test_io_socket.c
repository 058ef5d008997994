/* SPDX-License-Identifier: MIT */
/* test_io_socket.c - stream sockets in states, and on files, where an operation has no business. */
#include <poll.h>
#include <signal.h>

#include "conformance/sockets.h"

/* What each operation that needs a socket says of this descriptor. */
static void all_say(struct fixture *f, int fd, int rc)
{
	static const uint8_t codes[] = { MAGI_IO_RECV, MAGI_IO_SEND, MAGI_IO_SHUTDOWN, MAGI_IO_ACCEPT };
	struct iovec iov = { (char[1]){ 0 }, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	char byte = 0;

	for (size_t i = 0; i < sizeof(codes); i++) {
		bool moves = codes[i] < MAGI_IO_SHUTDOWN && codes[i] != MAGI_IO_ACCEPT;
		int said = do_move(f, codes[i], fd, moves ? &byte : NULL, moves, 0);

		cr_assert(said == rc, "code %d: %d", codes[i], said);
	}
	cr_assert(do_move(f, MAGI_IO_RECVMSG, fd, &msg, 0, 0) == rc);
	cr_assert(do_move(f, MAGI_IO_SENDMSG, fd, &msg, 0, 0) == rc);
	cr_assert(do_connect(f, fd, v4(INADDR_LOOPBACK, 1)) == rc);
}

CONFORMS(a_file_is_no_socket)
{
	int fd = magi_sys_open("/dev/null", O_RDWR | O_CLOEXEC);

	all_say(f, fd, -ENOTSOCK);
	CLOSE(fd);
}

CONFORMS(a_closed_descriptor_is_none)
{
	int fd = magi_sys_open("/dev/null", O_RDWR | O_CLOEXEC);

	CLOSE(fd);
	all_say(f, fd, -EBADF);
	cr_assert(do_move(f, MAGI_IO_POLL, fd, NULL, 0, POLLIN) == -EBADF);
	cr_assert(do_move(f, MAGI_IO_FSYNC, fd, NULL, 0, 0) == -EBADF);
	cr_assert(do_move(f, MAGI_IO_CLOSE, fd, NULL, 0, 0) == -EBADF);
}

CONFORMS(what_is_not_connected_carries_nothing)
{
	int stream = socket_of(AF_INET, SOCK_STREAM), local = socket_of(AF_UNIX, SOCK_STREAM);
	int listener = socket_of(AF_INET, SOCK_STREAM);
	char byte = 0;

	cr_assert(magi_sys_listen(listener, 1) == 0);
	cr_assert(do_move(f, MAGI_IO_RECV, stream, &byte, 1, 0) == -ENOTCONN);
	cr_assert(do_move(f, MAGI_IO_RECV, listener, &byte, 1, 0) == -ENOTCONN);
	cr_assert(do_move(f, MAGI_IO_RECV, local, &byte, 1, 0) == -EINVAL);
	cr_assert(do_move(f, MAGI_IO_SEND, stream, &byte, 1, 0) == -EPIPE);
	cr_assert(do_move(f, MAGI_IO_SEND, listener, &byte, 1, 0) == -EPIPE);
	cr_assert(do_move(f, MAGI_IO_SEND, local, &byte, 1, 0) == -ENOTCONN);
	cr_assert(do_move(f, MAGI_IO_SHUTDOWN, stream, NULL, 0, SHUT_WR) == -ENOTCONN);
	cr_assert(do_move(f, MAGI_IO_ACCEPT, stream, NULL, 0, 0) == -EINVAL);
	CLOSE(stream, local, listener);
}

CONFORMS(a_connection_is_made_once)
{
	int listener = bound(AF_INET, SOCK_STREAM, v4(INADDR_LOOPBACK, 0)), fd = socket_of(AF_INET, SOCK_STREAM);
	union address at = name_of(listener), six = v6(in6addr_loopback, 1), path = path_of("nobody");
	int local = socket_of(AF_UNIX, SOCK_STREAM), other;

	cr_assert(magi_sys_listen(listener, 4) == 0);
	cr_assert(do_connect(f, fd, six) == -EAFNOSUPPORT);
	cr_assert(do_connect(f, local, at) == -EINVAL);
	cr_assert(do_connect(f, local, path) == -ENOENT);
	cr_assert(do_move(f, MAGI_IO_CONNECT, fd, &at, 1, 0) == -EINVAL);
	cr_assert(do_move(f, MAGI_IO_CONNECT, fd, &at, sizeof(at.v4) - 1, 0) == -EINVAL);
	cr_assert(do_connect(f, listener, at) == -EISCONN);
	cr_assert(bind_to(local, path) == 0 && magi_sys_listen(local, 1) == 0);
	cr_assert(do_connect(f, local, path) == -EINVAL && do_unlink(f, path) == 0);
	cr_assert(do_connect(f, fd, at) == 0);
	do_connect(f, fd, at); /* Linux tells a socket that did not wait once more that it is connected */
	cr_assert(do_connect(f, fd, at) == -EISCONN);
	other = do_accept(f, listener);
	cr_assert(other >= 0);
	cr_assert(do_connect(f, other, at) == -EISCONN);
	cr_assert(do_move(f, MAGI_IO_ACCEPT, other, NULL, 0, 0) == -EINVAL);
	CLOSE(listener, fd, local, other);
}

CONFORMS(an_accepted_descriptor_has_the_flags_that_were_asked_for)
{
	int listener = bound(AF_INET, SOCK_STREAM, v4(INADDR_LOOPBACK, 0));
	int a = socket_of(AF_INET, SOCK_STREAM), b = socket_of(AF_INET, SOCK_STREAM), plain, eager;

	cr_assert(magi_sys_listen(listener, 4) == 0);
	cr_assert(do_connect(f, a, name_of(listener)) == 0 && do_connect(f, b, name_of(listener)) == 0);
	plain = do_accept(f, listener);
	eager = do_move(f, MAGI_IO_ACCEPT, listener, NULL, 0, SOCK_NONBLOCK | SOCK_CLOEXEC);
	cr_assert(plain >= 0 && magi_sys_fcntl(plain, F_GETFL, 0) == O_RDWR);
	cr_assert(eager >= 0 && magi_sys_fcntl(eager, F_GETFL, 0) == (O_RDWR | O_NONBLOCK));
	CLOSE(listener, a, b, plain, eager);
}

CONFORMS(an_ipv6_listener_hears_ipv4_too)
{
	int both = bound(AF_INET6, SOCK_STREAM, v6(in6addr_any, 0)), only = socket_of(AF_INET6, SOCK_STREAM);
	int four = socket_of(AF_INET, SOCK_STREAM), six = socket_of(AF_INET6, SOCK_STREAM), in;
	union address peer;
	socklen_t len = sizeof(peer);

	set_on(only, IPPROTO_IPV6, IPV6_V6ONLY);
	cr_assert(bind_to(only, v6(in6addr_any, 0)) == 0 && magi_sys_listen(only, 4) == 0);
	cr_assert(do_connect(f, four, v4(INADDR_LOOPBACK, port_of(only))) == -ECONNREFUSED);
	cr_assert(do_connect(f, six, v6(in6addr_loopback, port_of(both))) == -ECONNREFUSED, "not yet");
	CLOSE(four, six);
	four = bound(AF_INET, SOCK_STREAM, v4(INADDR_ANY, 0));
	six = socket_of(AF_INET6, SOCK_STREAM);
	cr_assert(magi_sys_listen(four, 4) == 0);
	cr_assert(do_connect(f, six, v6(in6addr_loopback, port_of(four))) == -ECONNREFUSED, "nor the other way round");
	CLOSE(four, six);
	four = socket_of(AF_INET, SOCK_STREAM);
	six = socket_of(AF_INET6, SOCK_STREAM);
	cr_assert(magi_sys_listen(both, 4) == 0);
	cr_assert(do_connect(f, four, v4(INADDR_LOOPBACK, port_of(both))) == 0);
	in = fx_do(f, (struct magi_req){ .code = MAGI_IO_ACCEPT, .fd = both, .addr = &peer, .addr2 = &len });
	cr_assert(in >= 0 && len == sizeof(peer.v6) && peer.any.sa_family == AF_INET6);
	cr_assert(IN6_IS_ADDR_V4MAPPED(&peer.v6.sin6_addr) && ntohs(peer.v6.sin6_port) == port_of(four));
	CLOSE(in);
	cr_assert(do_connect(f, six, v6(in6addr_loopback, port_of(both))) == 0);
	in = do_accept(f, both);
	peer = name_of(in);
	cr_assert(in >= 0 && IN6_IS_ADDR_LOOPBACK(&peer.v6.sin6_addr));
	CLOSE(in, four, six, both, only);
}

CONFORMS(an_address_of_nobody_in_particular_means_this_host)
{
	int listener = bound(AF_INET6, SOCK_STREAM, v6(in6addr_loopback, 0)), six = socket_of(AF_INET6, SOCK_STREAM);
	int other = socket_of(AF_INET6, SOCK_STREAM);
	struct in6_addr far = in6addr_loopback;

	cr_assert(magi_sys_listen(listener, 4) == 0);
	cr_assert(do_connect(f, six, v6(in6addr_any, port_of(listener))) == 0);
	if (f->kind == FX_HOSTED) { /* all addresses are of the one machine; each is a host of its own */
		far.s6_addr[0] = 0xfd;
		cr_assert(do_connect(f, other, v6(far, port_of(listener))) == -ECONNREFUSED);
	}
	CLOSE(listener, six, other);
}

CONFORMS(each_direction_is_shut_down_by_itself)
{
	char byte = 'x', in = 0;
	int pair[2], pipe[2];

	cr_assert(magi_sys_socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	fx_pipe(f, pipe);
	cr_assert(do_move(f, MAGI_IO_SHUTDOWN, pipe[0], NULL, 0, SHUT_RD) == -ENOTSOCK);
	cr_assert(do_move(f, MAGI_IO_SHUTDOWN, pipe[1], NULL, 0, SHUT_WR) == -ENOTSOCK);
	cr_assert(do_move(f, MAGI_IO_SHUTDOWN, pair[0], NULL, 0, 7) == -EINVAL);
	cr_assert(do_move(f, MAGI_IO_SHUTDOWN, pair[0], NULL, 0, SHUT_RD) == 0);
	cr_assert(do_move(f, MAGI_IO_RECV, pair[0], &in, 1, 0) == 0);
	cr_assert(do_move(f, MAGI_IO_SEND, pair[1], &byte, 1, 0) == -EPIPE);
	cr_assert(do_move(f, MAGI_IO_SEND, pair[0], &byte, 1, 0) == 1, "the other direction is as before");
	cr_assert(do_move(f, MAGI_IO_RECV, pair[1], &in, 1, 0) == 1 && in == 'x');
	CLOSE(pair[0], pair[1]);
	fx_close_fd(f, pipe[0]);
	fx_close_fd(f, pipe[1]);
}

CONFORMS(a_pipe_has_a_direction)
{
	char byte = 'x';
	int fds[2];

	fx_pipe(f, fds);
	cr_assert(fx_do(f, (struct magi_req){ .code = MAGI_IO_READ, .fd = fds[1], .addr = &byte, .len = 1,
					      .offset = UINT64_MAX }) == -EBADF);
	cr_assert(fx_do(f, (struct magi_req){ .code = MAGI_IO_WRITE, .fd = fds[0], .addr = &byte, .len = 1,
					      .offset = UINT64_MAX }) == -EBADF);
	cr_assert(fx_do(f, (struct magi_req){ .code = MAGI_IO_FSYNC, .fd = fds[0] }) == -EINVAL);
	fx_close_fd(f, fds[0]);
	fx_close_fd(f, fds[1]);
}

CONFORMS(who_will_not_wait_is_told_at_once)
{
	char byte = 0, *much = calloc(1, 1 << 20);
	int pair[2], n;

	cr_assert(magi_sys_socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	cr_assert(do_move(f, MAGI_IO_RECV, pair[0], &byte, 1, MSG_DONTWAIT) == -EAGAIN);
	do
		n = do_move(f, MAGI_IO_SEND, pair[0], much, 1 << 20, MSG_DONTWAIT);
	while (n > 0);
	cr_assert(n == -EAGAIN, "%d", n);
	n = do_move(f, MAGI_IO_SEND, pair[1], much, 1 << 20, MSG_DONTWAIT | MSG_WAITALL);
	cr_assert(n > 0 && n < 1 << 20, "as much as there is room for: %d", n);
	CLOSE(pair[0], pair[1]);
	free(much);
}

CONFORMS(a_stream_is_read_and_written_in_pieces)
{
	char a[2] = "", b[2] = "", in[4] = "";
	struct iovec out[2] = { { (char[]){ "ab" }, 2 }, { (char[]){ "cd" }, 2 } }, back[2] = { { a, 2 }, { b, 2 } };
	int pair[2], sent, got;

	cr_assert(magi_sys_socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	sent = fx_do(f, (struct magi_req){ .code = MAGI_IO_WRITEV, .fd = pair[0], .addr = out, .len = 2 });
	cr_assert(sent >= 1 && sent <= 4);
	cr_assert(do_move(f, MAGI_IO_RECV, pair[1], in, 4, MSG_PEEK) >= 1 && in[0] == 'a');
	got = fx_do(f, (struct magi_req){ .code = MAGI_IO_READV, .fd = pair[1], .addr = back, .len = 2 });
	cr_assert(got >= 1 && got <= sent && a[0] == 'a', "%d", got);
	cr_assert(got < 3 || b[0] == 'c');
	cr_assert(do_move(f, MAGI_IO_SEND, pair[0], in, 1, 0) == 1);
	cr_assert(do_move(f, MAGI_IO_RECV, pair[1], in, 0, 0) == 0, "no room is no end");
	cr_assert(do_move(f, MAGI_IO_RECV, pair[1], in, 1, MSG_PEEK | MSG_WAITALL) == 1);
	CLOSE(pair[0], pair[1]);
}

/* Of what was asked for: io_uring tells of a hangup that was not. */
static int events_of(struct fixture *f, int fd, int wanted)
{
	return do_move(f, MAGI_IO_POLL, fd, NULL, 0, (uint32_t)wanted) & (wanted | POLLERR | POLLHUP);
}

CONFORMS(poll_tells_what_a_socket_could_do)
{
	int fresh = socket_of(AF_INET, SOCK_STREAM), listener = bound(AF_INET, SOCK_STREAM, v4(INADDR_LOOPBACK, 0));
	int client = socket_of(AF_INET, SOCK_STREAM), file = magi_sys_open("/dev/null", O_RDWR | O_CLOEXEC), pair[2];
	uint64_t token;

	cr_assert(magi_sys_listen(listener, 4) == 0);
	cr_assert(events_of(f, fresh, POLLOUT) & POLLHUP, "it is not connected");
	cr_assert(events_of(f, file, POLLIN | POLLOUT) == (POLLIN | POLLOUT));
	token = fx_submit(f, (struct magi_req){ .code = MAGI_IO_POLL, .fd = listener, .op_flags = POLLIN });
	cr_assert(do_connect(f, client, name_of(listener)) == 0);
	cr_assert(fx_wait(f, token).res == POLLIN);
	cr_assert(events_of(f, client, POLLOUT) == POLLOUT);
	cr_assert(magi_sys_socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
	cr_assert(do_move(f, MAGI_IO_SEND, pair[0], (char[]){ "x" }, 1, 0) == 1);
	cr_assert(events_of(f, pair[1], POLLIN | POLLOUT) == (POLLIN | POLLOUT));
	CLOSE(pair[0], pair[1]);
	cr_assert(magi_sys_socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	cr_assert(do_move(f, MAGI_IO_SHUTDOWN, pair[0], NULL, 0, SHUT_RD) == 0);
	cr_assert(events_of(f, pair[0], POLLIN | POLLRDHUP) & POLLRDHUP, "it will hear no more");
	CLOSE(pair[0], pair[1]);
	cr_assert(magi_sys_socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	cr_assert(do_move(f, MAGI_IO_SHUTDOWN, pair[0], NULL, 0, SHUT_WR) == 0);
	cr_assert(events_of(f, pair[1], POLLIN | POLLRDHUP) == (POLLIN | POLLRDHUP), "an end, in one direction");
	CLOSE(pair[0]);
	cr_assert(events_of(f, pair[1], POLLIN | POLLOUT) == (POLLIN | POLLOUT | POLLHUP), "and now in both");
	CLOSE(fresh, listener, client, file, pair[1]);
}

CONFORMS(a_pipe_that_nobody_reads_is_an_error)
{
	int fds[2];

	signal(SIGPIPE, SIG_IGN); /* write(2) knows no MSG_NOSIGNAL */
	fx_pipe(f, fds);
	cr_assert(events_of(f, fds[1], POLLOUT) == POLLOUT);
	fx_close_fd(f, fds[0]);
	cr_assert(events_of(f, fds[1], POLLOUT) == (POLLOUT | POLLERR));
	cr_assert(fx_do(f, (struct magi_req){ .code = MAGI_IO_WRITE, .fd = fds[1], .addr = (char[]){ "x" }, .len = 1,
					      .offset = UINT64_MAX }) == -EPIPE);
	fx_close_fd(f, fds[1]);
}

CONFORMS(a_close_with_bytes_unread_after_the_other_end_has_gone)
{
	int pair[2];

	cr_assert(magi_sys_socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	cr_assert(do_move(f, MAGI_IO_SEND, pair[0], (char[]){ "x" }, 1, 0) == 1);
	CLOSE(pair[0]);
	while (!(events_of(f, pair[1], POLLIN) & POLLHUP))
		; /* in a simulation the end takes its time */
	CLOSE(pair[1]);
}

CONFORMS(a_connect_waits_for_room_at_its_listener)
{
	union address at = path_of("full");
	int listener = bound(AF_UNIX, SOCK_STREAM, at), fds[3], in[3], waits = 0;
	uint64_t token;

	cr_assert(magi_sys_listen(listener, 0) == 0);
	fds[0] = socket_of(AF_UNIX, SOCK_STREAM);
	cr_assert(do_connect(f, fds[0], at) == 0);
	fds[1] = socket_of(AF_UNIX, SOCK_STREAM);
	token = fx_submit(f, (struct magi_req){ .code = MAGI_IO_CONNECT, .fd = fds[1], .addr = &at,
						.len = length_of(&at) });
	fx_poll(f, 0);
	waits = fx_terminals(f, token) == 0;
	in[0] = do_accept(f, listener);
	cr_assert(in[0] >= 0 && waits);
	cr_assert(fx_wait(f, token).res == 0);
	in[1] = do_accept(f, listener);
	cr_assert(in[1] >= 0 && do_unlink(f, at) == 0);
	CLOSE(listener, fds[0], fds[1], in[0], in[1]);
}

CONFORMS(an_accept_that_waits_can_be_cancelled)
{
	int listener = bound(AF_INET, SOCK_STREAM, v4(INADDR_LOOPBACK, 0));
	uint64_t token;
	int res;

	cr_assert(magi_sys_listen(listener, 4) == 0);
	token = fx_submit(f, (struct magi_req){ .code = MAGI_IO_ACCEPT, .fd = listener });
	fx_poll(f, 0);
	f->ops->cancel(f->io, token);
	res = fx_wait(f, token).res;
	cr_assert(res == -ECANCELED || res == -EINTR, "%d", res);
	CLOSE(listener);
}

CONFORMS(a_status_is_of_the_descriptor_or_of_a_path)
{
	int socket = socket_of(AF_INET, SOCK_STREAM), dir = magi_sys_open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statx st = { 0 };
	struct magi_req req = { .code = MAGI_IO_STAT, .fd = socket, .addr = (char[]){ "" }, .addr2 = &st,
				.op_flags = AT_EMPTY_PATH, .len = STATX_BASIC_STATS };

	cr_assert(fx_do(f, req) == 0 && S_ISSOCK(st.stx_mode));
	req.fd = dir;
	cr_assert(fx_do(f, req) == 0 && S_ISDIR(st.stx_mode));
	req.addr = (char[]){ "../dev/null" };
	cr_assert(fx_do(f, req) == 0 && S_ISCHR(st.stx_mode));
	req.fd = socket;
	cr_assert(fx_do(f, req) == -ENOTDIR);
	cr_assert(magi_sys_statx(dir, "", 0, STATX_BASIC_STATS, &st) == -ENOENT);
	req.fd = AT_FDCWD;
	req.addr = (char[]){ "/tmp/none-such" };
	cr_assert(fx_do(f, req) == -ENOENT);
	cr_assert(magi_sys_statx(dir, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st) == 0 && S_ISDIR(st.stx_mode));
	cr_assert(magi_sys_statx(dir, "none-such", 0, STATX_BASIC_STATS, &st) == -ENOENT);
	CLOSE(socket, dir);
	cr_assert(magi_sys_statx(dir, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st) == -EBADF);
}

CONFORMS(only_files_are_sent_and_looked_at)
{
	int listener = bound(AF_INET, SOCK_STREAM, v4(INADDR_LOOPBACK, 0)), fd = socket_of(AF_INET, SOCK_STREAM);
	int file = fx_file(f, "0123456789", 10);
	char bytes[4];
	struct iovec iov = { bytes, sizeof(bytes) };

	cr_assert(magi_sys_listen(listener, 4) == 0 && do_connect(f, fd, name_of(listener)) == 0);
	cr_assert(magi_sys_preadv2(fd, &iov, 1, 0, 0) == -ESPIPE);
	CLOSE(fd);
	cr_assert(magi_sys_preadv2(fd, &iov, 1, 0, 0) == -EBADF);
	if (f->kind == FX_URING || f->kind == FX_EPOLL || f->kind == FX_HOSTED) { /* where the file is the system's */
		cr_assert(magi_sys_sendfile(fd, file, 0, 4) == -EBADF && magi_sys_sendfile(file, fd, 0, 4) == -EBADF);
		fd = socket_of(AF_INET, SOCK_STREAM);
		cr_assert(do_connect(f, fd, name_of(listener)) == 0);
		cr_assert(magi_sys_preadv2(file, &iov, 1, 8, 0) == 2 && !memcmp(bytes, "89", 2));
		cr_assert(magi_sys_sendfile(fd, listener, 0, 4) == -ESPIPE, "that is no file");
		cr_assert(magi_sys_sendfile(fd, file, 10, 4) == 0, "nothing is there");
		cr_assert(magi_sys_sendfile(fd, file, 8, 1 << 20) == 2);
		CLOSE(fd);
	}
	fx_close_fd(f, file);
	CLOSE(listener);
}
