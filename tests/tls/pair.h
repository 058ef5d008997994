/* SPDX-License-Identifier: MIT */
/* pair.h - both ends of a session in one program, with certificates of their own. */
#ifndef MAGPIE_TESTS_TLS_PAIR_H
#define MAGPIE_TESTS_TLS_PAIR_H

#include <magpie/group.h>
#include <sys/socket.h>

#include "tls/contexts.h"
#include "unit/net_run.h"

/* Both ends after their handshake; [0] is the client's. */
struct pair {
	mag_fd fd[2];
	mag_tls tls[2];
};

struct greet {
	mag_frame frame;
	MAG_ARGS(greet, mag_tls *tls;);
	int64_t rc;
};

static MAG_TASK(greet)
{
	MAG_BEGIN(greet);
	MAG_AWAIT(self->rc, mag_tls_handshake, self->tls);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct pair_open {
	mag_frame frame;
	MAG_ARGS(pair_open, struct pair *p; mag_tls_context *client;); /* NULL: the one above */
	mag_group group;
	int64_t rc;
};

static MAG_TASK(pair_open)
{
	MAG_BEGIN(pair_open);
	CHECK_EQ(mag_socket_pair(SOCK_STREAM, self->p->fd), 0);
	CHECK_EQ(mag_tls_init(&self->p->tls[0], self->client ? self->client : &client, self->p->fd[0], "example.org"), 0);
	CHECK_EQ(mag_tls_init(&self->p->tls[1], &server, self->p->fd[1], NULL), 0);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, greet, .tls = &self->p->tls[0]);
	MAG_SPAWN(self->rc, &self->group, greet, .tls = &self->p->tls[1]);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct pair_close {
	mag_frame frame;
	MAG_ARGS(pair_close, struct pair *p;);
	int64_t rc;
	int i;
};

static MAG_TASK(pair_close)
{
	MAG_BEGIN(pair_close);
	for (self->i = 0; self->i < 2; self->i++) {
		mag_tls_fini(&self->p->tls[self->i]);
		CLOSE(self->p->fd[self->i]);
	}
	MAG_RETURN(0);
	MAG_END;
}

#endif
