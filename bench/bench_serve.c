/* SPDX-License-Identifier: MIT */
/* bench_serve.c - the hello of `magpie serve`, saturated. */
#include "cases.h"
#include "serve.h"
#include "server.h"
#include "tasks.h"

static int serve(int listen_fd, int stop_fd, const struct bench_server *how, struct bench_run *r)
{
	/* as the baseline, it sleeps when the client is the slower one: spinning would be counted as work */
	const mag_runtime_options o = { .size = sizeof o, .workers = (uint32_t)r->threads, .spin_us = UINT32_MAX };

	(void)how;
	return bench_tasks_over(r, bench_serve_hello(&o, listen_fd, stop_fd));
}

int bench_serve(struct bench_run *r)
{
	struct bench_server how = {
		.serve = serve,
		.protocol = BENCH_HTTP,
		.measure = r->param2 > 1 ? BENCH_RATE : BENCH_CPU,
		.connections = (int)r->param,
		.pipeline = (int)r->param2,
	};

	return bench_server_run(&how, r);
}
