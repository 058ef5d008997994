/* SPDX-License-Identifier: MIT */
/* http_exchange.h - a request as its handler sees it; magpie/http_reply.h has the answer.
 *
 *	char id[40];
 *	mag_http_text agent = mag_http_field(self->http, "User-Agent");
 *
 *	if (mag_http_param(self->http, "id", id, sizeof id) < 0)
 *		…
 *
 * Texts are the bytes that were received: they end with the handler, are not terminated, and nobody has decoded them. */
#ifndef MAGPIE_HTTP_EXCHANGE_H
#define MAGPIE_HTTP_EXCHANGE_H

#include <magpie/addr.h>
#include <magpie/http_handler.h>

MAGI_C_BEGIN

typedef struct mag_http_text {
	const char *at; /* NULL: there is none */
	size_t length;
} mag_http_text;

typedef struct mag_http_header {
	mag_http_text name, value;
	size_t next; /* magpie's own; 0 at the start */
} mag_http_header;

/* "GET", "POST", …  Threads: the task that has the exchange, as for all functions here */
MAG_API const char *mag_http_method(const mag_http_exchange *http);

/* The target as it was sent; of it the path, never empty but for "OPTIONS *"; what comes behind the question mark. */
MAG_API mag_http_text mag_http_target(const mag_http_exchange *http);
MAG_API mag_http_text mag_http_path(const mag_http_exchange *http);
MAG_API mag_http_text mag_http_query(const mag_http_exchange *http);

/* 10, 11 or 20: HTTP/1.0, HTTP/1.1, HTTP/2. */
MAG_API int mag_http_version(const mag_http_exchange *http);

/* The session of TLS that it came in (magpie/tls.h); NULL: it came as it is. */
MAG_API const struct mag_tls *mag_http_tls(const mag_http_exchange *http);

/* Who has connected. */
MAG_API const mag_addr *mag_http_peer(const mag_http_exchange *http);

/* The value of a header field, without blanks around it; the first one of this name, whatever its case. */
MAG_API mag_http_text mag_http_field(const mag_http_exchange *http, const char *name);

/* The values of all fields of this name, in their order and with commas between, terminated: for what is a list.
 *
 * Returns:  its length, or -ENOENT (there is none), -ENOBUFS (with its terminator it has no room)
 * Since:    0.2 */
MAG_API int64_t mag_http_field_list(const mag_http_exchange *http, const char *name, char *out, size_t size);

/* All fields in turn: while (mag_http_fields(http, &field)) …, with a field that is cleared first. */
MAG_API bool mag_http_fields(const mag_http_exchange *http, mag_http_header *field);

/* What the path has at the route's {name}, decoded and terminated. A slash and a NUL do not come of "%2F" and "%00".
 *
 * Returns:  its length, or -ENOENT (the route has none), -ENOBUFS (with its terminator it has no room), -EINVAL (wrongly
 *           encoded)
 * Since:    0.2 */
MAG_API int64_t mag_http_param(const mag_http_exchange *http, const char *name, char *out, size_t size);

/* The value of name=value in the query, decoded ("+" is a blank) and terminated; the first one.
 *
 * Returns:  as mag_http_param; -ENOENT: there is none
 * Since:    0.2 */
MAG_API int64_t mag_http_query_value(const mag_http_exchange *http, const char *name, char *out, size_t size);

/* How many bytes of body were announced; -1: it comes in chunks, and ends when it ends. */
MAG_API int64_t mag_http_body_length(const mag_http_exchange *http);

/* MAG_AWAIT(n, mag_http_body_read, http, buf, size): what there is of the body. The first call asks for it, where the
 * client waits for that (Expect: 100-continue). What is not read is read away later, as far as the limits go.
 *
 * Await:    yes, a cancellation point
 * Owns:     the buffer is the operation's until it returns
 * Returns:  1 … size bytes, 0 at its end; MAG_ETOOLONG (above the limit), -EBADMSG (its chunks are broken), MAG_ETIMEDOUT
 *           (slower than the minimum rate), MAG_EEOF (the client has gone), MAG_ECANCELED, an error of receiving, -EINVAL
 * Since:    0.2 */
MAG_API MAG_OP mag_http_body_read(MAG_OP_ARGS, mag_http_exchange *http, void *buf, size_t size);

/* MAG_AWAIT(n, mag_http_body_all, http, &text): the whole body; terminated by a NUL that does not count. The memory is the
 * exchange's.
 *
 * Returns:  its length, or as mag_http_body_read; -ENOMEM
 * Since:    0.2 */
MAG_API MAG_OP mag_http_body_all(MAG_OP_ARGS, mag_http_exchange *http, mag_http_text *text);

MAGI_C_END

#endif
