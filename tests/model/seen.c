/* SPDX-License-Identifier: MIT */
/* seen.c - an open table of hashes that doubles when it is half full. */
#include "model/seen.h"

#include <stdlib.h>

struct entry {
	uint64_t state; /* 0: none */
	uint32_t preemptions;
};

static struct entry *table;
static uint64_t places, count;

static struct entry *allocate(uint64_t n)
{
	struct entry *t = calloc(n, sizeof(*t));

	if (!t)
		abort();
	return t;
}

void seen_init(void)
{
	places = 1 << 12;
	count = 0;
	table = allocate(places);
}

void seen_fini(void)
{
	free(table);
	table = NULL;
}

static struct entry *find(uint64_t state)
{
	uint64_t i = state & (places - 1);

	while (table[i].state && table[i].state != state)
		i = (i + 1) & (places - 1);
	return &table[i];
}

static void grow(void)
{
	struct entry *old = table;
	uint64_t n = places;

	places *= 2;
	table = allocate(places);
	for (uint64_t i = 0; i < n; i++) {
		if (old[i].state)
			*find(old[i].state) = old[i];
	}
	free(old);
}

bool seen_before(uint64_t state, uint32_t preemptions)
{
	struct entry *e;

	state = state ? state : 1;
	if (2 * count >= places)
		grow();
	e = find(state);
	if (e->state && e->preemptions <= preemptions)
		return true;
	count += !e->state;
	*e = (struct entry){ state, preemptions };
	return false;
}

uint64_t seen_count(void)
{
	return count;
}
