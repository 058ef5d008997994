/* SPDX-License-Identifier: MIT */
/* bench_serve.c - the hello of `magpie serve`: the same tasks, parser, limits and deadlines. */
#include "cases.h"
#include "serve_site.h"
#include "server.h"
#include "tasks.h"

static int serve(int listen_fd, int stop_fd, const struct bench_server *how, struct bench_run *r)
{
	const mag_runtime_options o = { .size = sizeof o, .workers = (uint32_t)r->threads };
	struct serve_site site = { .listener = listen_fd, .stop = stop_fd };

	(void)how;
	return bench_tasks_over(r, mag_run(&o, serve_run, .site = &site));
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
