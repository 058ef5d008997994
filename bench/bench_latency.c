/* SPDX-License-Identifier: MIT */
/* bench_latency.c - the round trip of one echo connection, with the options that a runtime has by default but for the
 * number of workers, which is the row's; by default it is that of the CPUs. */
#include "cases.h"
#include "echo.h"

static int serve(int listen_fd, int stop_fd, const struct bench_server *how, struct bench_run *r)
{
	const mag_runtime_options o = { .size = sizeof o, .workers = (uint32_t)r->threads };

	(void)how;
	return echo_serve(listen_fd, stop_fd, &o, r);
}

int bench_latency(struct bench_run *r)
{
	struct bench_server how = { .serve = serve,
				    .protocol = BENCH_ECHO,
				    .measure = BENCH_RTT,
				    .connections = 1,
				    .client_spins = r->param == 1 };

	return bench_server_run(&how, r);
}
