/* SPDX-License-Identifier: MIT */
/* futex.h - sleeping on a word, and waking who does. */
#ifndef MAGI_OFFLOAD_FUTEX_H
#define MAGI_OFFLOAD_FUTEX_H

#include <errno.h>
#include <linux/futex.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"

/* Sleeps while *word is `value`, for `ns` at most; MAGI_NEVER: without limit. May return early. False: the time is
 * over. */
static inline bool magi_futex_wait(uint32_t *word, uint32_t value, uint64_t ns)
{
	struct timespec ts = { (time_t)(ns / MAGI_NS_PER_S), (long)(ns % MAGI_NS_PER_S) };

	return syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, ns == MAGI_NEVER ? NULL : &ts, NULL, 0) == 0 ||
	       errno != ETIMEDOUT;
}

/* The word may be gone by now: that wakes nobody, or somebody who looks again. */
static inline void magi_futex_wake(uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

#endif
