/* SPDX-License-Identifier: MIT */
/* fetch_range.h - the range of numbers in a template of URLs: "http://host/[1-100].png". */
#ifndef MAGPIE_TOOLS_FETCH_RANGE_H
#define MAGPIE_TOOLS_FETCH_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fetch_range {
	uint64_t first, last; /* first <= last; how many there are is a number, too */
	size_t at, end;       /* where in the text its [ is, and what follows its ] */
	int width;            /* digits at least: those of the first, if that begins with 0 */
};

/* The first range of a template; false: there is none, and what is in brackets (an address) is taken as it is. */
bool fetch_range_find(struct fetch_range *range, const char *text);

/* The URL with a number in the place of its range, or as it is. NULL: no memory. The caller frees it. */
char *fetch_range_fill(const char *text, uint64_t number);

#endif
