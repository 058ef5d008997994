/* SPDX-License-Identifier: MIT */
/* clock.c - how long a tick is. */
#include "base/clock.h"

uint64_t magi_ticks_per_us(void)
{
#if defined(__x86_64__)
	uint64_t ns = magi_clock_ns(), ticks = magi_ticks(), now, rate;

	if (magi_host())
		return MAGI_NS_PER_US;
	do
		now = magi_clock_ns();
	while (now - ns < 200 * MAGI_NS_PER_US); /* long enough for a 1 % answer; only thresholds depend on it */
	rate = (magi_ticks() - ticks) * MAGI_NS_PER_US / (now - ns);
	return rate ? rate : 1;
#else
	return MAGI_NS_PER_US;
#endif
}
