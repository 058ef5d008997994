/* SPDX-License-Identifier: MIT */
/* test_clock.c - time and the ticks of the CPU. */
#include "base/clock.h"

#include <criterion/criterion.h>

Test(clock, time_does_not_go_back, .timeout = 5)
{
	uint64_t last = magi_clock_ns();

	for (int i = 0; i < 100000; i++) {
		uint64_t now = magi_clock_ns();

		cr_assert(now >= last);
		last = now;
	}
}

Test(clock, ticks_have_the_length_that_was_measured, .timeout = 10)
{
	uint64_t rate = magi_ticks_per_us(), ns, ticks, best = UINT64_MAX;

	cr_assert(rate >= 1);
	for (int i = 0; i < 20; i++) { /* the best of some: whoever measures may lose the CPU */
		uint64_t us, off;

		ns = magi_clock_ns();
		ticks = magi_ticks();
		while (magi_clock_ns() - ns < 2 * MAGI_NS_PER_MS)
			;
		us = (magi_ticks() - ticks) / rate;
		off = us > 2000 ? us - 2000 : 2000 - us;
		best = off < best ? off : best;
	}
	cr_assert(best < 200, "2000 us differ by %llu us", (unsigned long long)best);
}

/* Tried: a plain sum; a deadline of "never" is in the past. */
Test(clock, sums_of_times_saturate_at_never, .timeout = 5)
{
	cr_assert_eq(magi_saturate_add(1, 2), 3);
	cr_assert_eq(magi_saturate_add(MAGI_NEVER, 0), MAGI_NEVER);
	cr_assert_eq(magi_saturate_add(MAGI_NEVER, 1), MAGI_NEVER);
	cr_assert_eq(magi_saturate_add(1, MAGI_NEVER), MAGI_NEVER);
	cr_assert_eq(magi_saturate_add(MAGI_NEVER - 5, 5), MAGI_NEVER);
	cr_assert_eq(magi_saturate_add(MAGI_NEVER - 5, 4), MAGI_NEVER - 1);
	cr_assert_eq(magi_saturate_add(MAGI_NEVER, MAGI_NEVER), MAGI_NEVER);
}
