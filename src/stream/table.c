/* SPDX-License-Identifier: MIT */
/* table.c - items by a key that is part of them: open addressing, linear probing, at most three quarters full.
 *
 * Who:     whoever adds; while nobody does, any number that look.
 * Always:  a slot is a byte (in use or not), padding, and an item. Nothing is taken out, so no slot is a grave.
 *          The hash is seeded with the table's address and the time, so that nobody can prepare keys that collide without
 *          knowing both. */
#include <errno.h>
#include <magpie/stream_end.h>
#include <magpie/time.h>

#include "base/alloc.h"
#include "stream/stream.h"

enum { FIRST = 16, HEAD = 16 /* bytes in front of an item: it keeps its alignment */ };

static size_t slot_size(const mag_table *t)
{
	return HEAD + (t->item_size + HEAD - 1) / HEAD * HEAD;
}

static unsigned char *slot_at(const mag_table *t, size_t i)
{
	return t->slots + i * slot_size(t);
}

static uint64_t mix(uint64_t x)
{
	x ^= x >> 32;
	x *= UINT64_C(0xd6e8feb86659fd93);
	x ^= x >> 32;
	x *= UINT64_C(0xd6e8feb86659fd93);
	return x ^ x >> 32;
}

static uint64_t hash(const mag_table *t, const unsigned char *key)
{
	uint64_t h = t->seed, word;
	size_t n = t->key_size;

	for (; n >= sizeof(word); n -= sizeof(word), key += sizeof(word)) {
		memcpy(&word, key, sizeof(word));
		h = mix(h ^ word);
	}
	word = 0;
	memcpy(&word, key, n);
	return mix(h ^ word ^ (uint64_t)t->key_size << 56);
}

/* The slot with this key, or the one where it belongs. */
static unsigned char *find_slot(const mag_table *t, const void *key)
{
	size_t i = hash(t, key) & (t->room - 1);

	for (;;) {
		unsigned char *slot = slot_at(t, i);

		if (!*slot || !memcmp(slot + HEAD + t->key_at, key, t->key_size))
			return slot;
		i = (i + 1) & (t->room - 1);
	}
}

static void put(const mag_table *t, unsigned char *slot, const void *item)
{
	*slot = 1;
	memcpy(slot + HEAD, item, t->item_size);
}

static int grow(mag_table *t)
{
	mag_table bigger = *t;

	if (t->count < t->room / 4 * 3)
		return 0;
	bigger.room = t->room ? t->room * 2 : FIRST;
	bigger.slots = magi_zalloc(bigger.room * slot_size(t));
	if (!bigger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < t->room; i++) {
		unsigned char *slot = slot_at(t, i);

		if (*slot)
			put(&bigger, find_slot(&bigger, slot + HEAD + t->key_at), slot + HEAD);
	}
	magi_free(t->slots);
	*t = bigger;
	return 0;
}

static int add(mag_table *t, const unsigned char *item, enum mag_twice twice, size_t limit)
{
	unsigned char *slot;
	int rc = grow(t);

	if (rc < 0)
		return rc;
	slot = find_slot(t, item + t->key_at);
	if (*slot && twice != MAG_TWICE_LAST)
		return twice == MAG_TWICE_FIRST ? 0 : -EEXIST;
	if (!*slot && t->count == limit)
		return MAG_ETOOLONG;
	t->count += !*slot;
	put(t, slot, item);
	return 0;
}

void *mag_table_find(const mag_table *t, const void *key)
{
	unsigned char *slot;

	if (!t->count)
		return NULL;
	slot = find_slot(t, key);
	return *slot ? slot + HEAD : NULL;
}

void *mag_table_next(const mag_table *t, const void *item)
{
	size_t i = 0;

	if (item)
		i = (size_t)((const unsigned char *)item - t->slots) / slot_size(t) + 1;
	while (i < t->room && !*slot_at(t, i))
		i++;
	return i < t->room ? slot_at(t, i) + HEAD : NULL;
}

void mag_table_fini(mag_table *t)
{
	if (!t)
		return;
	magi_free(t->slots);
	*t = (mag_table){ 0 };
}

/* The first time the table learns what its items are. */
static int set_up(struct mag_stream_to_table *self)
{
	mag_table *t = self->into;
	size_t size = self->stream ? self->stream->size : 0;

	if (!t || !self->limit || !self->key_size || self->key_at > size || size - self->key_at < self->key_size)
		return -EINVAL;
	if (!t->room) {
		t->item_size = size;
		t->key_at = self->key_at;
		t->key_size = self->key_size;
		t->seed = mix(mag_now() ^ (uintptr_t)t);
	}
	if (t->item_size != size || t->key_at != self->key_at || t->key_size != self->key_size)
		return -EINVAL;
	return 0;
}

MAG_TASK(mag_stream_to_table)
{
	MAG_BEGIN(mag_stream_to_table);
	self->rc = set_up(self);
	for (self->turn = 0; self->rc == 0;) {
		MAG_AWAIT(self->rc, magi_stream_next, self->stream, self->room, self->stream->size);
		if (self->rc <= 0)
			break;
		self->rc = add(self->into, self->room, self->twice, self->limit);
		if (self->rc == 0 && ++self->turn % MAGI_STREAM_TURN == 0) /* of all items, also those that were there */
			MAG_YIELD(self->rc);
	}
	MAG_AWAIT(self->closed, mag_stream_close, self->stream);
	MAG_RETURN(self->rc < 0 ? self->rc : (int64_t)self->into->count);
	MAG_END;
}
