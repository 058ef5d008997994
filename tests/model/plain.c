/* SPDX-License-Identifier: MIT */
/* plain.c - accesses to memory that is not atomic: a clock for each kind of access, thread and byte. */
#include "model/plain.h"

#include <string.h>

#include "model/thread.h"
#include "model/trace.h"
#include "model/view.h"

enum { REGIONS = 16, BYTES = 8192, FIELD = 8 };

struct last {
	uint8_t clock[PLAIN_ACCESSES][MODEL_THREADS];
};

static struct region {
	const char *p;
	size_t size, at;
	const char *name;
	bool ghost, freed;
} region[REGIONS];
static uint32_t regions;
static size_t bytes;
static struct last last[BYTES];
static struct last *touched[BYTES];
static uint32_t touched_count;

void plain_clear(void)
{
	regions = 0;
	bytes = 0;
}

static void add(const void *p, size_t size, const char *name, bool ghost)
{
	for (uint32_t i = 0; i < regions; i++) {
		if (region[i].p == p)
			return; /* start says it for each execution */
	}
	if (regions == REGIONS || bytes + size > BYTES)
		explore_abort("too much shared memory");
	region[regions++] = (struct region){ p, size, bytes, name, ghost, false };
	bytes += size;
}

void plain_share(const void *p, size_t size, const char *name)
{
	add(p, size, name, false);
}

void explore_ghost(const void *p, size_t size)
{
	add(p, size, "ghost", true);
}

void plain_reset(void)
{
	for (uint32_t i = 0; i < touched_count; i++)
		memset(touched[i], 0, sizeof(*touched[i]));
	touched_count = 0;
	for (uint32_t i = 0; i < regions; i++)
		region[i].freed = false;
}

static struct region *find(const void *p)
{
	for (uint32_t i = 0; i < regions; i++) {
		if ((uintptr_t)p - (uintptr_t)region[i].p < region[i].size)
			return &region[i];
	}
	return NULL;
}

static bool is_new(const struct last *l)
{
	static const struct last none;

	return !memcmp(l, &none, sizeof(none));
}

/* Whether another thread has done this to the byte, and it is not known to have happened before. */
static bool beside(const struct last *l, enum plain_access how)
{
	for (int t = 0; t < MODEL_THREADS; t++) {
		if (l->clock[how][t] && !view_saw(running, t, l->clock[how][t]))
			return true;
	}
	return false;
}

static bool is_race(const struct last *l, enum plain_access how)
{
	switch (how) {
	case PLAIN_READ:
		return beside(l, PLAIN_WRITE) || beside(l, ATOMIC_WRITE);
	case PLAIN_WRITE:
		return beside(l, PLAIN_WRITE) || beside(l, ATOMIC_WRITE) || beside(l, PLAIN_READ) ||
		       beside(l, ATOMIC_READ);
	case ATOMIC_READ:
		return beside(l, PLAIN_WRITE);
	default:
		return beside(l, PLAIN_WRITE) || beside(l, PLAIN_READ);
	}
}

static void refute(const struct region *r, const void *p, enum plain_access how, const char *why)
{
	static const char *const names[] = { "reads", "writes", "loads", "stores" };

	trace_add(running, names[how], r->name, (uint64_t)((const char *)p - r->p));
	explore_fail(why, r->name, (int)((const char *)p - r->p));
}

/* The first byte stands for a whole field: only ranges overlap with others. */
static void check(const struct region *r, const void *p, size_t size, enum plain_access how)
{
	struct last *l = &last[r->at + (size_t)((const char *)p - r->p)];

	for (size_t i = 0; i < (size > FIELD ? size : 1); i++) {
		if (is_new(&l[i]))
			touched[touched_count++] = &l[i];
		else if (is_race(&l[i], how))
			refute(r, p, how, "two accesses, and nothing orders them (the number is the place in it)");
		l[i].clock[how][running] = view_clock(running);
	}
}

void plain_access(const void *p, size_t size, enum plain_access how)
{
	struct region *r;

	if (running == NOBODY || !(r = find(p)) || r->ghost)
		return;
	if (r->freed)
		refute(r, p, how, "it is another's already (the number is the place in it)");
	if (thread_views())
		check(r, p, size, how);
	if (how <= PLAIN_WRITE)
		thread_plain(p, size, how == PLAIN_WRITE);
}

void explore_freed(const void *p)
{
	struct region *r = find(p);

	plain_access(r->p, r->size, PLAIN_WRITE);
	r->freed = true;
}

uint64_t plain_hash(void)
{
	uint64_t h = 0, word;

	for (uint32_t i = 0; i < regions; i++) {
		h = hash_mix(h, region[i].freed);
		for (size_t at = 0; at < region[i].size; at += 8) {
			word = 0;
			memcpy(&word, region[i].p + at, region[i].size - at < 8 ? region[i].size - at : 8);
			h = hash_mix(h, word);
		}
	}
	return h;
}

/* What the compiler calls. */

#define CALLED_FOR(n)                                  \
	void __tsan_read##n(const void *p);            \
	void __tsan_write##n(const void *p);           \
	void __tsan_unaligned_read##n(const void *p);  \
	void __tsan_unaligned_write##n(const void *p); \
	void __tsan_read##n(const void *p)             \
	{                                              \
		plain_access(p, n, PLAIN_READ);        \
	}                                              \
	void __tsan_write##n(const void *p)            \
	{                                              \
		plain_access(p, n, PLAIN_WRITE);       \
	}                                              \
	void __tsan_unaligned_read##n(const void *p)   \
	{                                              \
		plain_access(p, n, PLAIN_READ);        \
	}                                              \
	void __tsan_unaligned_write##n(const void *p)  \
	{                                              \
		plain_access(p, n, PLAIN_WRITE);       \
	}

CALLED_FOR(1)
CALLED_FOR(2)
CALLED_FOR(4)
CALLED_FOR(8)
CALLED_FOR(16)

void __tsan_read_range(const void *p, size_t size);
void __tsan_write_range(const void *p, size_t size);
void __tsan_init(void);
void __tsan_func_entry(const void *caller);
void __tsan_func_exit(void);

void __tsan_read_range(const void *p, size_t size)
{
	plain_access(p, size, PLAIN_READ);
}

void __tsan_write_range(const void *p, size_t size)
{
	plain_access(p, size, PLAIN_WRITE);
}

void __tsan_init(void)
{
}

void __tsan_func_entry(const void *caller)
{
	(void)caller;
}

void __tsan_func_exit(void)
{
}
