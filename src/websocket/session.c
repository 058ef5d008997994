/* SPDX-License-Identifier: MIT */
/* session.c - a WebSocket's life, and what is asked of it. */
#include <errno.h>
#include <magpie/options.h>
#include <stdlib.h>
#include <string.h>

#include "websocket/frames.h"

enum { FRAGMENT_LIMIT = 16 << 20 };

static int take_options(mag_websocket_options *o, const mag_websocket_options *given)
{
	if (!given || mag_options_take(o, sizeof(*o), given) < 0)
		return -EINVAL;
	if ((o->role != MAG_WEBSOCKET_CLIENT && o->role != MAG_WEBSOCKET_SERVER) || o->fragment > FRAGMENT_LIMIT ||
	    (o->ahead_len && !o->ahead))
		return -EINVAL;
	o->message_max = o->message_max ? o->message_max : MAG_WEBSOCKET_MESSAGE_MAX;
	o->fragment = o->fragment ? o->fragment : MAG_WEBSOCKET_FRAGMENT;
	o->ping_ns = o->ping_ns ? o->ping_ns : MAG_WEBSOCKET_PING_NS;
	o->pong_ns = o->pong_ns ? o->pong_ns : MAG_WEBSOCKET_PONG_NS;
	o->close_ns = o->close_ns ? o->close_ns : MAG_WEBSOCKET_CLOSE_NS;
	o->handshake_ns = o->handshake_ns ? o->handshake_ns : MAG_WEBSOCKET_HANDSHAKE_NS;
	return 0;
}

int mag_websocket_init(mag_websocket *ws, const mag_websocket_stream *ops, void *stream, const mag_websocket_options *options)
{
	int rc;

	if (!ws)
		return -EINVAL;
	memset(ws, 0, offsetof(mag_websocket, small));
	rc = take_options(&ws->o, options);
	if (rc == 0 && (!ops || !ops->recv || !ops->send_all))
		rc = -EINVAL;
	if (rc < 0)
		return rc;
	ws->ops = ops;
	ws->stream = stream;
	ws->code = 1006;
	ws->why = "";
	if (ws->o.ahead_len && !magi_websocket_append(&ws->in, ws->o.ahead, ws->o.ahead_len))
		return -ENOMEM;
	ws->o.ahead = NULL;
	rc = magi_websocket_wire(ws);
	if (rc < 0)
		magi_websocket_free(ws, &ws->in);
	return rc;
}

void mag_websocket_fini(mag_websocket *ws)
{
	if (!ws || !ws->frames)
		return;
	wslay_frame_context_free(ws->frames);
	ws->frames = NULL;
	magi_websocket_free(ws, &ws->in);
	magi_websocket_free(ws, &ws->out);
	magi_websocket_free(ws, &ws->message);
	magi_websocket_free(ws, &ws->aside);
}

unsigned mag_websocket_close_code(const mag_websocket *ws)
{
	return ws ? ws->code : 1006;
}

const char *mag_websocket_close_reason(const mag_websocket *ws)
{
	return ws ? ws->reason : "";
}

const char *mag_websocket_protocol(const mag_websocket *ws)
{
	return ws && ws->protocol[0] ? ws->protocol : NULL;
}

const char *mag_websocket_why(const mag_websocket *ws)
{
	return ws && ws->why ? ws->why : "";
}

static mag_frame *fd_recv(mag_worker *w, mag_frame *f, void *fd, void *buf, size_t len)
{
	return mag_recv(w, f, *(const mag_fd *)fd, buf, len);
}

static mag_frame *fd_send_all(mag_worker *w, mag_frame *f, void *fd, const void *buf, size_t len, size_t *count)
{
	return mag_send_all_count(w, f, *(const mag_fd *)fd, buf, len, count);
}

const mag_websocket_stream mag_websocket_over_fd = { fd_recv, fd_send_all };
