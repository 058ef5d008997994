/* SPDX-License-Identifier: MIT */
/* test_acceptor_close.c - how an acceptor ends: what waits, what is queued, what comes meanwhile. */
#include "acceptor_look.h"
#include "net_run.h"

/* What nobody asked for is closed with the acceptor, and waits end. */
struct waiter {
	mag_frame frame;
	MAG_ARGS(waiter, mag_acceptor *acceptor; int64_t *result;);
	mag_fd fd;
	int64_t rc;
};

MAG_TASK(waiter)
{
	MAG_BEGIN(waiter);
	MAG_AWAIT(self->rc, mag_acceptor_next, self->acceptor, &self->fd);
	*self->result = self->rc;
	MAG_RETURN(0);
	MAG_END;
}

struct closing {
	mag_frame frame;
	MAG_ARGS(closing, bool listener_first;);
	mag_fd listener, client, fd;
	mag_addr addr;
	mag_acceptor acceptor;
	mag_group group;
	mag_scope scope;
	int64_t rc, waited, got[3], end;
	char buf[4];
	int i;
};

MAG_TASK(closing)
{
	MAG_BEGIN(closing);
	CHECK_EQ(listen_local(&self->listener, &self->addr), 0);
	CHECK_EQ(mag_acceptor_start(&self->acceptor, self->listener, NULL), 0);
	MAG_CALL(self->rc, mag_tcp_connect, .addr = &self->addr, .fd = &self->client);
	WAIT_UNTIL(self->rc, queued(&self->acceptor) == 1);
	/* a queued connection survives a wait that is cancelled before it looks */
	MAG_WITH_TIMEOUT(&self->scope, 0);
	MAG_AWAIT(self->rc, mag_sleep, MAG_SECOND);
	MAG_AWAIT(self->rc, mag_acceptor_next, &self->acceptor, &self->fd);
	MAG_SCOPE_END(self->end, &self->scope);
	CHECK_EQ(self->rc, MAG_ECANCELED);
	CHECK_EQ(queued(&self->acceptor), 1);
	if (self->listener_first) {
		MAG_AWAIT(self->rc, mag_close, self->listener);
		MAG_AWAIT(self->rc, mag_acceptor_next, &self->acceptor, &self->fd);
		CHECK_EQ(self->rc, 0);
		MAG_AWAIT(self->rc, mag_close, self->fd);
		MAG_AWAIT(self->rc, mag_acceptor_next, &self->acceptor, &self->fd);
		CHECK_EQ(self->rc, MAG_ECLOSED);
		MAG_AWAIT(self->rc, mag_acceptor_close, &self->acceptor);
	} else {
		MAG_AWAIT(self->rc, mag_acceptor_close, &self->acceptor);
		CHECK_EQ(self->rc, 0);
		MAG_AWAIT(self->rc, mag_recv, self->client, self->buf, 4);
		CHECK_EQ(self->rc, 0);
		/* and again, with tasks that wait */
		CHECK_EQ(mag_acceptor_start(&self->acceptor, self->listener, NULL), 0);
		MAG_GROUP_BEGIN(&self->group);
		for (self->i = 0; self->i < 3; self->i++)
			MAG_SPAWN_ON(self->rc, (unsigned)self->i, &self->group, waiter, .acceptor = &self->acceptor,
				     .result = &self->got[self->i]);
		WAIT_UNTIL(self->rc, waiters(&self->acceptor) == 3);
		MAG_AWAIT(self->rc, mag_acceptor_close, &self->acceptor);
		MAG_GROUP_END(self->rc, &self->group);
		for (int i = 0; i < 3; i++)
			CHECK_EQ(self->got[i], MAG_ECLOSED);
		MAG_AWAIT(self->rc, mag_close, self->listener);
	}
	MAG_AWAIT(self->rc, mag_close, self->client);
	CHECK_EQ(open_files(), 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(acceptor_close, closing_it_ends_waits_and_closes_the_queue, .timeout = 60)
{
	RUN(closing, .listener_first = false);
}

Test(acceptor_close, closing_the_listener_ends_it_after_the_queue, .timeout = 60)
{
	RUN(closing, .listener_first = true);
}

/* Connections that come while it is being closed are closed too: tried by leaving out the dispose in
 * magi_source_put. */
static int connect_now(mag_fd fd, const mag_addr *addr)
{
	return connect(mag_fd_raw(fd), (const struct sockaddr *)&addr->storage, addr->len);
}

struct late {
	mag_frame frame;
	MAG_NO_ARGS(late);
	mag_fd listener, client[8], none;
	mag_addr addr;
	mag_acceptor acceptor;
	mag_scope scope;
	int64_t rc, end;
	char c;
	int i, k;
};

MAG_TASK(late)
{
	MAG_BEGIN(late);
	CHECK_EQ(listen_local(&self->listener, &self->addr), 0);
	for (self->i = 0; self->i < 300; self->i++) {
		for (self->k = 0; self->k < 8; self->k++)
			CHECK_EQ(mag_socket(AF_INET, SOCK_STREAM, 0, &self->client[self->k]), 0);
		CHECK_EQ(mag_acceptor_start(&self->acceptor, self->listener, NULL), 0);
		/* here and now, so that the worker has not looked at its ring when it closes */
		for (int k = 0; k < self->i % 8; k++)
			CHECK_EQ(connect_now(self->client[k], &self->addr), 0);
		MAG_AWAIT(self->rc, mag_acceptor_close, &self->acceptor);
		for (self->k = 0; self->k < 8; self->k++)
			MAG_AWAIT(self->rc, mag_close, self->client[self->k]);
		/* what the acceptor had not taken is still there for others */
		do {
			MAG_WITH_TIMEOUT(&self->scope, 100 * MAG_MICROSECOND);
			MAG_AWAIT(self->rc, mag_accept, self->listener, &self->none, NULL);
			MAG_SCOPE_END(self->end, &self->scope);
			if (self->rc == 0)
				MAG_AWAIT(self->end, mag_close, self->none);
		} while (self->rc == 0);
		CHECK_EQ(open_files(), 1);
	}
	MAG_AWAIT(self->rc, mag_close, self->listener);
	CHECK_EQ(open_files(), 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(acceptor_close, connections_that_come_while_it_closes_are_closed, .timeout = 60)
{
	RUN(late);
}
