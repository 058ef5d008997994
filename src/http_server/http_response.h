/* SPDX-License-Identifier: MIT */
/* http_response.h - builds the heads of responses, and whole error responses, in the caller's buffer.
 *
 * Who: one task a buffer; an http_date belongs to one worker. Does no I/O and reads no clock. */
#ifndef MAGPIE_HTTP_SERVER_RESPONSE_H
#define MAGPIE_HTTP_SERVER_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http_fields.h"

/* A head fits in this, with the lengths of the texts that the answer has added. */
#define HTTP_RESPONSE_MAX 512

/* The Date field's value, formatted at most once a second. */
struct http_date {
	int64_t second; /* since 1970 */
	char text[HTTP_DATE_LEN + 1];
};

enum { HTTP_METHODS_MAX = 512 };

struct http_answer {
	uint16_t status;
	uint8_t minor; /* of the request's version: HTTP/1.0 has to be told that the connection stays */
	bool keep_alive;
	bool chunked;         /* instead of a length */
	bool endless;         /* neither: the connection's end is its end, or it has no body at all */
	bool ranges;          /* ranges of it may be asked for */
	bool varies;          /* with what the client accepts as coding */
	const char *type;     /* Content-Type, or NULL for none */
	const char *location; /* or NULL; no control characters; so for the others */
	const char *coding;   /* Content-Encoding */
	const char *etag;     /* with its quotes */
	const char *range;    /* Content-Range */
	const char *server;   /* the Server field */
	const char *extra;    /* fields, each with its line end; extra_len bytes */
	size_t extra_len;
	uint64_t allow;       /* methods, as bits; 0: no Allow field */
	uint64_t length;      /* Content-Length, bytes; not sent with 304 and the like */
	int64_t modified;     /* Last-Modified, seconds since 1970, or 0 for none */
};

/* "Sun, 06 Nov 1994 08:49:37 GMT"; times outside the years 1970 to 9999 become the nearest in them. */
void magi_http_date_format(char out[HTTP_DATE_LEN + 1], int64_t second);

/* Brings the date to this second; clear the struct before the first time. */
void magi_http_date_set(struct http_date *date, int64_t second);

/* The status's reason phrase; "Unknown" for those that the server does not send. */
const char *magi_http_reason(int status);

/* Whether an answer of this status has no body. */
static inline bool magi_http_bodiless(int status)
{
	return status < 200 || status == 204 || status == 304;
}

/* "GET, HEAD" for bits of methods. */
void magi_http_methods(uint64_t bits, char out[HTTP_METHODS_MAX]);

/* Builds the head, the empty line included.
 * Returns: its length, or -ENOBUFS */
int magi_http_response_head(char *out, size_t cap, const struct http_answer *a, const struct http_date *date);

/* Builds a whole response with the reason as a small text; without_body: it answers HEAD. The type and the length
 * are this text's.
 * Returns: its length, or -ENOBUFS */
int magi_http_response_error(char *out, size_t cap, const struct http_answer *a, bool without_body,
			const struct http_date *date);

#endif
