/* SPDX-License-Identifier: MIT */
/* view.c - locations, what was stored there, and who knows of it. */
#include "model/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE = 256, DIRTY = 16, ORDERED = 8 };

struct message {
	uint64_t value;
	struct view view;
};

struct location {
	const void *p;
	size_t size;
	uint32_t index, newest;
	struct message message[VIEW_MESSAGES];
};

static struct location location[VIEW_LOCATIONS];
static uint32_t locations;
static const void *ordered[ORDERED];
static uint32_t ordered_count;
static struct location *table[TABLE];

static struct {
	struct view now;          /* what it knows */
	struct view read;         /* what it would know if its loads had acquired: a fence makes it so */
	struct view fenced;       /* what it knew at its last fence: carried by relaxed stores */
	bool old[VIEW_LOCATIONS]; /* it has read an old one there since view_renew */
	bool last_was_old;
	uint64_t stores;
	const void *dirty[DIRTY];
	uint32_t dirty_count;
} of[MODEL_THREADS];

static struct view all; /* of all full fences */
static uint64_t stores;

static void give_up(const char *why)
{
	fprintf(stderr, "views: %s\n", why);
	abort();
}

/* A byte at a time, but the compiler sees that eight are one addition of vectors. */
static void join_places(struct view *a, const struct view *b)
{
	for (uint32_t i = 0; i < VIEW_LOCATIONS; i++)
		a->at[i] = a->at[i] > b->at[i] ? a->at[i] : b->at[i];
}

static void join(struct view *a, const struct view *b)
{
	join_places(a, b);
	for (int i = 0; i < MODEL_THREADS; i++)
		a->clock[i] = a->clock[i] > b->clock[i] ? a->clock[i] : b->clock[i];
}

static void know(struct view *v, const struct location *l, uint32_t at)
{
	if (v->at[l->index] < at)
		v->at[l->index] = (uint8_t)at;
}

void view_clear(void)
{
	memset(table, 0, sizeof(table));
	locations = ordered_count = 0;
}

static void first_message(struct location *l)
{
	l->newest = 0;
	memset(&l->message[0], 0, sizeof(l->message[0]));
	l->message[0].value = memory_read(l->p, l->size);
}

void view_reset(void)
{
	memset(of, 0, sizeof(of));
	memset(&all, 0, sizeof(all));
	stores = 0;
	for (int t = 0; t < MODEL_THREADS; t++)
		of[t].now.clock[t] = 1;
	for (uint32_t i = 0; i < locations; i++)
		first_message(&location[i]);
}

static struct location **find(const void *p)
{
	uint32_t i = (uint32_t)(hash_mix(0, (uintptr_t)p) % TABLE);

	while (table[i] && table[i]->p != p)
		i = (i + 1) % TABLE;
	return &table[i];
}

struct location *view_at(const void *p, size_t size)
{
	struct location **at = find(p);

	if (*at) {
		if ((*at)->size != size)
			give_up("one location has two sizes");
		return *at;
	}
	if (locations == VIEW_LOCATIONS)
		give_up("too many locations");
	*at = &location[locations];
	(*at)->p = p;
	(*at)->size = size;
	(*at)->index = locations++;
	first_message(*at);
	return *at;
}

unsigned view_readable(int t, const struct location *l, enum model_order order)
{
	uint32_t least = of[t].now.at[l->index];

	if (order == MODEL_SEQ && least < all.at[l->index])
		least = all.at[l->index];
	return l->newest - least + 1;
}

uint64_t view_peek(const struct location *l, unsigned back)
{
	return l->message[l->newest - back].value;
}

static void take_note(int t, const struct message *m, enum model_order order)
{
	join(&of[t].read, &m->view);
	if (order_acquires(order))
		join(&of[t].now, &m->view);
}

uint64_t view_load(int t, struct location *l, unsigned back, enum model_order order)
{
	uint32_t at = l->newest - back;

	know(&of[t].now, l, at);
	know(&of[t].read, l, at);
	take_note(t, &l->message[at], order);
	of[t].last_was_old = back > 0;
	of[t].old[l->index] |= back > 0;
	return l->message[at].value;
}

static struct message *append(int t, struct location *l, uint64_t value)
{
	struct message *m;

	if (++l->newest == VIEW_MESSAGES)
		give_up("too many stores to one location");
	m = &l->message[l->newest];
	m->value = value;
	m->view = of[t].fenced;
	memcpy((void *)(uintptr_t)l->p, &value, l->size);
	stores++;
	of[t].stores++;
	know(&of[t].now, l, l->newest);
	know(&of[t].read, l, l->newest);
	return m;
}

static void release(int t, struct location *l, struct message *m, enum model_order order)
{
	if (order_releases(order)) {
		join(&m->view, &of[t].now);
		if (++of[t].now.clock[t] == UINT8_MAX)
			give_up("too many releases");
		of[t].read.clock[t] = of[t].now.clock[t];
	}
	know(&m->view, l, l->newest);
	if (order == MODEL_SEQ)
		know(&all, l, l->newest);
}

void view_store(int t, struct location *l, uint64_t value, enum model_order order)
{
	release(t, l, append(t, l, value), order);
}

uint64_t view_exchange(int t, struct location *l, uint64_t value, enum model_order order)
{
	const struct message *was = &l->message[l->newest];
	struct message *m;

	take_note(t, was, order);
	of[t].last_was_old = false;
	m = append(t, l, value);
	join(&m->view, &was->view);
	release(t, l, m, order);
	return was->value;
}

void view_fence(int t)
{
	join(&of[t].now, &of[t].read);
	join_places(&of[t].now, &all);
	join_places(&all, &of[t].now);
	join(&of[t].read, &of[t].now);
	of[t].fenced = of[t].now;
	of[t].now.clock[t]++; /* what it does from here on does not come with a relaxed store */
	of[t].read.clock[t] = of[t].now.clock[t];
}

static bool is_ordered(const void *p)
{
	for (uint32_t i = 0; i < ordered_count; i++) {
		if (ordered[i] == p)
			return true;
	}
	return false;
}

void view_order(const void *p)
{
	if (is_ordered(p))
		return; /* start says it for each execution */
	if (ordered_count == ORDERED)
		give_up("too many ordered locations");
	ordered[ordered_count++] = p;
}

bool view_in_order(int t, const struct location *l)
{
	uint32_t at = l->newest;

	if (!is_ordered(l->p))
		return true;
	while (at && l->message[at].value == l->message[at - 1].value)
		at--;
	return of[t].now.at[l->index] >= at;
}

bool view_last_was_old(int t)
{
	return of[t].last_was_old;
}

bool view_renew(int t)
{
	bool any = false;

	for (uint32_t i = 0; i < locations; i++) {
		if (!of[t].old[i])
			continue;
		of[t].old[i] = false;
		any = true;
		know(&of[t].now, &location[i], location[i].newest);
		know(&of[t].read, &location[i], location[i].newest);
	}
	return any;
}

void view_plain(int t, const void *p, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		const struct location *l = *find((const char *)p + i);

		if (!l)
			continue;
		if (of[t].dirty_count == DIRTY)
			give_up("too many plain stores at once to atomic locations");
		of[t].dirty[of[t].dirty_count++] = l->p;
	}
}

void view_catch_up(int t)
{
	for (uint32_t i = 0; i < of[t].dirty_count; i++) {
		struct location *l = *find(of[t].dirty[i]);
		uint64_t value = memory_read(l->p, l->size);

		if (value != l->message[l->newest].value)
			view_store(t, l, value, MODEL_RLX);
	}
	of[t].dirty_count = 0;
}

uint8_t view_clock(int t)
{
	return of[t].now.clock[t];
}

bool view_saw(int t, int other, uint8_t clock)
{
	return t == other || of[t].now.clock[other] >= clock;
}

/* What every thread knows of adds nothing to what a view says, and what nobody can read any more counts no longer. */
static uint64_t hash_view(uint64_t h, const struct view *v, const struct view *least)
{
	struct view more;
	uint64_t word;

	for (uint32_t i = 0; i < sizeof(more); i++)
		((uint8_t *)&more)[i] = ((const uint8_t *)v)[i] > ((const uint8_t *)least)[i]
						? ((const uint8_t *)v)[i] - ((const uint8_t *)least)[i]
						: 0;
	for (uint32_t i = 0; i < locations; i += 8) {
		memcpy(&word, &more.at[i], 8);
		h = hash_mix(h, word);
	}
	word = 0;
	memcpy(&word, more.clock, sizeof(more.clock));
	return hash_mix(h, word);
}

static struct view known_to_all(uint32_t live)
{
	struct view least;

	memset(&least, UINT8_MAX, sizeof(least));
	for (int t = 0; t < MODEL_THREADS; t++) {
		if (!(live >> t & 1))
			continue;
		for (uint32_t i = 0; i < sizeof(least); i++) {
			if (((const uint8_t *)&of[t].now)[i] < ((uint8_t *)&least)[i])
				((uint8_t *)&least)[i] = ((const uint8_t *)&of[t].now)[i];
		}
	}
	return least;
}

uint64_t view_hash(uint32_t live, bool again)
{
	struct view least = known_to_all(live);
	uint64_t h = hash_view(0, &all, &least);

	for (int t = 0; t < MODEL_THREADS; t++) {
		h = hash_view(h, &of[t].now, &least);
		h = hash_view(h, &of[t].read, &least);
		h = hash_view(h, &of[t].fenced, &least);
	}
	for (uint32_t i = 0; i < locations; i++) {
		const struct location *l = &location[i];

		for (int t = 0; again && t < MODEL_THREADS; t++) {
			if (of[t].old[i])
				h = hash_mix(h, (uint64_t)i << 32 | (uint32_t)t);
		}
		for (uint32_t at = least.at[i]; at <= l->newest; at++) {
			h = hash_mix(h, (uint64_t)i << 32 | (l->newest - at));
			h = hash_mix(h, l->message[at].value);
			h = hash_view(h, &l->message[at].view, &least);
		}
	}
	return h;
}

uint64_t view_version(int t)
{
	return stores - of[t].stores;
}
