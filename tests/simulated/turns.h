/* SPDX-License-Identifier: MIT */
/* turns.h - every fault in turn: a program is run once in the simulator to count what could fail, then once for each of
 * these and each way in which it can.
 *
 * What:    a case is a site's number and an error (errors.h). All are walked with a stride that meets each kind early,
 *          on seed after seed, each without and with other things that no correct program minds, for some seconds; with
 *          MAGPIE_LONG all of them on twelve.
 * Always:  a program may fail, but it ends, loses no task, and leaves nothing open: mag_sim_assert_quiescent and its
 *          ledger say so. It swallows its errors, so that a run fails only for another reason; but where there is no
 *          memory for the runtime itself.
 *          A failing case is told by a line that runs it again. */
#ifndef MAGPIE_TESTS_TURNS_H
#define MAGPIE_TESTS_TURNS_H

#include <criterion/criterion.h>
#include <magpie/magpie.h>
#include <magpie/sim.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "simulated/errors.h"
#include "support/heap.h"

enum {
	TURNS_LOG = 1 << 14,  /* of one site, in one run */
	TURNS_STEPS = 400000, /* a run that takes more does not end */
	TURNS_SEEDS = 12,     /* with MAGPIE_LONG */
	TURNS_KEPT = 1 << 16, /* cases of one run */
	TURNS_OUTAGE = 40,    /* memory comes back after so many failures */
	TURNS_SANITIZED_S = 200,
	TURNS_MEMORY_S = 8,
	TURNS_FAILED = 5 /* so many say enough */
};

/* More than one thing goes wrong: the program can hope for less. */
static bool turns_again;

struct turn {
	uint8_t site;
	uint8_t every;
	uint32_t n;
	int how;
};

struct turns {
	int64_t (*run)(uint64_t seed, const mag_sim_options *options, mag_sim_result *result);
	const char *log[MAGI_FAULT_SITES][TURNS_LOG];
	struct turn *cases;
	uint32_t count, failed;
	uint64_t tried, steps, seeds;
	uint64_t reached[MAGI_FAULT_SITES]; /* on the last seed */
	bool memory;                        /* nothing but that */
};

static void turns_add(struct turns *t, int site, uint64_t n, int how, int every)
{
	if (t->count < TURNS_KEPT)
		t->cases[t->count++] = (struct turn){ (uint8_t)site, (uint8_t)every, (uint32_t)n, how };
}

static void turns_add_site(struct turns *t, int site, uint64_t n)
{
	const char *what = t->log[site][n - 1];
	const struct errors *e = errors_of((enum magi_fault_site)site, what);

	cr_assert(e->how[0], "errors.h says nothing of %s", what ? what : "a site without a name");
	for (int i = 0; i < ERRORS_MAX && e->how[i]; i++)
		turns_add(t, site, n, e->how[i], 0);
	if (site == MAGI_FAULT_MEMORY) {
		turns_add(t, site, n, ENOMEM, 1);
		turns_add(t, site, n, ENOMEM, 3);
	}
}

static bool turns_run(struct turns *t, uint64_t seed, uint32_t faults)
{
	const mag_sim_options options = { .size = sizeof(options), .faults = faults, .max_steps = TURNS_STEPS };
	mag_sim_result result;
	int64_t rc = t->run(seed, &options, &result);

	t->steps += result.steps;
	return rc >= 0 && !result.failure[0];
}

/* Counts what could fail, and makes the list of cases. */
static void turns_count(struct turns *t, uint64_t seed, uint32_t faults)
{
	uint64_t counts[MAGI_FAULT_SITES];

	for (int i = 0; i < MAGI_FAULT_SITES; i++) {
		magi_fault_set((enum magi_fault_site)i, UINT64_MAX, 0);
		magi_fault_log((enum magi_fault_site)i, t->log[i], TURNS_LOG);
	}
	cr_assert(turns_run(t, seed, faults), "it fails without a fault");
	for (int i = 0; i < MAGI_FAULT_SITES; i++)
		counts[i] = magi_fault_count((enum magi_fault_site)i);
	magi_fault_clear();
	t->count = 0;
	for (int i = 0; i < (t->memory ? MAGI_FAULT_MEMORY + 1 : MAGI_FAULT_SITES); i++) {
		cr_assert_lt(counts[i], TURNS_LOG);
		for (uint64_t n = 1; n <= counts[i]; n++)
			turns_add_site(t, i, n);
	}
	cr_assert(t->count && t->count < TURNS_KEPT);
	memcpy(t->reached, counts, sizeof(counts));
}

static void turns_plan(const struct turn *c)
{
	magi_fault_set((enum magi_fault_site)c->site, c->n, c->how);
	magi_fault_repeat((enum magi_fault_site)c->site, c->every, TURNS_OUTAGE);
}

/* A run may fail for want of memory alone when that is what was refused: there is no runtime then. */
static void turns_try(struct turns *t, const struct turn *c, uint64_t seed, uint32_t faults)
{
	mag_sim_options options = { .size = sizeof(options), .faults = faults, .max_steps = TURNS_STEPS };
	mag_sim_result result;
	bool memory = c->site == MAGI_FAULT_MEMORY;
	int64_t rc;

	options.quiet = memory;
	turns_again = c->every;
	turns_plan(c);
	rc = t->run(seed, &options, &result);
	t->tried++;
	t->steps += result.steps;
	if (memory && (rc == -ENOMEM || rc == -EAGAIN || rc == MAG_EBACKEND) && strstr(result.failure, " returned "))
		rc = 0;
	if (memory && rc < 0) {
		options.quiet = false;
		turns_plan(c);
		rc = t->run(seed, &options, &result);
	}
	magi_fault_clear();
	t->failed += rc < 0;
}

static uint32_t turns_gcd(uint32_t a, uint32_t b)
{
	return b ? turns_gcd(b, a % b) : a;
}

/* Walks the cases of one seed, until `end`. */
static void turns_walk(struct turns *t, uint64_t seed, uint32_t faults, uint64_t end)
{
	uint32_t stride, at = 0;

	turns_count(t, seed, faults);
	stride = (uint32_t)(t->count * 0.618) | 1u; /* golden: neighbours are tried far from one another */
	while (turns_gcd(stride, t->count) != 1)
		stride += 2;
	for (uint32_t i = 0; i < t->count && magi_clock_ns() < end && t->failed < TURNS_FAILED; i++) {
		turns_try(t, &t->cases[at], seed, faults);
		at = (at + stride) % t->count;
	}
}

static void turns_seeds(struct turns *t, uint64_t first, uint64_t last, uint64_t end)
{
	for (uint64_t seed = first; seed <= last && magi_clock_ns() < end && !t->failed; seed++) {
		turns_walk(t, seed, MAG_SIM_NONE, end);
		turns_walk(t, seed, MAG_SIM_MILD, end);
		t->seeds++;
	}
}

static struct turns *turns_new(int64_t (*run)(uint64_t, const mag_sim_options *, mag_sim_result *))
{
	struct turns *t = calloc(1, sizeof(*t));

	cr_assert(t);
	t->run = run;
	t->cases = calloc(TURNS_KEPT, sizeof(*t->cases));
	cr_assert(t->cases);
	return t;
}

static void turns_end(struct turns *t)
{
	fprintf(stderr, "%llu faults tried, some %u a seed; %llu seeds; %.1f million steps; a run has",
		(unsigned long long)t->tried, t->count, (unsigned long long)t->seeds, (double)t->steps / 1e6);
	for (int i = 0; i < MAGI_FAULT_SITES; i++)
		fprintf(stderr, "%s %llu %s", i ? "," : "", (unsigned long long)t->reached[i],
			magi_fault_site_name((enum magi_fault_site)i));
	fputc('\n', stderr);
	cr_assert_eq(t->failed, 0, "%u of %llu fail", t->failed, (unsigned long long)t->tried);
	free(t->cases);
	free(t);
}

/* A line to paste was given: just that is run. */
static bool turns_given(struct turns *t)
{
	const char *given = getenv("MAGPIE_SIM");

	if (!given || !strstr(given, "fault="))
		return false;
	cr_assert(turns_run(t, 0, MAG_SIM_NONE));
	return true;
}

/* When to stop. */
static uint64_t turns_until(double seconds)
{
	bool all = getenv("MAGPIE_LONG") != NULL;

#if defined(MAGI_TSAN) || defined(MAGI_ASAN)
	seconds = all ? TURNS_SANITIZED_S : seconds / 2; /* all would take hours there */
#else
	if (all)
		return MAGI_NEVER;
#endif
	return magi_clock_ns() + (uint64_t)(seconds * 1e9);
}

/* All faults of a program, for so many seconds; or all there are. */
__attribute__((unused)) static void turns_take(int64_t (*run)(uint64_t, const mag_sim_options *, mag_sim_result *),
					       double seconds)
{
	struct turns *t = turns_new(run);

	heap_keep();
	if (!turns_given(t))
		turns_seeds(t, 1, getenv("MAGPIE_LONG") ? TURNS_SEEDS : UINT64_MAX, turns_until(seconds));
	turns_end(t);
}

/* Those of memory, on one seed: all, if there is time. */
__attribute__((unused)) static void turns_take_memory(int64_t (*run)(uint64_t, const mag_sim_options *,
								     mag_sim_result *),
						      uint64_t seed)
{
	struct turns *t = turns_new(run);

	heap_keep();
	t->memory = true;
	if (!turns_given(t))
		turns_seeds(t, seed, seed, turns_until(TURNS_MEMORY_S));
	turns_end(t);
}

/* A test that takes the faults of async function `fn` in turn. */
#define TURNS(suite, name, fn, seconds)                                                                \
	static int64_t fn##_run(uint64_t seed, const mag_sim_options *options, mag_sim_result *result) \
	{                                                                                              \
		return mag_sim_run_into(result, seed, options, fn);                                    \
	}                                                                                              \
                                                                                                       \
	Test(suite, name, .timeout = 3600)                                                             \
	{                                                                                              \
		turns_take(fn##_run, seconds);                                                         \
	}

#endif
