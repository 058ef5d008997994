/* SPDX-License-Identifier: MIT */
/* stats.c - the figures of a row from its samples, and how they are written. */
#include "stats.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct bench_stats bench_stats_of(double *samples, int n)
{
	struct bench_stats s = { .n = n };

	if (n <= 0)
		return (struct bench_stats){ 0 };
	qsort(samples, (size_t)n, sizeof *samples, by_value);
	s.min = samples[0];
	s.max = samples[n - 1];
	s.median = n % 2 ? samples[n / 2] : (samples[n / 2 - 1] + samples[n / 2]) / 2;
	return s;
}

/* One character of a JSON string. Returns: its length. */
static size_t escape(char out[7], unsigned char c)
{
	if (c == '"' || c == '\\') {
		out[0] = '\\';
		out[1] = (char)c;
		return 2;
	}
	if (c < 0x20)
		return (size_t)snprintf(out, 7, "\\u%04x", c);
	out[0] = (char)c;
	return 1;
}

size_t bench_json_string(char *to, size_t len, const char *s)
{
	size_t at = 0;

	if (len < 3) {
		if (len)
			to[0] = 0;
		return 0;
	}
	to[at++] = '"';
	while (*s) {
		char one[4 * 6 + 1];
		size_t n = escape(one, (unsigned char)*s++);

		/* the rest of a UTF-8 character goes with its first byte, so that a cut leaves valid text */
		while (((unsigned char)*s & 0xc0) == 0x80 && n < 4)
			one[n++] = *s++;
		if (at + n + 2 > len)
			break;
		memcpy(to + at, one, n);
		at += n;
	}
	to[at++] = '"';
	to[at] = 0;
	return at;
}

void bench_number(char *to, size_t len, double v)
{
	double a = v < 0 ? -v : v;

	snprintf(to, len, "%.*f", a >= 1000 ? 0 : a >= 100 ? 1 : a >= 10 ? 2 : a >= 1 || a == 0 ? 3 : 4, v);
}

bool bench_units_compare(const char *a, const char *b)
{
	size_t n = strcspn(a, "/");

	return n == strcspn(b, "/") && !memcmp(a, b, n);
}
