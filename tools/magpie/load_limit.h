/* SPDX-License-Identifier: MIT */
/* load_limit.h - a condition under which a load has failed: --fail-if 'p99>50ms'. */
#ifndef MAGPIE_TOOLS_LOAD_LIMIT_H
#define MAGPIE_TOOLS_LOAD_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "load.h"

enum { LOAD_LIMITS_MAX = 32 };

enum load_metric {
	LOAD_PERCENTILE, /* ns */
	LOAD_MEAN,       /* ns */
	LOAD_MIN,        /* ns */
	LOAD_MAX,        /* ns */
	LOAD_RPS,        /* answers a second */
	LOAD_FAILURES,   /* how many: errors, and answers with a status of 400 and above */
	LOAD_FAILURE_SHARE,
	LOAD_REQUESTS /* answers */
};

struct load_limit {
	char text[48];
	enum load_metric metric;
	double part; /* of LOAD_PERCENTILE */
	enum { LOAD_ABOVE, LOAD_AT_LEAST, LOAD_BELOW, LOAD_AT_MOST } than;
	double value;
};

/* Reads METRIC OPERATOR VALUE, blanks between are fine: p50, p99.9, … mean min max with a time; rps errors requests
 * with a number; error-rate with a share or per cent. Operators: > >= < <=.
 * Returns: NULL, or what is wrong: a text that lives for ever */
const char *load_limit_read(struct load_limit *limit, const char *text);

/* Whether the load has failed by it; *value is what the load came to. A latency of which there is none has failed: a
 * server that answers nothing does not pass. */
bool load_limit_is_broken(const struct load_limit *limit, const struct load *load, double *value);

/* A value of its kind for people; out: LOAD_TEXT bytes. */
char *load_limit_write(const struct load_limit *limit, double value, char *out);

#endif
