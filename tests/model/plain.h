/* SPDX-License-Identifier: MIT */
/* plain.h - memory that the model's threads share and that is not atomic: what is under a lock, or handed over.
 *
 * What:    the program that includes the sources is compiled with -fsanitize=thread and linked without it: plain.c has
 *          the functions that are called then before each access. What a thread reads becomes part of its history, and in
 *          a model with views two accesses of different threads, one of them a store, refute it unless something orders
 *          them. Atomic ones count as accesses as well, but not against one another.
 * Who:     start names the memory; all other is taken for the model's own.
 * Not:     accesses that the compiler does not instrument: memset and memcpy of constant size. */
#ifndef MAGPIE_TESTS_MODEL_PLAIN_H
#define MAGPIE_TESTS_MODEL_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum plain_access { PLAIN_READ, PLAIN_WRITE, ATOMIC_READ, ATOMIC_WRITE, PLAIN_ACCESSES };

#define explore_shared(p, size) plain_share((p), (size), #p)
void plain_share(const void *p, size_t size, const char *name);
/* The model's own memory, which says what has happened. */
void explore_ghost(const void *p, size_t size);
/* Its owner gives it away: who touches it from here on, or does it at the same time, is wrong. */
void explore_freed(const void *p);

void plain_clear(void);
void plain_reset(void);
/* The running thread does this. */
void plain_access(const void *p, size_t size, enum plain_access how);
uint64_t plain_hash(void);

#endif
