/* SPDX-License-Identifier: MIT */
/* report.h - a row of results, as the harness fills it in and the report prints it. */
#ifndef MAGPIE_BENCH_REPORT_H
#define MAGPIE_BENCH_REPORT_H

#include "bench.h"
#include "stats.h"

struct bench_row {
	const struct bench_case *of;
	char name[64];
	const char *unit;
	int threads;
	const char *exe; /* NULL: this very program */
	double *samples;
	int n;  /* samples so far */
	int rc; /* 0; BENCH_SKIP or a negative code: why says what, and nothing more is run */
	char why[240];
	struct bench_stats stats;
};

void bench_report_head(const struct bench_options *o);
void bench_report(const struct bench *b, const struct bench_row *rows, int n, const struct bench_options *o);

#endif
