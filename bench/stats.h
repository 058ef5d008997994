/* SPDX-License-Identifier: MIT */
/* stats.h - the figures of a row from its samples, and how they are written. */
#ifndef MAGPIE_BENCH_STATS_H
#define MAGPIE_BENCH_STATS_H

#include <stdbool.h>
#include <stddef.h>

struct bench_stats {
	double median, min, max;
	int n;
};

/* Sorts the samples. The median of an even number is the mean of the middle two; of none, everything is 0. */
struct bench_stats bench_stats_of(double *samples, int n);

/* Writes `s` as a JSON string with its quotes, cut at a whole character when it does not fit.
 * Returns: bytes written without the final NUL; 0 when not even "" fits. */
size_t bench_json_string(char *to, size_t len, const char *s);

/* A number for people: four digits, never an exponent. */
void bench_number(char *to, size_t len, double v);

/* True when a quotient of the two units means something: "ns/call" and "ns/task", but not "s" and "ns/call". */
bool bench_units_compare(const char *a, const char *b);

#endif
