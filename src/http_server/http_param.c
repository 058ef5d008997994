/* SPDX-License-Identifier: MIT */
/* http_param.c - what is percent-encoded in targets. */
#include "http_param.h"

#include <errno.h>
#include <string.h>

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The character at s[*at], decoded; moves on. -1: wrongly encoded */
static int next(const char *s, size_t n, size_t *at)
{
	int high, low;

	if (s[*at] != '%')
		return (unsigned char)s[(*at)++];
	high = *at + 2 < n ? hex(s[*at + 1]) : -1;
	low = *at + 2 < n ? hex(s[*at + 2]) : -1;
	*at += 3;
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

int64_t magi_http_decode(const char *s, size_t n, bool query, char *out, size_t size)
{
	size_t o = 0;

	for (size_t at = 0; at < n;) {
		bool plain = s[at] != '%';
		int c = next(s, n, &at);

		if (c < 0 || c == 0 || (c == '/' && !plain && !query))
			return -EINVAL;
		if (o + 1 >= size)
			return -ENOBUFS;
		out[o++] = (char)(query && plain && c == '+' ? ' ' : c);
	}
	if (o >= size)
		return -ENOBUFS;
	out[o] = '\0';
	return (int64_t)o;
}

bool magi_http_segment_is(const char *s, size_t n, const char *text, size_t length)
{
	size_t o = 0;

	if (!memchr(s, '%', n))
		return n == length && memcmp(s, text, n) == 0;
	for (size_t at = 0; at < n; o++)
		if (o == length || next(s, n, &at) != (unsigned char)text[o])
			return false;
	return o == length;
}

/* Whether s[0, n), encoded, is the name. */
static bool name_is(const char *s, size_t n, const char *name)
{
	for (size_t at = 0; at < n; name++) {
		bool plain = s[at] != '%';
		int c = next(s, n, &at);

		if (c <= 0 || (unsigned char)*name != (plain && c == '+' ? ' ' : c))
			return false;
	}
	return *name == '\0';
}

const char *magi_http_query_find(const char *query, size_t n, const char *name, size_t *length)
{
	const char *end = query + n;

	for (const char *s = query; s < end;) {
		const char *stop = memchr(s, '&', (size_t)(end - s)), *equals;

		if (!stop)
			stop = end;
		equals = memchr(s, '=', (size_t)(stop - s));
		if (name_is(s, (size_t)((equals ? equals : stop) - s), name)) {
			const char *value = equals ? equals + 1 : stop;

			*length = (size_t)(stop - value);
			return value;
		}
		s = stop + 1;
	}
	return NULL;
}
