/* SPDX-License-Identifier: MIT */
/* cmd_stress.c - `magpie stress`: a program many times at once on real threads. */
#include "commands.h"
#include "program.h"

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <magpie/stress.h>
#include <magpie/time.h>
#include <stdio.h>
#include <stdlib.h>

enum { OPT_SECONDS = 1000, OPT_SEED, OPT_AT_ONCE, OPT_LIMIT, OPT_CANCEL_IN };

struct asked {
	const char *path;
	mag_stress_options options;
};

static const struct argp_option options[] = {
	{ "seconds", OPT_SECONDS, "N", 0, "Start new instances for N seconds (default: 10)", 0 },
	{ "workers", 'w', "N", 0, "Worker threads (default: twice the CPUs, four at least)", 0 },
	{ "at-once", OPT_AT_ONCE, "N", 0, "Instances at the same time (default: 32)", 0 },
	{ "limit", OPT_LIMIT, "S", 0, "An instance that takes longer than S seconds fails (default: 10)", 0 },
	{ "cancel-in", OPT_CANCEL_IN, "N", 0,
	  "One in N instances is cancelled at a random moment (default: 4; 0: none)", 0 },
	{ "seed", OPT_SEED, "S", 0, "Of the random choices; a run does not repeat itself all the same", 0 },
	{ 0 },
};

static uint64_t number(struct argp_state *state, const char *arg, const char *what, uint64_t min, uint64_t max)
{
	char *end;
	uint64_t v;

	errno = 0;
	v = strtoull(arg, &end, 0);
	if (errno || end == arg || *end || *arg == '-' || v < min || v > max)
		argp_error(state, "%s: `%s' is not a number from %" PRIu64 " to %" PRIu64, what, arg, min, max);
	return v;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct asked *a = state->input;
	mag_stress_options *o = &a->options;

	switch (key) {
	case OPT_SECONDS:
		o->ns = number(state, arg, "--seconds", 1, 1000000) * MAG_SECOND;
		return 0;
	case 'w':
		o->workers = (uint32_t)number(state, arg, "--workers", 1, MAG_WORKERS_MAX);
		return 0;
	case OPT_AT_ONCE:
		o->at_once = (uint32_t)number(state, arg, "--at-once", 1, 1000000);
		return 0;
	case OPT_LIMIT:
		o->limit_ns = number(state, arg, "--limit", 1, 1000000) * MAG_SECOND;
		return 0;
	case OPT_CANCEL_IN:
		o->cancel_in = (uint32_t)number(state, arg, "--cancel-in", 0, 1000000);
		o->cancel_in = o->cancel_in ? o->cancel_in : UINT32_MAX;
		return 0;
	case OPT_SEED:
		o->seed = number(state, arg, "--seed", 0, UINT64_MAX);
		return 0;
	case ARGP_KEY_ARG:
		if (a->path)
			argp_error(state, "what is `%s'?", arg);
		a->path = arg;
		return 0;
	case ARGP_KEY_END:
		if (!a->path)
			argp_error(state, "which program? A shared object that declares a MAG_PROGRAM");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int cmd_stress(int argc, char **argv)
{
	static const char doc[] =
		"Runs a program many times at once on real threads, with random yields, delays and migrations at each "
		"suspension, and random cancels: a shared object that declares MAG_PROGRAM (magpie/program.h). Exit "
		"status: 0 "
		"nothing was found, 1 something was.";
	const struct argp argp = { options, parse, "PROGRAM.so", doc, NULL, NULL, NULL };
	struct asked a = { .options = { .size = sizeof(a.options), .ns = 10 * MAG_SECOND } };
	mag_stress_result result;
	const mag_program *program;
	int64_t rc;

	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	program = program_load("magpie stress", a.path);
	if (!program)
		return 1;
	rc = magi_stress(&a.options, &result, sizeof(result), program);
	if (rc < 0 && !result.failure[0])
		fprintf(stderr, "magpie stress: %s %s\n", mag_strerror(rc), mag_runtime_why());
	printf("%" PRIu64 " instances of %s, %" PRIu64 " of them cancelled, %" PRIu64 " points: %s\n", result.runs,
	       program->name, result.cancelled, result.steps, rc < 0 ? "FAILED" : "no failure");
	return rc < 0;
}
