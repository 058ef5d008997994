/* SPDX-License-Identifier: MIT */
/* histogram.h - counts of values, fine where they are small: each doubling is cut into 128 buckets of the same width (as
 * HdrHistogram does it with two digits), so that a percentile is less than 1 % above the truth, and never below it.
 *
 * Who: one task or thread at a time; several histograms are merged afterwards. Allocates nothing. */
#ifndef MAGPIE_TOOLS_HISTOGRAM_H
#define MAGPIE_TOOLS_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_FINE_BITS 7u
#define HISTOGRAM_FINE (1u << HISTOGRAM_FINE_BITS) /* buckets a doubling; smaller values have a bucket each */
#define HISTOGRAM_BITS 46u /* values of up to so many bits: 19 hours in ns; larger ones share the last bucket */
#define HISTOGRAM_BUCKETS ((HISTOGRAM_BITS - HISTOGRAM_FINE_BITS + 1u) * HISTOGRAM_FINE)

/* All zero: empty. */
struct histogram {
	uint64_t count, max;
	uint64_t least; /* UINT64_MAX minus the smallest */
	uint64_t sum;   /* wraps after 584 years in ns */
	uint64_t bucket[HISTOGRAM_BUCKETS];
};

void histogram_clear(struct histogram *h);
void histogram_add(struct histogram *h, uint64_t value);
void histogram_merge(struct histogram *into, const struct histogram *from);

/* The value that `part` of all values do not exceed: 0.5 is the median, 1 the largest. part: above 0, up to 1.
 * Returns: at least that value, less than 1/128 more and at most the largest value; 0 when there is none */
uint64_t histogram_value(const struct histogram *h, double part);

/* The smallest value, exactly; 0 when there is none. */
uint64_t histogram_min(const struct histogram *h);

/* The mean, exactly, and the standard deviation, to within the width of a bucket; 0 when there is none. */
double histogram_mean(const struct histogram *h);
double histogram_deviation(const struct histogram *h);

#endif
