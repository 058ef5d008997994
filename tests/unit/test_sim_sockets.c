/* SPDX-License-Identifier: MIT */
/* test_sim_sockets.c - addresses, connections and datagrams of the simulated network, when nothing goes wrong. */
#include <stddef.h>
#include <sys/un.h>

#include "support/fakeio.h"

static int bound(int type, uint32_t host, uint16_t port)
{
	struct sockaddr_in addr = fake_v4(host, port);
	int fd = magi_sys_socket(AF_INET, type, 0), rc;

	cr_assert(fd >= 0);
	rc = magi_sys_bind(fd, (struct sockaddr *)&addr, sizeof(addr));
	if (rc < 0)
		magi_sys_close(fd);
	return rc < 0 ? rc : fd;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);

	cr_assert_eq(magi_sys_getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	return ntohs(addr.sin_port);
}

static int dial(struct fake_io *f, uint32_t host, uint16_t port, int *fd)
{
	struct sockaddr_in addr = fake_v4(host, port);

	*fd = magi_sys_socket(AF_INET, SOCK_STREAM, 0);
	return fake_do(f, fake_move(MAGI_IO_CONNECT, *fd, &addr, sizeof(addr)));
}

Test(sim_sockets, an_address_belongs_to_one, .timeout = 10)
{
	struct fake_io f;
	int a, b;

	fake_open(&f, 1);
	a = bound(SOCK_STREAM, INADDR_LOOPBACK, 80);
	cr_assert_eq(bound(SOCK_STREAM, INADDR_LOOPBACK, 80), -EADDRINUSE);
	cr_assert_eq(bound(SOCK_STREAM, INADDR_ANY, 80), -EADDRINUSE);
	b = bound(SOCK_DGRAM, INADDR_LOOPBACK, 80);
	cr_assert(b >= 0, "a datagram's port is another");
	cr_assert_eq(magi_sys_close(b), 0);
	b = bound(SOCK_STREAM, 0x0a000002, 80);
	cr_assert(b >= 0, "another host");
	cr_assert_eq(magi_sys_close(a), 0);
	a = bound(SOCK_STREAM, INADDR_LOOPBACK, 80);
	cr_assert(a >= 0, "it is free again");
	cr_assert(magi_sys_close(a) == 0 && magi_sys_close(b) == 0);
	a = bound(SOCK_STREAM, INADDR_ANY, 0);
	b = bound(SOCK_STREAM, INADDR_ANY, 0);
	cr_assert(port_of(a) && port_of(b) && port_of(a) != port_of(b));
	cr_assert(magi_sys_close(a) == 0 && magi_sys_close(b) == 0);
	fake_close(&f);
}

Test(sim_sockets, a_wildcard_answers_for_all_hosts, .timeout = 10)
{
	struct sockaddr_in peer;
	socklen_t len = sizeof(peer);
	struct fake_io f;
	int listener, out, in;

	fake_open(&f, 1);
	cr_assert_eq(dial(&f, INADDR_LOOPBACK, 81, &out), -ECONNREFUSED);
	cr_assert_eq(magi_sys_close(out), 0);
	listener = bound(SOCK_STREAM, INADDR_ANY, 81);
	cr_assert_eq(dial(&f, INADDR_LOOPBACK, 81, &out), -ECONNREFUSED, "it does not listen");
	cr_assert_eq(magi_sys_close(out), 0);
	cr_assert_eq(magi_sys_listen(listener, 4), 0);
	cr_assert_eq(dial(&f, 0x0a010203, 81, &out), 0);
	in = fake_do(&f, (struct magi_req){ .code = MAGI_IO_ACCEPT, .fd = listener, .addr = &peer, .addr2 = &len });
	cr_assert(in >= 0 && len == sizeof(peer));
	cr_assert_eq(ntohs(peer.sin_port), port_of(out));
	cr_assert_eq(magi_sys_getpeername(out, (struct sockaddr *)&peer, &len), 0);
	cr_assert_eq(peer.sin_addr.s_addr, htonl(0x0a010203));
	cr_assert(magi_sys_close(in) == 0 && magi_sys_close(out) == 0 && magi_sys_close(listener) == 0);
	fake_close(&f);
}

Test(sim_sockets, descriptors_are_used_again_at_once, .timeout = 10)
{
	struct fake_io f;
	int a, b;

	fake_open(&f, 1);
	a = magi_sys_socket(AF_INET, SOCK_STREAM, 0);
	b = magi_sys_socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(b, a + 1);
	cr_assert_eq(magi_sys_close(a), 0);
	cr_assert_eq(magi_sys_close(a), -EBADF);
	cr_assert_eq(magi_sys_socket(AF_INET, SOCK_DGRAM, 0), a);
	cr_assert(magi_sys_close(a) == 0 && magi_sys_close(b) == 0);
	fake_close(&f);
}

Test(sim_sockets, bytes_take_their_time_and_come_in_order, .timeout = 10)
{
	struct fake_io f;
	uint64_t token, began;
	char in[8] = "";
	int fd[2];

	fake_open(&f, 3);
	fake_connection(&f, fd);
	token = fake_submit(&f, (struct magi_req){ .code = MAGI_IO_RECV, .fd = fd[1], .addr = in, .len = 8,
						   .op_flags = MSG_WAITALL });
	began = magi_clock_ns();
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_SEND, fd[0], (char[]){ "abcd" }, 4)), 4);
	cr_assert(magi_clock_ns() - began < 5000, "a send is done when the kernel has the bytes");
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_SEND, fd[0], (char[]){ "efgh" }, 4)), 4);
	cr_assert_eq(fake_wait_for(&f, token), 8);
	cr_assert(magi_clock_ns() - began >= 10000, "a line has a length");
	cr_assert(!memcmp(in, "abcdefgh", 8));
	cr_assert(magi_sys_close(fd[0]) == 0 && magi_sys_close(fd[1]) == 0);
	fake_close(&f);
}

/* While one io sleeps, another sends. */
static struct {
	struct magi_io *io;
	int fd;
	int sleeps;
} second;

static bool send_meanwhile(struct magi_host *h, uint32_t *word, uint32_t value, uint64_t ns)
{
	struct magi_req req = fake_move(MAGI_IO_SEND, second.fd, (char[]){ "x" }, 1);
	struct magi_rec rec;

	if (second.sleeps++)
		return fake_wait(h, word, value, ns);
	cr_assert_eq(*word, value);
	req.token = 1;
	magi_sim_ops.submit(second.io, &req);
	cr_assert(magi_sim_ops.poll(second.io, 0, &rec, 1) == 1 && rec.res == 1);
	cr_assert_neq(*word, value, "it must know when to wake");
	return true;
}

/* Tried: an alarm that tells no sleeper. */
Test(sim_sockets, what_comes_wakes_who_waits_for_it, .timeout = 10)
{
	struct magi_host_ops ops;
	struct fake_io f;
	uint64_t began;
	int fd[2];
	char in;

	fake_open(&f, 1);
	fake_connection(&f, fd);
	cr_assert_eq(magi_sim_ops.open(&second.io, &(struct magi_io_params){ .world = f.host.world }), 0);
	second.fd = fd[0];
	ops = *f.host.host.ops;
	ops.wait = send_meanwhile;
	f.host.host.ops = &ops;
	began = magi_clock_ns();
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_RECV, fd[1], &in, 1)), 1);
	cr_assert(magi_clock_ns() - began < MAGI_NS_PER_MS);
	magi_sim_ops.close(second.io, fake_take, NULL);
	cr_assert(magi_sys_close(fd[0]) == 0 && magi_sys_close(fd[1]) == 0);
	fake_close(&f);
}

Test(sim_sockets, a_close_with_bytes_unread_breaks_the_connection, .timeout = 10)
{
	struct fake_io f;
	char in[8];
	int fd[2];

	fake_open(&f, 1);
	fake_connection(&f, fd);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_SEND, fd[0], in, 8)), 8);
	fake_pass(&f, MAGI_NS_PER_MS);
	cr_assert_eq(magi_sys_close(fd[1]), 0);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_RECV, fd[0], in, 8)), -ECONNRESET);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_RECV, fd[0], in, 8)), 0, "it is told once");
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_SEND, fd[0], in, 8)), -EPIPE);
	cr_assert_eq(magi_sys_close(fd[0]), 0);
	fake_close(&f);
}

static int receive(struct fake_io *f, int fd, char *bytes, size_t room, struct sockaddr_storage *from,
		   struct msghdr *msg)
{
	struct iovec iov = { bytes, room };

	*msg = (struct msghdr){ .msg_name = from, .msg_namelen = sizeof(*from), .msg_iov = &iov, .msg_iovlen = 1 };
	return fake_do(f, (struct magi_req){ .code = MAGI_IO_RECVMSG, .fd = fd, .addr = msg });
}

static int send_to(struct fake_io *f, int fd, const char *text, const void *addr, socklen_t len)
{
	struct iovec iov = { (void *)(uintptr_t)text, strlen(text) };
	struct msghdr msg = { .msg_name = (void *)(uintptr_t)addr, .msg_namelen = len };

	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	return fake_do(f, (struct magi_req){ .code = MAGI_IO_SENDMSG, .fd = fd, .addr = &msg });
}

Test(sim_sockets, a_datagram_is_answered, .timeout = 10)
{
	struct sockaddr_in to = fake_v4(INADDR_LOOPBACK, 53);
	struct sockaddr_storage from;
	struct msghdr msg;
	struct fake_io f;
	char in[16];
	int server, client;

	fake_open(&f, 1);
	server = bound(SOCK_DGRAM, INADDR_ANY, 53);
	client = magi_sys_socket(AF_INET, SOCK_DGRAM, 0);
	cr_assert_eq(send_to(&f, client, "question", &to, sizeof(to)), 8);
	cr_assert_eq(receive(&f, server, in, 4, &from, &msg), 4);
	cr_assert(!memcmp(in, "ques", 4) && (msg.msg_flags & MSG_TRUNC) && msg.msg_namelen == sizeof(to));
	cr_assert_eq(send_to(&f, server, "answer", &from, msg.msg_namelen), 6);
	cr_assert_eq(receive(&f, client, in, sizeof(in), &from, &msg), 6);
	cr_assert(!memcmp(in, "answer", 6) && !(msg.msg_flags & MSG_TRUNC));
	cr_assert_eq(((struct sockaddr_in *)(void *)&from)->sin_port, htons(53));
	cr_assert(magi_sys_close(server) == 0 && magi_sys_close(client) == 0);
	fake_close(&f);
}

Test(sim_sockets, a_connected_datagram_socket_hears_its_peer_alone, .timeout = 10)
{
	struct sockaddr_in to = fake_v4(INADDR_LOOPBACK, 0), me = to;
	struct fake_io f;
	char in[16];
	int peer, other, fd;

	fake_open(&f, 1);
	peer = bound(SOCK_DGRAM, INADDR_LOOPBACK, 1000);
	other = bound(SOCK_DGRAM, INADDR_LOOPBACK, 1001);
	fd = magi_sys_socket(AF_INET, SOCK_DGRAM, 0);
	to.sin_port = htons(1000);
	cr_assert_eq(magi_sys_connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	me.sin_port = htons(port_of(fd));
	cr_assert_eq(send_to(&f, other, "stranger", &me, sizeof(me)), 8);
	fake_pass(&f, MAGI_NS_PER_MS);
	cr_assert_eq(send_to(&f, peer, "peer", &me, sizeof(me)), 4);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_RECV, fd, in, sizeof(in))), 4);
	cr_assert_eq(magi_sys_close(peer), 0);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_SEND, fd, in, 4)), 4);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_SEND, fd, in, 4)), -ECONNREFUSED);
	cr_assert(magi_sys_close(other) == 0 && magi_sys_close(fd) == 0);
	fake_close(&f);
}

static socklen_t unix_addr(struct sockaddr_un *un, const char *path, bool abstract)
{
	size_t n = strlen(path) + 1;

	memset(un, 0, sizeof(*un));
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path + abstract, path, n - abstract);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
}

static void talk_unix(struct fake_io *f, const char *path, bool abstract)
{
	struct sockaddr_un un;
	socklen_t len = unix_addr(&un, path, abstract);
	int listener = magi_sys_socket(AF_UNIX, SOCK_STREAM, 0), out, in;
	char byte = 'x';

	cr_assert_eq(magi_sys_bind(listener, (struct sockaddr *)&un, len), 0);
	cr_assert_eq(magi_sys_listen(listener, 1), 0);
	out = magi_sys_socket(AF_UNIX, SOCK_STREAM, 0);
	cr_assert_eq(magi_sys_bind(out, (struct sockaddr *)&un, len), -EADDRINUSE);
	cr_assert_eq(fake_do(f, fake_move(MAGI_IO_CONNECT, out, &un, len)), 0);
	in = fake_do(f, fake_move(MAGI_IO_ACCEPT, listener, NULL, 0));
	cr_assert_eq(fake_do(f, fake_move(MAGI_IO_SEND, out, &byte, 1)), 1);
	cr_assert_eq(fake_do(f, fake_move(MAGI_IO_RECV, in, &byte, 1)), 1);
	cr_assert(magi_sys_close(listener) == 0 && magi_sys_close(in) == 0 && magi_sys_close(out) == 0);
}

Test(sim_sockets, unix_sockets_have_paths_or_names_of_their_own, .timeout = 10)
{
	struct sockaddr_un un;
	socklen_t len = unix_addr(&un, "/tmp/sock", false);
	struct fake_io f;
	int fd;

	fake_open(&f, 1);
	talk_unix(&f, "/tmp/sock", false);
	talk_unix(&f, "abstract", true);
	fd = magi_sys_socket(AF_UNIX, SOCK_STREAM, 0);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_CONNECT, fd, &un, len)), -ECONNREFUSED, "nobody is there any more");
	cr_assert_eq(magi_sys_bind(fd, (struct sockaddr *)&un, len), -EADDRINUSE, "but the file is");
	cr_assert_eq(fake_do(&f, (struct magi_req){ .code = MAGI_IO_UNLINK, .fd = AT_FDCWD, .addr = un.sun_path }), 0);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_CONNECT, fd, &un, len)), -ENOENT);
	cr_assert_eq(magi_sys_close(fd), 0);
	fake_close(&f);
}

Test(sim_sockets, a_datagram_pair_keeps_boundaries, .timeout = 10)
{
	struct fake_io f;
	char in[16];
	int fd[2];

	fake_open(&f, 1);
	cr_assert_eq(magi_sys_socketpair(AF_UNIX, SOCK_DGRAM, 0, fd), 0);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_SEND, fd[0], (char[]){ "ab" }, 2)), 2);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_SEND, fd[0], (char[]){ "c" }, 1)), 1);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_RECV, fd[1], in, sizeof(in))), 2);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_RECV, fd[1], in, sizeof(in))), 1);
	cr_assert_eq(magi_sys_close(fd[1]), 0);
	cr_assert_eq(fake_do(&f, fake_move(MAGI_IO_SEND, fd[0], in, 1)), -ECONNREFUSED);
	cr_assert_eq(magi_sys_close(fd[0]), 0);
	fake_close(&f);
}

Test(sim_sockets, options_are_kept_and_errors_told_once, .timeout = 10)
{
	struct fake_io f;
	socklen_t size = sizeof(int);
	int fd, one = 1, value = 0;

	fake_open(&f, 1);
	fd = magi_sys_socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
	cr_assert_eq(magi_sys_setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)), 0);
	cr_assert(magi_sys_getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, &size) == 0 && value == 1);
	cr_assert(magi_sys_getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &size) == 0 && value == SOCK_STREAM);
	cr_assert(magi_sys_getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &size) == 0 && value == 0);
	cr_assert_eq(magi_sys_fcntl(fd, F_GETFL, 0) & O_NONBLOCK, O_NONBLOCK);
	cr_assert_eq(magi_sys_socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), -EPROTONOSUPPORT);
	cr_assert_eq(magi_sys_listen(fd + 1, 1), -EBADF);
	cr_assert_eq(magi_sys_close(fd), 0);
	fake_close(&f);
}

static uint32_t look_up(const char *name, const char *service, uint16_t *port)
{
	struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *list;
	struct sockaddr_in in;

	if (magi_sys_getaddrinfo(name, service, &hints, &list) < 0)
		return 0;
	memcpy(&in, list->ai_addr, sizeof(in));
	cr_assert_null(list->ai_next);
	magi_sys_freeaddrinfo(list);
	*port = ntohs(in.sin_port);
	return ntohl(in.sin_addr.s_addr);
}

Test(sim_sockets, each_name_has_an_address, .timeout = 10)
{
	struct addrinfo any = { 0 }, *list;
	struct fake_io f;
	uint16_t port;

	fake_open(&f, 1);
	cr_assert(look_up("1.2.3.4", "80", &port) == 0x01020304 && port == 80);
	cr_assert(look_up("localhost", "http", &port) == INADDR_LOOPBACK && port == 80);
	cr_assert_eq(look_up("example.com", "443", &port) >> 24, 10);
	cr_assert_eq(look_up("example.com", NULL, &port), look_up("example.com", NULL, &port));
	cr_assert_neq(look_up("example.com", NULL, &port), look_up("example.org", NULL, &port));
	cr_assert_eq(look_up("example.com", "no such service", &port), 0);
	cr_assert_eq(magi_sys_getaddrinfo("localhost", NULL, &any, &list), 0);
	cr_assert(list->ai_family == AF_INET6 && list->ai_next && list->ai_next->ai_family == AF_INET);
	magi_sys_freeaddrinfo(list);
	fake_close(&f);
}
