/* SPDX-License-Identifier: MIT */
/* test_random.c - the seeded generator. */
#include "base/random.h"

#include <criterion/criterion.h>

Test(random, same_seed_gives_the_same_numbers, .timeout = 5)
{
	struct magi_random a, b, c;
	int equal = 0;

	magi_random_seed(&a, 42);
	magi_random_seed(&b, 42);
	magi_random_seed(&c, 43);
	for (int i = 0; i < 100; i++) {
		uint64_t n = magi_random_next(&a);

		cr_assert_eq(n, magi_random_next(&b));
		equal += n == magi_random_next(&c);
	}
	cr_assert_eq(equal, 0);
}

/* A state of 0 would stay 0. Tried: `| 1` left out, with the seed that comes to 0. */
Test(random, no_seed_is_stuck, .timeout = 5)
{
	const uint64_t seeds[] = { 0, 1, UINT64_MAX, -UINT64_C(0x9e3779b97f4a7c15) };

	for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
		struct magi_random r;
		uint64_t first;

		magi_random_seed(&r, seeds[i]);
		first = magi_random_next(&r);
		cr_assert_neq(first, magi_random_next(&r));
	}
}

Test(random, numbers_below_a_bound_are_below_it_and_spread, .timeout = 5)
{
	const uint32_t bounds[] = { 1, 2, 3, 7, 64, 1000, UINT32_MAX };
	struct magi_random r;

	magi_random_seed(&r, 1);
	for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		uint32_t low = 0;

		for (int k = 0; k < 10000; k++) {
			uint32_t n = magi_random_below(&r, bounds[i]);

			cr_assert(n < bounds[i]);
			low += n < bounds[i] / 2;
		}
		if (bounds[i] % 2 == 0)
			cr_assert(low > 4700 && low < 5300, "below %u: %u of 10000", bounds[i] / 2, low);
	}
}
