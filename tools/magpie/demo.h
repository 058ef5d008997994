/* SPDX-License-Identifier: MIT */
/* demo.h - the parts of `magpie demo`: forks, then a server under load, in one runtime. */
#ifndef MAGPIE_TOOLS_DEMO_H
#define MAGPIE_TOOLS_DEMO_H

#include <magpie/runtime.h>
#include <magpie/tcp.h>

#include "load.h"

struct demo {
	bool live;   /* draw on the terminal */
	int signals; /* readable when a signal came */
	uint32_t workers;
	mag_addr addr; /* of the server, once it is ready */
	mag_future ready;
	struct load load;
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
	mag_group group;
	struct load_url url;
	struct load_request request;
	int64_t rc, waste;
};
MAG_DECLARE_TASK(demo_load);

/* demo_print.c */
void demo_print_live(struct load *load);
void demo_print_load(const struct demo *d, const mag_stats *before);
void demo_print_next(const struct demo *d);

#endif
