/* SPDX-License-Identifier: MIT */
/* http_zip.c - answers in gzip, by zlib. */
#include "http_zip.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

enum {
	ZIP_LEVEL = 5,      /* half the time of 9, and nearly as small; picked, not measured */
	ZIP_BITS = 15 + 16, /* the largest window, and gzip's frame around it */
	ZIP_MEMORY = 8,
	ZIP_GIVEN_MAX = 1 << 30 /* bytes; its counts have 32 bits */
};

struct http_zip {
	z_stream z;
	size_t rest; /* what is given beyond what zlib is told of at once */
};

static bool ends_with(const char *s, size_t n, const char *end)
{
	size_t length = strlen(end);

	return n >= length && strncasecmp(s + n - length, end, length) == 0;
}

bool magi_http_zip_fits(const struct http_conn *c, const char *type)
{
	static const char *const types[] = { "application/json",   "application/javascript",
					     "application/xml",    "application/wasm",
					     "image/svg+xml",      "application/manifest+json",
					     "application/ld+json" };
	size_t n;

	if (!c->server->options.compress || !type)
		return false;
	n = strcspn(type, "; ");
	if (strncasecmp(type, "text/", 5) == 0)
		return strncasecmp(type, "text/event-stream", n) != 0;
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
		if (strlen(types[i]) == n && strncasecmp(type, types[i], n) == 0)
			return true;
	return ends_with(type, n, "+json") || ends_with(type, n, "+xml");
}

/* What is listed for a coding: 1 it may be used, 0 it may not, -1 nothing. */
static int listed(mag_http_text list, const char *coding)
{
	const char *s = list.at, *end = list.at + list.length;
	const size_t length = strlen(coding);

	while (s < end) {
		const char *stop = memchr(s, ',', (size_t)(end - s)), *q;

		if (!stop)
			stop = end;
		while (s < stop && (*s == ' ' || *s == '\t'))
			s++;
		q = memchr(s, ';', (size_t)(stop - s));
		if ((size_t)(stop - s) >= length && strncasecmp(s, coding, length) == 0 &&
		    (s + length == stop || strchr(" \t;", s[length]))) {
			for (q = q ? q : stop; q < stop && *q != '='; q++)
				;
			while (q < stop && !(*q >= '1' && *q <= '9'))
				q++;
			return q < stop || !memchr(s, '=', (size_t)(stop - s));
		}
		s = stop + 1;
	}
	return -1;
}

bool magi_http_zip_liked(const mag_http_exchange *x)
{
	mag_http_text accept = mag_http_field(x, "Accept-Encoding");
	int gzip = accept.at ? listed(accept, "gzip") : 0;

	return gzip >= 0 ? gzip : listed(accept, "*") > 0;
}

struct http_zip *magi_http_zip_new(void)
{
	struct http_zip *zip = calloc(1, sizeof *zip);

	if (zip && deflateInit2(&zip->z, ZIP_LEVEL, Z_DEFLATED, ZIP_BITS, ZIP_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK) {
		free(zip);
		return NULL;
	}
	return zip;
}

void magi_http_zip_free(struct http_zip *zip)
{
	if (!zip)
		return;
	deflateEnd(&zip->z);
	free(zip);
}

void magi_http_zip_drop(mag_http_exchange *x)
{
	magi_http_zip_free(x->zip);
	x->zip = NULL;
}

void magi_http_zip_give(struct http_zip *zip, const void *data, size_t length)
{
	zip->z.next_in = (Bytef *)(uintptr_t)data;
	zip->z.avail_in = 0;
	zip->rest = length;
}

size_t magi_http_zip_take(struct http_zip *zip, char *out, size_t size, int flush)
{
	static const int how[] = { Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH };

	zip->z.next_out = (Bytef *)out;
	zip->z.avail_out = (uInt)size;
	do {
		if (!zip->z.avail_in) {
			zip->z.avail_in = zip->rest < ZIP_GIVEN_MAX ? (uInt)zip->rest : ZIP_GIVEN_MAX;
			zip->rest -= zip->z.avail_in;
		}
		deflate(&zip->z, zip->rest ? Z_NO_FLUSH : how[flush]);
	} while (zip->z.avail_out && zip->rest);
	return size - zip->z.avail_out;
}

size_t magi_http_zip_whole(const void *data, size_t length, char **out)
{
	struct http_zip *zip = magi_http_zip_new();
	size_t n = 0;

	*out = zip ? malloc(length) : NULL;
	if (*out) {
		magi_http_zip_give(zip, data, length);
		n = magi_http_zip_take(zip, *out, length, HTTP_ZIP_END);
	}
	magi_http_zip_free(zip);
	if (n == 0 || n >= length) {
		free(*out);
		*out = NULL;
		return 0;
	}
	return n;
}
