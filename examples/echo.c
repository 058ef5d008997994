/* SPDX-License-Identifier: MIT */
/* echo.c - a TCP server that sends back what it gets, with limits and an orderly end, and clients that talk to it. */
#include <errno.h>
#include <magpie/acceptor.h>
#include <magpie/magpie.h>
#include <magpie/tcp.h>
#include <stdio.h>
#include <string.h>

enum { CLIENTS = 8, ROUNDS = 20, CONNECTIONS_MAX = 64 };
#define IDLE_NS (5 * MAG_SECOND)

/* One connection, from its first byte to its close. */
struct serve {
	mag_frame frame;
	MAG_ARGS(serve, mag_fd fd;);
	mag_scope scope;
	int64_t n, timed, closed;
	char buf[4096];
};

MAG_TASK(serve)
{
	MAG_BEGIN(serve);
	for (;;) {
		MAG_WITH_TIMEOUT(&self->scope, IDLE_NS);
		MAG_AWAIT(self->n, mag_recv, self->fd, self->buf, sizeof self->buf);
		if (self->n > 0)
			MAG_AWAIT(self->n, mag_send_all, self->fd, self->buf, (size_t)self->n);
		MAG_SCOPE_END(self->timed, &self->scope);
		if (self->n <= 0)
			break;
	}
	MAG_AWAIT(self->closed, mag_close, self->fd);
	MAG_RETURN(0); /* a client that goes away is its own loss, not the server's */
	MAG_END;
}

/* The server: ends when its listener is closed, after the connections have ended. */
struct server {
	mag_frame frame;
	MAG_ARGS(server, mag_fd listener;);
	mag_acceptor acceptor;
	mag_group group;
	mag_fd fd;
	int64_t rc, joined, closed;
};

MAG_TASK(server)
{
	MAG_BEGIN(server);
	self->rc = mag_acceptor_start(&self->acceptor, self->listener, NULL);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT, .limit = CONNECTIONS_MAX);
	for (;;) {
		MAG_AWAIT(self->rc, mag_acceptor_next, &self->acceptor, &self->fd);
		if (self->rc < 0)
			break;
		MAG_SPAWN(self->rc, &self->group, serve, .fd = self->fd);
		if (self->rc < 0)
			MAG_AWAIT(self->closed, mag_close, self->fd); /* not started: the connection is still ours */
	}
	MAG_AWAIT(self->closed, mag_acceptor_close, &self->acceptor);
	MAG_GROUP_END(self->joined, &self->group);
	MAG_RETURN(self->rc == MAG_ECLOSED ? 0 : self->rc);
	MAG_END;
}

struct client {
	mag_frame frame;
	MAG_ARGS(client, const mag_addr *addr; int number;);
	mag_fd fd;
	char text[64], answer[64];
	int64_t rc, closed;
	size_t len;
	int round;
};

MAG_TASK(client)
{
	MAG_BEGIN(client);
	MAG_CALL(self->rc, mag_tcp_connect, .addr = self->addr, .fd = &self->fd);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	for (self->round = 0; self->round < ROUNDS; self->round++) {
		self->len = (size_t)snprintf(self->text, sizeof self->text, "client %d, round %d", self->number,
					     self->round);
		MAG_AWAIT(self->rc, mag_send_all, self->fd, self->text, self->len);
		if (self->rc < 0)
			break;
		MAG_AWAIT(self->rc, mag_recv_all, self->fd, self->answer, self->len, NULL);
		if (self->rc < 0)
			break;
		if (memcmp(self->text, self->answer, self->len) != 0) {
			self->rc = -EPROTO;
			break;
		}
	}
	MAG_AWAIT(self->closed, mag_close, self->fd);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Starts the server, lets the clients talk to it, and stops it. */
struct both {
	mag_frame frame;
	MAG_NO_ARGS(both);
	mag_fd listener;
	mag_addr addr;
	mag_group servers, clients;
	int64_t rc, talked, served, closed;
	int i;
};

MAG_TASK(both)
{
	MAG_BEGIN(both);
	self->rc = mag_addr_parse(&self->addr, "127.0.0.1:0");
	if (self->rc == 0)
		self->rc = mag_tcp_listen(&self->addr, NULL, &self->listener);
	if (self->rc == 0)
		self->rc = mag_fd_local_addr(self->listener, &self->addr);
	if (self->rc < 0)
		MAG_RETURN(self->rc);

	MAG_GROUP_BEGIN(&self->servers);
	MAG_SPAWN(self->rc, &self->servers, server, .listener = self->listener);
	MAG_GROUP_BEGIN(&self->clients);
	for (self->i = 0; self->i < CLIENTS && self->rc == 0; self->i++)
		MAG_SPAWN(self->rc, &self->clients, client, .addr = &self->addr, .number = self->i);
	MAG_GROUP_END(self->talked, &self->clients);
	MAG_AWAIT(self->closed, mag_close, self->listener); /* the server ends */
	MAG_GROUP_END(self->served, &self->servers);

	if (self->rc == 0)
		self->rc = self->talked < 0 ? self->talked : self->served;
	printf("%d clients of %d rounds on port %d: %s\n", CLIENTS, ROUNDS, mag_addr_port(&self->addr),
	       mag_strerror(self->rc));
	MAG_RETURN(self->rc);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, both);

	if (rc < 0)
		fprintf(stderr, "echo: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
