/* SPDX-License-Identifier: MIT */
/* test_acceptor.c - one long-lived accept for all connections of a listener. */
#include "acceptor_look.h"
#include "net_run.h"

/* Connects `n` times, says hello with the number, and waits for the same or the end. */
enum { CALLERS_MAX = 64 };

struct caller {
	mag_frame frame;
	MAG_ARGS(caller, const mag_addr *addr; int n;);
	mag_fd fd;
	int64_t rc;
	char buf[4];
};

MAG_TASK(caller)
{
	MAG_BEGIN(caller);
	for (; self->n > 0; self->n--) {
		MAG_CALL(self->rc, mag_tcp_connect, .addr = self->addr, .fd = &self->fd);
		CHECK_EQ(self->rc, 0);
		MAG_AWAIT(self->rc, mag_send_all, self->fd, "ping", 4);
		CHECK_EQ(self->rc, 4);
		MAG_AWAIT(self->rc, mag_recv_all, self->fd, self->buf, 4, NULL);
		CHECK_EQ(self->rc, 4);
		mag_socket_option(self->fd, SOL_SOCKET, SO_LINGER, &(struct { int on, s; }){ 1, 0 }, 8);
		MAG_AWAIT(self->rc, mag_close, self->fd);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct answer {
	mag_frame frame;
	MAG_ARGS(answer, mag_fd fd;);
	int64_t rc;
	char buf[4];
};

MAG_TASK(answer)
{
	MAG_BEGIN(answer);
	MAG_AWAIT(self->rc, mag_recv_all, self->fd, self->buf, 4, NULL);
	if (self->rc == 4)
		MAG_AWAIT(self->rc, mag_send_all, self->fd, self->buf, 4);
	if (self->rc == 4)
		MAG_AWAIT(self->rc, mag_recv, self->fd, self->buf, 4);
	MAG_AWAIT(self->rc, mag_close, self->fd);
	MAG_RETURN(0);
	MAG_END;
}

struct serve {
	mag_frame frame;
	MAG_ARGS(serve, mag_acceptor *acceptor; int n;);
	mag_group group;
	mag_fd fd;
	int64_t rc;
};

MAG_TASK(serve)
{
	MAG_BEGIN(serve);
	MAG_GROUP_BEGIN(&self->group);
	for (; self->n > 0; self->n--) {
		MAG_AWAIT(self->rc, mag_acceptor_next, self->acceptor, &self->fd);
		CHECK_EQ(self->rc, 0);
		MAG_SPAWN(self->rc, &self->group, answer, .fd = self->fd);
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
	mag_acceptor acceptor;
	mag_group group;
	int64_t rc;
	int i;
};

MAG_TASK(many)
{
	enum { EACH = 50 };

	MAG_BEGIN(many);
	CHECK_EQ(listen_local(&self->listener, &self->addr), 0);
	CHECK_EQ(mag_acceptor_start(&self->acceptor, self->listener, NULL), 0);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, serve, .acceptor = &self->acceptor, .n = CALLERS_MAX * EACH / 2);
	MAG_SPAWN(self->rc, &self->group, serve, .acceptor = &self->acceptor, .n = CALLERS_MAX * EACH / 2);
	for (self->i = 0; self->i < CALLERS_MAX; self->i++)
		MAG_SPAWN(self->rc, &self->group, caller, .addr = &self->addr, .n = EACH);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK_EQ(self->rc, 0);
	CHECK_EQ(mag_acceptor_dropped(&self->acceptor), 0);
	MAG_AWAIT(self->rc, mag_acceptor_close, &self->acceptor);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_acceptor_close, &self->acceptor);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_close, self->listener);
	CHECK_EQ(open_files(), 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(acceptor, connections_are_shared_out_and_none_is_left, .timeout = 60)
{
	RUN(many);
}

/* More connections than the queue holds. */
struct slow {
	mag_frame frame;
	MAG_ARGS(slow, uint32_t queue;);
	mag_acceptor_options options;
	mag_fd listener, client[CALLERS_MAX], fd;
	mag_addr addr;
	mag_acceptor acceptor;
	int64_t rc, waited;
	char buf[4];
	int i;
};

MAG_TASK(slow)
{
	MAG_BEGIN(slow);
	self->options = (mag_acceptor_options){ .size = sizeof(self->options), .queue = self->queue };
	CHECK_EQ(listen_local(&self->listener, &self->addr), 0);
	CHECK_EQ(mag_acceptor_start(&self->acceptor, self->listener, &self->options), 0);
	for (self->i = 0; self->i < CALLERS_MAX; self->i++) {
		MAG_CALL(self->rc, mag_tcp_connect, .addr = &self->addr, .fd = &self->client[self->i]);
		CHECK_EQ(self->rc, 0);
		MAG_AWAIT(self->rc, mag_send_all, self->client[self->i], "abcd", 4);
	}
	WAIT_UNTIL(self->rc, idle(&self->acceptor));
	CHECK_SAYING(queued(&self->acceptor) >= self->queue, queued(&self->acceptor));
	for (self->i = 0; self->i < CALLERS_MAX; self->i++) {
		MAG_AWAIT(self->rc, mag_acceptor_next, &self->acceptor, &self->fd);
		CHECK_EQ(self->rc, 0);
		MAG_AWAIT(self->rc, mag_recv_all, self->fd, self->buf, 4, NULL);
		CHECK_EQ(self->rc, 4);
		MAG_AWAIT(self->rc, mag_close, self->fd);
	}
	for (self->i = 0; self->i < CALLERS_MAX; self->i++)
		MAG_AWAIT(self->rc, mag_close, self->client[self->i]);
	MAG_AWAIT(self->rc, mag_acceptor_close, &self->acceptor);
	MAG_AWAIT(self->rc, mag_close, self->listener);
	CHECK_EQ(open_files(), 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(acceptor, a_full_queue_stops_accepting_and_loses_nothing, .timeout = 60)
{
	RUN(slow, .queue = 1);
	RUN(slow, .queue = 7);
}

/* Waits that are cancelled just when connections come take none with them: tried by closing, in magi_source_put, what
 * the claimed waiter would have got. */
struct knocker {
	mag_frame frame;
	MAG_ARGS(knocker, const mag_addr *addr; int n;);
	mag_fd fd;
	int64_t rc;
	char c;
};

MAG_TASK(knocker)
{
	MAG_BEGIN(knocker);
	for (; self->n > 0; self->n--) {
		MAG_CALL(self->rc, mag_tcp_connect, .addr = self->addr, .fd = &self->fd);
		CHECK_EQ(self->rc, 0);
		MAG_AWAIT(self->rc, mag_recv, self->fd, &self->c, 1);
		mag_socket_option(self->fd, SOL_SOCKET, SO_LINGER, &(struct { int on, s; }){ 1, 0 }, 8);
		MAG_AWAIT(self->rc, mag_close, self->fd);
		MAG_AWAIT(self->rc, mag_sleep, (uint64_t)(self->n % 5) * 30 * MAG_MICROSECOND);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct impatient {
	mag_frame frame;
	MAG_ARGS(impatient, mag_acceptor *acceptor; int *left;);
	mag_fd fd;
	mag_scope scope;
	int64_t rc, end;
	int i;
};

MAG_TASK(impatient)
{
	MAG_BEGIN(impatient);
	for (self->i = 0; magi_load_acq(self->left) > 0; self->i++) { /* [knocks] */
		MAG_WITH_TIMEOUT(&self->scope, (uint64_t)(self->i % 7) * 20 * MAG_MICROSECOND);
		MAG_AWAIT(self->rc, mag_acceptor_next, self->acceptor, &self->fd);
		MAG_SCOPE_END(self->end, &self->scope);
		CHECK_SAYING(self->rc == 0 || self->rc == MAG_ECANCELED, self->rc);
		CHECK_EQ(self->rc == 0, self->fd.generation != 0);
		if (self->rc < 0)
			continue;
		magi_add_ar(self->left, -1); /* [knocks] */
		MAG_AWAIT(self->rc, mag_close, self->fd);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct timeouts {
	mag_frame frame;
	MAG_NO_ARGS(timeouts);
	mag_fd listener;
	mag_addr addr;
	mag_acceptor acceptor;
	mag_group group;
	int64_t rc;
	int i, left;
};

MAG_TASK(timeouts)
{
	enum { KNOCKERS = 6, KNOCKS = 1000 };

	MAG_BEGIN(timeouts);
	CHECK_EQ(listen_local(&self->listener, &self->addr), 0);
	CHECK_EQ(mag_acceptor_start(&self->acceptor, self->listener, NULL), 0);
	self->left = KNOCKERS * KNOCKS;
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < KNOCKERS; self->i++)
		MAG_SPAWN(self->rc, &self->group, knocker, .addr = &self->addr, .n = KNOCKS);
	for (self->i = 0; self->i < WORKERS; self->i++)
		MAG_SPAWN_ON(self->rc, (unsigned)self->i, &self->group, impatient, .acceptor = &self->acceptor,
			     .left = &self->left);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK_EQ(self->rc, 0);
	CHECK_EQ(self->left, 0);
	MAG_AWAIT(self->rc, mag_acceptor_close, &self->acceptor);
	MAG_AWAIT(self->rc, mag_close, self->listener);
	CHECK_EQ(open_files(), 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(acceptor, a_cancelled_wait_loses_no_connection, .timeout = 60)
{
	RUN(timeouts);
}

/* A consumer that stays on another worker has the request come to him. */
struct far {
	mag_frame frame;
	MAG_ARGS(far, mag_acceptor *acceptor; const mag_addr *addr; const struct magi_worker **on;);
	mag_fd fd, client;
	int64_t rc;
	int i;
};

MAG_TASK(far)
{
	MAG_BEGIN(far);
	for (self->i = 0; self->i < 40; self->i++) {
		MAG_CALL(self->rc, mag_tcp_connect, .addr = self->addr, .fd = &self->client);
		CHECK_EQ(self->rc, 0);
		MAG_AWAIT(self->rc, mag_acceptor_next, self->acceptor, &self->fd);
		CHECK_EQ(self->rc, 0);
		MAG_AWAIT(self->rc, mag_close, self->client);
		MAG_AWAIT(self->rc, mag_close, self->fd);
	}
	*self->on = source(self->acceptor).on;
	MAG_RETURN(0);
	MAG_END;
}

struct follow {
	mag_frame frame;
	MAG_NO_ARGS(follow);
	mag_fd listener;
	mag_addr addr;
	mag_acceptor acceptor;
	mag_group group;
	const struct magi_worker *on;
	unsigned to;
	int64_t rc, end;
	int i;
};

MAG_TASK(follow)
{
	MAG_BEGIN(follow);
	CHECK_EQ(listen_local(&self->listener, &self->addr), 0);
	CHECK_EQ(mag_acceptor_start(&self->acceptor, self->listener, NULL), 0);
	for (self->i = 0; self->i < 3; self->i++) {
		self->to = (source(&self->acceptor).on->pub.index + 1) % WORKERS;
		MAG_GROUP_BEGIN(&self->group);
		MAG_SPAWN_ON(self->rc, self->to, &self->group, far, .acceptor = &self->acceptor, .addr = &self->addr,
			     .on = &self->on);
		MAG_GROUP_END(self->end, &self->group);
		CHECK(self->rc == 0 && self->end >= 0);
		CHECK_EQ(self->on->pub.index, self->to);
	}
	MAG_AWAIT(self->rc, mag_acceptor_close, &self->acceptor);
	MAG_AWAIT(self->rc, mag_close, self->listener);
	CHECK_EQ(open_files(), 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(acceptor, it_follows_a_consumer_on_another_worker, .timeout = 60)
{
	RUN(follow);
}

/* Wrong use. */
struct wrong {
	mag_frame frame;
	MAG_NO_ARGS(wrong);
	mag_fd fd, plain;
	mag_acceptor acceptor;
	mag_acceptor_options big;
	int64_t rc;
};

MAG_TASK(wrong)
{
	MAG_BEGIN(wrong);
	self->big = (mag_acceptor_options){ .size = sizeof(self->big) + 8 };
	CHECK_EQ(mag_acceptor_start(NULL, MAG_FD_NONE, NULL), -EINVAL);
	CHECK_EQ(mag_acceptor_start(&self->acceptor, MAG_FD_NONE, NULL), MAG_ECLOSED);
	CHECK(!self->acceptor.core);
	MAG_AWAIT(self->rc, mag_acceptor_next, &self->acceptor, &self->fd);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_acceptor_close, &self->acceptor);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_acceptor_close, NULL);
	CHECK_EQ(self->rc, 0);
	CHECK_EQ(mag_socket(AF_INET, SOCK_STREAM, 0, &self->plain), 0);
	CHECK_EQ(mag_acceptor_start(&self->acceptor, self->plain, &self->big), -EINVAL);
	CHECK_EQ(mag_acceptor_start(&self->acceptor, self->plain, NULL), 0);
	MAG_AWAIT(self->rc, mag_acceptor_next, &self->acceptor, &self->fd);
	CHECK_EQ(self->rc, -EINVAL); /* it does not listen */
	MAG_AWAIT(self->rc, mag_acceptor_next, &self->acceptor, NULL);
	CHECK_EQ(self->rc, -EINVAL);
	MAG_AWAIT(self->rc, mag_acceptor_close, &self->acceptor);
	CLOSE(self->plain);
	MAG_RETURN(0);
	MAG_END;
}

Test(acceptor, wrong_use_gets_an_error, .timeout = 60)
{
	RUN(wrong);
}
