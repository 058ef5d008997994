/* SPDX-License-Identifier: MIT */
/* http_wire.c - what a connection asks of its socket. */
#include "http_wire.h"

#include <errno.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

int magi_http_wire_begin(struct http_wire *wire, struct mag_tls_context *context, struct http_conn *c)
{
	wire->tls = NULL;
#ifdef MAGPIE_HAVE_NGHTTP2
	if (wire->stream) {
		magi_http2_begin(wire->stream, c);
		return 0;
	}
#endif
	(void)c;
#ifdef MAGPIE_HAVE_TLS
	if (context)
		wire->tls = magi_http_tls_new(context, wire->fd);
#endif
	return context && !wire->tls ? -ENOMEM : 0;
}

void magi_http_wire_end(struct http_wire *wire)
{
#ifdef MAGPIE_HAVE_NGHTTP2
	if (wire->stream)
		magi_http2_end(wire->stream);
#endif
#ifdef MAGPIE_HAVE_TLS
	magi_http_tls_free(wire->tls);
#endif
	wire->tls = NULL;
}

bool magi_http_wire_is_http2(const struct http_wire *wire)
{
#if defined(MAGPIE_HAVE_TLS) && defined(MAGPIE_HAVE_NGHTTP2)
	const char *name = wire->tls ? mag_tls_alpn(&wire->tls->session) : NULL;

	return name && strcmp(name, "h2") == 0;
#else
	return (void)wire, false;
#endif
}

bool magi_http_wire_may_be_http2(const struct http_wire *wire)
{
	return !wire->stream && (!wire->tls || magi_http_wire_is_http2(wire));
}

bool magi_http_wire_is_dead(const struct http_wire *wire)
{
	HTTP_WIRE_STREAM(wire, magi_http2_is_dead(wire->stream));
	return false;
}

struct mag_tls *magi_http_wire_session(const struct http_wire *wire)
{
	HTTP_WIRE_STREAM(wire, magi_http2_tls(wire->stream));
#ifdef MAGPIE_HAVE_TLS
	return wire->tls ? &wire->tls->session : NULL;
#else
	return (void)wire, NULL;
#endif
}

bool magi_http_wire_has_more(const struct http_wire *wire)
{
	int bytes = 0;

	HTTP_WIRE_STREAM(wire, magi_http2_has_more(wire->stream));
#ifdef MAGPIE_HAVE_TLS
	if (wire->tls && mag_tls_has_more(&wire->tls->session))
		return true;
#endif
	return ioctl(mag_fd_raw(wire->fd), FIONREAD, &bytes) == 0 && bytes > 0;
}

size_t magi_http_wire_send_ahead(const struct http_wire *wire, const void *data, size_t size)
{
	ssize_t n = wire->tls ? 0 : send(mag_fd_raw(wire->fd), data, size, MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE);

	return n > 0 ? (size_t)n : 0; /* an error is met again by who sends what follows */
}

int64_t magi_http_wire_held(const struct http_wire *wire)
{
	int bytes = 0;

	HTTP_WIRE_STREAM(wire, magi_http2_held(wire->stream));
	ioctl(mag_fd_raw(wire->fd), SIOCOUTQ, &bytes);
#ifdef MAGPIE_HAVE_TLS
	if (wire->tls) /* what a cut send has taken was not told to anybody yet */
		return bytes + (int64_t)mag_tls_unsent(&wire->tls->session) - (int64_t)wire->tls->taken;
#endif
	return bytes;
}

void magi_http_wire_break(const struct http_wire *wire)
{
	static const struct linger reset = { .l_onoff = 1, .l_linger = 0 };

#ifdef MAGPIE_HAVE_NGHTTP2
	if (wire->stream) {
		magi_http2_break(wire->stream);
		return;
	}
#endif
	mag_socket_option(wire->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}
