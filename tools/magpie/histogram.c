/* SPDX-License-Identifier: MIT */
/* histogram.c - counts of values, fine where they are small. */
#include "histogram.h"

#include <math.h>
#include <string.h>

/* Values below 128 are their own bucket; above, the top 8 bits of the value, and how far they are from the bottom. */
static unsigned bucket_of(uint64_t value)
{
	unsigned shift;

	if (value < HISTOGRAM_FINE)
		return (unsigned)value;
	if (value >> HISTOGRAM_BITS)
		return HISTOGRAM_BUCKETS - 1;
	shift = 63u - (unsigned)__builtin_clzll(value) - HISTOGRAM_FINE_BITS;
	return shift * HISTOGRAM_FINE + (unsigned)(value >> shift);
}

/* The largest value that falls into it. */
static uint64_t bucket_top(unsigned bucket)
{
	unsigned shift;

	if (bucket < HISTOGRAM_FINE)
		return bucket;
	shift = bucket / HISTOGRAM_FINE - 1;
	return ((uint64_t)(bucket - shift * HISTOGRAM_FINE + 1) << shift) - 1;
}

void histogram_clear(struct histogram *h)
{
	memset(h, 0, sizeof *h);
}

void histogram_add(struct histogram *h, uint64_t value)
{
	h->bucket[bucket_of(value)]++;
	h->count++;
	h->sum += value;
	if (value > h->max)
		h->max = value;
	if (UINT64_MAX - value > h->least)
		h->least = UINT64_MAX - value;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		into->bucket[i] += from->bucket[i];
	into->count += from->count;
	into->sum += from->sum;
	if (from->max > into->max)
		into->max = from->max;
	if (from->least > into->least)
		into->least = from->least;
}

uint64_t histogram_value(const struct histogram *h, double part)
{
	uint64_t rank = (uint64_t)(part * (double)h->count), below = 0;

	if ((double)rank < part * (double)h->count)
		rank++;
	if (rank == 0)
		rank = 1;
	if (rank >= h->count)
		return h->max;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
		below += h->bucket[i];
		if (below >= rank)
			return bucket_top(i) < h->max ? bucket_top(i) : h->max;
	}
	return h->max;
}

uint64_t histogram_min(const struct histogram *h)
{
	return h->count ? UINT64_MAX - h->least : 0;
}

double histogram_mean(const struct histogram *h)
{
	return h->count ? (double)h->sum / (double)h->count : 0;
}

/* Each bucket stands for its middle. */
double histogram_deviation(const struct histogram *h)
{
	double mean = histogram_mean(h), squares = 0, bottom = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		double top = (double)bucket_top(i), away = (bottom + top) / 2 - mean;

		squares += (double)h->bucket[i] * away * away;
		bottom = top + 1;
	}
	return h->count ? sqrt(squares / (double)h->count) : 0;
}
