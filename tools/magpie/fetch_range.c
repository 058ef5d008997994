/* SPDX-License-Identifier: MIT */
/* fetch_range.c - see fetch_range.h. */
#include "fetch_range.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Digits alone, up to what a number holds: scanf would take signs and blanks. NULL: there is no number. */
static const char *read_number(const char *at, uint64_t *number)
{
	const char *from = at;

	for (*number = 0; *at >= '0' && *at <= '9'; at++) {
		unsigned digit = (unsigned)(*at - '0');

		if (*number > (UINT64_MAX - digit) / 10)
			return NULL;
		*number = *number * 10 + digit;
	}
	return at == from ? NULL : at;
}

/* At a [. */
static bool read_range(struct fetch_range *r, const char *text, const char *open)
{
	const char *at = read_number(open + 1, &r->first);

	if (!at || *at != '-')
		return false;
	r->width = open[1] == '0' ? (int)(at - open - 1) : 1;
	at = read_number(at + 1, &r->last);
	if (!at || *at != ']' || r->first > r->last || r->last - r->first == UINT64_MAX)
		return false;
	r->at = (size_t)(open - text);
	r->end = (size_t)(at + 1 - text);
	return true;
}

bool fetch_range_find(struct fetch_range *range, const char *text)
{
	for (const char *open = strchr(text, '['); open; open = strchr(open + 1, '['))
		if (read_range(range, text, open))
			return true;
	return false;
}

char *fetch_range_fill(const char *text, uint64_t number)
{
	struct fetch_range r;
	char *filled;

	if (!fetch_range_find(&r, text))
		return strdup(text);
	return asprintf(&filled, "%.*s%0*" PRIu64 "%s", (int)r.at, text, r.width, number, text + r.end) < 0 ? NULL
													    : filled;
}
