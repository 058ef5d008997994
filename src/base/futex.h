/* SPDX-License-Identifier: MIT */
/* futex.h - sleeping on a word, and waking who does; giving way. */
#ifndef MAGI_BASE_FUTEX_H
#define MAGI_BASE_FUTEX_H

#include <stdbool.h>
#include <stdint.h>

/* Sleeps while *word is `value`, for `ns` at most; MAGI_NEVER: without limit. May return early. False: the time is
 * over. */
bool magi_futex_wait(uint32_t *word, uint32_t value, uint64_t ns);

/* Wakes n who sleep. The word may be gone by now: that wakes nobody, or somebody who looks again. */
void magi_futex_wake(uint32_t *word, uint32_t n);

/* The caller waits for another thread, which may want this CPU. */
void magi_thread_yield(void);

#endif
