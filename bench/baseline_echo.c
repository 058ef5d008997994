/* SPDX-License-Identifier: MIT */
/* baseline_echo.c - 64-byte TCP echo on a bare ring. */
#include "baseline_server.h"
#include "cases.h"

static int echo(struct bare_conn *c)
{
	c->reply = c->buf;
	c->left = c->used;
	c->used = 0;
	return 0;
}

static int serve(int listen_fd, int stop_fd, const struct bench_server *how, struct bench_run *r)
{
	(void)how;
	bench_pin(0);
	return bare_serve(listen_fd, stop_fd, echo, r);
}

int baseline_echo(struct bench_run *r)
{
	struct bench_server how = {
		.serve = serve, .protocol = BENCH_ECHO, .measure = BENCH_CPU, .connections = (int)r->param
	};

	return bench_server_run(&how, r);
}

int baseline_latency(struct bench_run *r)
{
	struct bench_server how = { .serve = serve,
				    .protocol = BENCH_ECHO,
				    .measure = BENCH_RTT,
				    .connections = 1,
				    .client_spins = r->param == 1 };

	return bench_server_run(&how, r);
}
