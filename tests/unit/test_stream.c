/* SPDX-License-Identifier: MIT */
/* test_stream.c - bytes to and from sockets: order, closing, long transfers, many connections. */
#include "net_run.h"

#include <stdlib.h>

#include "task/wait.h"

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

Test(stream, closing_ends_receives_on_every_worker, .timeout = 30)
{
	RUN(close_under);
}

/* How many receives are under way or wait for their turn. */
static int receiving(mag_fd fd)
{
	struct magi_fd *r = magi_fds_find(&mag_runtime_current()->fds, fd);
	struct magi_waitq *turn = &r->turn[0];
	int n;

	magi_lock_acquire(magi_waitq_lock(turn));
	n = (int)turn->count + (magi_load_acq(&r->word) & MAGI_FD_READING ? 1 : 0); /* [fd] */
	magi_lock_release(magi_waitq_lock(turn));
	return n;
}

/* Order: receives on one connection get its bytes in the order in which they were asked for. */
struct in_order {
	mag_frame frame;
	MAG_NO_ARGS(in_order);
	mag_fd a, b;
	mag_group group;
	int64_t rc, waited, got[8];
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
		WAIT_UNTIL(self->rc, receiving(self->a) == self->i + 1);
	}
	for (self->i = 0; self->i < 8; self->i++)
		MAG_AWAIT(self->rc, mag_send_all, self->b, &"abcdefgh"[self->i], 1);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(!memcmp(self->bytes, "abcdefgh", 8));
	CLOSE(self->a);
	CLOSE(self->b);
	MAG_RETURN(0);
	MAG_END;
}

Test(stream, receives_are_served_in_their_order, .timeout = 30)
{
	RUN(in_order);
}

/* A transfer that does not fit the socket's buffers goes on until all is sent. */
enum { BIG = 2 << 20 };

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

/* So that together they have less room than that, however well it goes: the kernel lets buffers grow that nobody has set. */
static void small_buffers(mag_fd from, mag_fd to)
{
	int few = 8192, many = BIG / 8;

	mag_socket_option(from, SOL_SOCKET, SO_SNDBUF, &few, sizeof(few));
	mag_socket_option(to, SOL_SOCKET, SO_RCVBUF, &many, sizeof(many));
}

struct big {
	mag_frame frame;
	MAG_NO_ARGS(big);
	mag_fd a, b;
	mag_group group, cutter;
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
	small_buffers(self->a, self->b);
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
	CUT_SHORT_BEGIN(mag_fd_raw(self->b), 1, INT_MAX);
	MAG_AWAIT(self->rc, mag_send_all_count, self->a, self->data, BIG, &self->count);
	MAG_GROUP_END(self->end, &self->cutter);
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

Test(stream, a_long_send_is_sent_whole_and_says_how_far_it_came, .timeout = 60)
{
	RUN(big);
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

Test(stream, ten_thousand_connections_leave_nothing_open, .timeout = 120)
{
	RUN(many);
}
