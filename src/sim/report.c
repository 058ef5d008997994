/* SPDX-License-Identifier: MIT */
/* report.c - why a run failed: words, threads, tasks, and how to see it again. */
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fault.h"
#include "io/sim.h"
#include "sim/sim.h"
#include "task/tree.h"

void magi_sim_failed(struct magi_sim *s, const char *format, ...)
{
	va_list args;

	if (s->failed)
		return;
	s->failed = true;
	va_start(args, format);
	vsnprintf(s->result.failure, sizeof(s->result.failure), format, args);
	va_end(args);
	magi_trace(s, "fails: %s", s->result.failure);
}

mag_runtime *magi_sim_runtime(const struct magi_sim *s)
{
	for (const struct magi_fiber *f = s->fibers; f; f = f->next) {
		mag_worker *w = f == s->current ? magi_self() : f->self;

		if (w && f->state != MAGI_FIBER_ENDED)
			return magi_runtime_of(w);
	}
	return NULL;
}

static void print_thread(const struct magi_fiber *f)
{
	fprintf(stderr, "  %-14s ", f->name);
	switch (f->state) {
	case MAGI_FIBER_READY:
		fprintf(stderr, "runs");
		break;
	case MAGI_FIBER_WAITS:
		fprintf(stderr, "waits");
		if (f->until != MAGI_NEVER)
			fprintf(stderr, " until %.3f us", (double)f->until / 1e3);
		break;
	case MAGI_FIBER_JOINS:
		fprintf(stderr, "joins thread %" PRIu64, f->joins);
		break;
	case MAGI_FIBER_ENDED:
		fprintf(stderr, "has ended");
		break;
	}
	fputc('\n', stderr);
}

static void print_open(void *ctx, int fd, const char *kind, const char *text)
{
	(void)ctx;
	fprintf(stderr, "  open: %s %d %s\n", kind, fd, text);
}

/* What the tasks wait for, and what workers are at. The fibers stand still: no lock that one of them holds is waited for,
 * and nothing here may be a point of the run, or meet one of its faults. */
static void print_tasks(const struct magi_sim *s)
{
	mag_runtime *rt = magi_sim_runtime(s);
	struct magi_host *host = magi_host_here;
	struct magi_text t;

	magi_host_here = NULL;
	if (rt && magi_text_begin(&t, MAGI_TREE_BYTES) == 0) {
		magi_tree_add(&t, rt, s->now, true);
		magi_workers_add(&t, rt);
		fflush(stderr);
		(void)magi_text_write(&t, STDERR_FILENO, -1);
		magi_text_end(&t);
	}
	magi_host_here = host;
}

/* As the shell takes it for one word. */
static void print_word(const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_";

	if (*word && !word[strspn(word, plain)]) {
		fputs(word, stderr);
		return;
	}
	fputc('\'', stderr);
	for (; *word; word++)
		fputs(*word == '\'' ? "'\\''" : (char[]){ *word, 0 }, stderr);
	fputc('\'', stderr);
}

/* What the shell takes for the program: a framework may have renamed its process. */
static void print_program(const char *name)
{
	char path[PATH_MAX];
	ssize_t n = access(name, X_OK) == 0 ? 0 : readlink("/proc/self/exe", path, sizeof(path) - 1);

	path[n > 0 ? n : 0] = 0;
	print_word(n > 0 ? path : name);
}

/* The program's own command line, and the variable that a run depends on. */
static void print_command(void)
{
	const char *debug = getenv("MAGPIE_DEBUG");
	FILE *f = fopen("/proc/self/cmdline", "re");
	char *word = NULL;
	size_t room = 0;

	if (debug) {
		fputs("MAGPIE_DEBUG=", stderr);
		print_word(debug);
		fputc(' ', stderr);
	}
	for (int i = 0; f && getdelim(&word, &room, 0, f) > 0; i++) {
		if (i == 0)
			print_program(word);
		else
			print_word(word);
		fputc(' ', stderr);
	}
	free(word);
	if (f)
		fclose(f);
}

static void print_replay(const struct magi_sim *s)
{
	const mag_sim_options *o = &s->options;
	char fault[64];

	fprintf(stderr, "replay: MAGPIE_SIM=seed=%#" PRIx64, s->seed);
	if (o->workers)
		fprintf(stderr, ",workers=%u", o->workers);
	if (o->faults)
		fprintf(stderr, ",faults=%#x", o->faults);
	if (o->max_faults)
		fprintf(stderr, ",max-faults=%u", o->max_faults);
	if (o->max_preemptions)
		fprintf(stderr, ",max-preemptions=%u", o->max_preemptions);
	if (o->preempt_at)
		fprintf(stderr, ",preempt-at=%s", o->preempt_at);
	if (o->max_steps)
		fprintf(stderr, ",max-steps=%" PRIu64, o->max_steps);
	if (o->held_ns)
		fprintf(stderr, ",held-ns=%" PRIu64, o->held_ns);
	if (magi_fault_text(fault, sizeof(fault)))
		fprintf(stderr, ",fault=%s", fault);
	fputc(' ', stderr);
	print_command();
	fprintf(stderr, "# hash %#" PRIx64 "\n", s->result.hash);
}

void magi_sim_report(struct magi_sim *s)
{
	const mag_sim_result *r = &s->result;

	if (s->options.quiet || s->reported)
		return;
	s->reported = true;
	fprintf(stderr, "magpie: simulation of %s failed: %s\n", s->program->name, r->failure);
	fprintf(stderr,
		"  %u workers, %.3f us, %" PRIu64 " steps, %" PRIu64 " switches, %u of them preemptions, %u faults\n",
		r->workers, (double)s->now / 1e3, r->steps, r->switches, r->preemptions, r->faults);
	for (const struct magi_fiber *f = s->fibers; f; f = f->next)
		print_thread(f);
	if (s->host.world)
		magi_world_each_open(s->host.world, print_open, NULL);
	print_tasks(s);
	if (!s->options.no_replay)
		print_replay(s);
	fflush(stderr);
}
