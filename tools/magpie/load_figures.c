/* SPDX-License-Identifier: MIT */
/* load_figures.c - sums and shares, and when not to believe them. */
#include "load_figures.h"

#include <magpie/time.h>
#include <stdio.h>

#include "load_units.h"

#define BUSY 0.9                /* of its threads' time: from here on it is not idle enough to be on time */
#define LATE_NS MAG_MILLISECOND /* one in a hundred requests given out so late is too late */
#define WAITED 0.1              /* of its threads' time without a CPU */

const double load_parts[LOAD_PARTS] = { 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999 };
const char *const load_part_names[LOAD_PARTS] = { "p50", "p75", "p90", "p95", "p99", "p99.9", "p99.99" };

uint64_t load_errors(const struct load_tally *t)
{
	uint64_t n = 0;

	for (int i = 0; i < LOAD_ERRORS; i++)
		n += t->errors[i];
	return n;
}

uint64_t load_failures(const struct load_tally *t)
{
	uint64_t n = load_errors(t);

	for (int i = 400; i < LOAD_STATUSES; i++)
		n += t->status[i];
	return n;
}

double load_failure_share(const struct load_tally *t)
{
	uint64_t all = t->answers + load_errors(t);

	return all ? (double)load_failures(t) / (double)all : 0;
}

double load_rate(const struct load *load)
{
	return load->window_ns ? (double)(load->all.answers - load->all.late) * 1e9 / (double)load->window_ns : 0;
}

static double of_threads(const struct load *load, uint64_t ns)
{
	double all = (double)load->elapsed_ns * load->worker_count;

	return all > 0 ? (double)ns / all : 0;
}

double load_cpu_share(const struct load *load)
{
	return of_threads(load, load->self.cpu_ns);
}

static int doubt_self(const struct load *load, char texts[LOAD_DOUBTS][LOAD_DOUBT_TEXT])
{
	uint64_t late = histogram_value(&load->lateness, 0.99);
	double waited = of_threads(load, load->self.wait_ns);
	char time[LOAD_TEXT];
	int n = 0;

	if (load_cpu_share(load) >= BUSY)
		snprintf(texts[n++], LOAD_DOUBT_TEXT,
			 "the load generator was the bottleneck: it used %.0f %% of its %u thread%s; more of them (-t) "
			 "may get more out of the server",
			 load_cpu_share(load) * 100, load->worker_count, load->worker_count == 1 ? "" : "s");
	if (waited >= WAITED)
		snprintf(texts[n++], LOAD_DOUBT_TEXT,
			 "the load generator had to wait for a CPU for %.0f %% of the time: other programs, the server "
			 "among them, took it away",
			 waited * 100);
	if (late >= LATE_NS)
		snprintf(texts[n++], LOAD_DOUBT_TEXT,
			 "the load generator was behind its schedule: one in a hundred requests was given out %s late "
			 "or "
			 "later, which is in the latencies",
			 load_write_time(time, (double)late));
	return n;
}

int load_doubts(const struct load *load, char texts[LOAD_DOUBTS][LOAD_DOUBT_TEXT], int *own)
{
	char count[LOAD_TEXT];
	int n = doubt_self(load, texts);

	*own = n;
	if (load->unsent)
		snprintf(texts[n++], LOAD_DOUBT_TEXT,
			 "%s requests were due and never sent: all %u connections were waiting for answers, so the "
			 "server "
			 "did not keep up with the rate, or -c is too small for it; no percentile has these",
			 load_write_count(count, load->unsent), load->plan.connections);
	return n;
}
