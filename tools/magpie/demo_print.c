/* SPDX-License-Identifier: MIT */
/* demo_print.c - what the demo says. On a terminal one line is drawn over and over while the load runs. */
#include "demo.h"

#include <stdio.h>

/* A time in ns for people. */
static const char *duration(char *out, size_t len, uint64_t ns)
{
	if (ns < 10000)
		snprintf(out, len, "%.1f us", (double)ns / 1e3);
	else if (ns < 1000000)
		snprintf(out, len, "%.0f us", (double)ns / 1e3);
	else
		snprintf(out, len, "%.1f ms", (double)ns / 1e6);
	return out;
}

/* A count for people: digits in threes. */
static const char *count(char *out, size_t len, uint64_t n)
{
	char digits[32], *to = out;
	int all = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);

	for (int i = 0; i < all && (size_t)(to - out) + 2 < len; i++) {
		*to++ = digits[i];
		if ((all - 1 - i) % 3 == 0 && i + 1 < all)
			*to++ = ',';
	}
	*to = 0;
	return out;
}

static double rate(const struct demo *d, uint64_t ns)
{
	return ns ? (double)d->sum.requests * 1e9 / (double)ns : 0;
}

void demo_print_live(const struct demo *d, uint64_t ns)
{
	char a[32], b[32], p50[32], p99[32];

	printf("\r\033[K  %4.1f s   %s requests, %s/s, p50 %s, p99 %s, %llu errors", (double)ns / 1e9,
	       count(a, sizeof a, d->sum.requests), count(b, sizeof b, (uint64_t)rate(d, ns)),
	       duration(p50, sizeof p50, histogram_value(&d->sum.ns, 0.5)),
	       duration(p99, sizeof p99, histogram_value(&d->sum.ns, 0.99)), (unsigned long long)d->sum.errors);
	fflush(stdout);
}

void demo_print_end_of_live(const struct demo *d)
{
	if (d->live)
		fputs("\r\033[K", stdout);
}

void demo_print_load(const struct demo *d, const mag_stats *before)
{
	static const struct {
		const char *name;
		double part;
	} parts[] = { { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "p99.9", 0.999 }, { "max", 1 } };
	mag_stats now = { .size = sizeof now };
	char a[32], b[32];

	mag_runtime_stats(mag_runtime_current(), &now);
	printf("  requests  %s in %.1f s, %s errors\n", count(a, sizeof a, d->sum.requests), (double)d->load_ns / 1e9,
	       count(b, sizeof b, d->sum.errors));
	printf("            %s requests/s, client and server together on %u worker%s\n",
	       count(a, sizeof a, (uint64_t)rate(d, d->load_ns)), d->workers, d->workers == 1 ? "" : "s");
	printf("  latency  ");
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		printf("%s %s %s", i ? "," : "", parts[i].name,
		       duration(a, sizeof a, histogram_value(&d->sum.ns, parts[i].part)));
	printf("\n  workers   %s steals, %s times asleep\n", count(a, sizeof a, now.steals - before->steals),
	       count(b, sizeof b, now.parks - before->parks));
	printf("  memory    %.1f MiB for tasks, %llu files open\n", (double)now.bytes / 1048576,
	       (unsigned long long)now.fds);
}

void demo_print_next(const struct demo *d)
{
	if (d->interrupted)
		printf("\ninterrupted\n");
	printf("\nWhat to try next:\n"
	       "  magpie serve --root .      a file server; then: curl -i http://127.0.0.1:8080/\n"
	       "  magpie bench fork serve    measured against bare baselines\n"
	       "  magpie doctor              what this machine offers\n");
}
