/* SPDX-License-Identifier: MIT */
/* http_reply.h - answers to HTTP requests.
 *
 * At once, gathered with others and sent when the handler has returned:
 *
 *	mag_http_reply_header(self->http, "Cache-Control", "no-store");
 *	mag_http_reply_json(self->http, 200, "{\"ok\":true}");
 *
 * Piece by piece, as fast as the client takes them; the answer ends when the handler returns:
 *
 *	mag_http_reply_begin(self->http, 200, "text/csv", MAG_HTTP_UNKNOWN);
 *	while (next_row(self, self->row))
 *		MAG_AWAIT(self->rc, mag_http_write, self->http, self->row, strlen(self->row));
 *
 * Date, Content-Length, Transfer-Encoding and Connection are the server's; answers to HEAD, and those of status 204 and
 * 304, have no body whatever is written. Where it is asked to, the server compresses what can be, if the client likes, and
 * has no coding yet; an ETag is made weak then. */
#ifndef MAGPIE_HTTP_REPLY_H
#define MAGPIE_HTTP_REPLY_H

#include <magpie/event.h>
#include <magpie/fd.h>
#include <magpie/http_exchange.h>

MAGI_C_BEGIN

#define MAG_HTTP_UNKNOWN UINT64_MAX /* a length */

/* Adds a header field to the answer that is to come.
 *
 * Threads:  the task that has the exchange, as for all functions here
 * Returns:  0; -EINVAL (no name, a control character, or a field that is the server's), -EALREADY (it has begun),
 *           -ENOMEM, MAG_ETOOLONG (above 64 KiB of them)
 * Since:    0.2 */
MAG_API int mag_http_reply_header(mag_http_exchange *http, const char *name, const char *value);

/* Answers with these bytes, which are copied; above 1 MiB they are not compressed. type: NULL for none.
 *
 * Returns:  0, or -EALREADY (it was answered), -ENOMEM, MAG_ETOOLONG (above 64 MiB: mag_http_write), -EINVAL (no status
 *           of an answer)
 * Since:    0.2 */
MAG_API int mag_http_reply(mag_http_exchange *http, int status, const char *type, const void *data, size_t length);

/* The same with a text in UTF-8, with one in JSON. */
MAG_API int mag_http_reply_text(mag_http_exchange *http, int status, const char *text);
MAG_API int mag_http_reply_json(mag_http_exchange *http, int status, const char *text);

/* The same with the status in words. */
MAG_API int mag_http_reply_status(mag_http_exchange *http, int status);

/* Sends the client to another place. location: -EINVAL if it has control characters. */
MAG_API int mag_http_reply_redirect(mag_http_exchange *http, int status, const char *location);

/* Begins an answer that is written in pieces. length: MAG_HTTP_UNKNOWN, or how much it will be: less than that, or more,
 * is an error of the handler, and ends the connection.
 *
 * Returns:  as mag_http_reply
 * Since:    0.2 */
MAG_API int mag_http_reply_begin(mag_http_exchange *http, int status, const char *type, uint64_t length);

/* MAG_AWAIT(n, mag_http_write, http, data, length): adds to the answer. Small pieces are gathered; waits while the client
 * has to take what was sent. Without mag_http_reply_begin it is of status 200 and unknown type and length.
 *
 * Await:    yes, a cancellation point
 * Owns:     the data are the operation's until it returns
 * Returns:  length; MAG_ETIMEDOUT (the client takes too little), MAG_ECANCELED, -EPIPE, -ECONNRESET (it has gone),
 *           -EALREADY (it was answered at once), MAG_ETOOLONG (more than was announced), -ENOMEM
 * Since:    0.2 */
MAG_API MAG_OP mag_http_write(MAG_OP_ARGS, mag_http_exchange *http, const void *data, size_t length);

/* MAG_AWAIT(rc, mag_http_flush, http): sends what is gathered.  Returns: 0, or as mag_http_write */
MAG_API MAG_OP mag_http_flush(MAG_OP_ARGS, mag_http_exchange *http);

/* An event of a stream of them (server-sent events, text/event-stream). */
typedef struct mag_http_event {
	const char *data;  /* any number of lines; NULL: none */
	const char *name;  /* its type; NULL: none */
	const char *id;    /* NULL: none */
	uint64_t retry_ms; /* 0: nothing is said */
} mag_http_event;

/* MAG_AWAIT(rc, mag_http_send_event, http, &event): begins the stream, if need be, and sends an event at once. NULL: a
 * comment, which keeps the connection alive. A handler that sends events asks mag_http_stopping now and then, or waits for
 * its event too, and has a route without a deadline.
 *
 * Returns:  0, or as mag_http_write; -EINVAL (a line end in name or id)
 * Since:    0.2 */
MAG_API MAG_OP mag_http_send_event(MAG_OP_ARGS, mag_http_exchange *http, const mag_http_event *event);

/* MAG_AWAIT(rc, mag_http_reply_file, http, dir, "path"): answers with a file below a directory (which no link leads out
 * of), or any if dir is MAG_FD_NONE: with its type, ETag and Last-Modified, whole or the one range that is asked for, or
 * 304 or 412 where the client's conditions say so.
 *
 * Await:    yes, a cancellation point
 * Returns:  0; -ENOENT, -EACCES, … (nothing is answered yet), -EISDIR; or as mag_http_write
 * Since:    0.2 */
MAG_API MAG_OP mag_http_reply_file(MAG_OP_ARGS, mag_http_exchange *http, mag_fd dir, const char *path);

/* What is left of a connection that speaks another protocol from now on. */
typedef struct mag_http_upgraded {
	mag_fd fd;
	struct mag_tls *tls; /* the session on it (magpie/tls.h), which the server ends; NULL: it is bare */
	mag_http_text early; /* what the client has sent already */
} mag_http_upgraded;

/* MAG_AWAIT(rc, mag_http_upgrade, http, "websocket", &upgraded): sends 101 with the fields that were added, and leaves the
 * connection to the handler, until it returns: then it is closed.
 *
 * Await:    yes, a cancellation point
 * Returns:  0, -EBADMSG (the request has a body, or is of HTTP/1.0 or HTTP/2: 400), -EINVAL, or as mag_http_write
 * Since:    0.2 */
MAG_API MAG_OP mag_http_upgrade(MAG_OP_ARGS, mag_http_exchange *http, const char *protocol, mag_http_upgraded *upgraded);

/* The status that was answered; 0: none yet. */
MAG_API int mag_http_status(const mag_http_exchange *http);

/* The server has been told to stop; the event that says so, for mag_select. */
MAG_API bool mag_http_stopping(const mag_http_exchange *http);
MAG_API mag_event *mag_http_stop_event(const mag_http_exchange *http);

MAGI_C_END

#endif
