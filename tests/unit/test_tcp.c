/* SPDX-License-Identifier: MIT */
/* test_tcp.c - TCP connections, and what is done with any stream. */
#include "net_run.h"

#include <magpie/poll.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>

/* A pair of connected TCP sockets. */
struct connected {
	mag_frame frame;
	MAG_ARGS(connected, mag_fd *a; mag_fd *b;);
	mag_fd listener;
	mag_addr addr;
	int64_t rc;
};

MAG_TASK(connected)
{
	MAG_BEGIN(connected);
	CHECK_EQ(listen_local(&self->listener, &self->addr), 0);
	MAG_CALL(self->rc, mag_tcp_connect, .addr = &self->addr, .fd = self->a);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_accept, self->listener, self->b, NULL);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_close, self->listener);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Given a listener and a client, both ends name each other and bytes come through. */
struct echo {
	mag_frame frame;
	MAG_ARGS(echo, const char *where;);
	mag_fd listener, client, server;
	mag_addr addr, peer, own;
	char text[MAG_ADDR_TEXT_MAX];
	char buf[64];
	size_t count;
	int64_t rc;
};

MAG_TASK(echo)
{
	int on = 0;
	socklen_t size = sizeof(on);

	MAG_BEGIN(echo);
	CHECK_EQ(mag_addr_parse(&self->addr, self->where), 0);
	self->rc = mag_tcp_listen(&self->addr, NULL, &self->listener);
	if (self->rc == -EADDRNOTAVAIL || self->rc == -EAFNOSUPPORT)
		MAG_RETURN(0); /* no IPv6 here */
	CHECK_EQ(self->rc, 0);
	CHECK_EQ(mag_fd_local_addr(self->listener, &self->addr), 0);
	CHECK(mag_addr_port(&self->addr) > 0);
	MAG_CALL(self->rc, mag_tcp_connect, .addr = &self->addr, .fd = &self->client);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_accept, self->listener, &self->server, &self->peer);
	CHECK_EQ(self->rc, 0);
	CHECK_EQ(mag_fd_local_addr(self->client, &self->own), 0);
	CHECK(mag_addr_equal(&self->own, &self->peer));
	CHECK_EQ(mag_fd_peer_addr(self->server, &self->own), 0);
	CHECK(mag_addr_equal(&self->own, &self->peer));
	getsockopt(mag_fd_raw(self->server), IPPROTO_TCP, TCP_NODELAY, &on, &size);
	CHECK(on);

	MAG_AWAIT(self->rc, mag_send, self->client, "hello", 5);
	CHECK_EQ(self->rc, 5);
	MAG_AWAIT(self->rc, mag_recv_all, self->server, self->buf, 5, &self->count);
	CHECK_EQ(self->rc, 5);
	CHECK(self->count == 5 && !memcmp(self->buf, "hello", 5));
	MAG_AWAIT(self->rc, mag_shutdown, self->client, SHUT_WR);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_recv, self->server, self->buf, sizeof(self->buf));
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_send_all, self->server, "bye", 3);
	CHECK_EQ(self->rc, 3);
	MAG_AWAIT(self->rc, mag_close, self->server);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_recv_all, self->client, self->buf, 10, &self->count);
	CHECK_EQ(self->rc, MAG_EEOF);
	CHECK(self->count == 3 && !memcmp(self->buf, "bye", 3));
	MAG_AWAIT(self->rc, mag_close, self->client);
	MAG_AWAIT(self->rc, mag_close, self->listener);
	CHECK_EQ(open_files(), 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(tcp, bytes_come_through_over_ipv4, .timeout = 30)
{
	RUN(echo, .where = "127.0.0.1:0");
}

Test(tcp, bytes_come_through_over_ipv6, .timeout = 30)
{
	RUN(echo, .where = "[::1]:0");
}

/* One that listens on [::] takes IPv4 connections too. */
struct dual {
	mag_frame frame;
	MAG_NO_ARGS(dual);
	mag_fd listener, client, server;
	mag_addr addr, to;
	int64_t rc;
};

MAG_TASK(dual)
{
	MAG_BEGIN(dual);
	CHECK_EQ(mag_addr_parse(&self->addr, "[::]:0"), 0);
	self->rc = mag_tcp_listen(&self->addr, NULL, &self->listener);
	if (self->rc == -EAFNOSUPPORT || self->rc == -EADDRNOTAVAIL)
		MAG_RETURN(0);
	CHECK_EQ(self->rc, 0);
	CHECK_EQ(mag_fd_local_addr(self->listener, &self->addr), 0);
	mag_addr_parse(&self->to, "127.0.0.1:0");
	mag_addr_set_port(&self->to, (uint16_t)mag_addr_port(&self->addr));
	MAG_CALL(self->rc, mag_tcp_connect, .addr = &self->to, .fd = &self->client);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_accept, self->listener, &self->server, NULL);
	CHECK_EQ(self->rc, 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(tcp, a_listener_on_all_addresses_takes_both_families, .timeout = 30)
{
	RUN(dual);
}

/* Two listeners share a port when both say so. */
struct shared_port {
	mag_frame frame;
	MAG_NO_ARGS(shared_port);
	mag_fd a, b, c;
	mag_addr addr;
};

MAG_TASK(shared_port)
{
	const mag_tcp_options options = { .size = sizeof(options), .reuse_port = true };

	MAG_BEGIN(shared_port);
	mag_addr_parse(&self->addr, "127.0.0.1:0");
	CHECK_EQ(mag_tcp_listen(&self->addr, &options, &self->a), 0);
	CHECK_EQ(mag_fd_local_addr(self->a, &self->addr), 0);
	CHECK_EQ(mag_tcp_listen(&self->addr, &options, &self->b), 0);
	CHECK_EQ(mag_tcp_listen(&self->addr, NULL, &self->c), -EADDRINUSE);
	CHECK_EQ(self->c.generation, 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(tcp, listeners_share_a_port_when_all_agree, .timeout = 30)
{
	RUN(shared_port);
}

/* Cancellation. */

struct timeouts {
	mag_frame frame;
	MAG_NO_ARGS(timeouts);
	mag_fd listener, a, b, none;
	mag_addr addr;
	mag_scope scope;
	char buf[64];
	int64_t rc, end;
};

MAG_TASK(timeouts)
{
	MAG_BEGIN(timeouts);
	CHECK_EQ(listen_local(&self->listener, &self->addr), 0);
	MAG_WITH_TIMEOUT(&self->scope, 5 * MAG_MILLISECOND);
	MAG_AWAIT(self->rc, mag_accept, self->listener, &self->none, NULL);
	MAG_SCOPE_END(self->end, &self->scope);
	CHECK_EQ(self->rc, MAG_ECANCELED);
	CHECK_EQ(self->end, MAG_ETIMEDOUT);
	CHECK_EQ(self->none.generation, 0);

	MAG_CALL(self->rc, connected, .a = &self->a, .b = &self->b);
	CHECK_EQ(self->rc, 0);
	MAG_WITH_TIMEOUT(&self->scope, 5 * MAG_MILLISECOND);
	MAG_AWAIT(self->rc, mag_recv, self->a, self->buf, sizeof(self->buf));
	CHECK_EQ(self->rc, MAG_ECANCELED);
	/* level-triggered: everything in the scope is cancelled from now on */
	MAG_AWAIT(self->rc, mag_recv, self->a, self->buf, sizeof(self->buf));
	CHECK_EQ(self->rc, MAG_ECANCELED);
	MAG_AWAIT(self->rc, mag_send, self->a, "x", 1);
	CHECK_EQ(self->rc, MAG_ECANCELED);
	MAG_AWAIT(self->rc, mag_poll, self->a, POLLIN);
	CHECK_EQ(self->rc, MAG_ECANCELED);
	MAG_CALL(self->rc, mag_tcp_connect, .addr = &self->addr, .fd = &self->none);
	CHECK_EQ(self->rc, MAG_ECANCELED);
	CHECK_EQ(self->none.generation, 0);
	MAG_SCOPE_END(self->end, &self->scope);

	/* what was cancelled took nothing */
	MAG_AWAIT(self->rc, mag_send_all, self->b, "later", 5);
	MAG_AWAIT(self->rc, mag_recv, self->a, self->buf, sizeof(self->buf));
	CHECK_EQ(self->rc, 5);
	MAG_AWAIT(self->rc, mag_close, self->a);
	MAG_AWAIT(self->rc, mag_close, self->b);
	MAG_AWAIT(self->rc, mag_close, self->listener);
	CHECK_EQ(open_files(), 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(tcp, a_deadline_ends_accept_and_recv_and_takes_nothing, .timeout = 30)
{
	RUN(timeouts);
}

/* A listener whose queue is full answers nobody: connecting waits until it is cancelled, and leaves no file. */
struct stuck_connect {
	mag_frame frame;
	MAG_NO_ARGS(stuck_connect);
	mag_fd listener, fd[8];
	mag_addr addr;
	mag_scope scope;
	int64_t rc, end;
	int i, connected;
	uint64_t before;
};

MAG_TASK(stuck_connect)
{
	const mag_tcp_options options = { .size = sizeof(options), .backlog = 1 };

	MAG_BEGIN(stuck_connect);
	mag_addr_parse(&self->addr, "127.0.0.1:0");
	CHECK_EQ(mag_tcp_listen(&self->addr, &options, &self->listener), 0);
	mag_fd_local_addr(self->listener, &self->addr);
	self->connected = 0;
	for (self->i = 0; self->i < 8; self->i++) {
		self->before = open_files();
		MAG_WITH_TIMEOUT(&self->scope, 50 * MAG_MILLISECOND);
		MAG_CALL(self->rc, mag_tcp_connect, .addr = &self->addr, .fd = &self->fd[self->i]);
		MAG_SCOPE_END(self->end, &self->scope);
		if (self->rc == 0) {
			self->connected++;
			continue;
		}
		CHECK_EQ(self->rc, MAG_ECANCELED);
		CHECK_EQ(self->end, MAG_ETIMEDOUT);
		CHECK_EQ(self->fd[self->i].generation, 0);
		CHECK_EQ(open_files(), self->before);
	}
	CHECK(self->connected < 8);
	MAG_RETURN(0);
	MAG_END;
}

Test(tcp, a_deadline_ends_connect_and_leaves_no_file, .timeout = 30)
{
	RUN(stuck_connect);
}

/* Closing a file ends what is under way on it, wherever that waits. */
struct receiver {
	mag_frame frame;
	MAG_ARGS(receiver, mag_fd fd; int64_t *result; char *into; size_t room;);
	int64_t rc;
	char buf[64];
};

MAG_TASK(receiver)
{
	MAG_BEGIN(receiver);
	MAG_AWAIT(self->rc, mag_recv, self->fd, self->into ? self->into : self->buf, self->into ? self->room : 64);
	*self->result = self->rc;
	MAG_RETURN(0);
	MAG_END;
}

struct close_under {
	mag_frame frame;
	MAG_NO_ARGS(close_under);
	mag_fd a, b;
	mag_group group;
	int64_t rc, got[3];
	int i;
};

MAG_TASK(close_under)
{
	MAG_BEGIN(close_under);
	MAG_CALL(self->rc, connected, .a = &self->a, .b = &self->b);
	CHECK_EQ(self->rc, 0);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 3; self->i++) {
		self->got[self->i] = 1;
		MAG_SPAWN_ON(self->rc, (unsigned)self->i, &self->group, receiver, .fd = self->a,
			     .result = &self->got[self->i]);
	}
	MAG_AWAIT(self->rc, mag_sleep, 5 * MAG_MILLISECOND);
	MAG_AWAIT(self->rc, mag_close, self->a);
	CHECK_EQ(self->rc, 0);
	MAG_GROUP_END(self->rc, &self->group);
	for (int i = 0; i < 3; i++)
		CHECK_SAYING(self->got[i] == MAG_ECANCELED || self->got[i] == MAG_ECLOSED, self->got[i]);
	MAG_AWAIT(self->rc, mag_close, self->a);
	CHECK_EQ(self->rc, MAG_ECLOSED);
	MAG_AWAIT(self->rc, mag_recv, self->a, &self->got[0], 1);
	CHECK_EQ(self->rc, MAG_ECLOSED);
	/* the peer sees the end: nothing holds the connection */
	MAG_AWAIT(self->rc, mag_recv, self->b, &self->got[0], 1);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_close, self->b);
	CHECK_EQ(open_files(), 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(tcp, closing_ends_receives_on_every_worker, .timeout = 30)
{
	RUN(close_under);
}

/* Order: receives on one connection get its bytes in the order in which they were asked for. */
struct in_order {
	mag_frame frame;
	MAG_NO_ARGS(in_order);
	mag_fd a, b;
	mag_group group;
	int64_t rc, got[8];
	char bytes[8];
	int i;
};

MAG_TASK(in_order)
{
	MAG_BEGIN(in_order);
	MAG_CALL(self->rc, connected, .a = &self->a, .b = &self->b);
	CHECK_EQ(self->rc, 0);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 8; self->i++) {
		MAG_SPAWN(self->rc, &self->group, receiver, .fd = self->a, .result = &self->got[self->i],
			  .into = &self->bytes[self->i], .room = 1);
		MAG_AWAIT(self->rc, mag_sleep, 2 * MAG_MILLISECOND);
	}
	for (self->i = 0; self->i < 8; self->i++)
		MAG_AWAIT(self->rc, mag_send_all, self->b, &"abcdefgh"[self->i], 1);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(!memcmp(self->bytes, "abcdefgh", 8));
	MAG_RETURN(0);
	MAG_END;
}

Test(tcp, receives_are_served_in_their_order, .timeout = 30)
{
	RUN(in_order);
}

/* A transfer that does not fit the socket's buffers goes on until all is sent. */
enum { BIG = 12 << 20 };

struct sender {
	mag_frame frame;
	MAG_ARGS(sender, mag_fd fd; const char *data; size_t len; size_t *count; int64_t *result;);
	int64_t rc;
};

MAG_TASK(sender)
{
	MAG_BEGIN(sender);
	MAG_AWAIT(self->rc, mag_send_all_count, self->fd, self->data, self->len, self->count);
	*self->result = self->rc;
	MAG_RETURN(0);
	MAG_END;
}

static void small_buffers(mag_fd fd)
{
	int bytes = 8192;

	mag_socket_option(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	mag_socket_option(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

struct big {
	mag_frame frame;
	MAG_NO_ARGS(big);
	mag_fd a, b;
	mag_group group;
	mag_scope scope;
	char *data, *back;
	size_t count, got, read;
	int64_t rc, result, end;
};

MAG_TASK(big)
{
	MAG_BEGIN(big);
	self->data = malloc(BIG);
	self->back = calloc(1, BIG);
	for (size_t i = 0; i < BIG; i++)
		self->data[i] = (char)(i * 2654435761u >> 13);
	MAG_CALL(self->rc, connected, .a = &self->a, .b = &self->b);
	CHECK_EQ(self->rc, 0);
	small_buffers(self->a);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, sender, .fd = self->a, .data = self->data, .len = BIG, .count = &self->count,
		  .result = &self->result);
	for (self->got = 0; self->got < BIG; self->got += (size_t)self->rc) {
		MAG_AWAIT(self->rc, mag_recv, self->b, self->back + self->got, BIG - self->got);
		CHECK_SAYING(self->rc > 0, self->rc);
	}
	MAG_GROUP_END(self->rc, &self->group);
	CHECK_EQ(self->result, BIG);
	CHECK_EQ(self->count, BIG);
	CHECK(!memcmp(self->data, self->back, BIG));

	/* cut short, it says how far it came */
	MAG_WITH_TIMEOUT(&self->scope, 20 * MAG_MILLISECOND);
	MAG_AWAIT(self->rc, mag_send_all_count, self->a, self->data, BIG, &self->count);
	MAG_SCOPE_END(self->end, &self->scope);
	CHECK_EQ(self->rc, MAG_ECANCELED);
	CHECK(self->count > 0 && self->count < BIG);
	MAG_AWAIT(self->rc, mag_close, self->a);
	MAG_AWAIT(self->rc, mag_recv_all, self->b, self->back, BIG, &self->read);
	CHECK_EQ(self->rc, MAG_EEOF);
	CHECK_EQ(self->read, self->count);
	MAG_AWAIT(self->rc, mag_close, self->b);
	free(self->data);
	free(self->back);
	MAG_RETURN(0);
	MAG_END;
}

Test(tcp, a_long_send_is_sent_whole_and_says_how_far_it_came, .timeout = 60)
{
	RUN(big);
}

/* Wrong use. */
struct wrong {
	mag_frame frame;
	MAG_NO_ARGS(wrong);
	mag_fd listener, a, b, none;
	mag_addr addr, nowhere;
	char buf[8];
	size_t count;
	int64_t rc;
};

MAG_TASK(wrong)
{
	mag_tcp_options big = { .size = sizeof(big) + 8 };

	MAG_BEGIN(wrong);
	CHECK_EQ(listen_local(&self->listener, &self->addr), 0);
	CHECK_EQ(mag_tcp_listen(NULL, NULL, &self->none), -EINVAL);
	CHECK_EQ(mag_tcp_listen(&self->addr, NULL, NULL), -EINVAL);
	CHECK_EQ(mag_tcp_listen(&self->addr, &big, &self->none), -EINVAL);
	CHECK_EQ(mag_tcp_listen(&self->nowhere, NULL, &self->none), self->nowhere.len ? -EINVAL : -EINVAL);
	CHECK_EQ(mag_tcp_listen(&self->addr, NULL, &self->none), -EADDRINUSE);
	CHECK_EQ(mag_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, &self->none), -EINVAL);
	CHECK_EQ(mag_socket(12345, SOCK_STREAM, 0, &self->none), -EAFNOSUPPORT);
	CHECK_EQ(mag_fd_peer_addr(self->listener, &self->nowhere), -ENOTCONN);
	CHECK_EQ(mag_fd_local_addr(MAG_FD_NONE, &self->nowhere), MAG_ECLOSED);
	CHECK_EQ(mag_fd_local_addr(self->listener, NULL), -EINVAL);
	CHECK_EQ(mag_bind(self->listener, NULL), -EINVAL);
	CHECK_EQ(mag_socket_option(MAG_FD_NONE, SOL_SOCKET, SO_KEEPALIVE, &self->rc, 4), MAG_ECLOSED);

	MAG_AWAIT(self->rc, mag_accept, MAG_FD_NONE, &self->none, NULL);
	CHECK_EQ(self->rc, MAG_ECLOSED);
	MAG_AWAIT(self->rc, mag_accept, self->listener, NULL, NULL);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_recv, self->listener, self->buf, sizeof(self->buf));
	CHECK_EQ(self->rc, -ENOTCONN);
	MAG_CALL(self->rc, mag_tcp_connect, .addr = NULL, .fd = &self->none);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_CALL(self->rc, mag_tcp_connect, .addr = &self->addr, .fd = NULL);
	CHECK_EQ(self->rc, -EINVAL);

	MAG_CALL(self->rc, connected, .a = &self->a, .b = &self->b);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_recv, self->a, NULL, 8);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_recv, self->a, self->buf, 0);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_send, self->a, NULL, 8);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_send, self->a, NULL, 0);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_send_all, self->a, NULL, 3);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_send_all, self->a, NULL, 0);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_recv_all, self->a, NULL, 1, &self->count);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_poll, self->a, 0);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_poll, self->a, POLLIN | POLLOUT);
	CHECK_EQ(self->rc, POLLOUT);
	MAG_AWAIT(self->rc, mag_sendmsg, self->a, NULL, 0);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_recvmsg, self->a, NULL, 0);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_shutdown, self->a, 77);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_connect, self->a, NULL);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_close, self->listener);
	MAG_CALL(self->rc, mag_tcp_connect, .addr = &self->addr, .fd = &self->none);
	CHECK_EQ(self->rc, -ECONNREFUSED);
	CHECK_EQ(self->none.generation, 0);

	/* a peer that resets, and one that is gone: no signal, an error */
	mag_socket_option(self->b, SOL_SOCKET, SO_LINGER, &(struct { int on, s; }){ 1, 0 }, 8);
	MAG_AWAIT(self->rc, mag_close, self->b);
	MAG_AWAIT(self->rc, mag_recv, self->a, self->buf, 8);
	CHECK_EQ(self->rc, -ECONNRESET);
	MAG_AWAIT(self->rc, mag_send, self->a, "x", 1);
	CHECK_EQ(self->rc, -EPIPE);
	MAG_RETURN(0);
	MAG_END;
}

Test(tcp, wrong_use_gets_an_error, .timeout = 30)
{
	RUN(wrong);
}

Test(tcp, sockets_are_made_on_workers_only, .timeout = 30)
{
	mag_addr addr;
	mag_fd fd;

	mag_addr_parse(&addr, "127.0.0.1:0");
	cr_assert_eq(mag_tcp_listen(&addr, NULL, &fd), -EPERM);
	cr_assert_eq(mag_socket(AF_INET, SOCK_STREAM, 0, &fd), -EPERM);
	cr_assert_eq(mag_fd_local_addr(fd, &addr), MAG_ECLOSED);
}

/* Many connections, opened and closed by many tasks at once. */
enum { CLIENTS = 50, EACH = 200 };

struct visitor {
	mag_frame frame;
	MAG_ARGS(visitor, const mag_addr *addr;);
	mag_fd fd;
	int64_t rc;
	int i;
	char buf[8];
};

MAG_TASK(visitor)
{
	MAG_BEGIN(visitor);
	for (self->i = 0; self->i < EACH; self->i++) {
		MAG_CALL(self->rc, mag_tcp_connect, .addr = self->addr, .fd = &self->fd);
		CHECK_EQ(self->rc, 0);
		MAG_AWAIT(self->rc, mag_send_all, self->fd, "ping", 4);
		CHECK_EQ(self->rc, 4);
		MAG_AWAIT(self->rc, mag_recv_all, self->fd, self->buf, 4, NULL);
		CHECK_EQ(self->rc, 4);
		/* a reset, so that the ports are free at once */
		mag_socket_option(self->fd, SOL_SOCKET, SO_LINGER, &(struct { int on, s; }){ 1, 0 }, 8);
		MAG_AWAIT(self->rc, mag_close, self->fd);
		CHECK_EQ(self->rc, 0);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct host {
	mag_frame frame;
	MAG_ARGS(host, mag_fd fd;);
	int64_t rc;
	char buf[8];
};

MAG_TASK(host)
{
	MAG_BEGIN(host);
	MAG_AWAIT(self->rc, mag_recv_all, self->fd, self->buf, 4, NULL);
	if (self->rc == 4)
		MAG_AWAIT(self->rc, mag_send_all, self->fd, self->buf, 4);
	if (self->rc == 4)
		MAG_AWAIT(self->rc, mag_recv, self->fd, self->buf, 4); /* until the other end has gone */
	MAG_AWAIT(self->rc, mag_close, self->fd);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct hosts {
	mag_frame frame;
	MAG_ARGS(hosts, mag_fd listener; int n;);
	mag_group group;
	mag_fd fd;
	int64_t rc;
};

MAG_TASK(hosts)
{
	MAG_BEGIN(hosts);
	MAG_GROUP_BEGIN(&self->group);
	for (; self->n > 0; self->n--) {
		MAG_AWAIT(self->rc, mag_accept, self->listener, &self->fd, NULL);
		if (self->rc < 0)
			break;
		MAG_SPAWN(self->rc, &self->group, host, .fd = self->fd);
	}
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct many {
	mag_frame frame;
	MAG_NO_ARGS(many);
	mag_fd listener;
	mag_addr addr;
	mag_group group;
	int64_t rc;
	int i;
};

MAG_TASK(many)
{
	MAG_BEGIN(many);
	CHECK_EQ(listen_local(&self->listener, &self->addr), 0);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, hosts, .listener = self->listener, .n = CLIENTS * EACH);
	for (self->i = 0; self->i < CLIENTS; self->i++)
		MAG_SPAWN(self->rc, &self->group, visitor, .addr = &self->addr);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_close, self->listener);
	CHECK_EQ(open_files(), 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(tcp, ten_thousand_connections_leave_nothing_open, .timeout = 120)
{
	RUN(many);
}
