/* SPDX-License-Identifier: MIT */
/* http_conditions.h - what a client asks of a file: conditions (RFC 9110, 13) and a range (14). Does no I/O. */
#ifndef MAGPIE_HTTP_SERVER_CONDITIONS_H
#define MAGPIE_HTTP_SERVER_CONDITIONS_H

#include <magpie/http_exchange.h>

struct http_entity {
	const char *etag; /* with its quotes; a strong one */
	int64_t modified; /* seconds since 1970 */
	uint64_t length;
};

/* "Sun, 06 Nov 1994 08:49:37 GMT" and the two older forms. Returns: seconds since 1970, or -1 */
int64_t magi_http_date_parse(const char *s, size_t n);

/* Whether it has any such field: most requests have none, and need not be looked through for each. */
bool magi_http_is_conditional(const mag_http_exchange *x);

/* Returns: 0 (answer with the file), 304 or 412 */
int magi_http_condition(const mag_http_exchange *x, const struct http_entity *e);

/* The one range that is asked for. Returns: 206 and [*at, *at + *length), 200 (the whole is), 416 (there is none) */
int magi_http_range(const mag_http_exchange *x, const struct http_entity *e, uint64_t *at, uint64_t *length);

#endif
