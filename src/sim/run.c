/* SPDX-License-Identifier: MIT */
/* run.c - one run of a simulation, from its seed to its hash.
 *
 * Always:  a run that fails leaves its fibers where they are: what they hold is lost to the process. */
#include <errno.h>
#include <inttypes.h>
#include <magpie/options.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fault.h"
#include "io/sim.h"
#include "sim/sim.h"

enum { STACK_BYTES = 1 << 20, SPIN_US = 1, BLOCKING_MAX = 4, COMPUTE = 2 };

/* The program's first thread: what a main function would do. */
static void *first_thread(void *arg)
{
	struct magi_sim *s = arg;
	const mag_program *p = s->program;
	mag_runtime_options options = {
		.size = sizeof(options),
		.workers = s->result.workers,
		.spin_us = SPIN_US,
		.blocking_max = BLOCKING_MAX,
		.compute_threads = COMPUTE,
		.backend = "sim",
		.world = s->host.world,
		.debug = s->options.debug,
	};

	s->rc = magi_run(&options, p->abi, p->step, p->cls, p->frame_size, p->at, p->args, p->args_size);
	return NULL;
}

static void check_end(struct magi_sim *s)
{
	const struct magi_ledger_line *off = magi_ledger_off(&s->ledger);
	uint32_t fds = magi_world_open_fds(s->host.world);

	for (const struct magi_fiber *f = s->fibers; f; f = f->next) {
		if (f->state != MAGI_FIBER_ENDED)
			magi_sim_failed(s, "thread %s goes on after the end", f->name);
	}
	if (off)
		magi_sim_failed(s, "the ledger is off: %s by %" PRId64, off->name, off->sum);
	if (s->ledger.full)
		magi_sim_failed(s, "the ledger has more than %d lines", MAG_LEDGER_LINES_MAX);
	if (fds)
		magi_sim_failed(s, "%u files are still open at the end", fds);
	/* last: what it leaves behind says more */
	if (s->rc < 0)
		magi_sim_failed(s, "%s returned %s: %s", s->program->name, mag_errname(s->rc), mag_strerror(s->rc));
}

void magi_sim_give_result(struct magi_sim *s)
{
	if (s->out)
		memcpy(s->out, &s->result, s->out_size < sizeof(s->result) ? s->out_size : sizeof(s->result));
}

/* Options. */

/* One name=value of $MAGPIE_SIM. */
static bool take_setting(struct magi_sim *s, const char *name, const char *value)
{
	mag_sim_options *o = &s->options;
	char *end;
	uint64_t n = strtoull(value, &end, 0);

	if (!strcmp(name, "fault"))
		return magi_fault_parse(value);
	if (!strcmp(name, "trace") || !strcmp(name, "preempt-at"))
		return true;
	if (*end || end == value)
		return false;
	if (!strcmp(name, "seed"))
		s->seed = n;
	else if (!strcmp(name, "workers"))
		o->workers = (uint32_t)n;
	else if (!strcmp(name, "faults"))
		o->faults = (uint32_t)n;
	else if (!strcmp(name, "max-faults"))
		o->max_faults = (uint32_t)n;
	else if (!strcmp(name, "max-preemptions"))
		o->max_preemptions = (uint32_t)n;
	else if (!strcmp(name, "max-steps"))
		o->max_steps = n;
	else if (!strcmp(name, "held-ns"))
		o->held_ns = n;
	else
		return false;
	return true;
}

/* In memory that stays until the end of the run. */
static const char *keep(struct magi_sim *s, const char *text)
{
	size_t n = strlen(text) + 1, room = sizeof(s->texts) - s->texts_used;

	if (n > room)
		return "";
	s->texts_used += n;
	return memcpy(s->texts + s->texts_used - n, text, n);
}

static int take_environment(struct magi_sim *s)
{
	const char *given = getenv("MAGPIE_SIM");
	char text[sizeof(s->texts)], *rest = text, *item;

	if (!given)
		return 0;
	if ((size_t)snprintf(text, sizeof(text), "%s", given) >= sizeof(text)) {
		fprintf(stderr, "magpie: MAGPIE_SIM is longer than %zu characters\n", sizeof(text) - 1);
		return -E2BIG;
	}
	while ((item = strsep(&rest, ", "))) {
		char *value = strchr(item, '=');

		if (value)
			*value++ = 0;
		if (!value || !take_setting(s, item, value)) {
			fprintf(stderr,
				"magpie: MAGPIE_SIM: '%s' is not known, or no number; seed=, workers=, faults=, "
				"max-faults=, "
				"max-preemptions=, preempt-at=, max-steps=, held-ns=, fault=, trace=\n",
				item);
			return -EINVAL;
		}
		if (!strcmp(item, "trace"))
			s->options.trace = keep(s, value);
		if (!strcmp(item, "preempt-at"))
			s->options.preempt_at = keep(s, value);
	}
	return 0;
}

static int take_options(struct magi_sim *s, const mag_sim_options *given)
{
	if (mag_options_take(&s->options, sizeof(s->options), given) < 0 || take_environment(s) < 0)
		return -EINVAL;
	if (s->options.preempt_at && !magi_choice_is_list(s->options.preempt_at)) {
		fprintf(stderr, "magpie: preempt-at: '%s': wanted at most %d steps with a ':' between them\n",
			s->options.preempt_at, MAG_SIM_PREEMPTIONS_KEPT);
		return -EINVAL;
	}
	return s->options.workers > MAG_WORKERS_MAX ? -EINVAL : 0;
}

static int open_trace(struct magi_sim *s)
{
	const char *name = s->options.trace;

	if (!name || !*name)
		return 0;
	s->trace = strcmp(name, "-") ? fopen(name, "we") : stderr;
	return s->trace ? 0 : -errno;
}

static int prepare(struct magi_sim *s)
{
	uint64_t id;

	magi_choice_init(s);
	s->host.world = magi_world_create(s->seed, MAGI_SIM_HOSTED);
	s->host.sys = &magi_world_sys;
	if (s->host.world && s->options.disk)
		magi_world_insert(s->host.world, s->options.disk);
	return s->host.world ? magi_fiber_start(s, first_thread, s, STACK_BYTES, &id) : -ENOMEM;
}

static void run(struct magi_sim *s)
{
	magi_crash_catch();
	magi_host_here = &s->host;
	magi_vigil_begin(s);
	magi_fiber_run_all(s);
	if (!s->failed && !s->result.power_cut)
		check_end(s);
	s->result.ns = s->now;
	if (s->failed)
		magi_sim_report(s);
	magi_vigil_end(s);
	magi_host_here = NULL;
	magi_crash_release();
}

int64_t magi_sim_run(uint64_t seed, const mag_sim_options *options, mag_sim_result *result, size_t result_size,
		     const mag_program *program)
{
	struct magi_sim *s = calloc(1, sizeof(*s));
	int64_t rc;

	if (!s)
		return -ENOMEM;
	s->seed = seed;
	s->out = result;
	s->out_size = result_size;
	s->program = program;
	s->fibers_end = &s->fibers;
	s->now = MAGI_NS_PER_S;
	s->host.ops = &magi_sim_host_ops;
	s->host.ledger = &s->ledger;
	s->host.alone = true;
	rc = magi_self() || magi_host() ? MAG_EDEADLK : take_options(s, options);
	if (program->size != sizeof(*program) || program->abi != MAGI_ABI)
		rc = MAG_EABI;
	if (rc == 0)
		rc = open_trace(s);
	if (rc == 0)
		rc = prepare(s);
	if (rc == 0) {
		run(s);
		rc = s->failed && s->rc >= 0 ? MAG_ESIM : s->rc;
	}
	if (rc < 0 && !s->result.failure[0])
		snprintf(s->result.failure, sizeof(s->result.failure), "could not start: %s", mag_strerror(rc));
	magi_sim_give_result(s);
	if (s->trace && s->trace != stderr)
		fclose(s->trace);
	magi_fiber_free_all(s);
	magi_free(s->host.receivers);
	/* of a run that was broken off, with all that is open there */
	if (s->host.world && s->options.disk)
		magi_world_remove(s->host.world, s->options.disk, s->result.power_cut);
	else
		magi_world_destroy(s->host.world);
	free(s);
	return rc;
}

bool mag_sim_running(void)
{
	struct magi_host *h = magi_host();

	return h && h->ops == &magi_sim_host_ops;
}

void mag_sim_partition(bool cut)
{
	if (mag_sim_running())
		magi_world_partition(magi_host()->world, cut);
}

void mag_sim_power_cut(void)
{
	struct magi_sim *s = mag_sim_running() ? magi_sim_of(magi_host()) : NULL;

	if (!s)
		return;
	magi_trace(s, "the power goes");
	s->result.power_cut = true;
	magi_fiber_abandon(s);
}

void mag_sim_point(void)
{
	magi_point(MAGI_POINT_IO, NULL);
}

void mag_sim_fail(const char *format, ...)
{
	struct magi_sim *s = mag_sim_running() ? magi_sim_of(magi_host()) : NULL;
	char text[200];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (!s) {
		fprintf(stderr, "magpie: %s\n", text);
		abort();
	}
	magi_sim_failed(s, "%s", text);
	magi_fiber_abandon(s);
}
