/* SPDX-License-Identifier: MIT */
/* cmd_bench.c - `magpie bench`: which benches, how often, in which form. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "bench.h"
#include "commands.h"
#include "report.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS_MAX 1024
#define NAMES_MAX 64

enum { OPT_ONE = 1000 };

struct asked {
	struct bench_options o;
	bool list;
	const char *one;
	const struct bench *names[NAMES_MAX];
	int n;
};

static const struct argp_option options[] = {
	{ "threads", 't', "N", 0, "Run with 1, 2, 4 ... up to N workers (default: 1 and 2, as far as there are CPUs)",
	  0 },
	{ "runs", 'r', "R", 0, "Run each case R times, at least 5 (default: 5)", 0 },
	{ "json", 'j', NULL, 0, "Print one JSON object a line", 0 },
	{ "list", 'l', NULL, 0, "Print what there is to measure, and measure nothing", 0 },
	{ "quick", 'q', NULL, 0, "Smoke run: small sizes, one run; checks results, its figures mean nothing", 0 },
	{ "one", OPT_ONE, "SPEC", OPTION_HIDDEN, NULL, 0 },
	{ 0 },
};

static int number(struct argp_state *state, const char *arg, const char *what, long max)
{
	char *end;
	long v;

	errno = 0;
	v = strtol(arg, &end, 10);
	if (errno || end == arg || *end || v < 1 || v > max)
		argp_error(state, "%s: `%s' is not a number from 1 to %ld", what, arg, max);
	return (int)v;
}

static void add_name(struct argp_state *state, struct asked *a, const char *name)
{
	const struct bench *b = bench_find(name);

	if (!b)
		argp_error(state, "no bench `%s'; --list names them", name);
	else if (a->n == NAMES_MAX)
		argp_error(state, "at most %d names", NAMES_MAX);
	else
		a->names[a->n++] = b;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct asked *a = state->input;

	switch (key) {
	case 't':
		a->o.threads = number(state, arg, "--threads", THREADS_MAX);
		return 0;
	case 'r':
		a->o.runs = number(state, arg, "--runs", BENCH_RUNS_MAX);
		return 0;
	case 'j':
		a->o.json = true;
		return 0;
	case 'l':
		a->list = true;
		return 0;
	case 'q':
		a->o.quick = true;
		return 0;
	case OPT_ONE:
		a->one = arg;
		return 0;
	case ARGP_KEY_ARG:
		add_name(state, a, arg);
		return 0;
	case ARGP_KEY_END:
		if (!a->o.runs)
			a->o.runs = a->o.quick ? 1 : BENCH_RUNS_MIN;
		if (a->o.runs < BENCH_RUNS_MIN && !a->o.quick)
			argp_error(state, "--runs: at least %d; fewer only with --quick", BENCH_RUNS_MIN);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void list(void)
{
	int n;
	const struct bench *b = bench_table(&n);

	for (; n--; b++) {
		bool here = false;

		for (int i = 0; i < b->n; i++)
			here |= b->cases[i].run && !bench_is_baseline(&b->cases[i]);
		printf("%-10s %-15s %s%s\n", b->name, b->unit, b->what, here ? "" : " (not in this build)");
	}
}

/* The same tool, linked with the static library, lies beside this one when the build made it. */
static const char *static_tool(char *path, size_t len)
{
	static const char suffix[] = "-static";
	ssize_t n = readlink("/proc/self/exe", path, len - sizeof suffix);

	if (n <= 0)
		return NULL;
	memcpy(path + n, suffix, sizeof suffix);
	return access(path, X_OK) ? NULL : path;
}

int cmd_bench(int argc, char **argv)
{
	static const struct argp argp = {
		options,
		parse,
		"[NAME...]",
		"Measures this build on this machine: the median, least and largest of interleaved runs, each beside a "
		"baseline taken in the same run.\vEach run checks its own result; a wrong one makes the exit status 1. "
		"MAGPIE_BENCH_VERBOSE=1 says how busy each measured server was: below about 90 % the client was the "
		"limit.",
		NULL,
		NULL,
		NULL
	};
	struct asked a = { .o.threads = bench_cpus() < 2 ? 1 : 2 };
	const struct bench *all;
	char path[4096];
	int n, failed = 0;

	argp_err_exit_status = 2;
	if (argp_parse(&argp, argc, argv, 0, NULL, &a))
		return 2;
	if (a.one)
		return bench_one(a.one);
	if (a.list) {
		list();
		return 0;
	}
	a.o.static_tool = static_tool(path, sizeof path);
	all = bench_table(&n);
	bench_report_head(&a.o);
	for (int i = 0; i < (a.n ? a.n : n); i++)
		failed += bench_measure(a.n ? a.names[i] : &all[i], &a.o, a.n > 0);
	if (failed)
		fprintf(stderr, "magpie bench: %d row%s failed\n", failed, failed == 1 ? "" : "s");
	return failed ? 1 : 0;
}
