/* SPDX-License-Identifier: MIT */
/* demo_print.c - what the demo says. On a terminal one line is drawn over and over while the load runs. */
#include "demo.h"

#include <magpie/time.h>
#include <stdio.h>

#include "load_figures.h"
#include "load_units.h"

void demo_print_live(struct load *load)
{
	uint64_t ns = mag_now() - load->start;
	char a[LOAD_TEXT], b[LOAD_TEXT], p50[LOAD_TEXT], p99[LOAD_TEXT];

	printf("\r\033[K  %4.1f s   %s requests, %s/s, p50 %s, p99 %s, %llu errors", (double)ns / 1e9,
	       load_write_count(a, load->all.answers),
	       load_write_count(b, ns ? (uint64_t)((double)load->all.answers * 1e9 / (double)ns) : 0),
	       load_write_time(p50, (double)histogram_value(&load->all.latency, 0.5)),
	       load_write_time(p99, (double)histogram_value(&load->all.latency, 0.99)),
	       (unsigned long long)load_failures(&load->all));
	fflush(stdout);
}

void demo_print_load(const struct demo *d, const mag_stats *before)
{
	static const struct {
		const char *name;
		double part;
	} parts[] = { { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "p99.9", 0.999 }, { "max", 1 } };
	mag_stats now = { .size = sizeof now };
	const struct load *load = &d->load;
	char a[LOAD_TEXT], b[LOAD_TEXT];

	mag_runtime_stats(mag_runtime_current(), &now);
	printf("  requests  %s in %.1f s, %s errors\n", load_write_count(a, load->all.answers),
	       (double)load->elapsed_ns / 1e9, load_write_count(b, load_failures(&load->all)));
	printf("            %s requests/s, client and server together on %u worker%s\n",
	       load_write_count(a, (uint64_t)load_rate(load)), d->workers, d->workers == 1 ? "" : "s");
	printf("  latency  ");
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		printf("%s %s %s", i ? "," : "", parts[i].name,
		       load_write_time(a, (double)histogram_value(&load->all.latency, parts[i].part)));
	printf("\n  workers   %s steals, %s times asleep\n", load_write_count(a, now.steals - before->steals),
	       load_write_count(b, now.parks - before->parks));
	printf("  memory    %.1f MiB for tasks, %llu files open\n", (double)now.bytes / 1048576,
	       (unsigned long long)now.fds);
}

void demo_print_next(const struct demo *d)
{
	if (d->load.interrupted)
		printf("\ninterrupted\n");
	printf("\nWhat to try next:\n"
	       "  magpie serve --root .      a file server; then: curl -i http://127.0.0.1:8080/\n"
	       "  magpie load http://127.0.0.1:8080/ --html report.html\n"
	       "                             how fast that answers, with charts\n"
	       "  magpie bench fork serve    measured against bare baselines\n"
	       "  magpie doctor              what this machine offers\n");
}
