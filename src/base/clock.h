/* SPDX-License-Identifier: MIT */
/* clock.h - monotonic time, and the cheaper count of the CPU's time stamp. */
#ifndef MAGI_BASE_CLOCK_H
#define MAGI_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#include "base/host.h"

#define MAGI_NEVER UINT64_MAX
#define MAGI_NS_PER_US UINT64_C(1000)
#define MAGI_NS_PER_MS UINT64_C(1000000)
#define MAGI_NS_PER_S UINT64_C(1000000000)

static inline uint64_t magi_clock_ns(void)
{
	struct magi_host *h = magi_host();
	struct timespec ts;

	if (__builtin_expect(h != NULL, 0))
		return h->ops->now(h);
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * MAGI_NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* Ticks of unknown length, for "has it been long?" on every pick; see magi_ticks_per_us. */
static inline uint64_t magi_ticks(void)
{
#if defined(__x86_64__)
	struct magi_host *h = magi_host();

	return __builtin_expect(h != NULL, 0) ? h->ops->now(h) : __builtin_ia32_rdtsc();
#else
	return magi_clock_ns();
#endif
}

/* Measures the length of a tick; takes about 200 µs the first time. */
uint64_t magi_ticks_per_us(void);

static inline uint64_t magi_saturate_add(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

#endif
