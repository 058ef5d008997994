/* SPDX-License-Identifier: MIT */
/* http_path.c - from a request's target to a path below the root, and back.
 *
 * Segments are decoded before dot segments are looked for, so "%2e%2e" climbs as ".." does; an encoded slash is refused
 * since no file name has one. The way back encodes what the way there decoded, so no target can make up a Location that
 * leads to another host. */
#include "http_path.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* The other forms, and what has no business in a target, are refused. */
int magi_http_find_path(const char *target, size_t len, const char **path, size_t *path_len)
{
	const char *s = target, *end = target + len, *query;

	for (; s < end; s++) {
		unsigned char c = (unsigned char)*s;

		if (c <= ' ' || c >= 0x7f || c == '#') /* a fragment is never sent */
			return -EINVAL;
	}
	s = target;
	query = memchr(s, '?', len);
	if (query)
		end = query;
	if (memchr(s, '\\', (size_t)(end - s))) /* browsers take it for a slash */
		return -EINVAL;
	if (s < end && *s != '/') {
		size_t scheme = end - s > 8 && strncasecmp(s, "https://", 8) == 0 ? 8 : 7;
		const char *host;

		if (end - s <= 7 || (scheme == 7 && strncasecmp(s, "http://", 7) != 0))
			return -EINVAL;
		host = s += scheme;
		while (s < end && *s != '/') {
			if (*s++ == '@') /* names a user: only ever seen in deceptions (RFC 9110, 4.2.4) */
				return -EINVAL;
		}
		if (s == host)
			return -EINVAL;
	} else if (s == end) {
		return -EINVAL;
	}
	*path = s;
	*path_len = (size_t)(end - s);
	return 0;
}

/* Decodes s[0, n), which has no slash: the length, or a negative error. */
static int decode(const char *s, size_t n, char *out, size_t room)
{
	size_t o = 0;

	for (size_t i = 0; i < n; i++) {
		char c = s[i];

		if (c == '%') {
			int high = i + 2 < n ? hex(s[i + 1]) : -1, low = i + 2 < n ? hex(s[i + 2]) : -1;

			if (high < 0 || low < 0)
				return -EINVAL;
			c = (char)(high << 4 | low);
			if (c == '\0' || c == '/')
				return -EINVAL;
			i += 2;
		}
		if (o == room)
			return -ENAMETOOLONG;
		out[o++] = c;
	}
	return (int)o;
}

/* Drops the last segment of out[0, *o): -EINVAL at the root. */
static int climb(const char *out, size_t *o)
{
	if (*o == 0)
		return -EINVAL;
	while (*o > 0 && out[*o - 1] != '/')
		--*o;
	if (*o > 0)
		--*o;
	return 0;
}

int magi_http_path(const char *target, size_t len, char *out, size_t cap, bool *dir)
{
	const char *s, *end;
	size_t path_len, o = 0;
	int rc = magi_http_find_path(target, len, &s, &path_len);

	if (rc < 0)
		return rc;
	*dir = true;
	for (end = s + path_len; s < end;) {
		const char *slash = memchr(s, '/', (size_t)(end - s)), *stop = slash ? slash : end;
		size_t at = o ? o + 1 : 0; /* where the segment goes, after a slash if it is not the first */
		int n = at < cap ? decode(s, (size_t)(stop - s), out + at, cap - at) : -ENAMETOOLONG;

		if (n < 0)
			return n;
		*dir = slash || n == 0;
		if (n == 2 && memcmp(out + at, "..", 2) == 0) {
			*dir = true;
			rc = climb(out, &o);
			if (rc < 0)
				return rc;
		} else if (n == 1 && out[at] == '.') {
			*dir = true;
		} else if (n > 0) {
			if (at)
				out[o] = '/';
			o = at + (size_t)n;
		}
		s = slash ? slash + 1 : end;
	}
	if (*dir) {
		size_t at = o ? o + 1 : 0;

		if (cap < at + sizeof HTTP_INDEX)
			return -ENAMETOOLONG;
		if (at)
			out[o] = '/';
		memcpy(out + at, HTTP_INDEX, sizeof HTTP_INDEX - 1);
		o = at + sizeof HTTP_INDEX - 1;
	}
	if (o >= cap)
		return -ENAMETOOLONG;
	out[o] = '\0';
	return (int)o;
}

int magi_http_path_location(const char *path, const char *target, size_t len, char *out, size_t cap)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *query = memchr(target, '?', len);
	size_t query_len = query ? (size_t)(target + len - query) : 0, o = 0;

	if (cap < 3 + query_len)
		return -ENAMETOOLONG;
	cap -= 2 + query_len; /* the last slash, the query, the terminator */
	out[o++] = '/';
	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;

		if (o + 3 > cap)
			return -ENAMETOOLONG;
		if (is_alnum(*path) || strchr("/-._~", c)) {
			out[o++] = *path;
		} else {
			out[o++] = '%';
			out[o++] = digits[c >> 4];
			out[o++] = digits[c & 15];
		}
	}
	out[o++] = '/';
	if (query)
		memcpy(out + o, query, query_len);
	o += query_len;
	out[o] = '\0';
	return (int)o;
}
