/* SPDX-License-Identifier: MIT */
/* serve.h - the server that bench_serve.c measures: the command's own, which lies above the benches and defines this. */
#ifndef MAGPIE_BENCH_SERVE_H
#define MAGPIE_BENCH_SERVE_H

#include <magpie/runtime.h>

struct bench_serve_what {
	const char *root;              /* the files below it; NULL: the hello of `magpie serve` */
	const char *certificate, *key; /* over TLS, with these; NULL: without */
};

/* Serves that to what comes to listen_fd until stop_fd is readable. Returns: as mag_run. */
int64_t bench_serve_what(const mag_runtime_options *options, const struct bench_serve_what *what, int listen_fd,
			 int stop_fd);

#endif
