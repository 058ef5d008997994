/* SPDX-License-Identifier: MIT */
/* websocket_http.h - a WebSocket at a route of an HTTP server. Links both modules.
 *
 *	if (mag_websocket_agree(self->http, NULL, NULL, &self->answer) != 101)
 *		MAG_RETURN(0);
 *	MAG_AWAIT(self->rc, mag_http_upgrade, self->http, "websocket", &self->upgraded);
 *
 * Then a mag_websocket on the connection, or the session of TLS, that is left, with what has come already as .ahead. */
#ifndef MAGPIE_WEBSOCKET_HTTP_H
#define MAGPIE_WEBSOCKET_HTTP_H

#include <errno.h>
#include <magpie/http_exchange.h>
#include <magpie/http_reply.h>
#include <magpie/websocket_handshake.h>

MAGI_C_BEGIN

enum { MAGI_WEBSOCKET_FIELD = 512 }; /* bytes of a field of the handshake; a longer one is 400 */

/* A request's fields. */
struct magi_websocket_fields {
	char connection[MAGI_WEBSOCKET_FIELD], upgrade[MAGI_WEBSOCKET_FIELD], version[MAGI_WEBSOCKET_FIELD],
		key[MAGI_WEBSOCKET_FIELD], protocol[MAGI_WEBSOCKET_FIELD], host[MAGI_WEBSOCKET_FIELD],
		origin[MAGI_WEBSOCKET_FIELD];
	bool too_long;
};

static inline const char *magi_websocket_field(struct magi_websocket_fields *f, const mag_http_exchange *http, const char *name,
					       char out[MAGI_WEBSOCKET_FIELD])
{
	int64_t n = mag_http_field_list(http, name, out, MAGI_WEBSOCKET_FIELD);

	f->too_long = f->too_long || n == -ENOBUFS;
	return n < 0 ? NULL : out;
}

/* Whether a request is one for a WebSocket, see mag_websocket_upgrade: the answer's fields are added, or the request is answered
 * with what is wrong.
 *
 * Threads:  the task that has the exchange
 * Returns:  101: mag_http_upgrade is next; 400, 403, 426: it is answered; or -ENOMEM: the handler's end answers with 500
 * Since:    0.2 */
static inline int mag_websocket_agree(mag_http_exchange *http, const char *protocols, const char *origins,
				      mag_websocket_answer *answer)
{
	struct magi_websocket_fields f;
	mag_websocket_request r;
	int status, rc = 0;

	f.too_long = false;
	r.method = mag_http_method(http);
	r.connection = magi_websocket_field(&f, http, "Connection", f.connection);
	r.upgrade = magi_websocket_field(&f, http, "Upgrade", f.upgrade);
	r.version = magi_websocket_field(&f, http, "Sec-WebSocket-Version", f.version);
	r.key = magi_websocket_field(&f, http, "Sec-WebSocket-Key", f.key);
	r.protocol = magi_websocket_field(&f, http, "Sec-WebSocket-Protocol", f.protocol);
	r.host = magi_websocket_field(&f, http, "Host", f.host);
	r.origin = magi_websocket_field(&f, http, "Origin", f.origin);
	status = mag_websocket_upgrade(&r, protocols, origins, answer);
	if (f.too_long) { /* what was left out could be what decides */
		status = 400;
		answer->why = "a field of the handshake is too long";
	}
	if (status == 101) {
		rc = mag_http_reply_header(http, "Sec-WebSocket-Accept", answer->accept);
		if (rc == 0 && *answer->protocol)
			rc = mag_http_reply_header(http, "Sec-WebSocket-Protocol", answer->protocol);
	} else {
		if (status == 426)
			rc = mag_http_reply_header(http, "Sec-WebSocket-Version", "13");
		if (rc == 0)
			rc = mag_http_reply_text(http, status, answer->why);
	}
	return rc < 0 ? rc : status;
}

MAGI_C_END

#endif
