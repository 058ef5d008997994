/* SPDX-License-Identifier: MIT */
/* memory.h - what the model threads share, as x86-TSO has it: each thread's stores wait in a queue of its own, and become
 * visible to the others one by one, in their order; the thread itself sees them at once [Sewell et al., x86-TSO, CACM
 * 2010].
 *
 * Who:     explore.c. One OS thread.
 * Always:  values are kept where the program has them; only what waits is here. */
#ifndef MAGPIE_TESTS_MODEL_MEMORY_H
#define MAGPIE_TESTS_MODEL_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MODEL_THREADS = 4 };

/* One that waits. */
struct memory_store {
	void *p;
	size_t size;
	uint64_t value;
	const char *name;
};

/* Nothing waits; whatever the program has is the first state. */
void memory_reset(void);

uint64_t memory_load(int thread, const void *p, size_t size);
/* False: too many wait. */
bool memory_store(int thread, struct memory_store store);
/* Whether one of these bytes waits. */
bool memory_waits(int thread, const void *p, size_t size);
/* The oldest that waits, or NULL. */
const struct memory_store *memory_oldest(int thread);
/* It becomes visible. */
const struct memory_store *memory_flush(int thread);
/* Becomes visible now: nothing of the thread waits. */
void memory_write(int thread, void *p, size_t size, uint64_t value);
uint64_t memory_read(const void *p, size_t size);

/* How many stores of a thread there have been, and how many are visible. */
uint32_t memory_stored(int thread);
uint32_t memory_flushed(int thread);

/* Of what waits, and of all that is visible, compared with the first state. */
uint64_t memory_hash(void);
/* Differs after each change of something visible by another thread than this. */
uint64_t memory_version(int thread);

static inline uint64_t hash_mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) + UINT64_C(0x9e3779b97f4a7c15);
	h = (h ^ h >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ h >> 27) * UINT64_C(0x94d049bb133111eb);
	return h ^ h >> 31;
}

#endif
