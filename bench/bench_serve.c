/* SPDX-License-Identifier: MIT */
/* bench_serve.c - the hello of `magpie serve`, saturated; a file of it, and the hello over TLS. */
#include "cases.h"
#include "serve.h"
#include "server.h"
#include "tasks.h"

static int serve(int listen_fd, int stop_fd, const struct bench_server *how, struct bench_run *r)
{
	/* as the baseline, it sleeps when the client is the slower one: spinning would be counted as work */
	const mag_runtime_options o = { .size = sizeof o, .workers = (uint32_t)r->threads, .spin_us = UINT32_MAX };
	const struct bench_serve_what what = { .root = how->file ? how->site->root : NULL,
					       .certificate = how->tls ? how->site->certificate : NULL,
					       .key = how->tls ? how->site->key : NULL };

	return bench_tasks_over(r, bench_serve_what(&o, &what, listen_fd, stop_fd));
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

int bench_serve_site(struct bench_run *r)
{
	static struct bench_site site;
	const struct bench_server how = {
		.serve = serve,
		.protocol = BENCH_HTTP,
		.measure = BENCH_CPU,
		.connections = (int)r->param,
		.site = &site,
		.file = r->param2 == BENCH_FILE,
		.tls = r->param2 == BENCH_TLS,
	};
	int rc = bench_site_make(&site, how.tls, r);

	if (rc)
		return rc;
	rc = bench_server_run(&how, r);
	bench_site_remove(&site);
	return rc;
}
