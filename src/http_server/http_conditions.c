/* SPDX-License-Identifier: MIT */
/* http_conditions.c - what a client asks of a file: conditions and a range. */
#include "http_conditions.h"

#include <string.h>
#include <strings.h>
#include <time.h>

enum { DATE_MAX = 40, DIGITS_MAX = 18 };

int64_t magi_http_date_parse(const char *s, size_t n)
{
	static const char *const forms[] = { "%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
					     "%a %b %e %H:%M:%S %Y" };
	char text[DATE_MAX];

	if (n >= sizeof text)
		return -1;
	memcpy(text, s, n);
	text[n] = '\0';
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		struct tm tm = { 0 };
		const char *end = strptime(text, forms[i], &tm);

		if (end && !*end)
			return (int64_t)timegm(&tm);
	}
	return -1;
}

bool magi_http_is_conditional(const mag_http_exchange *x)
{
	mag_http_header h = { .next = 0 };

	while (mag_http_fields(x, &h))
		if ((h.name.length > 3 && strncasecmp(h.name.at, "If-", 3) == 0) ||
		    (h.name.length == 5 && strncasecmp(h.name.at, "Range", 5) == 0))
			return true;
	return false;
}

/* Whether a list of tags names this one, or any ("*"). weak: W/ does not matter. */
static bool names(mag_http_text list, const char *etag, bool weak)
{
	const char *s = list.at, *end = s + list.length;
	const size_t length = strlen(etag);

	if (list.length == 1 && *s == '*')
		return true;
	while (s < end) {
		bool is_weak = end - s > 2 && s[0] == 'W' && s[1] == '/';
		const char *tag = is_weak ? s + 2 : s, *close;

		if (*tag != '"') {
			s++;
			continue;
		}
		close = memchr(tag + 1, '"', (size_t)(end - tag) - 1);
		if (!close)
			return false;
		if ((size_t)(close + 1 - tag) == length && memcmp(tag, etag, length) == 0 && (weak || !is_weak))
			return true;
		s = close + 1;
	}
	return false;
}

/* Whether a field of tags is there, 0 or 1, and one of its lines names this one: 2. */
static int listed(const mag_http_exchange *x, const char *name, const char *etag, bool weak)
{
	const size_t length = strlen(name);
	mag_http_header h = { .next = 0 };
	int found = 0;

	while (found < 2 && mag_http_fields(x, &h))
		if (h.name.length == length && strncasecmp(h.name.at, name, length) == 0)
			found = names(h.value, etag, weak) ? 2 : 1;
	return found;
}

int magi_http_condition(const mag_http_exchange *x, const struct http_entity *e)
{
	const char *method = mag_http_method(x);
	bool reads = !strcmp(method, "GET") || !strcmp(method, "HEAD");
	int match = listed(x, "If-Match", e->etag, false), none = listed(x, "If-None-Match", e->etag, true);
	mag_http_text field;
	int64_t since;

	if (match == 1)
		return 412;
	if (match == 0) {
		field = mag_http_field(x, "If-Unmodified-Since");
		since = field.at ? magi_http_date_parse(field.at, field.length) : -1;
		if (since >= 0 && e->modified > since)
			return 412;
	}
	if (none)
		return none == 1 ? 0 : reads ? 304 : 412;
	if (!reads)
		return 0;
	field = mag_http_field(x, "If-Modified-Since");
	since = field.at ? magi_http_date_parse(field.at, field.length) : -1;
	return since >= 0 && e->modified <= since ? 304 : 0;
}

/* Digits: how many of them there are, and what they say. */
static size_t digits(const char *s, size_t n, uint64_t *value)
{
	size_t i = 0;

	for (*value = 0; i < n && i < DIGITS_MAX && s[i] >= '0' && s[i] <= '9'; i++)
		*value = *value * 10 + (uint64_t)(s[i] - '0');
	return i;
}

static bool range_holds(const mag_http_exchange *x, const struct http_entity *e)
{
	mag_http_text field = mag_http_field(x, "If-Range");

	if (!field.at)
		return true;
	if (field.length && (*field.at == '"' || *field.at == 'W'))
		return field.length == strlen(e->etag) && memcmp(field.at, e->etag, field.length) == 0;
	return magi_http_date_parse(field.at, field.length) == e->modified;
}

int magi_http_range(const mag_http_exchange *x, const struct http_entity *e, uint64_t *at, uint64_t *length)
{
	mag_http_text field = mag_http_field(x, "Range");
	uint64_t first, last;
	size_t n, m;

	if (!field.at || field.length < 8 || strncasecmp(field.at, "bytes=", 6) != 0 || !range_holds(x, e))
		return 200;
	field.at += 6;
	field.length -= 6;
	n = digits(field.at, field.length, &first);
	if (n == field.length || field.at[n] != '-')
		return 200;
	m = digits(field.at + n + 1, field.length - n - 1, &last);
	if (n + 1 + m != field.length || (n == 0 && m == 0) || (n && m && last < first))
		return 200; /* several, or none: the whole is always right */
	if (n == 0) {
		first = last < e->length ? e->length - last : 0;
		if (last == 0)
			return 416;
		last = e->length - 1;
	} else if (m == 0 || last >= e->length) {
		last = e->length - 1;
	}
	if (first >= e->length)
		return 416;
	*at = first;
	*length = last - first + 1;
	return 206;
}
