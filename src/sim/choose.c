/* SPDX-License-Identifier: MIT */
/* choose.c - what the seed decides: whose turn it is, what goes wrong.
 *
 * Always:  each kind of fault has dice of its own: to leave one kind out does not change what the others throw. */
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

enum {
	LENGTH_MOST = 14, /* priorities change within the first 2^4 … 2^14 points */
	LENGTH_LEAST = 4,
	AWAY_ONE_IN = 8,     /* who loses its turn loses its CPU for a while so often */
	AWAY_LEAST_LOG = 10, /* ns: from 1 us */
	AWAY_MOST_LOG = 22   /* to 4 ms */
};

static const char *const names[MAGI_CHANCES] = {
	[MAGI_CHANCE_SHORT] = "short",         [MAGI_CHANCE_DELAY] = "delay",   [MAGI_CHANCE_CANCEL] = "cancel",
	[MAGI_CHANCE_MULTISHOT] = "multishot", [MAGI_CHANCE_RING] = "ring",     [MAGI_CHANCE_BUFFERS] = "buffers",
	[MAGI_CHANCE_WAKE] = "wake",           [MAGI_CHANCE_RESET] = "reset",   [MAGI_CHANCE_LOSS] = "loss",
	[MAGI_CHANCE_SLOW] = "slow",           [MAGI_CHANCE_DISK] = "disk",     [MAGI_CHANCE_FD] = "fd",
	[MAGI_CHANCE_NAME] = "name",           [MAGI_CHANCE_MEMORY] = "memory", [MAGI_CHANCE_MIGRATE] = "migrate",
};

const char *magi_chance_name(enum magi_chance what)
{
	return names[what];
}

static uint64_t below(struct magi_random *r, uint64_t n)
{
	return magi_random_below(r, (uint32_t)n);
}

static void set_odds(struct magi_sim *s, struct magi_random *r)
{
	static const uint32_t often[] = { 0, 256, 48, 10 };
	uint32_t faults = s->options.faults ? s->options.faults : MAG_SIM_MILD;

	for (int i = 0; i < MAGI_CHANCES; i++) {
		uint32_t odds = often[below(r, 4)];

		magi_random_seed(&s->choice.chances[i], magi_random_next(r));
		s->choice.odds[i] = faults >> i & 1 ? odds : 0;
	}
	if (s->choice.odds[MAGI_CHANCE_MEMORY]) /* there are many more of these */
		s->choice.odds[MAGI_CHANCE_MEMORY] *= 8;
}

bool magi_choice_is_list(const char *text)
{
	uint32_t n = 1;

	for (const char *at = text; *at; at++)
		n += *at == ':';
	return n <= MAG_SIM_PREEMPTIONS_KEPT && !text[strspn(text, "0123456789:")];
}

static void take_list(struct magi_sim *s)
{
	const char *text = s->options.preempt_at;
	struct magi_choice *c = &s->choice;
	char *end;

	c->listed = text != NULL;
	while (text && *text && c->at_count < MAG_SIM_PREEMPTIONS_KEPT) {
		c->at[c->at_count++] = strtoull(text, &end, 0);
		text = *end ? end + 1 : end;
	}
}

void magi_choice_init(struct magi_sim *s)
{
	struct magi_choice *c = &s->choice;
	struct magi_random r;
	uint64_t length;

	magi_random_seed(&r, s->seed);
	magi_random_seed(&c->turns, magi_random_next(&r));
	magi_random_seed(&c->next, magi_random_next(&r));
	magi_random_seed(&c->away, magi_random_next(&r));
	magi_random_seed(&c->numbers, magi_random_next(&r));
	c->priorities = below(&r, 2);
	c->preempt = 1u << (1 + 2 * below(&r, 5)); /* one in 2 … 512 points */
	length = UINT64_C(1) << (LENGTH_LEAST + below(&r, LENGTH_MOST - LENGTH_LEAST + 1));
	for (int i = 0; i < MAGI_SIM_CHANGES; i++)
		c->change[i] = below(&r, length) + 1;
	s->result.workers = 1 + (uint32_t)below(&r, 4);
	if (s->options.workers)
		s->result.workers = s->options.workers;
	set_odds(s, &r);
	take_list(s);
	if (s->options.power_cut) { /* last: the other choices are the same without it */
		length = UINT64_C(1) << (LENGTH_LEAST + below(&r, LENGTH_MOST - LENGTH_LEAST + 1));
		s->cut_at = below(&r, length) + 1;
	}
}

/* Limits: 0 is none, UINT32_MAX allows nothing. */
static bool is_below(uint32_t n, uint32_t limit)
{
	return !limit || (limit != UINT32_MAX && n < limit);
}

/* The ready one with the highest priority. */
static struct magi_fiber *highest(const struct magi_sim *s)
{
	struct magi_fiber *best = NULL;

	for (struct magi_fiber *f = s->fibers; f; f = f->next) {
		if (magi_fiber_can_run(f) && (!best || f->priority > best->priority))
			best = f;
	}
	return best;
}

static void change_priorities(struct magi_sim *s)
{
	struct magi_choice *c = &s->choice;

	for (int i = 0; i < MAGI_SIM_CHANGES; i++) {
		if (c->change[i] == s->result.steps)
			s->current->priority = --c->lowest;
	}
}

static bool is_listed(const struct magi_sim *s)
{
	const struct magi_choice *c = &s->choice;

	for (uint32_t i = 0; i < c->at_count; i++) {
		if (c->at[i] == s->result.steps)
			return true;
	}
	return false;
}

static bool wants_to_preempt(struct magi_sim *s)
{
	struct magi_choice *c = &s->choice;

	if (c->priorities)
		change_priorities(s);
	if (c->listed)
		return is_listed(s);
	return c->priorities ? highest(s) != s->current : magi_random_below(&c->turns, c->preempt) == 0;
}

bool magi_choice_preempts(struct magi_sim *s)
{
	struct magi_choice *c = &s->choice;

	if (!wants_to_preempt(s) || !is_below(s->result.preemptions, s->options.max_preemptions))
		return false;
	if (s->result.preemptions < MAG_SIM_PREEMPTIONS_KEPT)
		s->result.preempted_at[s->result.preemptions] = s->result.steps;
	s->result.preemptions++;
	if (magi_random_below(&c->away, AWAY_ONE_IN) == 0) {
		uint32_t log = AWAY_LEAST_LOG + magi_random_below(&c->away, AWAY_MOST_LOG - AWAY_LEAST_LOG);

		s->current->until = s->now + magi_random_below(&c->away, 1u << log);
	}
	return true;
}

void magi_choice_yields(struct magi_sim *s)
{
	s->current->priority = --s->choice.lowest;
}

struct magi_fiber *magi_choice_next(struct magi_sim *s)
{
	struct magi_fiber *f;
	uint32_t n = 0;

	if (s->choice.priorities)
		return highest(s);
	for (f = s->fibers; f; f = f->next)
		n += magi_fiber_can_run(f);
	n = magi_random_below(&s->choice.next, n);
	for (f = s->fibers; f; f = f->next) {
		if (magi_fiber_can_run(f) && n-- == 0)
			break;
	}
	return f;
}

bool magi_choice_happens(struct magi_sim *s, enum magi_chance what)
{
	uint32_t odds = s->choice.odds[what];

	if (!odds || magi_random_below(&s->choice.chances[what], odds))
		return false;
	if (!is_below(s->result.faults, s->options.max_faults))
		return false;
	s->result.faults++;
	magi_trace_hash(s, 0x100u + what);
	magi_trace(s, "fault %u: %s", s->result.faults, names[what]);
	return true;
}
