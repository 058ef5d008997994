/* SPDX-License-Identifier: MIT */
/* http_response.h - builds the heads of responses, and whole error responses, in the caller's buffer.
 *
 * Who: one task a buffer; an http_date belongs to one worker. Does no I/O and reads no clock. */
#ifndef MAGPIE_TOOLS_HTTP_RESPONSE_H
#define MAGPIE_TOOLS_HTTP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http_fields.h"

/* A head without a location, or an error response, fits in this; add the location's length. */
#define HTTP_RESPONSE_MAX 512

/* The Date field's value, formatted at most once a second. */
struct http_date {
	int64_t second; /* since 1970 */
	char text[HTTP_DATE_LEN + 1];
};

struct http_answer {
	uint16_t status;
	uint8_t minor; /* of the request's version: HTTP/1.0 has to be told that the connection stays */
	bool keep_alive;
	const char *type;     /* Content-Type, or NULL for none */
	const char *location; /* or NULL; no control characters */
	uint64_t length;      /* Content-Length, bytes; not sent with 304 */
	int64_t modified;     /* Last-Modified, seconds since 1970, or 0 for none */
};

/* "Sun, 06 Nov 1994 08:49:37 GMT"; times outside the years 1970 to 9999 become the nearest in them. */
void http_date_format(char out[HTTP_DATE_LEN + 1], int64_t second);

/* Brings the date to this second; clear the struct before the first time. */
void http_date_set(struct http_date *date, int64_t second);

/* The status's reason phrase; "Unknown" for those that the server does not send. */
const char *http_reason(int status);

/* Builds the head, the empty line included. 405 gets an Allow field.
 * Returns: its length, or -ENOBUFS */
int http_response_head(char *out, size_t cap, const struct http_answer *a, const struct http_date *date);

/* Builds a whole response with the reason as a small text; without_body: it answers HEAD. Of a, only status, version,
 * keep_alive and location are looked at.
 * Returns: its length, or -ENOBUFS */
int http_response_error(char *out, size_t cap, const struct http_answer *a, bool without_body,
			const struct http_date *date);

#endif
