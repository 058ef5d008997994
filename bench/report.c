/* SPDX-License-Identifier: MIT */
/* report.c - results as a table for people or as one JSON object a line. What has no figures is said on stderr in the
 * JSON form, so that stdout holds nothing but rows. */
#include "report.h"

#include <string.h>

void bench_report_head(const struct bench_options *o)
{
	if (o->json)
		return;
	if (o->quick)
		printf("quick: small sizes and few runs; these figures compare with nothing\n");
	printf("%-10s %-28s %2s  %-14s %10s %10s %10s %4s  %s\n", "bench", "case", "T", "unit", "median", "min", "max",
	       "runs", "of baseline");
}

static const struct bench_row *baseline_of(const struct bench_row *row, const struct bench_row *rows, int n)
{
	const char *name = row->of->baseline ? row->of->baseline : "baseline";

	if (bench_is_baseline(row->of))
		return NULL;
	for (int i = 0; i < n; i++)
		if (!strcmp(rows[i].name, name) && !rows[i].rc)
			return &rows[i];
	return NULL;
}

static void print_row(const struct bench *b, const struct bench_row *row, const struct bench_row *base)
{
	char median[32], min[32], max[32], ratio[32] = "";

	bench_number(median, sizeof median, row->stats.median);
	bench_number(min, sizeof min, row->stats.min);
	bench_number(max, sizeof max, row->stats.max);
	if (base && base->stats.median > 0 && bench_units_compare(row->unit, base->unit))
		snprintf(ratio, sizeof ratio, "%.3f", row->stats.median / base->stats.median);
	printf("%-10s %-28s %2d  %-14s %10s %10s %10s %4d  %s\n", b->name, row->name, row->threads, row->unit, median,
	       min, max, row->stats.n, ratio);
}

static void print_json(const struct bench *b, const struct bench_row *row)
{
	char bench[64], name[200], unit[64];

	bench_json_string(bench, sizeof bench, b->name);
	bench_json_string(name, sizeof name, row->name);
	bench_json_string(unit, sizeof unit, row->unit);
	printf("{\"bench\":%s,\"case\":%s,\"threads\":%d,\"unit\":%s,\"median\":%.9g,\"min\":%.9g,\"max\":%.9g,"
	       "\"runs\":%d}\n",
	       bench, name, row->threads, unit, row->stats.median, row->stats.min, row->stats.max, row->stats.n);
}

void bench_report(const struct bench *b, const struct bench_row *rows, int n, const struct bench_options *o)
{
	for (int i = 0; i < n; i++) {
		const struct bench_row *row = &rows[i];

		if (row->rc && o->json)
			fprintf(stderr, "magpie bench: %s: %s: %s%s\n", b->name, row->name,
				row->rc < 0 ? "FAILED: " : "", row->why);
		else if (row->rc)
			printf("%-10s %-28s %2d  %s%s\n", b->name, row->name, row->threads,
			       row->rc < 0 ? "FAILED: " : "", row->why);
		else if (o->json)
			print_json(b, row);
		else
			print_row(b, row, baseline_of(row, rows, n));
	}
	fflush(stdout);
}
