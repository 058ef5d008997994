/* SPDX-License-Identifier: MIT */
/* memory.c - queues of stores. */
#include "model/memory.h"

#include <string.h>

enum { QUEUE = 64 }; /* a power of two; CPUs have about as many */

static struct {
	struct memory_store store[QUEUE];
	uint32_t stored, flushed;
} queue[MODEL_THREADS];

static uint64_t hash, changes, own_changes[MODEL_THREADS];

void memory_reset(void)
{
	memset(queue, 0, sizeof(queue));
	hash = 0;
	changes = 1;
	memset(own_changes, 0, sizeof(own_changes));
}

uint64_t memory_read(const void *p, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, p, size); /* little-endian, as x86 is */
	return value;
}

uint64_t memory_load(int thread, const void *p, size_t size)
{
	for (uint32_t i = queue[thread].stored; i != queue[thread].flushed; i--) {
		const struct memory_store *s = &queue[thread].store[(i - 1) % QUEUE];

		if (s->p == p)
			return memory_read(&s->value, size);
	}
	return memory_read(p, size);
}

bool memory_store(int thread, struct memory_store store)
{
	if (queue[thread].stored - queue[thread].flushed == QUEUE)
		return false;
	queue[thread].store[queue[thread].stored++ % QUEUE] = store;
	return true;
}

bool memory_waits(int thread, const void *p, size_t size)
{
	for (uint32_t i = queue[thread].flushed; i != queue[thread].stored; i++) {
		const struct memory_store *s = &queue[thread].store[i % QUEUE];

		if ((uintptr_t)s->p - (uintptr_t)p < size || (uintptr_t)p - (uintptr_t)s->p < s->size)
			return true;
	}
	return false;
}

const struct memory_store *memory_oldest(int thread)
{
	if (queue[thread].stored == queue[thread].flushed)
		return NULL;
	return &queue[thread].store[queue[thread].flushed % QUEUE];
}

const struct memory_store *memory_flush(int thread)
{
	const struct memory_store *s = &queue[thread].store[queue[thread].flushed++ % QUEUE];

	memory_write(thread, s->p, s->size, s->value);
	return s;
}

static uint64_t hash_of(const void *p, uint64_t value)
{
	return hash_mix(hash_mix(0, (uintptr_t)p), value);
}

void memory_write(int thread, void *p, size_t size, uint64_t value)
{
	uint64_t old = memory_read(p, size);

	memcpy(p, &value, size);
	value = memory_read(p, size);
	if (value == old)
		return;
	hash += hash_of(p, value) - hash_of(p, old);
	changes++;
	if (thread >= 0)
		own_changes[thread]++;
}

uint32_t memory_stored(int thread)
{
	return queue[thread].stored;
}

uint32_t memory_flushed(int thread)
{
	return queue[thread].flushed;
}

uint64_t memory_hash(void)
{
	uint64_t h = hash;

	for (int t = 0; t < MODEL_THREADS; t++) {
		for (uint32_t i = queue[t].flushed; i != queue[t].stored; i++) {
			const struct memory_store *s = &queue[t].store[i % QUEUE];

			h = hash_mix(hash_mix(h, (uintptr_t)s->p), s->value);
		}
		h = hash_mix(h, (uint64_t)t);
	}
	return h;
}

uint64_t memory_version(int thread)
{
	return changes - own_changes[thread];
}
