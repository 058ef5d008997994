/* SPDX-License-Identifier: MIT */
/* http_wire.h - all that a connection does with its socket, bare or under TLS: receive, send, half-close, close, and what
 * it asks of it.
 *
 * Who:     the connection's task. Each verb is an await. */
#ifndef MAGPIE_HTTP_SERVER_WIRE_H
#define MAGPIE_HTTP_SERVER_WIRE_H

#include <magpie/io.h>
#include <stdbool.h>
#include <sys/socket.h>

struct http_tls;

struct http2_stream;

struct http_wire {
	mag_fd fd;
	struct http_tls *tls; /* NULL: bare */
	struct http2_stream *stream; /* of HTTP/2, instead of a socket; NULL: none */
};

#ifdef MAGPIE_HAVE_NGHTTP2
#include "http2_wire.h"
#define HTTP_WIRE_STREAM(wire, call) \
	do {                         \
		if ((wire)->stream)  \
			return call; \
	} while (0)
#else
#define HTTP_WIRE_STREAM(wire, call) ((void)(wire))
#endif

#ifdef MAGPIE_HAVE_TLS
#include "http_tls.h"
#define HTTP_WIRE_TLS(wire, call) \
	do {                      \
		if ((wire)->tls)  \
			return call; \
	} while (0)
#else
#define HTTP_WIRE_TLS(wire, call) ((void)(wire), (void)w)
#endif

/* MAG_AWAIT(n, magi_http_wire_recv, &wire, buf, size) and the others: as on the socket itself. */
static inline mag_frame *magi_http_wire_recv(MAG_OP_ARGS, const struct http_wire *wire, void *buf, size_t size)
{
	HTTP_WIRE_STREAM(wire, magi_http2_recv(w, f, wire->stream, buf, size));
	HTTP_WIRE_TLS(wire, mag_tls_recv(w, f, &wire->tls->session, buf, size));
	return mag_recv(w, f, wire->fd, buf, size);
}

static inline mag_frame *magi_http_wire_send(MAG_OP_ARGS, const struct http_wire *wire, const void *data,
					     size_t size)
{
	HTTP_WIRE_STREAM(wire, magi_http2_send(w, f, wire->stream, data, size));
	HTTP_WIRE_TLS(wire, magi_http_tls_send(w, f, wire->tls, data, size));
	return mag_send(w, f, wire->fd, data, size);
}

/* Sends, without waiting, what others are to follow at once: on a bare socket it goes in one segment with their first.
 * Returns: how many bytes went, maybe none */
size_t magi_http_wire_send_ahead(const struct http_wire *wire, const void *data, size_t size);

/* Says that nothing more is sent. */
static inline mag_frame *magi_http_wire_finish(MAG_OP_ARGS, const struct http_wire *wire)
{
	if (wire->stream) /* its answer says that itself */
		MAG_OP_DONE(0);
	HTTP_WIRE_TLS(wire, magi_http_tls_finish(w, f, wire->tls));
	return mag_shutdown(w, f, wire->fd, SHUT_WR);
}

/* Agrees upon TLS; there is a `tls`. */
static inline mag_frame *magi_http_wire_shake(MAG_OP_ARGS, const struct http_wire *wire)
{
	HTTP_WIRE_TLS(wire, mag_tls_handshake(w, f, &wire->tls->session));
	MAG_OP_DONE(0);
}

struct mag_tls_context;

struct http_conn;

/* Begins, on a socket that was accepted, or on a stream, for its task. context: NULL: it stays bare. -ENOMEM;
 * magi_http_wire_shake is next where there is a `tls`, and magi_http_wire_end before the close. */
int magi_http_wire_begin(struct http_wire *wire, struct mag_tls_context *context, struct http_conn *c);
void magi_http_wire_end(struct http_wire *wire);

/* The client has agreed, by TLS, to speak HTTP/2; or not by TLS, which is as good. */
bool magi_http_wire_is_http2(const struct http_wire *wire);
bool magi_http_wire_may_be_http2(const struct http_wire *wire);

/* Nobody is at the other end, although nothing was heard of it by those who wait for something else. */
bool magi_http_wire_is_dead(const struct http_wire *wire);

/* The session, for the user; NULL: bare. */
struct mag_tls *magi_http_wire_session(const struct http_wire *wire);

/* Whether bytes have come that nobody has received. */
bool magi_http_wire_has_more(const struct http_wire *wire);

/* Bytes that were sent and that the client has not taken. */
int64_t magi_http_wire_held(const struct http_wire *wire);

/* When it is closed the client sees that it was cut short. */
void magi_http_wire_break(const struct http_wire *wire);

/* Whether the kernel may send files on it by itself. */
static inline bool magi_http_wire_is_bare(const struct http_wire *wire)
{
	return !wire->tls && !wire->stream;
}

#endif
