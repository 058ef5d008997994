/* SPDX-License-Identifier: MIT */
/* load_charts.h - the charts of a load's page. */
#ifndef MAGPIE_TOOLS_LOAD_CHARTS_H
#define MAGPIE_TOOLS_LOAD_CHARTS_H

#include <stdio.h>

#include "load.h"

/* Latency against its percentile, on a scale of nines. */
void load_chart_percentiles(FILE *to, const struct load *load);

/* Answers a second, and the percentiles of latency, against time. */
void load_chart_times(FILE *to, const struct load *load);

#endif
