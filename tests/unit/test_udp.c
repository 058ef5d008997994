/* SPDX-License-Identifier: MIT */
/* test_udp.c - datagrams. */
#include "net_run.h"

#include <magpie/udp.h>
#include <magpie/unix.h>
#include <unistd.h>

struct exchange {
	mag_frame frame;
	MAG_ARGS(exchange, const char *where;);
	mag_fd server, client;
	mag_addr at, own;
	mag_datagram in, out;
	mag_scope scope;
	char buf[64], data[64];
	int64_t rc, end;
};

MAG_TASK(exchange)
{
	MAG_BEGIN(exchange);
	CHECK_EQ(mag_addr_parse(&self->at, self->where), 0);
	self->rc = mag_udp_bind(&self->at, &self->server);
	if (self->rc == -EADDRNOTAVAIL || self->rc == -EAFNOSUPPORT)
		MAG_RETURN(0);
	CHECK_EQ(self->rc, 0);
	CHECK_EQ(mag_udp_bind(&self->at, &self->client), 0);
	CHECK_EQ(mag_fd_local_addr(self->server, &self->at), 0);
	CHECK_EQ(mag_fd_local_addr(self->client, &self->own), 0);

	self->out = (mag_datagram){ .data = (void *)(uintptr_t) "question", .len = 8, .addr = self->at };
	MAG_AWAIT(self->rc, mag_datagram_send, self->client, &self->out);
	CHECK_EQ(self->rc, 8);
	self->in = (mag_datagram){ .data = self->buf, .len = sizeof(self->buf) };
	MAG_AWAIT(self->rc, mag_datagram_recv, self->server, &self->in);
	CHECK_EQ(self->rc, 8);
	CHECK(mag_addr_equal(&self->in.addr, &self->own));
	CHECK(!self->in.truncated);

	/* an answer to where it came from; too long for the room there is */
	self->out = (mag_datagram){ .data = (void *)(uintptr_t) "an answer", .len = 9, .addr = self->in.addr };
	MAG_AWAIT(self->rc, mag_datagram_send, self->server, &self->out);
	CHECK_EQ(self->rc, 9);
	self->in.len = 4;
	MAG_AWAIT(self->rc, mag_datagram_recv, self->client, &self->in);
	CHECK_EQ(self->rc, 4);
	CHECK(self->in.truncated);
	CHECK(mag_addr_equal(&self->in.addr, &self->at));

	/* empty ones come through as such */
	self->out = (mag_datagram){ .addr = self->own };
	MAG_AWAIT(self->rc, mag_datagram_send, self->server, &self->out);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_datagram_recv, self->client, &self->in);
	CHECK_EQ(self->rc, 0);
	CHECK(mag_addr_equal(&self->in.addr, &self->at));

	MAG_WITH_TIMEOUT(&self->scope, MAG_MILLISECOND);
	MAG_AWAIT(self->rc, mag_datagram_recv, self->client, &self->in);
	MAG_SCOPE_END(self->end, &self->scope);
	CHECK_EQ(self->rc, MAG_ECANCELED);
	CHECK_EQ(self->in.addr.len, 0);

	/* connected: plain sends and receives; an answer from a port where nobody is comes as an error */
	MAG_AWAIT(self->rc, mag_close, self->client);
	CHECK_EQ(mag_udp_connect(&self->at, &self->client), 0);
	MAG_AWAIT(self->rc, mag_send, self->client, "hello", 5);
	CHECK_EQ(self->rc, 5);
	MAG_AWAIT(self->rc, mag_recv, self->server, self->data, sizeof(self->data));
	CHECK_EQ(self->rc, 5);
	MAG_AWAIT(self->rc, mag_close, self->server);
	MAG_AWAIT(self->rc, mag_send, self->client, "hello", 5);
	MAG_AWAIT(self->rc, mag_recv, self->client, self->data, sizeof(self->data));
	CHECK_EQ(self->rc, -ECONNREFUSED);
	MAG_AWAIT(self->rc, mag_close, self->client);
	CHECK_EQ(open_files(), 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(udp, questions_and_answers_over_ipv4, .timeout = 30)
{
	RUN(exchange, .where = "127.0.0.1:0");
}

Test(udp, questions_and_answers_over_ipv6, .timeout = 30)
{
	RUN(exchange, .where = "[::1]:0");
}

/* Unix datagrams, by abstract names, so that no file is left. */
struct local {
	mag_frame frame;
	MAG_NO_ARGS(local);
	mag_fd a, b, c;
	mag_addr a_at, b_at;
	mag_datagram in, out;
	char name[32], buf[16];
	int64_t rc;
};

MAG_TASK(local)
{
	MAG_BEGIN(local);
	snprintf(self->name, sizeof(self->name), "@magpie-a-%d", getpid());
	CHECK_EQ(mag_addr_unix(&self->a_at, self->name), 0);
	self->name[8] = 'b';
	CHECK_EQ(mag_addr_unix(&self->b_at, self->name), 0);
	CHECK_EQ(mag_unix_datagram(&self->a_at, &self->a), 0);
	CHECK_EQ(mag_unix_datagram(&self->b_at, &self->b), 0);
	CHECK_EQ(mag_unix_datagram(&self->b_at, &self->c), -EADDRINUSE);
	CHECK_EQ(self->c.generation, 0);
	CHECK_EQ(mag_unix_datagram(NULL, &self->c), 0);
	self->out = (mag_datagram){ .data = (void *)(uintptr_t) "hi", .len = 2, .addr = self->b_at };
	MAG_AWAIT(self->rc, mag_datagram_send, self->a, &self->out);
	CHECK_EQ(self->rc, 2);
	self->in = (mag_datagram){ .data = self->buf, .len = sizeof(self->buf) };
	MAG_AWAIT(self->rc, mag_datagram_recv, self->b, &self->in);
	CHECK_EQ(self->rc, 2);
	CHECK(mag_addr_equal(&self->in.addr, &self->a_at));
	MAG_AWAIT(self->rc, mag_close, self->b);
	MAG_AWAIT(self->rc, mag_datagram_send, self->a, &self->out);
	CHECK_EQ(self->rc, -ECONNREFUSED);
	CLOSE(self->a);
	CLOSE(self->c);
	MAG_RETURN(0);
	MAG_END;
}

Test(udp, unix_datagrams_have_addresses, .timeout = 30)
{
	RUN(local);
}

struct wrong {
	mag_frame frame;
	MAG_NO_ARGS(wrong);
	mag_fd fd, none;
	mag_addr at, path;
	mag_datagram d;
	int64_t rc;
	char big[70000];
};

MAG_TASK(wrong)
{
	MAG_BEGIN(wrong);
	mag_addr_parse(&self->at, "127.0.0.1:0");
	mag_addr_unix(&self->path, "@x");
	CHECK_EQ(mag_udp_bind(NULL, &self->none), -EINVAL);
	CHECK_EQ(mag_udp_bind(&self->path, &self->none), -EINVAL);
	CHECK_EQ(mag_udp_bind(&self->at, NULL), -EINVAL);
	CHECK_EQ(mag_udp_connect(NULL, &self->none), -EINVAL);
	CHECK_EQ(mag_udp_connect(&self->at, NULL), -EINVAL);
	CHECK_EQ(mag_unix_datagram(&self->at, &self->none), -EINVAL);
	CHECK_EQ(self->none.generation, 0);
	CHECK_EQ(mag_udp_bind(&self->at, &self->fd), 0);
	MAG_AWAIT(self->rc, mag_datagram_send, self->fd, NULL);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_datagram_recv, self->fd, NULL);
	CHECK_EQ(self->rc, -EINVAL);
	self->d = (mag_datagram){ .data = NULL, .len = 3 };
	MAG_AWAIT(self->rc, mag_datagram_send, self->fd, &self->d);
	CHECK_EQ(self->rc, -EINVAL);
	self->d = (mag_datagram){ .data = self->big, .len = 3 };
	MAG_AWAIT(self->rc, mag_datagram_send, self->fd, &self->d);
	CHECK_EQ(self->rc, -EDESTADDRREQ);
	self->d = (mag_datagram){ .data = self->big, .len = sizeof(self->big) };
	CHECK_EQ(mag_fd_local_addr(self->fd, &self->d.addr), 0);
	MAG_AWAIT(self->rc, mag_datagram_send, self->fd, &self->d);
	CHECK_EQ(self->rc, -EMSGSIZE);
	MAG_AWAIT(self->rc, mag_datagram_send, MAG_FD_NONE, &self->d);
	CHECK_EQ(self->rc, MAG_ECLOSED);
	CLOSE(self->fd);
	MAG_RETURN(0);
	MAG_END;
}

Test(udp, wrong_use_gets_an_error, .timeout = 30)
{
	RUN(wrong);
}
