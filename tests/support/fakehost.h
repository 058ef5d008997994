/* SPDX-License-Identifier: MIT */
/* fakehost.h - the least that can stand in for a simulation: one thread, a clock that goes when it sleeps, chances by a
 * table and a seed, and all notes in a list. */
#ifndef MAGPIE_TESTS_FAKEHOST_H
#define MAGPIE_TESTS_FAKEHOST_H

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/random.h"
#include "io/sim.h"

enum { FAKE_NOTES = 1 << 16, FAKE_NOW_NS = 25 };

struct fake_note {
	int64_t kind, a, b, c;
};

struct fake_host {
	struct magi_host host;
	struct magi_world *world;
	uint64_t now;
	struct magi_random random;
	uint32_t one_in[MAGI_CHANCES]; /* 0: never */
	uint32_t happened[MAGI_CHANCES];
	struct fake_note *notes;
	uint32_t count;
};

static inline struct fake_host *fake_of(struct magi_host *h)
{
	return (struct fake_host *)(void *)h;
}

static inline uint64_t fake_now(struct magi_host *h)
{
	return fake_of(h)->now += FAKE_NOW_NS;
}

static inline bool fake_wait(struct magi_host *h, uint32_t *word, uint32_t value, uint64_t ns)
{
	if (*word != value)
		return true;
	cr_assert(ns != UINT64_MAX, "nothing is under way, and nobody else is there to do something");
	fake_of(h)->now += ns;
	return false;
}

static inline void fake_wake(struct magi_host *h, uint32_t *word, uint32_t n)
{
	(void)h;
	(void)word;
	(void)n;
}

static inline bool fake_chance(struct magi_host *h, enum magi_chance what)
{
	struct fake_host *f = fake_of(h);

	if (!f->one_in[what] || magi_random_below(&f->random, f->one_in[what]))
		return false;
	f->happened[what]++;
	return true;
}

static inline uint32_t fake_random(struct magi_host *h, uint32_t n)
{
	return magi_random_below(&fake_of(h)->random, n);
}

static inline void fake_note(struct magi_host *h, enum magi_note note, int64_t a, int64_t b, int64_t c)
{
	struct fake_host *f = fake_of(h);

	if (f->count < FAKE_NOTES)
		f->notes[f->count++] = (struct fake_note){ note, a, b, c };
}

/* Makes it this thread's host, with a hosted world; nothing goes wrong until one_in says so. */
static inline void fake_begin(struct fake_host *f, uint64_t seed)
{
	static const struct magi_host_ops ops = {
		.now = fake_now, .wait = fake_wait, .wake = fake_wake, .chance = fake_chance, .random = fake_random,
		.note = fake_note,
	};

	*f = (struct fake_host){ .host = { .ops = &ops, .sys = &magi_world_sys }, .now = UINT64_C(1000000000) };
	magi_random_seed(&f->random, seed);
	f->notes = calloc(FAKE_NOTES, sizeof(*f->notes));
	f->world = f->host.world = magi_world_create(seed, MAGI_SIM_HOSTED);
	magi_host_here = &f->host;
}

static inline void fake_end(struct fake_host *f)
{
	magi_world_destroy(f->world);
	magi_host_here = NULL;
	free(f->notes);
}

#endif
