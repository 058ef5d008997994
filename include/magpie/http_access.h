/* SPDX-License-Identifier: MIT */
/* http_access.h - what an HTTP server tells of each answer, and a line of it in the form that log analysers know. */
#ifndef MAGPIE_HTTP_ACCESS_H
#define MAGPIE_HTTP_ACCESS_H

#include <magpie/http_exchange.h>

MAGI_C_BEGIN

typedef struct mag_http_access {
	const mag_addr *peer;
	const char *method;     /* "-": the request was malformed */
	mag_http_text target;
	mag_http_text referer;
	mag_http_text agent;
	int version;            /* 10, 11 or 20 */
	int status;             /* 0: none was sent */
	uint64_t bytes;         /* of the body */
	int64_t at;             /* seconds since 1970 */
	uint64_t took_ns;       /* from the head's end to the answer's, as far as it was handed to the system */
} mag_http_access;

/* The line, in combined format, ending in a line end. What could be mistaken for its form is escaped.
 *
 *	127.0.0.1 - - [06/Nov/1994:08:49:37 +0000] "GET /a HTTP/1.1" 200 5 "-" "curl/8.0"
 *
 * Threads:  any
 * Returns:  its length; cut, with its line end, where it has no room
 * Since:    0.2 */
MAG_API size_t mag_http_access_format(const mag_http_access *access, char *out, size_t size);

MAGI_C_END

#endif
