/* SPDX-License-Identifier: MIT */
/* websocket_tls.h - a WebSocket over TLS: mag_websocket_init(&ws, &mag_websocket_over_tls, &tls, &options). Links both
 * modules. */
#ifndef MAGPIE_WEBSOCKET_TLS_H
#define MAGPIE_WEBSOCKET_TLS_H

#include <magpie/tls.h>
#include <magpie/websocket.h>

MAGI_C_BEGIN

static inline mag_frame *magi_websocket_tls_recv(mag_worker *w, mag_frame *f, void *tls, void *buf, size_t len)
{
	return mag_tls_recv(w, f, (mag_tls *)tls, buf, len);
}

static inline mag_frame *magi_websocket_tls_send(mag_worker *w, mag_frame *f, void *tls, const void *buf, size_t len,
						 size_t *count)
{
	return mag_tls_send_all_count(w, f, (mag_tls *)tls, buf, len, count);
}

/* The stream is a mag_tls, after its handshake. */
static const mag_websocket_stream mag_websocket_over_tls __attribute__((unused)) = { magi_websocket_tls_recv,
										      magi_websocket_tls_send };

MAGI_C_END

#endif
