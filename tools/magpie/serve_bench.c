/* SPDX-License-Identifier: MIT */
/* serve_bench.c - what `magpie bench serve` measures: the tasks, parser, limits and deadlines of `magpie serve`. */
#include "serve.h"
#include "serve_site.h"

int64_t bench_serve_hello(const mag_runtime_options *options, int listen_fd, int stop_fd)
{
	struct serve_site site = { .listener = listen_fd, .stop = stop_fd };

	return mag_run(options, serve_run, .site = &site);
}
