/* SPDX-License-Identifier: MIT */
/* heap.c - a binary heap of places; the elements themselves do not move.
 *
 * Who:     one at a time: the queue's lock.
 * Always:  the first `length` places are a heap; those behind them are free. Each element has the number of its coming,
 *          so that no two are equal.
 * Not:     moving the elements: with large ones each step would copy them twice, under a spin lock. */
#include "sync/heap.h"

#include <string.h>

#include "base/alloc.h"

struct place {
	uint64_t number;
	uint32_t at; /* index of the element */
	uint32_t unused;
};

struct magi_heap {
	mag_queue_compare before;
	unsigned char *items; /* behind the places */
	uint64_t coming;      /* number of the next */
	uint32_t length, size;
	struct place places[];
};

struct magi_heap *magi_heap_create(uint32_t capacity, uint32_t size, mag_queue_compare before)
{
	size_t places = capacity * sizeof(struct place);
	struct magi_heap *h = magi_alloc(sizeof(*h) + places + (size_t)capacity * size);

	if (!h)
		return NULL;
	*h = (struct magi_heap){ .before = before, .size = size };
	h->items = (unsigned char *)h->places + places;
	for (uint32_t i = 0; i < capacity; i++)
		h->places[i] = (struct place){ .at = i };
	return h;
}

static unsigned char *item_at(const struct magi_heap *h, uint32_t at)
{
	return h->items + (size_t)at * h->size;
}

static bool precedes(const struct magi_heap *h, const struct place *a, const struct place *b)
{
	int order = h->before(item_at(h, a->at), item_at(h, b->at));

	return order < 0 || (order == 0 && a->number < b->number);
}

void magi_heap_add(struct magi_heap *h, const void *item)
{
	struct place new = { .number = h->coming++, .at = h->places[h->length].at };
	uint32_t i = h->length++;

	memcpy(item_at(h, new.at), item, h->size);
	for (; i > 0 && precedes(h, &new, &h->places[(i - 1) / 2]); i = (i - 1) / 2)
		h->places[i] = h->places[(i - 1) / 2];
	h->places[i] = new;
}

void magi_heap_take(struct magi_heap *h, void *item)
{
	struct place first = h->places[0], last = h->places[--h->length];
	uint32_t i = 0, child;

	memcpy(item, item_at(h, first.at), h->size);
	h->places[h->length] = first;
	while ((child = 2 * i + 1) < h->length) {
		if (child + 1 < h->length && precedes(h, &h->places[child + 1], &h->places[child]))
			child++;
		if (!precedes(h, &h->places[child], &last))
			break;
		h->places[i] = h->places[child];
		i = child;
	}
	if (h->length)
		h->places[i] = last;
}
