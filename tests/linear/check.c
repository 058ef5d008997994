/* SPDX-License-Identifier: MIT */
/* check.c - see check.h. */
#include "linear/check.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct linear_state) == LINEAR_WORDS * sizeof(int32_t) + LINEAR_OPS + (LINEAR_LANES + 3) + 1 + 7,
	       "no padding: states are compared by their bytes");

enum { ROOM_FIRST = 1024 };

/* For specs. */

bool linear_done(struct linear_state *s, uint32_t i)
{
	s->phase[i] = LINEAR_DONE;
	return true;
}

bool linear_wait(struct linear_state *s, uint32_t i)
{
	if (s->waits == sizeof(s->queue))
		return false;
	s->queue[s->waits++] = (uint8_t)i;
	s->phase[i] = LINEAR_WAITS;
	return true;
}

bool linear_leave(struct linear_state *s, uint32_t i)
{
	uint32_t at = 0;

	while (s->queue[at] != i)
		at++;
	s->waits--;
	memmove(&s->queue[at], &s->queue[at + 1], s->waits - at);
	s->queue[s->waits] = 0;
	return linear_done(s, i);
}

bool linear_grant(const struct linear_history *h, struct linear_state *s, int64_t result)
{
	return linear_gave(&h->op[s->queue[0]], result) && linear_leave(s, s->queue[0]);
}

bool linear_cancelled(struct linear_state *s, uint32_t i, uint32_t choice, bool would_wait)
{
	if (s->phase[i] == LINEAR_WAITS)
		return choice == 0 && linear_leave(s, i);
	if (choice == 0)
		return linear_done(s, i);
	return would_wait && linear_wait(s, i);
}

/* Where the search has been. */

static uint64_t hash(const struct linear_state *s)
{
	const unsigned char *p = (const unsigned char *)s;
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < sizeof(*s); i += sizeof(uint64_t)) {
		uint64_t word;

		memcpy(&word, p + i, sizeof(word));
		h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	return h;
}

static void *need(void *memory)
{
	if (!memory)
		abort(); /* a test program without memory has nothing to say */
	return memory;
}

static void put(struct linear_search *search, uint32_t index)
{
	uint32_t mask = 2 * search->room - 1;
	uint32_t at = (uint32_t)hash(&search->seen[index]) & mask;

	while (search->table[at])
		at = (at + 1) & mask;
	search->table[at] = index + 1;
}

static void grow(struct linear_search *search)
{
	search->room = search->room ? 2 * search->room : ROOM_FIRST;
	search->seen = need(realloc(search->seen, search->room * sizeof(*search->seen)));
	free(search->table);
	search->table = need(calloc(2 * (size_t)search->room, sizeof(*search->table)));
	for (uint32_t i = 0; i < search->n; i++)
		put(search, i);
}

/* Whether the state is new; then it is known from now on. */
static bool is_new(struct linear_search *search, const struct linear_state *s)
{
	uint32_t mask, at;

	if (search->n == search->room)
		grow(search);
	mask = 2 * search->room - 1;
	for (at = (uint32_t)hash(s) & mask; search->table[at]; at = (at + 1) & mask) {
		if (memcmp(&search->seen[search->table[at] - 1], s, sizeof(*s)) == 0)
			return false;
	}
	search->seen[search->n] = *s;
	search->table[at] = ++search->n;
	return true;
}

static void forget(struct linear_search *search)
{
	search->states += search->n;
	search->n = 0;
	search->steps = 0;
	search->best_steps = 0;
	if (search->table)
		memset(search->table, 0, 2 * search->room * sizeof(*search->table));
}

void linear_search_fini(struct linear_search *search)
{
	free(search->seen);
	free(search->table);
	*search = (struct linear_search){ 0 };
}

/* The search. */

/* Operations called after this stamp come after one that is not done: it is the first reply of these. */
static uint32_t horizon(const struct linear_history *h, const struct linear_state *s)
{
	uint32_t first = UINT32_MAX;

	for (uint32_t i = 0; i < h->n; i++) {
		if (s->phase[i] != LINEAR_DONE && h->op[i].reply && h->op[i].reply < first)
			first = h->op[i].reply;
	}
	return first;
}

static void note(struct linear_search *search, uint32_t op, uint32_t phase)
{
	search->step[search->steps++] = (struct linear_step){ (uint8_t)op, (uint8_t)phase };
	if (search->steps > search->best_steps) {
		search->best_steps = search->steps;
		memcpy(search->best, search->step, search->steps * sizeof(search->step[0]));
	}
}

static bool explore(struct linear_search *search, const struct linear_spec *spec, const struct linear_history *h,
		    const struct linear_state *s)
{
	uint32_t until = horizon(h, s);

	/* all that returned is done: what has not returned need not have happened */
	if (until == UINT32_MAX)
		return true;
	for (uint32_t i = 0; i < h->n && h->op[i].call < until; i++) {
		for (uint32_t choice = 0; s->phase[i] != LINEAR_DONE && choice < LINEAR_CHOICES; choice++) {
			struct linear_state after = *s;

			if (!spec->step(h, &after, i, choice) || !is_new(search, &after))
				continue;
			note(search, i, after.phase[i]);
			if (explore(search, spec, h, &after))
				return true;
			search->steps--;
		}
	}
	return false;
}

bool linear_check(struct linear_search *search, const struct linear_spec *spec, const struct linear_history *h)
{
	struct linear_state s;

	memset(&s, 0, sizeof(s));
	spec->start(h, &s);
	forget(search);
	return explore(search, spec, h, &s);
}

void linear_print_order(FILE *to, const struct linear_search *search, const struct linear_spec *spec,
			const struct linear_history *h)
{
	for (uint32_t i = 0; i < search->best_steps; i++) {
		const struct linear_step *step = &search->best[i];
		char text[240];

		linear_op_text(spec, &h->op[step->op], text, sizeof(text));
		fprintf(to, "  %c %s%s\n", 'A' + h->op[step->op].lane, step->phase == LINEAR_WAITS ? "waits: " : "",
			text);
	}
}
