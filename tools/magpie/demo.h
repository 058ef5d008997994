/* SPDX-License-Identifier: MIT */
/* demo.h - the parts of `magpie demo`: forks, then a server under load, in one runtime.
 *
 * Who:     struct demo_tally is one worker's; demo_count brings the sum to whoever asks, without stopping anybody. */
#ifndef MAGPIE_TOOLS_DEMO_H
#define MAGPIE_TOOLS_DEMO_H

#include <magpie/runtime.h>
#include <magpie/tcp.h>

#include "histogram.h"

/* What the clients on one worker have seen. */
struct demo_tally {
	uint64_t requests, errors;
	struct histogram ns;
} __attribute__((aligned(64)));

struct demo {
	bool live;        /* draw on the terminal */
	bool interrupted; /* by Ctrl-C; set before the load ends, read after */
	int signals;      /* readable when a signal came */
	uint32_t workers;
	struct demo_tally *tally; /* each worker's */
	mag_addr addr;            /* of the server, once it is ready */
	mag_future ready;
	uint64_t load_ns; /* how long the load lasted */
	struct demo_tally sum;
	int64_t first_error;
	const char *failed; /* what could not be done */
};

/* MAG_CALL(rc, demo_forks, .demo = d): computes a Fibonacci number by forking every call, and says how that went. */
struct demo_forks {
	mag_frame frame;
	MAG_ARGS(demo_forks, struct demo *demo;);
	mag_stats before;
	uint64_t start, value;
	int64_t rc;
};
MAG_DECLARE_TASK(demo_forks);

/* MAG_CALL(rc, demo_load, .demo = d): drives the server at demo->addr until the time is over or a signal comes. */
struct demo_load {
	mag_frame frame;
	MAG_ARGS(demo_load, struct demo *demo;);
	mag_scope scope;
	mag_group group;
	uint64_t start;
	int64_t rc, waste;
	int i;
};
MAG_DECLARE_TASK(demo_load);

/* MAG_CALL(rc, demo_count, .demo = d): adds up the tallies into demo->sum. Each worker copies its own, so that nobody
 * reads what another one writes. */
struct demo_count {
	mag_frame frame;
	MAG_ARGS(demo_count, struct demo *demo;);
	struct demo_tally *copies;
	mag_group group;
	int64_t rc;
	uint32_t i;
};
MAG_DECLARE_TASK(demo_count);

/* demo_print.c */
void demo_print_live(const struct demo *d, uint64_t ns);
void demo_print_end_of_live(const struct demo *d);
void demo_print_load(const struct demo *d, const mag_stats *before);
void demo_print_next(const struct demo *d);

#endif
