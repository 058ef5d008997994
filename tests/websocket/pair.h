/* SPDX-License-Identifier: MIT */
/* pair.h - both ends of a WebSocket in one program, after their handshake. */
#ifndef MAGPIE_TESTS_WEBSOCKET_PAIR_H
#define MAGPIE_TESTS_WEBSOCKET_PAIR_H

#include <magpie/group.h>
#include <magpie/websocket.h>
#include <sys/socket.h>

#include "unit/net_run.h"

/* Both ends after their handshake; [0] is the client. */
struct pair {
	mag_fd fd[2];
	mag_websocket ws[2];
	mag_websocket_options o[2]; /* what is asked for */
};

struct shake {
	mag_frame frame;
	MAG_ARGS(shake, mag_websocket *ws; bool server;);
	int64_t rc;
};

static MAG_TASK(shake)
{
	MAG_BEGIN(shake);
	if (self->server)
		MAG_AWAIT(self->rc, mag_websocket_accept, self->ws, NULL, 0);
	else
		MAG_AWAIT(self->rc, mag_websocket_connect, self->ws, "example.org:8080", "/");
	MAG_RETURN(self->rc);
	MAG_END;
}

struct pair_open {
	mag_frame frame;
	MAG_ARGS(pair_open, struct pair *p;);
	mag_group group;
	int64_t rc;
};

static MAG_TASK(pair_open)
{
	MAG_BEGIN(pair_open);
	CHECK_EQ(mag_socket_pair(SOCK_STREAM, self->p->fd), 0);
	for (int i = 0; i < 2; i++) {
		self->p->o[i].size = sizeof(self->p->o[i]);
		self->p->o[i].role = i ? MAG_WEBSOCKET_SERVER : MAG_WEBSOCKET_CLIENT;
		CHECK_EQ(mag_websocket_init(&self->p->ws[i], &mag_websocket_over_fd, &self->p->fd[i], &self->p->o[i]), 0);
	}
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, shake, .ws = &self->p->ws[0]);
	MAG_SPAWN(self->rc, &self->group, shake, .ws = &self->p->ws[1], .server = true);
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
		mag_websocket_fini(&self->p->ws[self->i]);
		CLOSE(self->p->fd[self->i]);
	}
	MAG_RETURN(0);
	MAG_END;
}

#define OPEN(...)                                                       \
	do {                                                            \
		self->p = (struct pair){ __VA_ARGS__ };                 \
		MAG_CALL(self->rc, pair_open, .p = &self->p);           \
		CHECK_EQ(self->rc, 0);                                  \
	} while (0)

struct closer {
	mag_frame frame;
	MAG_ARGS(closer, mag_websocket *ws;);
	int64_t rc;
};

static MAG_TASK(closer)
{
	MAG_BEGIN(closer);
	MAG_AWAIT(self->rc, mag_websocket_close, self->ws, 1000, "done");
	MAG_RETURN(self->rc);
	MAG_END;
}

struct listens {
	mag_frame frame;
	MAG_ARGS(listens, mag_websocket *ws;);
	mag_websocket_message m;
	int64_t rc;
};

static MAG_TASK(listens)
{
	MAG_BEGIN(listens);
	do {
		MAG_AWAIT(self->rc, mag_websocket_recv, self->ws, &self->m);
	} while (self->rc > 0);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Awaits a call that has this result. */
#define SEND(want, ...)                                              \
	do {                                                         \
		MAG_AWAIT(self->rc, __VA_ARGS__);                    \
		CHECK_EQ(self->rc, want);                            \
	} while (0)

#endif
