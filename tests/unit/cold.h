/* SPDX-License-Identifier: MIT */
/* cold.h - makes a CPU's store buffer show: stores to memory that no cache holds take long, later stores wait behind
 * them, and later loads go ahead. What lacks a barrier then fails in practice, not only in theory. */
#ifndef MAGPIE_TESTS_COLD_H
#define MAGPIE_TESTS_COLD_H

#include <criterion/criterion.h>

#include <magpie/impl/api.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

enum { COLD_LINES = 1 << 20, COLD_STORES = 12 };

struct cold {
	char (*lines)[MAGI_CACHE_LINE];
	struct magi_random random;
};

static inline void cold_init(struct cold *c, uint64_t seed)
{
	c->lines = malloc(COLD_LINES * sizeof(*c->lines));
	cr_assert_not_null(c->lines);
	memset(c->lines, 1, COLD_LINES * sizeof(*c->lines)); /* no page faults later */
	magi_random_seed(&c->random, seed);
}

static inline void cold_fini(struct cold *c)
{
	free(c->lines);
}

static inline void cold_stores(struct cold *c)
{
	uint32_t line[COLD_STORES];

	for (int i = 0; i < COLD_STORES; i++)
		line[i] = magi_random_below(&c->random, COLD_LINES);
	for (int i = 0; i < COLD_STORES; i++)
		*(volatile char *)c->lines[line[i]] = 1;
}

/* Up to `most` turns of a loop, a fraction of a ns each. */
static inline void cold_pause(struct cold *c, uint32_t most)
{
	for (uint32_t i = magi_random_below(&c->random, most); i; i--)
		__asm__ volatile("" ::: "memory");
}

#endif
