/* SPDX-License-Identifier: MIT */
/* load_live.h - what is seen while a load goes on, on stderr: a few lines drawn over and over on a terminal, a line
 * now and then elsewhere. */
#ifndef MAGPIE_TOOLS_LOAD_LIVE_H
#define MAGPIE_TOOLS_LOAD_LIVE_H

#include "load.h"

struct load_live {
	const char *url;
	bool screen;                /* a terminal that can move its cursor */
	bool colour;                /* and NO_COLOR is not set */
	bool wide;                  /* UTF-8 */
	int drawn;                  /* lines on the screen that are ours */
	uint64_t said_ns;           /* not on a screen: when the last line was written */
	uint64_t before_ns, before; /* at the last line or drawing: when, and how many answers */
	double now;                 /* requests/s since then */
};

/* Lets the load tell it. quiet: nothing is written. */
void load_live_init(struct load_live *live, struct load *load, const char *url, bool quiet);

/* Takes its lines off the screen. */
void load_live_end(struct load_live *live);

#endif
