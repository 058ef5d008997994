/* SPDX-License-Identifier: MIT */
/* load_csv.c - the report as a table: a row for each second, then one of all. */
#include "load_report.h"

#include "load_figures.h"

static void put_row(FILE *to, const char *what, const struct load_second *s, double rps)
{
	fprintf(to, "%s,%.3f,%.3f,%llu,%llu,%llu,%.3f,%.6f,%.6f,%.6f,%.6f\n", what, (double)s->from_ns / 1e9,
		(double)s->to_ns / 1e9, (unsigned long long)s->answers, (unsigned long long)s->errors,
		(unsigned long long)s->bytes, rps, (double)s->p50_ns / 1e6, (double)s->p90_ns / 1e6,
		(double)s->p99_ns / 1e6, (double)s->max_ns / 1e6);
}

void load_report_csv(FILE *to, const struct load_report *r)
{
	const struct load *load = r->load;
	const struct histogram *h = &load->all.latency;
	const struct load_second all = {
		.to_ns = load->elapsed_ns,
		.answers = load->all.answers,
		.errors = load_errors(&load->all),
		.bytes = load->all.bytes,
		.p50_ns = histogram_value(h, 0.5),
		.p90_ns = histogram_value(h, 0.9),
		.p99_ns = histogram_value(h, 0.99),
		.max_ns = h->max,
	};

	fputs("row,from_s,to_s,answers,errors,bytes,rps,p50_ms,p90_ms,p99_ms,max_ms\n", to);
	for (size_t i = 0; i < load->second_count; i++) {
		const struct load_second *s = &load->seconds[i];
		uint64_t ns = s->to_ns - s->from_ns;

		put_row(to, "part", s, ns ? (double)s->answers * 1e9 / (double)ns : 0);
	}
	put_row(to, "all", &all, load_rate(load));
}
