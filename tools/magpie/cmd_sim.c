/* SPDX-License-Identifier: MIT */
/* cmd_sim.c - `magpie sim`: a program in many simulated runs, or one of them again. */
#include "commands.h"
#include "program.h"
#include "sim_faults.h"
#include "sim_run.h"

#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <magpie/time.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

enum { HELD_S = 20 }; /* with less there is no time for the ten seconds that a step may take */

enum {
	OPT_SEEDS = 1000,
	OPT_FIRST,
	OPT_SEED,
	OPT_SHRINK,
	OPT_FAULTS,
	OPT_MAX_FAULTS,
	OPT_MAX_PREEMPTIONS,
	OPT_PREEMPT_AT,
	OPT_MAX_STEPS,
	OPT_TIMEOUT,
	OPT_TRACE
};

struct asked {
	struct sim_job job;
	uint64_t seeds, first, seed, hash;
	unsigned at_once;
	bool one, shrink, hash_given;
	int words; /* of "hash H" seen so far */
};

static const struct argp_option options[] = {
	{ "seeds", OPT_SEEDS, "N", 0, "Run N seeds (default: 1000), until one fails", 0 },
	{ "first", OPT_FIRST, "S", 0, "From seed S on (default: 0)", 0 },
	{ "seed", OPT_SEED, "S", 0, "Run this seed only, and let it say what it says", 0 },
	{ "shrink", OPT_SHRINK, NULL, 0, "Take from a failing run what it fails without: faults, preemptions, workers",
	  0 },
	{ "workers", 'w', "N", 0, "Simulated workers (default: one to four, by the seed)", 0 },
	{ "faults", OPT_FAULTS, "LIST", 0, "What may go wrong (default: mild): " SIM_FAULTS_NAMES, 0 },
	{ "max-faults", OPT_MAX_FAULTS, "N", 0, "Nothing goes wrong after N faults", 0 },
	{ "max-preemptions", OPT_MAX_PREEMPTIONS, "N", 0, "Nobody loses its turn after N preemptions", 0 },
	{ "preempt-at", OPT_PREEMPT_AT, "STEP:...", 0, "Turns are lost at these steps only", 0 },
	{ "max-steps", OPT_MAX_STEPS, "N", 0, "A run that takes more steps does not end (default: 10000000)", 0 },
	{ "timeout", OPT_TIMEOUT, "S", 0, "A run that takes longer than S seconds fails (default: 30)", 0 },
	{ "jobs", 'j', "N", 0, "Runs at the same time (default: the CPUs)", 0 },
	{ "trace", OPT_TRACE, "FILE", 0, "With --seed: write what happens to FILE; -: to stderr", 0 },
	{ 0 },
};

static uint64_t number_from(struct argp_state *state, const char *arg, const char *what, uint64_t min, uint64_t max)
{
	char *end;
	uint64_t v;

	errno = 0;
	v = strtoull(arg, &end, 0);
	if (errno || end == arg || *end || *arg == '-' || v < min || v > max)
		argp_error(state, "%s: `%s' is not a number from %" PRIu64 " to %" PRIu64, what, arg, min, max);
	return v;
}

static uint64_t number(struct argp_state *state, const char *arg, const char *what, uint64_t max)
{
	return number_from(state, arg, what, 0, max);
}

static void take_word(struct asked *a, const char *arg, struct argp_state *state)
{
	if (!a->job.path) {
		a->job.path = arg;
	} else if (a->words == 0 && !strcmp(arg, "hash")) {
		a->words = 1;
	} else if (a->words == 1) {
		a->hash = number(state, arg, "hash", UINT64_MAX);
		a->hash_given = true;
		a->words = 2;
	} else {
		argp_error(state, "what is `%s'?", arg);
	}
}

/* 0 is nothing at all. */
static uint32_t limit(uint64_t n)
{
	return n ? (uint32_t)n : UINT32_MAX;
}

static error_t parse_run(int key, char *arg, struct argp_state *state)
{
	struct asked *a = state->input;
	mag_sim_options *o = &a->job.options;

	switch (key) {
	case 'w':
		o->workers = (uint32_t)number(state, arg, "--workers", MAG_WORKERS_MAX);
		return 0;
	case OPT_FAULTS:
		if (!sim_faults_parse(arg, &o->faults))
			argp_error(state, "--faults: `%s': the names are %s", arg, SIM_FAULTS_NAMES);
		return 0;
	case OPT_MAX_FAULTS:
		o->max_faults = limit(number(state, arg, "--max-faults", UINT32_MAX - 1));
		return 0;
	case OPT_MAX_PREEMPTIONS:
		o->max_preemptions = limit(number(state, arg, "--max-preemptions", UINT32_MAX - 1));
		return 0;
	case OPT_PREEMPT_AT:
		if (arg[strspn(arg, "0123456789:")])
			argp_error(state, "--preempt-at: `%s': wanted steps with a `:' between them", arg);
		o->preempt_at = arg;
		return 0;
	case OPT_MAX_STEPS:
		o->max_steps = number(state, arg, "--max-steps", UINT64_MAX - 1);
		return 0;
	case OPT_TRACE:
		o->trace = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct asked *a = state->input;

	switch (key) {
	case OPT_SEEDS:
		a->seeds = number_from(state, arg, "--seeds", 1, UINT64_MAX);
		return 0;
	case OPT_FIRST:
		a->first = number(state, arg, "--first", UINT64_MAX);
		return 0;
	case OPT_SEED:
		a->seed = number(state, arg, "--seed", UINT64_MAX);
		a->one = true;
		return 0;
	case OPT_SHRINK:
		a->shrink = true;
		return 0;
	case OPT_TIMEOUT:
		a->job.seconds = (uint32_t)number_from(state, arg, "--timeout", 1, 1000000);
		return 0;
	case 'j':
		a->at_once = (unsigned)number_from(state, arg, "--jobs", 1, 64);
		return 0;
	case ARGP_KEY_ARG:
		take_word(a, arg, state);
		return 0;
	case ARGP_KEY_END:
		if (!a->job.path)
			argp_error(state, "which program? A shared object that declares a MAG_PROGRAM");
		if (a->job.options.trace && !a->one)
			argp_error(state, "--trace is of one run: which --seed?");
		return 0;
	default:
		return parse_run(key, arg, state);
	}
}

/* Addresses that are the same each time make even a program repeat itself that looks at them. */
static void fix_addresses(char **argv)
{
	int now = personality(0xffffffff);

	if (now < 0 || (now & ADDR_NO_RANDOMIZE) || personality((unsigned long)now | ADDR_NO_RANDOMIZE) < 0)
		return;
	if (!(personality(0xffffffff) & ADDR_NO_RANDOMIZE))
		return;
	argv[0] = (char *)(uintptr_t) "sim"; /* the name of the subcommand was put here */
	char *again[64] = { (char *)(uintptr_t) "magpie" };

	for (int i = 0; i < 62 && argv[i]; i++)
		again[i + 1] = argv[i];
	execv("/proc/self/exe", again); /* when it fails we go on as we are */
}

/* As the shell takes it for one word. */
static void print_word(const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_";

	if (*word && !word[strspn(word, plain)]) {
		fputs(word, stdout);
		return;
	}
	putchar('\'');
	for (; *word; word++)
		fputs(*word == '\'' ? "'\\''" : (char[]){ *word, 0 }, stdout);
	putchar('\'');
}

static void print_replay(const struct sim_job *job, uint64_t seed, uint64_t hash)
{
	const mag_sim_options *o = &job->options;
	const char *debug = getenv("MAGPIE_DEBUG");
	char faults[160];

	fputs("replay: ", stdout);
	if (debug) {
		fputs("MAGPIE_DEBUG=", stdout);
		print_word(debug);
		fputc(' ', stdout);
	}
	fputs("magpie sim ", stdout);
	print_word(job->path);
	printf(" --seed %#" PRIx64, seed);
	if (o->workers)
		printf(" --workers %u", o->workers);
	if (o->faults) {
		sim_faults_format(o->faults, faults, sizeof(faults));
		printf(" --faults %s", faults);
	}
	if (o->max_faults)
		printf(" --max-faults %u", o->max_faults == UINT32_MAX ? 0 : o->max_faults);
	if (o->max_preemptions)
		printf(" --max-preemptions %u", o->max_preemptions == UINT32_MAX ? 0 : o->max_preemptions);
	if (o->preempt_at)
		printf(" --preempt-at %s", *o->preempt_at ? o->preempt_at : ":");
	if (o->max_steps)
		printf(" --max-steps %" PRIu64, o->max_steps);
	printf(" hash %#" PRIx64 "\n", hash);
	fflush(stdout);
}

/* One run that is seen; the exit status. */
static int run_one(struct asked *a, uint64_t seed)
{
	struct sim_outcome outcome;
	int rc;

	a->job.options.quiet = false;
	rc = sim_run_one(&a->job, seed, &outcome);
	if (rc < 0) {
		fprintf(stderr, "magpie sim: %s\n", mag_strerror(rc));
		return 1;
	}
	if (a->hash_given && outcome.result.hash != a->hash)
		fprintf(stderr,
			"magpie sim: not the run that was asked for, %#" PRIx64 ": the program or the library is "
			"another one, or the program depends on what is no part of the simulation\n",
			a->hash);
	if (outcome.rc >= 0) {
		printf("seed %#" PRIx64 ": no failure; %u workers, %" PRIu64 " steps, %.3f ms simulated, hash %#" PRIx64
		       "\n",
		       seed, outcome.result.workers, outcome.result.steps, (double)outcome.result.ns / 1e6,
		       outcome.result.hash);
		return a->hash_given && outcome.result.hash != a->hash;
	}
	if (!a->one || !outcome.result.hash)
		fprintf(stderr, "seed %#" PRIx64 ": %s\n", seed, outcome.result.failure);
	print_replay(&a->job, seed, outcome.result.hash);
	return 1;
}

static bool on_terminal;
static uint64_t started, total;

static void tick(uint64_t done)
{
	static uint64_t said;
	uint64_t now = mag_now();

	if (!on_terminal || now - said < 100 * MAG_MILLISECOND)
		return;
	said = now;
	fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " seeds, %.1f s ", done, total, (double)(now - started) / 1e9);
}

static void shrink(struct asked *a, uint64_t *seed)
{
	struct sim_outcome before, after;
	unsigned runs = 0;

	if (sim_run_one(&a->job, *seed, &before) < 0)
		return;
	after = before;
	sim_shrink(&a->job, seed, &after, &runs);
	printf("shrunk in %u runs: workers %u -> %u, faults %u -> %u, preemptions %u -> %u\n", runs,
	       before.result.workers, after.result.workers, before.result.faults, after.result.faults,
	       before.result.preemptions, after.result.preemptions);
}

static int run_many(struct asked *a)
{
	uint64_t failed;
	int rc;

	a->job.options.quiet = true;
	on_terminal = isatty(STDERR_FILENO);
	started = mag_now();
	total = a->seeds;
	rc = sim_run_many(&a->job, a->first, a->seeds, a->at_once, tick, &failed);
	if (on_terminal)
		fprintf(stderr, "\r\033[K");
	if (rc < 0) {
		fprintf(stderr, "magpie sim: %s\n", mag_strerror(rc));
		return 1;
	}
	if (rc == 0) {
		printf("%" PRIu64 " seeds from %#" PRIx64 ": no failure, %.1f s\n", a->seeds, a->first,
		       (double)(mag_now() - started) / 1e9);
		return 0;
	}
	printf("seed %#" PRIx64 " fails, %.1f s\n", failed, (double)(mag_now() - started) / 1e9);
	if (a->shrink)
		shrink(a, &failed);
	if (!run_one(a, failed))
		fprintf(stderr,
			"magpie sim: seed %#" PRIx64
			" does not repeat itself: it depends on real time, on addresses, or on "
			"something else that is no part of the simulation\n",
			failed);
	return 1;
}

int cmd_sim(int argc, char **argv)
{
	static const char doc[] = "Runs a program in the simulator: a shared object that declares MAG_PROGRAM "
				  "(magpie/program.h). Each seed is "
				  "another schedule, and other things that go wrong. Exit status: 0 no run failed, 1 "
				  "one did; then the line "
				  "`replay: ...' is what runs it again, and gives the same hash.";
	const struct argp argp = { options, parse, "PROGRAM.so", doc, NULL, NULL, NULL };
	struct asked a = { .seeds = 1000 };
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	a.at_once = cpus > 0 ? (unsigned)cpus : 1;
	a.job.options.size = sizeof(a.job.options);
	a.job.options.no_replay = true;
	a.job.seconds = 30;
	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &a);
	if (a.job.seconds < HELD_S) /* or the alarm says less */
		a.job.options.held_ns = a.job.seconds * (MAG_SECOND / 2);
	signal(SIGCHLD, SIG_DFL); /* ignored, as some parents leave it, no run would be told of */
	if (unsetenv("MAGPIE_SIM") == 0)
		fix_addresses(argv); /* the variable would take the place of every seed */
	a.job.program = program_load("magpie sim", a.job.path);
	if (!a.job.program)
		return 1;
	if (a.one && !a.shrink)
		return run_one(&a, a.seed);
	if (a.one) {
		a.first = a.seed;
		a.seeds = 1;
	}
	return run_many(&a);
}
