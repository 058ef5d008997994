/* SPDX-License-Identifier: MIT */
/* bench_websocket.c - a WebSocket echo server as a user writes it: a task a connection, which receives and sends. */
#include "cases.h"
#include "server.h"
#include "tasks.h"

#include <magpie/acceptor.h>
#include <magpie/group.h>
#include <magpie/poll.h>
#include <magpie/tcp.h>
#include <magpie/websocket.h>
#include <poll.h>

struct websocket_conn {
	mag_frame frame;
	MAG_ARGS(websocket_conn, mag_fd fd;);
	mag_websocket ws;
	mag_websocket_message m;
	int64_t rc;
};

MAG_TASK(websocket_conn)
{
	static const mag_websocket_options options = { .size = sizeof options, .role = MAG_WEBSOCKET_SERVER };

	MAG_BEGIN(websocket_conn);
	self->rc = mag_websocket_init(&self->ws, &mag_websocket_over_fd, &self->fd, &options);
	if (self->rc == 0)
		MAG_AWAIT(self->rc, mag_websocket_accept, &self->ws, NULL, 0);
	while (self->rc == 0) {
		MAG_AWAIT(self->rc, mag_websocket_recv, &self->ws, &self->m);
		if (self->rc <= 0)
			break;
		MAG_AWAIT(self->rc, mag_websocket_send, &self->ws, self->m.type, self->m.data, self->m.len);
	}
	mag_websocket_fini(&self->ws);
	MAG_AWAIT(self->rc, mag_close, self->fd);
	MAG_RETURN(0);
	MAG_END;
}

struct websocket_acceptor {
	mag_frame frame;
	MAG_ARGS(websocket_acceptor, mag_fd listener; mag_group * group;);
	mag_acceptor acceptor;
	mag_fd fd;
	int64_t rc, closed;
};

MAG_TASK(websocket_acceptor)
{
	MAG_BEGIN(websocket_acceptor);
	mag_tcp_set_nodelay(self->listener, true);
	self->rc = mag_acceptor_start(&self->acceptor, self->listener, NULL);
	while (self->rc >= 0) {
		MAG_AWAIT(self->rc, mag_acceptor_next, &self->acceptor, &self->fd);
		if (self->rc < 0)
			break;
		MAG_SPAWN(self->rc, self->group, websocket_conn, .fd = self->fd);
		if (self->rc < 0)
			MAG_AWAIT(self->closed, mag_close, self->fd);
	}
	MAG_AWAIT(self->closed, mag_acceptor_close, &self->acceptor);
	MAG_RETURN(self->rc == MAG_ECANCELED ? 0 : self->rc);
	MAG_END;
}

struct websocket_server {
	mag_frame frame;
	MAG_ARGS(websocket_server, int listen_fd; int stop_fd;);
	mag_fd listener, stop;
	mag_group group;
	int64_t rc, end;
};

MAG_TASK(websocket_server)
{
	MAG_BEGIN(websocket_server);
	self->rc = mag_fd_adopt(self->listen_fd, &self->listener);
	if (self->rc >= 0)
		self->rc = mag_fd_adopt(self->stop_fd, &self->stop);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	MAG_SPAWN(self->rc, &self->group, websocket_acceptor, .listener = self->listener, .group = &self->group);
	if (self->rc >= 0)
		MAG_AWAIT(self->rc, mag_poll, self->stop, POLLIN);
	mag_group_cancel(&self->group);
	MAG_GROUP_END(self->end, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

static int serve(int listen_fd, int stop_fd, const struct bench_server *how, struct bench_run *r)
{
	/* as its peers, it sleeps when the client is the slower one */
	const mag_runtime_options o = { .size = sizeof o, .workers = 1, .spin_us = UINT32_MAX };

	(void)how;
	return bench_tasks_over(r, mag_run(&o, websocket_server, .listen_fd = listen_fd, .stop_fd = stop_fd));
}

int bench_websocket(struct bench_run *r)
{
	struct bench_server how = { .serve = serve,
				    .protocol = BENCH_WEBSOCKET,
				    .measure = r->param2 ? BENCH_RATE : BENCH_CPU,
				    .connections = (int)r->param };

	return bench_server_run(&how, r);
}
