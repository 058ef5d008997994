/* SPDX-License-Identifier: MIT */
/* harness.c - measures one bench: its cases become rows, and the rows take turns, so that a machine that drifts drifts
 * under all of them alike. */
#include "bench.h"
#include "report.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define ROWS_MAX 64

/* 1, 2, 4 … below the highest, then the highest. Returns: 0 after the last. */
static int next_threads(int t, int highest)
{
	if (t >= highest)
		return 0;
	return t * 2 < highest ? t * 2 : highest;
}

static int add_row(struct bench_row *rows, int n, const struct bench *b, const struct bench_case *c, int threads,
		   const char *exe)
{
	struct bench_row *row = &rows[n];
	int at = 0;

	if (n == ROWS_MAX)
		return n;
	*row = (struct bench_row){ .of = c, .unit = c->unit ? c->unit : b->unit, .threads = threads, .exe = exe };
	if (c->name)
		at = snprintf(row->name, sizeof row->name, "%s", c->name);
	if (!c->name || c->threads == BENCH_EACH)
		at += snprintf(row->name + at, sizeof row->name - (size_t)at, "%s%dT", at ? " " : "", threads);
	if (exe)
		snprintf(row->name + at, sizeof row->name - (size_t)at, " static");
	return n + 1;
}

static int make_rows(struct bench_row *rows, const struct bench *b, const struct bench_options *o)
{
	int n = 0;

	for (const struct bench_case *c = b->cases; c < b->cases + b->n; c++) {
		int each = c->threads == BENCH_EACH;

		for (int t = each ? 1 : c->threads; t; t = each ? next_threads(t, o->threads) : 0) {
			n = add_row(rows, n, b, c, t, NULL);
			if (c->both_links && o->static_tool && c->run)
				n = add_row(rows, n, b, c, t, o->static_tool);
		}
	}
	return n;
}

static void run_once(const struct bench *b, struct bench_row *row, const struct bench_options *o, int data_fd)
{
	struct bench_run r = {
		.threads = row->threads,
		.quick = o->quick,
		.param = row->of->param,
		.param2 = row->of->param2,
		.data_fd = data_fd,
	};
	int rc = bench_isolated(b, row->of, &r, row->exe);

	if (rc) {
		row->rc = rc;
		snprintf(row->why, sizeof row->why, "%s%.200s", rc == BENCH_SKIP ? "skipped: " : "", r.why);
	} else {
		row->samples[row->n++] = r.value;
	}
}

static void show_progress(const struct bench *b, const struct bench_row *row, int run, int runs)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K%s, %s, run %d of %d ", b->name, row->name, run + 1, runs);
}

static void run_rows(const struct bench *b, struct bench_row *rows, int n, const struct bench_options *o, int data_fd)
{
	for (int run = 0; run < o->runs; run++)
		for (int i = 0; i < n; i++) {
			if (rows[i].rc)
				continue;
			show_progress(b, &rows[i], run, o->runs);
			run_once(b, &rows[i], o, data_fd);
		}
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

static void refuse(struct bench_row *row, int rc, const char *why)
{
	row->rc = rc;
	snprintf(row->why, sizeof row->why, "%s%s%s", why, row->of->needs ? ": without " : "",
		 row->of->needs ? row->of->needs : "");
}

int bench_measure(const struct bench *b, const struct bench_options *o, bool named)
{
	struct bench_row *rows = calloc(ROWS_MAX, sizeof *rows);
	double *samples = calloc((size_t)ROWS_MAX * (size_t)o->runs, sizeof *samples);
	char why[200] = "";
	int n, failed = 0, data_fd = -1, rc = 0;

	if (!rows || !samples) {
		fprintf(stderr, "magpie bench: no memory\n");
		free(rows);
		free(samples);
		return 1;
	}
	n = make_rows(rows, b, o);
	if (b->setup)
		rc = data_fd = b->setup(o->quick, why, sizeof why);
	for (int i = 0; i < n; i++) {
		rows[i].samples = samples + (size_t)i * (size_t)o->runs;
		if (!rows[i].of->run)
			refuse(&rows[i], named && !bench_is_baseline(rows[i].of) ? -ENOSYS : BENCH_SKIP,
			       "not in this build");
		else if (rc < 0)
			refuse(&rows[i], rc, why);
	}
	run_rows(b, rows, n, o, data_fd);
	for (int i = 0; i < n; i++) {
		rows[i].stats = bench_stats_of(rows[i].samples, rows[i].n);
		failed += rows[i].rc < 0;
	}
	bench_report(b, rows, n, o);
	if (data_fd >= 0)
		close(data_fd);
	free(samples);
	free(rows);
	return failed;
}
