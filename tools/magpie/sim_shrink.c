/* SPDX-License-Identifier: MIT */
/* sim_shrink.c - the least that still fails: fewer workers, fewer faults, fewer preemptions.
 *
 * Each limit is halved between what fails and what does not. That is no proof of the least: a limit in between may fail
 * again. What is left may still need its many preemptions only since they bring about one: other seeds are tried. */
#include "sim_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { OTHERS = 300, FEW = 3 }; /* seeds tried for each number of preemptions; picked */

struct shrink {
	struct sim_job job; /* fails */
	uint64_t seed;
	struct sim_outcome outcome;
	unsigned runs;
};

/* Whether it failed with the same words; numbers in them may differ. */
static bool is_the_same(const struct sim_outcome *a, const struct sim_outcome *b)
{
	const char *one = a->result.failure, *two = b->result.failure;

	if (a->rc >= 0)
		return false;
	while (*one && *two) {
		one += strspn(one, "-0123456789");
		two += strspn(two, "-0123456789");
		if (*one != *two)
			return false;
		one += *one != 0;
		two += *two != 0;
	}
	return *one == *two;
}

/* Takes these options if the run fails with them in the same way. */
static bool fails_with(struct shrink *s, const mag_sim_options *options)
{
	struct sim_job job = s->job;
	struct sim_outcome outcome;

	job.options = *options;
	s->runs++;
	if (sim_run_one(&job, s->seed, &outcome) < 0 || !is_the_same(&outcome, &s->outcome))
		return false;
	s->job.options = *options;
	s->outcome = outcome;
	return true;
}

static void shrink_workers(struct shrink *s)
{
	mag_sim_options options = s->job.options;

	for (options.workers = 1; options.workers < s->outcome.result.workers; options.workers++) {
		if (fails_with(s, &options))
			return;
	}
}

/* Limits are 0: none, UINT32_MAX: nothing at all, or their number. */
static uint32_t limit_of(uint32_t n)
{
	return n ? n : UINT32_MAX;
}

static void shrink_limit(struct shrink *s, uint32_t *(*field)(mag_sim_options *o), uint32_t happened)
{
	uint32_t good = 0, bad = happened; /* with `bad` it fails; below `good` it does not */

	while (good < bad) {
		mag_sim_options options = s->job.options;
		uint32_t try = good + (bad - good) / 2;

		*field(&options) = limit_of(try);
		if (fails_with(s, &options))
			bad = try;
		else
			good = try + 1;
	}
}

static uint32_t *max_faults(mag_sim_options *o)
{
	return &o->max_faults;
}

static void format_list(char *text, size_t size, const uint64_t *at, uint32_t n)
{
	size_t used = 0;

	text[0] = 0;
	for (uint32_t i = 0; i < n && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%" PRIu64, i ? ":" : "", at[i]);
}

/* Preemptions are named by their steps and left out one by one, the last first. */
static void shrink_preemptions(struct shrink *s)
{
	uint64_t at[MAG_SIM_PREEMPTIONS_KEPT], without[MAG_SIM_PREEMPTIONS_KEPT];
	uint32_t n = s->outcome.result.preemptions;
	char text[sizeof(s->job.preempt_at)];

	if (n > MAG_SIM_PREEMPTIONS_KEPT)
		return;
	memcpy(at, s->outcome.result.preempted_at, sizeof(at));
	for (uint32_t i = n; i-- > 0;) {
		mag_sim_options options = s->job.options;

		memcpy(without, at, i * sizeof(at[0]));
		memcpy(without + i, at + i + 1, (n - i - 1) * sizeof(at[0]));
		format_list(text, sizeof(text), without, n - 1);
		options.preempt_at = text;
		if (!fails_with(s, &options))
			continue;
		memcpy(at, without, --n * sizeof(at[0]));
		memcpy(s->job.preempt_at, text, sizeof(text));
		s->job.options.preempt_at = s->job.preempt_at;
	}
}

static uint32_t *max_preemptions(mag_sim_options *o)
{
	return &o->max_preemptions;
}

/* Leaves out what need not go wrong. */
static void shrink_kinds(struct shrink *s)
{
	uint32_t all = s->job.options.faults ? s->job.options.faults : MAG_SIM_MILD;

	for (uint32_t bit = 1; bit & MAG_SIM_ALL; bit <<= 1) {
		mag_sim_options options = s->job.options;

		if (!(all & bit))
			continue;
		options.faults = (all & ~bit) ? all & ~bit : (uint32_t)MAG_SIM_NONE;
		if (fails_with(s, &options))
			all &= ~bit;
	}
}

/* Among other seeds: what fails with the same words after fewer preemptions. */
static bool find_simpler(struct shrink *s, uint32_t workers, uint32_t preemptions)
{
	struct sim_job job = s->job;
	struct sim_outcome outcome;

	job.options.workers = workers;
	job.options.max_preemptions = limit_of(preemptions);
	for (uint64_t seed = s->seed + 1; seed < s->seed + 1 + OTHERS; seed++) {
		s->runs++;
		if (sim_run_one(&job, seed, &outcome) < 0)
			return false;
		if (!is_the_same(&outcome, &s->outcome))
			continue;
		s->job.options = job.options;
		s->outcome = outcome;
		s->seed = seed;
		return true;
	}
	return false;
}

static void shrink_seed(struct shrink *s)
{
	uint32_t most = s->outcome.result.preemptions;

	for (uint32_t preemptions = 0; preemptions < most && preemptions <= FEW; preemptions++) {
		for (uint32_t workers = 1; workers <= s->outcome.result.workers; workers++) {
			if (find_simpler(s, workers, preemptions))
				return;
		}
	}
}

void sim_shrink(struct sim_job *job, uint64_t *seed, struct sim_outcome *outcome, unsigned *runs)
{
	struct shrink s = { .job = *job, .seed = *seed, .outcome = *outcome };

	s.job.options.quiet = true;
	shrink_workers(&s);
	if (s.outcome.result.faults) {
		shrink_kinds(&s);
		shrink_limit(&s, max_faults, s.outcome.result.faults);
	}
	shrink_limit(&s, max_preemptions, s.outcome.result.preemptions);
	shrink_preemptions(&s);
	shrink_seed(&s);
	*job = s.job;
	if (job->options.preempt_at)
		job->options.preempt_at = job->preempt_at;
	*outcome = s.outcome;
	*seed = s.seed;
	*runs = s.runs;
}
