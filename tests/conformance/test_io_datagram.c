/* SPDX-License-Identifier: MIT */
/* test_io_datagram.c - datagrams: whom they reach, what they may hold, what is left of them. */
#include <poll.h>

#include "conformance/sockets.h"

static int send_to(struct fixture *f, int fd, union address *to, const char *text)
{
	struct iovec iov = { (void *)(uintptr_t)text, strlen(text) };
	struct msghdr msg = { .msg_name = to, .msg_namelen = to ? length_of(to) : 0, .msg_iov = &iov, .msg_iovlen = 1 };

	return do_move(f, MAGI_IO_SENDMSG, fd, &msg, 0, 0);
}

/* The bytes of the next one, with a zero behind them; where it came from. */
static int receive(struct fixture *f, int fd, char *text, size_t size, union address *from, int flags)
{
	struct iovec iov = { text, size - 1 };
	union address ignored;
	struct msghdr msg = { .msg_name = from ? from : &ignored, .msg_namelen = sizeof(*from), .msg_iov = &iov,
			      .msg_iovlen = 1 };
	int n = do_move(f, MAGI_IO_RECVMSG, fd, &msg, 0, (uint32_t)flags);

	if (n >= 0 && (size_t)n < size)
		text[n] = 0;
	return n;
}

CONFORMS(a_datagram_has_a_sender_that_can_be_answered)
{
	int a = bound(AF_INET, SOCK_DGRAM, v4(INADDR_LOOPBACK, 0)), b = socket_of(AF_INET, SOCK_DGRAM);
	union address to = name_of(a), from;
	char text[16];

	cr_assert(send_to(f, b, &to, "question") == 8, "it is given a port");
	cr_assert(receive(f, a, text, sizeof(text), &from, 0) == 8 && strcmp(text, "question") == 0);
	cr_assert(from.any.sa_family == AF_INET && ntohs(from.v4.sin_port) == port_of(b));
	cr_assert(from.v4.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
	cr_assert(send_to(f, a, &from, "answer") == 6);
	cr_assert(receive(f, b, text, sizeof(text), NULL, 0) == 6 && strcmp(text, "answer") == 0);
	CLOSE(a, b);
}

CONFORMS(a_datagram_needs_a_receiver_of_its_family)
{
	int udp = socket_of(AF_INET, SOCK_DGRAM), local = socket_of(AF_UNIX, SOCK_DGRAM);
	union address four = v4(INADDR_LOOPBACK, 9), six = v6(in6addr_loopback, 9), path = path_of("datagram");
	struct msghdr msg = { .msg_name = &four, .msg_namelen = sizeof(four.v4) - 1 };

	cr_assert(send_to(f, udp, NULL, "x") == -EDESTADDRREQ);
	cr_assert(send_to(f, local, NULL, "x") == -ENOTCONN);
	cr_assert(do_move(f, MAGI_IO_SEND, udp, (char[]){ "x" }, 1, 0) == -EDESTADDRREQ);
	cr_assert(send_to(f, udp, &six, "x") == -EAFNOSUPPORT);
	cr_assert(send_to(f, local, &four, "x") == -EINVAL);
	cr_assert(send_to(f, local, &path, "x") == -ENOENT);
	cr_assert(do_move(f, MAGI_IO_SENDMSG, udp, &msg, 0, 0) == -EINVAL);
	msg.msg_namelen = 1;
	cr_assert(do_move(f, MAGI_IO_SENDMSG, udp, &msg, 0, 0) == -EINVAL);
	msg.msg_namelen = 0;
	cr_assert(do_move(f, MAGI_IO_SENDMSG, udp, &msg, 0, 0) == -EDESTADDRREQ, "a name of no length is none");
	cr_assert(magi_sys_connect(local, &four.any, sizeof(four.v4)) == -EINVAL);
	CLOSE(udp, local);
}

CONFORMS(a_datagram_has_a_greatest_size)
{
	int udp = bound(AF_INET, SOCK_DGRAM, v4(INADDR_LOOPBACK, 0)), pair[2];
	union address to = name_of(udp);
	char *much = calloc(1, 1 << 20);

	cr_assert(magi_sys_connect(udp, &to.any, sizeof(to.v4)) == 0);
	cr_assert(do_move(f, MAGI_IO_SEND, udp, much, 65508, 0) == -EMSGSIZE);
	cr_assert(do_move(f, MAGI_IO_SEND, udp, much, 0, 0) == 0, "and none that is least");
	cr_assert(do_move(f, MAGI_IO_RECV, udp, much, 16, 0) == 0);
	cr_assert(magi_sys_socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
	cr_assert(do_move(f, MAGI_IO_SEND, pair[0], much, 1 << 20, 0) == -EMSGSIZE);
	CLOSE(udp, pair[0], pair[1]);
	free(much);
}

CONFORMS(what_a_datagram_has_too_much_is_lost)
{
	char text[4];
	int pair[2];

	cr_assert(magi_sys_socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
	cr_assert(do_move(f, MAGI_IO_SEND, pair[0], (char[]){ "abcdef" }, 6, 0) == 6);
	cr_assert(do_move(f, MAGI_IO_SEND, pair[0], (char[]){ "gh" }, 2, 0) == 2);
	cr_assert(do_move(f, MAGI_IO_RECV, pair[1], text, 3, MSG_PEEK) == 3 && !memcmp(text, "abc", 3));
	cr_assert(do_move(f, MAGI_IO_RECV, pair[1], text, 3, MSG_TRUNC) == 6, "how long it was");
	cr_assert(receive(f, pair[1], text, sizeof(text), NULL, MSG_DONTWAIT) == 2 && !strcmp(text, "gh"));
	cr_assert(receive(f, pair[1], text, sizeof(text), NULL, MSG_DONTWAIT) == -EAGAIN);
	CLOSE(pair[0], pair[1]);
}

CONFORMS(a_message_says_that_it_was_cut)
{
	char text[2];
	struct iovec iov = { text, sizeof(text) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int pair[2];

	cr_assert(magi_sys_socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
	cr_assert(do_move(f, MAGI_IO_SEND, pair[0], (char[]){ "abc" }, 3, 0) == 3);
	cr_assert(do_move(f, MAGI_IO_RECVMSG, pair[1], &msg, 0, 0) == 2 && (msg.msg_flags & MSG_TRUNC));
	cr_assert(do_move(f, MAGI_IO_SEND, pair[0], (char[]){ "ab" }, 2, 0) == 2);
	cr_assert(do_move(f, MAGI_IO_RECVMSG, pair[1], &msg, 0, 0) == 2 && !(msg.msg_flags & MSG_TRUNC));
	CLOSE(pair[0], pair[1]);
}

CONFORMS(datagrams_are_read_and_written_in_pieces)
{
	char a[2] = "", b[4] = "";
	struct iovec out[2] = { { (char[]){ "ab" }, 2 }, { (char[]){ "cd" }, 2 } }, in[2] = { { a, 2 }, { b, 4 } };
	struct magi_req req = { .code = MAGI_IO_WRITEV, .addr = out, .len = 2 };
	int pair[2];

	cr_assert(magi_sys_socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
	req.fd = pair[0];
	cr_assert(fx_do(f, req) == 4);
	req = (struct magi_req){ .code = MAGI_IO_READV, .fd = pair[1], .addr = in, .len = 2 };
	cr_assert(fx_do(f, req) == 4 && !memcmp(a, "ab", 2) && !memcmp(b, "cd", 2));
	req = (struct magi_req){ .code = MAGI_IO_WRITE, .fd = pair[0], .addr = (char[]){ "z" }, .len = 1 };
	cr_assert(fx_do(f, req) == 1);
	req = (struct magi_req){ .code = MAGI_IO_READ, .fd = pair[1], .addr = b, .len = 4 };
	cr_assert(fx_do(f, req) == 1 && b[0] == 'z');
	CLOSE(pair[0], pair[1]);
}

CONFORMS(a_connected_socket_hears_its_peer_alone_until_it_leaves_it)
{
	int a = bound(AF_INET, SOCK_DGRAM, v4(INADDR_LOOPBACK, 0));
	int b = bound(AF_INET, SOCK_DGRAM, v4(INADDR_LOOPBACK, 0));
	int other = bound(AF_INET, SOCK_DGRAM, v4(INADDR_LOOPBACK, 0));
	int far = bound(AF_INET, SOCK_DGRAM, v4(INADDR_LOOPBACK + 1, port_of(b)));
	union address at = name_of(a), none = { .any.sa_family = AF_UNSPEC };
	union address peer = name_of(b), six = v6(in6addr_loopback, 1);
	socklen_t len = sizeof(peer);
	char text[8];

	cr_assert(magi_sys_connect(a, &peer.any, 1) == -EINVAL);
	cr_assert(magi_sys_connect(a, &peer.any, sizeof(peer.v4) - 1) == -EINVAL);
	cr_assert(magi_sys_connect(a, &six.any, sizeof(six.v6)) == -EAFNOSUPPORT);
	cr_assert(do_move(f, MAGI_IO_SHUTDOWN, a, NULL, 0, SHUT_RD) == -ENOTCONN);
	cr_assert(do_connect(f, a, peer) == 0);
	cr_assert(send_to(f, other, &at, "other") == 5 && send_to(f, far, &at, "far") == 3);
	cr_assert(send_to(f, b, &at, "peer") == 4);
	cr_assert(receive(f, a, text, sizeof(text), NULL, 0) == 4 && !strcmp(text, "peer"));
	cr_assert(magi_sys_connect(a, &none.any, sizeof(none.any)) == 0);
	cr_assert(magi_sys_getpeername(a, &peer.any, &len) == -ENOTCONN);
	cr_assert(bind_to(other, at) == -EINVAL);
	CLOSE(a, b, other, far);
}

CONFORMS(a_connected_socket_is_told_that_nobody_is_there)
{
	int gone = bound(AF_INET, SOCK_DGRAM, v4(INADDR_LOOPBACK, 0)), fd = socket_of(AF_INET, SOCK_DGRAM);
	union address at = name_of(gone);
	char byte = 'x';

	CLOSE(gone);
	cr_assert(send_to(f, fd, &at, "x") == 1 && get(fd, SOL_SOCKET, SO_ERROR) == 0, "who is not connected is not");
	cr_assert(magi_sys_connect(fd, &at.any, sizeof(at.v4)) == 0);
	cr_assert(do_move(f, MAGI_IO_SEND, fd, &byte, 1, 0) == 1);
	cr_assert(do_move(f, MAGI_IO_SEND, fd, &byte, 1, 0) == -ECONNREFUSED, "once");
	cr_assert(do_move(f, MAGI_IO_SEND, fd, &byte, 1, 0) == 1);
	cr_assert(do_move(f, MAGI_IO_RECV, fd, &byte, 1, 0) == -ECONNREFUSED);
	cr_assert(do_move(f, MAGI_IO_SEND, fd, &byte, 1, 0) == 1);
	cr_assert(do_move(f, MAGI_IO_POLL, fd, NULL, 0, POLLIN) & POLLERR);
	cr_assert(get(fd, SOL_SOCKET, SO_ERROR) == ECONNREFUSED && get(fd, SOL_SOCKET, SO_ERROR) == 0);
	cr_assert(do_move(f, MAGI_IO_POLL, fd, NULL, 0, POLLOUT) == POLLOUT);
	cr_assert(do_move(f, MAGI_IO_ACCEPT, fd, NULL, 0, 0) == -EOPNOTSUPP);
	cr_assert(do_move(f, MAGI_IO_SHUTDOWN, fd, NULL, 0, SHUT_WR) == 0);
	CLOSE(fd);
}

CONFORMS(an_ipv6_socket_hears_ipv4_too)
{
	int six = bound(AF_INET6, SOCK_DGRAM, v6(in6addr_any, 0));
	int four = bound(AF_INET, SOCK_DGRAM, v4(INADDR_LOOPBACK, 0));
	int other = socket_of(AF_INET6, SOCK_DGRAM);
	union address to = v4(INADDR_LOOPBACK, port_of(six)), from;
	char text[8];

	cr_assert(send_to(f, four, &to, "four") == 4);
	cr_assert(receive(f, six, text, sizeof(text), &from, 0) == 4 && from.any.sa_family == AF_INET6);
	cr_assert(IN6_IS_ADDR_V4MAPPED(&from.v6.sin6_addr) && ntohs(from.v6.sin6_port) == port_of(four));
	to = v6(in6addr_loopback, port_of(six));
	cr_assert(send_to(f, other, &to, "six") == 3);
	cr_assert(receive(f, six, text, sizeof(text), &from, 0) == 3 && IN6_IS_ADDR_LOOPBACK(&from.v6.sin6_addr));
	cr_assert(ntohs(from.v6.sin6_port) == port_of(other));
	to = name_of(other);
	cr_assert(IN6_IS_ADDR_UNSPECIFIED(&to.v6.sin6_addr));
	CLOSE(six, four, other);
}

CONFORMS(datagrams_go_by_path)
{
	union address at = path_of("datagram");
	int a = bound(AF_UNIX, SOCK_DGRAM, at), b = socket_of(AF_UNIX, SOCK_DGRAM);
	union address from = { 0 };
	char text[8];

	cr_assert(magi_sys_connect(b, &at.any, length_of(&at)) == 0);
	cr_assert(do_move(f, MAGI_IO_SEND, b, (char[]){ "path" }, 4, 0) == 4);
	cr_assert(receive(f, a, text, sizeof(text), &from, 0) == 4 && !strcmp(text, "path"));
	cr_assert(bind_to(b, path_of("answers")) == 0);
	from = name_of(b);
	cr_assert(magi_sys_connect(a, &from.any, length_of(&from)) == 0);
	cr_assert(do_move(f, MAGI_IO_SEND, b, (char[]){ "again" }, 5, 0) == 5);
	cr_assert(receive(f, a, text, sizeof(text), NULL, 0) == 5 && do_unlink(f, path_of("answers")) == 0);
	CLOSE(a);
	cr_assert(do_move(f, MAGI_IO_SEND, b, (char[]){ "path" }, 4, 0) == -ECONNREFUSED);
	cr_assert(do_unlink(f, at) == 0);
	cr_assert(magi_sys_connect(b, &at.any, length_of(&at)) == -ENOENT);
	CLOSE(b);
}

CONFORMS(a_sender_waits_where_nothing_is_to_be_lost)
{
	char *much = calloc(1, 30000);
	int pair[2], sent = 0, n;
	uint64_t token;

	cr_assert(magi_sys_socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
	while ((n = do_move(f, MAGI_IO_SEND, pair[0], much, 30000, MSG_DONTWAIT)) > 0)
		sent++;
	cr_assert(n == -EAGAIN && sent > 0);
	token = fx_submit(f, (struct magi_req){ .code = MAGI_IO_SEND, .fd = pair[0], .addr = much, .len = 30000 });
	for (int i = 0; i < sent; i++)
		cr_assert(do_move(f, MAGI_IO_RECV, pair[1], much, 30000, 0) == 30000);
	cr_assert(fx_wait(f, token).res == 30000);
	cr_assert(do_move(f, MAGI_IO_RECV, pair[1], much, 30000, 0) == 30000);
	CLOSE(pair[0], pair[1]);
	free(much);
}

CONFORMS(a_pair_whose_other_end_is_closed)
{
	char byte = 'x';
	int loose[2], packets[2];

	cr_assert(magi_sys_socketpair(AF_UNIX, SOCK_DGRAM, 0, loose) == 0);
	cr_assert(magi_sys_socketpair(AF_UNIX, SOCK_SEQPACKET, 0, packets) == 0);
	cr_assert(do_move(f, MAGI_IO_SEND, packets[0], &byte, 1, 0) == 1);
	cr_assert(do_move(f, MAGI_IO_SHUTDOWN, packets[1], NULL, 0, SHUT_WR) == 0);
	CLOSE(loose[0], packets[0]);
	cr_assert(do_move(f, MAGI_IO_SEND, loose[1], &byte, 1, 0) == -ECONNREFUSED);
	cr_assert(do_move(f, MAGI_IO_RECV, loose[1], &byte, 1, MSG_DONTWAIT) == -EAGAIN, "others may still come");
	cr_assert(do_move(f, MAGI_IO_RECV, packets[1], &byte, 1, 0) == 1, "what was sent before is there");
	cr_assert(do_move(f, MAGI_IO_RECV, packets[1], &byte, 1, 0) == 0, "that was the end");
	cr_assert(do_move(f, MAGI_IO_SEND, packets[1], &byte, 1, 0) == -EPIPE);
	CLOSE(loose[1], packets[1]);
}

CONFORMS(a_datagram_goes_into_a_buffer_of_the_io)
{
	struct magi_req req = { .code = MAGI_IO_RECV, .flags = MAGI_REQ_BUFFER };
	struct magi_rec rec;
	int pair[2];

	cr_assert(magi_sys_socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
	cr_assert(do_move(f, MAGI_IO_SEND, pair[0], (char[]){ "buffered" }, 8, 0) == 8);
	req.fd = pair[1];
	cr_assert(fx_do(f, req) == -ENOBUFS);
	fx_give(f, 1);
	rec = fx_wait(f, fx_submit(f, req));
	cr_assert(rec.res == 8 && (rec.flags & MAGI_REC_BUFFER) && !memcmp(rec.buffer, "buffered", 8));
	CLOSE(pair[0], pair[1]);
}

CONFORMS(what_nobody_reads_is_lost_and_nobody_says_so)
{
	enum { SENT = 60, BYTES = 10000 };
	int to = bound(AF_INET, SOCK_DGRAM, v4(INADDR_LOOPBACK, 0)), fd = socket_of(AF_INET, SOCK_DGRAM), got = 0, n;
	union address at = name_of(to);
	char *bytes = calloc(1, BYTES);

	cr_assert(magi_sys_connect(fd, &at.any, sizeof(at.v4)) == 0);
	for (int i = 0; i < SENT; i++)
		cr_assert(do_move(f, MAGI_IO_SEND, fd, bytes, BYTES, 0) == BYTES);
	fx_settle(f);
	cr_assert(do_move(f, MAGI_IO_RECV, to, bytes, BYTES, 0) == BYTES);
	do {
		n = do_move(f, MAGI_IO_RECV, to, bytes, BYTES, MSG_DONTWAIT);
		got++;
	} while (n == BYTES);
	cr_assert(n == -EAGAIN && got > 1 && got < SENT, "%d: %d of %d", n, got, SENT);
	CLOSE(to, fd);
	free(bytes);
}

CONFORMS(a_name_may_have_more_room_than_it_takes)
{
	int to = bound(AF_INET, SOCK_DGRAM, v4(INADDR_LOOPBACK, 0)), fd = socket_of(AF_INET, SOCK_DGRAM);
	struct {
		union address at;
		char behind[100];
	} large = { .at = name_of(to) };
	struct iovec iov = { (char[]){ "x" }, 1 };
	struct msghdr msg = { .msg_name = &large, .msg_namelen = sizeof(large), .msg_iov = &iov, .msg_iovlen = 1 };

	cr_assert(do_move(f, MAGI_IO_SENDMSG, fd, &msg, 0, 0) == 1);
	cr_assert(do_move(f, MAGI_IO_RECV, to, (char[1]){ 0 }, 1, 0) == 1);
	CLOSE(to, fd);
}
