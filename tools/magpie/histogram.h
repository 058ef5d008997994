/* SPDX-License-Identifier: MIT */
/* histogram.h - counts of values, fine where they are small: each doubling is cut into 64 buckets of the same width, so
 * that a percentile is never more than 1/64 above the truth, and never below it.
 *
 * Who: one task or thread at a time; several histograms are merged afterwards. Allocates nothing. */
#ifndef MAGPIE_TOOLS_HISTOGRAM_H
#define MAGPIE_TOOLS_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_FINE 64u /* buckets a doubling; smaller values have a bucket each */
#define HISTOGRAM_BITS 40u /* values of up to so many bits: 18 minutes in ns; larger ones share the last bucket */
#define HISTOGRAM_BUCKETS ((HISTOGRAM_BITS - 5u) * HISTOGRAM_FINE)

struct histogram {
	uint64_t count, max;
	uint64_t bucket[HISTOGRAM_BUCKETS];
};

void histogram_clear(struct histogram *h);
void histogram_add(struct histogram *h, uint64_t value);
void histogram_merge(struct histogram *into, const struct histogram *from);

/* The value that `part` of all values do not exceed: 0.5 is the median, 1 the largest. part: above 0, up to 1.
 * Returns: at least that value, at most 1/64 more and at most the largest value; 0 when there is none */
uint64_t histogram_value(const struct histogram *h, double part);

#endif
