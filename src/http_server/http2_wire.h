/* SPDX-License-Identifier: MIT */
/* http2_wire.h - a stream of HTTP/2 as the wire of a connection that has one request.
 *
 * Who:     the stream's task, as in http_wire.h. */
#ifndef MAGPIE_HTTP_SERVER_HTTP2_WIRE_H
#define MAGPIE_HTTP_SERVER_HTTP2_WIRE_H

#include <magpie/task.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http2_stream;
struct http_conn;

/* Its task begins; and ends: without an answer to its end the client sees that it was cut short. */
void magi_http2_begin(struct http2_stream *s, struct http_conn *c);
void magi_http2_end(struct http2_stream *s);

/* As on a socket: -ECONNRESET when the client has reset the stream or is gone; 0 behind the request. */
mag_frame *magi_http2_recv(MAG_OP_ARGS, struct http2_stream *s, void *buf, size_t size);
/* The text of an answer. It waits until all of it is in frames; one that was cut short is done again with the same bytes.
 * -EPIPE: nobody hears it. */
mag_frame *magi_http2_send(MAG_OP_ARGS, struct http2_stream *s, const void *data, size_t size);

/* As magi_http_wire_has_more and the others. */
bool magi_http2_has_more(struct http2_stream *s);
int64_t magi_http2_held(struct http2_stream *s);
void magi_http2_break(struct http2_stream *s);
/* The client has reset it, or is gone. */
bool magi_http2_is_dead(struct http2_stream *s);
/* The connection's session; NULL: bare. */
struct mag_tls *magi_http2_tls(const struct http2_stream *s);

#endif
