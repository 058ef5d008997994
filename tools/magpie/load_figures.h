/* SPDX-License-Identifier: MIT */
/* load_figures.h - what a load comes to: the figures that all reports share, and what speaks against them. */
#ifndef MAGPIE_TOOLS_LOAD_FIGURES_H
#define MAGPIE_TOOLS_LOAD_FIGURES_H

#include "load.h"

enum { LOAD_PARTS = 7, LOAD_DOUBTS = 4, LOAD_DOUBT_TEXT = 256 };

/* The percentiles that are told: 0.5 … 0.9999, "p50" … "p99.99". */
extern const double load_parts[LOAD_PARTS];
extern const char *const load_part_names[LOAD_PARTS];

/* Requests without a whole answer. */
uint64_t load_errors(const struct load_tally *t);
/* The same, and answers with a status of 400 and above. */
uint64_t load_failures(const struct load_tally *t);
/* Failures among all that were answered or failed: 0 … 1. */
double load_failure_share(const struct load_tally *t);
/* Answers a second. */
double load_rate(const struct load *load);
/* CPU time of this process, of what its workers could have had: 0 … 1. */
double load_cpu_share(const struct load *load);

/* What the figures may say too little or too much of, in sentences; the first `*own` are about this process: it was the
 * bottleneck.  Returns: how many */
int load_doubts(const struct load *load, char texts[LOAD_DOUBTS][LOAD_DOUBT_TEXT], int *own);

#endif
