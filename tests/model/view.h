/* SPDX-License-Identifier: MIT */
/* view.h - what the model threads share, weaker than x86: a location keeps all that was stored there, in one order, and a
 * load may give any of it that is not older than what its thread knows of [Kang et al., A promising semantics for
 * relaxed-memory concurrency, POPL 2017, without promises; release sequences as in C20: read-modify-writes alone].
 *
 * What:    a view is how new each location is at least. A store carries one: its thread's, if it releases; whoever
 *          acquires it joins it to its own. Full fences join theirs to one that all of them share, and a sequentially
 *          consistent store joins its own place there. The clocks in a view tell what happened before what.
 * Who:     operation.c. One OS thread.
 * Always:  the program's own memory has the newest of each location.
 * Not:     a load that gives what is stored later (load buffering), nor stores that take effect in another order than
 *          they are chosen in: a store is always the newest of its location. */
#ifndef MAGPIE_TESTS_MODEL_VIEW_H
#define MAGPIE_TESTS_MODEL_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/memory.h"
#include "model/site.h"

enum { VIEW_LOCATIONS = 96, VIEW_MESSAGES = 64 };

struct view {
	uint8_t at[VIEW_LOCATIONS];
	uint8_t clock[MODEL_THREADS];
};

struct location;

/* No location is known. */
void view_clear(void);
/* Whatever the program has is the first state. */
void view_reset(void);

/* How many stores a thread's load may give; and the one that is `back` before the newest, without reading it. */
struct location *view_at(const void *p, size_t size);
unsigned view_readable(int thread, const struct location *l, enum model_order order);
uint64_t view_peek(const struct location *l, unsigned back);

/* Reads it. */
uint64_t view_load(int thread, struct location *l, unsigned back, enum model_order order);
void view_store(int thread, struct location *l, uint64_t value, enum model_order order);
/* Reads the newest and stores, with nothing between them. */
uint64_t view_exchange(int thread, struct location *l, uint64_t value, enum model_order order);
void view_fence(int thread);

/* Whether stores there are in the order of what threads know (explore.h), and whether this one's next would be. */
void view_order(const void *p);
bool view_in_order(int thread, const struct location *l);

/* Whether the thread's last load gave an old store. */
bool view_last_was_old(int thread);
/* Says whether one has since the last call; from here on the thread knows the newest in those places, since nothing stays
 * hidden for ever. */
bool view_renew(int thread);

/* Plain stores to atomic locations are found when the memory differs: they are relaxed ones. */
void view_plain(int thread, const void *p, size_t size);
void view_catch_up(int thread);

/* For plain memory (plain.h): a thread's clock, and whether that clock of another had been reached before. */
uint8_t view_clock(int thread);
bool view_saw(int thread, int other, uint8_t clock);

/* live: a bit for each thread that goes on; again: view_renew may be called. */
uint64_t view_hash(uint32_t live, bool again);
/* Differs after each store of a thread but this one. */
uint64_t view_version(int thread);

#endif
