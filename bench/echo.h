/* SPDX-License-Identifier: MIT */
/* echo.h - the echo server that the echo and latency benches share. */
#ifndef MAGPIE_BENCH_ECHO_H
#define MAGPIE_BENCH_ECHO_H

#include <magpie/runtime.h>

#include "server.h"

/* Runs an echo server on a runtime with these options; as bench_server.serve. */
int echo_serve(int listen_fd, int stop_fd, const mag_runtime_options *options, struct bench_run *r);

#endif
