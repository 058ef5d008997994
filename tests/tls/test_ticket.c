/* SPDX-License-Identifier: MIT */
/* test_ticket.c - a client's tickets are of a host and a port: another port is another server. */
#include <magpie/acceptor.h>
#include <magpie/io.h>

#include "tls/contexts.h"
#include "unit/net_run.h"

TestSuite(tls_ticket, .init = set_up, .fini = tear_down, .timeout = 60);

enum { PORTS = 2 };

/* The server's end of a visit: it says something, so that the client gets to see the ticket. */
struct host {
	mag_frame frame;
	MAG_ARGS(host, mag_acceptor *acceptor;);
	mag_tls tls;
	mag_fd fd;
	int64_t rc;
};

static MAG_TASK(host)
{
	MAG_BEGIN(host);
	MAG_AWAIT(self->rc, mag_acceptor_next, self->acceptor, &self->fd);
	CHECK_EQ(self->rc, 0);
	CHECK_EQ(mag_tls_init(&self->tls, &server, self->fd, NULL), 0);
	MAG_AWAIT(self->rc, mag_tls_handshake, &self->tls);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_tls_send_all, &self->tls, "hello", 5);
	CHECK_EQ(self->rc, 5);
	MAG_AWAIT(self->rc, mag_tls_shutdown, &self->tls);
	mag_tls_fini(&self->tls);
	CLOSE(self->fd);
	MAG_RETURN(0);
	MAG_END;
}

struct visit {
	mag_frame frame;
	MAG_ARGS(visit, const mag_addr *at; bool *resumed;);
	mag_tls tls;
	mag_fd fd;
	char word[8];
	int64_t rc;
};

static MAG_TASK(visit)
{
	MAG_BEGIN(visit);
	MAG_CALL(self->rc, mag_tcp_connect, .addr = self->at, .fd = &self->fd);
	CHECK_EQ(self->rc, 0);
	CHECK_EQ(mag_tls_init(&self->tls, &client, self->fd, "example.org"), 0);
	MAG_AWAIT(self->rc, mag_tls_handshake, &self->tls);
	CHECK_EQ(self->rc, 0);
	MAG_AWAIT(self->rc, mag_tls_recv, &self->tls, self->word, sizeof(self->word));
	CHECK_EQ(self->rc, 5);
	*self->resumed = mag_tls_resumed(&self->tls);
	MAG_AWAIT(self->rc, mag_tls_shutdown, &self->tls);
	mag_tls_fini(&self->tls);
	CLOSE(self->fd);
	MAG_RETURN(0);
	MAG_END;
}

/* Goes to these places, one after another, and learns which visits went on with an earlier one's secrets. */
struct visits {
	mag_frame frame;
	MAG_ARGS(visits, const int *to; bool *resumed; int n;);
	mag_acceptor acceptor[PORTS];
	mag_fd listener[PORTS];
	mag_addr at[PORTS];
	mag_group group;
	int64_t rc;
	int i;
};

static MAG_TASK(visits)
{
	MAG_BEGIN(visits);
	for (self->i = 0; self->i < PORTS; self->i++) {
		CHECK_EQ(mag_addr_parse(&self->at[self->i], "127.0.0.1:0"), 0);
		CHECK_EQ(mag_tcp_listen(&self->at[self->i], NULL, &self->listener[self->i]), 0);
		CHECK_EQ(mag_fd_local_addr(self->listener[self->i], &self->at[self->i]), 0);
		CHECK_EQ(mag_acceptor_start(&self->acceptor[self->i], self->listener[self->i], NULL), 0);
	}
	for (self->i = 0; self->i < self->n; self->i++) {
		MAG_GROUP_BEGIN(&self->group);
		MAG_SPAWN(self->rc, &self->group, host, .acceptor = &self->acceptor[self->to[self->i]]);
		CHECK_EQ(self->rc, 0);
		MAG_SPAWN(self->rc, &self->group, visit, .at = &self->at[self->to[self->i]],
			  .resumed = &self->resumed[self->i]);
		CHECK_EQ(self->rc, 0);
		MAG_GROUP_END(self->rc, &self->group);
		CHECK_EQ(self->rc, 0);
	}
	for (self->i = 0; self->i < PORTS; self->i++) {
		MAG_AWAIT(self->rc, mag_acceptor_close, &self->acceptor[self->i]);
		CLOSE(self->listener[self->i]);
	}
	MAG_RETURN(0);
	MAG_END;
}

Test(tls_ticket, is_for_the_port_that_gave_it)
{
	static const int to[] = { 0, 0, 1, 1, 0, 1 };
	static const bool want[] = { false, true, false, true, true, true };
	bool resumed[6];

	RUN(visits, .to = to, .resumed = resumed, .n = 6);
	for (int i = 0; i < 6; i++)
		cr_assert_eq(resumed[i], want[i], "visit %d, of port %d", i, to[i]);
}
