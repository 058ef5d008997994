/* SPDX-License-Identifier: MIT */
/* peek.h - reading memory that others write meanwhile, for those who only print it.
 *
 * Who:     any thread.
 * Always:  what was read may be torn between words, and must not be followed before something else has shown that it
 *          held still. A word is read at once.
 * Not:     atomic loads of each field: those who write would have to store them so, for a reader that comes once a day. */
#ifndef MAGI_BASE_PEEK_H
#define MAGI_BASE_PEEK_H

#include <stdbool.h>
#include <stddef.h>

/* Copies whole words from memory that is there. The sanitizers do not look: it may be poisoned, and races on purpose. */
void magi_peek(void *to, const void *from, size_t bytes);

/* Copies from memory that may be gone: false then, or where the kernel does not allow it. Costs a system call. */
bool magi_peek_safely(void *to, const void *from, size_t bytes);

#endif
