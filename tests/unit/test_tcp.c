/* SPDX-License-Identifier: MIT */
/* test_tcp.c - TCP listeners and connections. */
#include "net_run.h"

#include <magpie/poll.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

static bool sends_at_once(mag_fd fd)
{
	int on = 0;
	socklen_t size = sizeof(on);

	getsockopt(mag_fd_raw(fd), IPPROTO_TCP, TCP_NODELAY, &on, &size);
	return on;
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
	CHECK(sends_at_once(self->server));

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
	CLOSE(self->server);
	CLOSE(self->client);
	CLOSE(self->listener);
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
	int64_t rc;
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
	CLOSE(self->a);
	CLOSE(self->b);
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
	for (self->i = 0; self->i < 8; self->i++) {
		if (self->fd[self->i].generation)
			CLOSE(self->fd[self->i]);
	}
	CLOSE(self->listener);
	MAG_RETURN(0);
	MAG_END;
}

Test(tcp, a_deadline_ends_connect_and_leaves_no_file, .timeout = 30)
{
	RUN(stuck_connect);
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
	self->nowhere = (mag_addr){ .len = 0 };
	CHECK_EQ(listen_local(&self->listener, &self->addr), 0);
	CHECK_EQ(mag_tcp_listen(NULL, NULL, &self->none), -EINVAL);
	CHECK_EQ(mag_tcp_listen(&self->addr, NULL, NULL), -EINVAL);
	CHECK_EQ(mag_tcp_listen(&self->addr, &big, &self->none), -EINVAL);
	CHECK_EQ(mag_tcp_listen(&self->nowhere, NULL, &self->none), -EINVAL);
	CHECK_EQ(mag_tcp_listen(&self->addr, NULL, &self->none), -EADDRINUSE);
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
	CLOSE(self->a);
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
