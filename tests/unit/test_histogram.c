/* SPDX-License-Identifier: MIT */
/* test_histogram.c - for tools/magpie/histogram.c, which no library contains: it is compiled in here. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "../../tools/magpie/histogram.c"

#define VALUES 20000

static uint64_t random_state;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13; /* xorshift64 */
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* What the definition says: the smallest value that at least that part of all do not exceed. */
static uint64_t exact(const uint64_t *sorted, size_t n, double part)
{
	size_t rank = (size_t)(part * (double)n);

	if ((double)rank < part * (double)n)
		rank++;
	return sorted[rank ? rank - 1 : 0];
}

static const double parts[] = { 1e-9, 0.001, 0.1, 0.25, 0.5, 0.9, 0.99, 0.999, 0.99999, 1 };

static void compare_moments(const struct histogram *h, const uint64_t *values, size_t n)
{
	double sum = 0, squares = 0, mean, deviation;

	for (size_t i = 0; i < n; i++)
		sum += (double)values[i];
	mean = sum / (double)n;
	for (size_t i = 0; i < n; i++)
		squares += ((double)values[i] - mean) * ((double)values[i] - mean);
	deviation = sqrt(squares / (double)n);
	cr_assert(fabs(histogram_mean(h) - mean) <= mean * 1e-9 + 1e-9);
	cr_assert(fabs(histogram_deviation(h) - deviation) <= (deviation + mean) / 100 + 1, "%g, exact %g",
		  histogram_deviation(h), deviation);
}

static void compare(const struct histogram *h, uint64_t *values, size_t n)
{
	qsort(values, n, sizeof *values, by_value);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		uint64_t want = exact(values, n, parts[i]), got = histogram_value(h, parts[i]);

		cr_assert(got >= want && got <= want + want / 100, "%g of %zu: %llu, exact %llu", parts[i],
			  n, (unsigned long long)got, (unsigned long long)want);
	}
	cr_assert(h->count == n && h->max == values[n - 1] && histogram_min(h) == values[0]);
	compare_moments(h, values, n);
}

Test(histogram, percentiles_are_less_than_a_hundredth_above_those_of_the_sorted_values, .timeout = 60)
{
	static struct histogram h;
	static uint64_t values[VALUES];

	/* values of every size, so that each part of the histogram is met */
	for (uint64_t seed = 1; seed <= 40; seed++) {
		size_t n = 1 + (size_t)(seed * 977 % VALUES);

		random_state = seed * 0x9e3779b97f4a7c15u;
		histogram_clear(&h);
		for (size_t i = 0; i < n; i++) {
			values[i] = next_random() >> (18 + next_random() % 46);
			histogram_add(&h, values[i]);
		}
		compare(&h, values, n);
	}
}

Test(histogram, merging_is_the_same_as_adding_to_one, .timeout = 10)
{
	static struct histogram part[3], all, merged;
	static uint64_t values[VALUES];

	random_state = 7;
	for (size_t i = 0; i < VALUES; i++) {
		values[i] = next_random() >> 40;
		histogram_add(&part[next_random() % 3], values[i]);
		histogram_add(&all, values[i]);
	}
	for (int i = 0; i < 3; i++)
		histogram_merge(&merged, &part[i]);
	cr_assert(!memcmp(&merged, &all, sizeof all));
	compare(&merged, values, VALUES);
}

Test(histogram, every_value_has_one_bucket_and_buckets_touch, .timeout = 10)
{
	uint64_t bottom = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		cr_assert(bucket_of(bottom) == i && bucket_of(bucket_top(i)) == i, "bucket %u", i);
		bottom = bucket_top(i) + 1;
	}
	cr_assert(bottom == UINT64_C(1) << HISTOGRAM_BITS);
}

Test(histogram, the_largest_is_exact_even_when_it_is_beyond_the_last_bucket, .timeout = 10)
{
	static struct histogram h;

	histogram_add(&h, 5);
	histogram_add(&h, UINT64_MAX);
	cr_assert(histogram_value(&h, 1) == UINT64_MAX && histogram_min(&h) == 5);
	cr_assert(histogram_value(&h, 0.5) == 5);
}

Test(histogram, without_values_everything_is_0, .timeout = 10)
{
	static struct histogram h;

	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		cr_assert(histogram_value(&h, parts[i]) == 0);
}
