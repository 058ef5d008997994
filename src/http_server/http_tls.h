/* SPDX-License-Identifier: MIT */
/* http_tls.h - TLS between a connection and its socket.
 *
 * Who:     the connection's task, through http_wire.h.
 * Always:  a send that was cut short is done again with the same bytes, as on a bare socket: those of them that were
 *          encrypted by then are not encrypted again. */
#ifndef MAGPIE_HTTP_SERVER_TLS_H
#define MAGPIE_HTTP_SERVER_TLS_H

#include <magpie/tls.h>

struct http_tls {
	mag_tls session;
	size_t taken; /* bytes of the send that was cut short: encrypted, and not all in the socket */
};

/* NULL: memory is out. */
struct http_tls *magi_http_tls_new(mag_tls_context *context, mag_fd fd);
/* NULL is fine. */
void magi_http_tls_free(struct http_tls *tls);

/* As mag_send: some of the bytes, or an error that has moved none. */
mag_frame *magi_http_tls_send(MAG_OP_ARGS, struct http_tls *tls, const void *data, size_t size);

/* Says, at both levels, that no more comes. */
mag_frame *magi_http_tls_finish(MAG_OP_ARGS, struct http_tls *tls);

#endif
