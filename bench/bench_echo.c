/* SPDX-License-Identifier: MIT */
/* bench_echo.c - a TCP echo server as a user writes it: a task a connection, which receives and sends. */
#include "cases.h"
#include "echo.h"
#include "tasks.h"

#include <magpie/acceptor.h>
#include <magpie/poll.h>
#include <magpie/tcp.h>

#define ECHO_BUFFER 4096

struct echo_conn {
	mag_frame frame;
	MAG_ARGS(echo_conn, mag_fd fd;);
	int64_t n;
	char buf[ECHO_BUFFER];
};

MAG_TASK(echo_conn)
{
	MAG_BEGIN(echo_conn);
	for (;;) {
		MAG_AWAIT(self->n, mag_recv, self->fd, self->buf, sizeof self->buf);
		if (self->n <= 0)
			break;
		MAG_AWAIT(self->n, mag_send_all, self->fd, self->buf, (size_t)self->n);
		if (self->n < 0)
			break;
	}
	MAG_AWAIT(self->n, mag_close, self->fd);
	MAG_RETURN(0);
	MAG_END;
}

struct echo_accept {
	mag_frame frame;
	MAG_ARGS(echo_accept, mag_fd listener; mag_group * group;);
	mag_acceptor acceptor;
	mag_fd fd;
	int64_t rc, closed;
};

MAG_TASK(echo_accept)
{
	MAG_BEGIN(echo_accept);
	mag_tcp_set_nodelay(self->listener, true);
	self->rc = mag_acceptor_start(&self->acceptor, self->listener, NULL);
	while (self->rc >= 0) {
		MAG_AWAIT(self->rc, mag_acceptor_next, &self->acceptor, &self->fd);
		if (self->rc < 0)
			break;
		MAG_SPAWN(self->rc, self->group, echo_conn, .fd = self->fd);
		if (self->rc < 0)
			MAG_AWAIT(self->closed, mag_close, self->fd);
	}
	MAG_AWAIT(self->closed, mag_acceptor_close, &self->acceptor);
	MAG_RETURN(self->rc == MAG_ECANCELED ? 0 : self->rc);
	MAG_END;
}

struct echo_server {
	mag_frame frame;
	MAG_ARGS(echo_server, int listen_fd; int stop_fd;);
	mag_fd listener, stop;
	mag_group group;
	int64_t rc, end;
};

MAG_TASK(echo_server)
{
	MAG_BEGIN(echo_server);
	bench_pin(0); /* the only worker */
	self->rc = mag_fd_adopt(self->listen_fd, &self->listener);
	if (self->rc >= 0)
		self->rc = mag_fd_adopt(self->stop_fd, &self->stop);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	MAG_SPAWN(self->rc, &self->group, echo_accept, .listener = self->listener, .group = &self->group);
	if (self->rc >= 0)
		MAG_AWAIT(self->rc, mag_poll, self->stop, POLLIN);
	mag_group_cancel(&self->group);
	MAG_GROUP_END(self->end, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

int echo_serve(int listen_fd, int stop_fd, const mag_runtime_options *options, struct bench_run *r)
{
	return bench_tasks_over(r, mag_run(options, echo_server, .listen_fd = listen_fd, .stop_fd = stop_fd));
}

static int serve(int listen_fd, int stop_fd, const struct bench_server *how, struct bench_run *r)
{
	const mag_runtime_options o = { .size = sizeof o, .workers = 1, .spin_us = UINT32_MAX,
					.backend = r->param2 ? "epoll" : NULL };

	(void)how;
	return echo_serve(listen_fd, stop_fd, &o, r);
}

int bench_echo(struct bench_run *r)
{
	struct bench_server how = {
		.serve = serve, .protocol = BENCH_ECHO, .measure = BENCH_CPU, .connections = (int)r->param
	};

	return bench_server_run(&how, r);
}
