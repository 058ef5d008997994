/* SPDX-License-Identifier: MIT */
/* load_report.h - what is told of a load when it has ended: for people, for programs, as a page. */
#ifndef MAGPIE_TOOLS_LOAD_REPORT_H
#define MAGPIE_TOOLS_LOAD_REPORT_H

#include <stdio.h>

#include "load.h"
#include "load_limit.h"

/* A condition of --fail-if, and what has come of it. */
struct load_verdict {
	struct load_limit limit;
	double value;
	bool broken;
};

struct load_report {
	const struct load *load;
	const char *url, *method;
	struct load_verdict verdicts[LOAD_LIMITS_MAX];
	size_t verdict_count;
};

/* They write to `to`; who calls them looks at ferror. */
void load_report_text(FILE *to, const struct load_report *r);
void load_report_json(FILE *to, const struct load_report *r);
void load_report_csv(FILE *to, const struct load_report *r);  /* a row for each second, and one of all */
void load_report_html(FILE *to, const struct load_report *r); /* one page that needs nothing else */

/* "50 connections, 2 threads, 1,000/s, for 10.0 s" */
void load_report_plan(FILE *to, const struct load *load);

#endif
