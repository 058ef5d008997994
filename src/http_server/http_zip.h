/* SPDX-License-Identifier: MIT */
/* http_zip.h - answers in gzip: whether, and how. */
#ifndef MAGPIE_HTTP_SERVER_ZIP_H
#define MAGPIE_HTTP_SERVER_ZIP_H

#include "http_conn.h"

/* Whether the answer could be compressed: its type is one that gains by it, and the server does. */
bool magi_http_zip_fits(const struct http_conn *c, const char *type);
/* Whether the client takes gzip. */
bool magi_http_zip_liked(const mag_http_exchange *x);

/* Compresses the whole: its length and *out, to be freed; 0: it gains nothing, or memory is out. */
size_t magi_http_zip_whole(const void *data, size_t length, char **out);

/* A stream; NULL when memory is out. */
struct http_zip *magi_http_zip_new(void);
void magi_http_zip_free(struct http_zip *zip);
/* The answer is over, or has not begun after all. */
void magi_http_zip_drop(mag_http_exchange *x);
/* What is to be compressed next; the last piece says so. */
void magi_http_zip_give(struct http_zip *zip, const void *data, size_t length);
/* Compresses into out. Returns: bytes; less than size: all that was given is taken */
size_t magi_http_zip_take(struct http_zip *zip, char *out, size_t size, int flush);
enum { HTTP_ZIP_GATHER, HTTP_ZIP_FLUSH, HTTP_ZIP_END };

/* Writes what the stream still has. */
struct http_zip_end {
	mag_frame frame;
	MAG_ARGS(http_zip_end, struct http_conn *c;);
	int64_t rc;
};
MAG_DECLARE_TASK(http_zip_end);

#endif
