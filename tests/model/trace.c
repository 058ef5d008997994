/* SPDX-License-Identifier: MIT */
/* trace.c - the schedule, kept as numbers until somebody wants to read it. */
#include "model/trace.h"

#include <inttypes.h>
#include <stdio.h>

enum { EVENTS = 4096, NAMES = 16 };

static struct {
	int thread;
	const char *what, *name;
	uint64_t value;
} event[EVENTS];
static uint32_t events;

static struct {
	const void *value;
	const char *name;
} named[NAMES];
static uint32_t names;

void trace_reset(void)
{
	events = 0;
}

void trace_add(int thread, const char *what, const char *name, uint64_t value)
{
	if (events == EVENTS)
		return;
	event[events].thread = thread;
	event[events].what = what;
	event[events].name = name;
	event[events++].value = value;
}

void trace_name(const void *value, const char *name)
{
	if (names == NAMES)
		return;
	named[names].value = value;
	named[names++].name = name;
}

void trace_forget(void)
{
	names = 0;
}

static void print_value(uint64_t value)
{
	for (uint32_t i = 0; i < names; i++) {
		if ((uintptr_t)named[i].value == value) {
			fprintf(stderr, " %s\n", named[i].name);
			return;
		}
	}
	fprintf(stderr, " %" PRId64 "\n", (int64_t)value);
}

void trace_print(const char *const thread_names[])
{
	for (uint32_t i = 0; i < events; i++) {
		fprintf(stderr, "  %-8s %-9s", thread_names[event[i].thread], event[i].what);
		if (!event[i].name) {
			fputc('\n', stderr);
			continue;
		}
		fprintf(stderr, " %-28s", event[i].name);
		print_value(event[i].value);
	}
}
