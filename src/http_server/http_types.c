/* SPDX-License-Identifier: MIT */
/* http_types.c - content types by file name extension. */
#include "http_types.h"

#include <stdlib.h>
#include <string.h>

#define EXT_MAX 11 /* the longest extension in the table */

struct type {
	const char *ext; /* lower case */
	const char *type;
};

/* Sorted by extension. Text is said to be UTF-8, as nearly all of it is. */
static const struct type types[] = {
	{ "7z", "application/x-7z-compressed" },
	{ "aac", "audio/aac" },
	{ "apng", "image/apng" },
	{ "avif", "image/avif" },
	{ "bin", "application/octet-stream" },
	{ "bmp", "image/bmp" },
	{ "bz2", "application/x-bzip2" },
	{ "c", "text/plain; charset=utf-8" },
	{ "cjs", "text/javascript; charset=utf-8" },
	{ "css", "text/css; charset=utf-8" },
	{ "csv", "text/csv; charset=utf-8" },
	{ "epub", "application/epub+zip" },
	{ "flac", "audio/flac" },
	{ "gif", "image/gif" },
	{ "gz", "application/gzip" },
	{ "h", "text/plain; charset=utf-8" },
	{ "htm", "text/html; charset=utf-8" },
	{ "html", "text/html; charset=utf-8" },
	{ "ico", "image/x-icon" },
	{ "jpeg", "image/jpeg" },
	{ "jpg", "image/jpeg" },
	{ "js", "text/javascript; charset=utf-8" },
	{ "json", "application/json" },
	{ "jsonld", "application/ld+json" },
	{ "jxl", "image/jxl" },
	{ "log", "text/plain; charset=utf-8" },
	{ "m4a", "audio/mp4" },
	{ "map", "application/json" },
	{ "md", "text/markdown; charset=utf-8" },
	{ "mjs", "text/javascript; charset=utf-8" },
	{ "mp3", "audio/mpeg" },
	{ "mp4", "video/mp4" },
	{ "mpeg", "video/mpeg" },
	{ "oga", "audio/ogg" },
	{ "ogg", "audio/ogg" },
	{ "ogv", "video/ogg" },
	{ "opus", "audio/ogg" },
	{ "otf", "font/otf" },
	{ "pdf", "application/pdf" },
	{ "png", "image/png" },
	{ "svg", "image/svg+xml" },
	{ "tar", "application/x-tar" },
	{ "tif", "image/tiff" },
	{ "tiff", "image/tiff" },
	{ "ttf", "font/ttf" },
	{ "txt", "text/plain; charset=utf-8" },
	{ "wasm", "application/wasm" },
	{ "wav", "audio/wav" },
	{ "webm", "video/webm" },
	{ "webmanifest", "application/manifest+json" },
	{ "webp", "image/webp" },
	{ "woff", "font/woff" },
	{ "woff2", "font/woff2" },
	{ "xhtml", "application/xhtml+xml" },
	{ "xml", "application/xml" },
	{ "xz", "application/x-xz" },
	{ "zip", "application/zip" },
	{ "zst", "application/zstd" },
};

static int compare(const void *ext, const void *type)
{
	return strcmp(ext, ((const struct type *)type)->ext);
}

const char *magi_http_type(const char *path, size_t len)
{
	char ext[EXT_MAX + 1];
	size_t n = 0;
	const struct type *found;

	while (n < len && path[len - 1 - n] != '.' && path[len - 1 - n] != '/')
		n++;
	/* no dot; or only the one that hides the file */
	if (n == 0 || n > EXT_MAX || n + 1 >= len || path[len - 1 - n] != '.' || path[len - 2 - n] == '/')
		return "application/octet-stream";
	for (size_t i = 0; i < n; i++) {
		char c = path[len - n + i];

		ext[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	ext[n] = '\0';
	found = bsearch(ext, types, sizeof types / sizeof types[0], sizeof types[0], compare);
	return found ? found->type : "application/octet-stream";
}
