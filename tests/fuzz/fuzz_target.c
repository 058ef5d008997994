/* SPDX-License-Identifier: MIT */
/* fuzz_target.c - any target: a path that comes of it stays below the root, leads back to itself, and what is decoded has no
 * NUL. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_param.h"
#include "http_path.h"

enum { PATH = 512 };

static void check_path(const char *path, size_t n)
{
	if (strlen(path) != n || n == 0 || *path == '/' || strstr(path, "//"))
		abort();
	for (const char *s = path; s; s = strchr(s, '/') ? strchr(s, '/') + 1 : NULL) {
		size_t length = strcspn(s, "/");

		if (length == 0 || (length == 1 && *s == '.') || (length == 2 && !memcmp(s, "..", 2)))
			abort();
	}
}

/* The way back to the client leads to the same place. */
static void check_location(const char *path, const char *target, size_t size)
{
	char to[PATH * 4], again[PATH];
	bool slash;
	int n = magi_http_path_location(path, target, size, to, sizeof to);

	if (n < 0)
		return;
	if (to[0] != '/' || to[1] == '/' || to[1] == '\\' || strpbrk(to, "\r\n "))
		abort();
	if (magi_http_path(to, strcspn(to, "?"), again, sizeof again, &slash) > 0 &&
	    (!slash || strncmp(again, path, strlen(path)) != 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *target = (const char *)data, *query;
	char path[PATH], text[PATH];
	size_t length;
	bool slash;
	int n = magi_http_path(target, size, path, sizeof path, &slash);

	if (n >= 0) {
		check_path(path, (size_t)n);
		if (!slash)
			check_location(path, target, size);
	}
	for (int form = 0; form < 2; form++) {
		int64_t m = magi_http_decode(target, size, form, text, sizeof text);

		if (m >= 0 && strlen(text) != (size_t)m)
			abort();
		if (m >= 0 && !form && !memchr(target, '+', size) &&
		    !magi_http_segment_is(target, size, text, (size_t)m))
			abort();
	}
	query = magi_http_query_find(target, size, "a", &length);
	if (query && (query < target || query + length > target + size))
		abort();
	return 0;
}
