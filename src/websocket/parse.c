/* SPDX-License-Identifier: MIT */
/* parse.c - what comes in: frames into messages, and what is wrong with them. wslay has found headers that are badly made:
 * control frames in fragments or too long, lengths in more bytes than they need. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "websocket/frames.h"
#include "websocket/utf8.h"

static bool may_be_sent(unsigned code)
{
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

bool magi_websocket_close_frame(struct magi_websocket_control *c, unsigned code, const char *reason)
{
	size_t len = reason ? strlen(reason) : 0;

	if (len > MAG_WEBSOCKET_REASON_MAX || (code ? !may_be_sent(code) : len > 0) || (len && !magi_utf8_good(reason, len)))
		return false;
	*c = (struct magi_websocket_control){ .opcode = WSLAY_CONNECTION_CLOSE };
	if (!code)
		return true;
	c->data[0] = (unsigned char)(code >> 8);
	c->data[1] = (unsigned char)code;
	if (len)
		memcpy(c->data + 2, reason, len);
	c->len = (uint8_t)(2 + len);
	return true;
}

void magi_websocket_fail(mag_websocket *ws, unsigned code, int rc, const char *why)
{
	ws->failed = rc;
	ws->why = why;
	ws->code = (uint16_t)code;
	if (code != 1006)
		magi_websocket_close_frame(&ws->due, code, NULL);
}

static int wrong(mag_websocket *ws, unsigned code, const char *why)
{
	magi_websocket_fail(ws, code, code == 1009 ? -EMSGSIZE : code == 1011 ? -ENOMEM : -EPROTO, why);
	return 0;
}

/* What a header may say, here and now. */
static const char *header_fault(const mag_websocket *ws, const struct wslay_frame_iocb *h)
{
	if (h->rsv)
		return "a reserved bit is set";
	if (!h->mask != (ws->o.role == MAG_WEBSOCKET_CLIENT))
		return h->mask ? "a frame of a server is masked" : "a frame of a client is not masked";
	switch (h->opcode) {
	case WSLAY_CONTINUATION_FRAME:
		return ws->type ? NULL : "a message goes on that was not begun";
	case WSLAY_TEXT_FRAME:
	case WSLAY_BINARY_FRAME:
		return ws->type ? "a message begins before the last one has ended" : NULL;
	case WSLAY_CONNECTION_CLOSE:
	case WSLAY_PING:
	case WSLAY_PONG:
		return NULL;
	default:
		return "a frame of no known kind";
	}
}

/* 1: go on; 0: it is wrong. */
static int begin_frame(mag_websocket *ws, const struct wslay_frame_iocb *h)
{
	const char *fault = header_fault(ws, h);

	if (fault)
		return wrong(ws, 1002, fault);
	ws->in_frame = true;
	ws->opcode = h->opcode;
	ws->left = h->payload_length;
	if (wslay_is_ctrl_frame(h->opcode)) {
		ws->come = (struct magi_websocket_control){ .opcode = h->opcode };
		return 1;
	}
	ws->fin = h->fin;
	if (h->opcode != WSLAY_CONTINUATION_FRAME) {
		ws->type = h->opcode;
		ws->given = false;
	}
	if (!ws->o.fragments && h->payload_length > ws->o.message_max - ws->message.end)
		return wrong(ws, 1009, "a message is longer than the limit");
	return 1;
}

static int payload(mag_websocket *ws, const uint8_t *data, size_t len)
{
	ws->left -= len;
	if (wslay_is_ctrl_frame(ws->opcode)) {
		memcpy(ws->come.data + ws->come.len, data, len);
		ws->come.len = (uint8_t)(ws->come.len + len);
		return 1;
	}
	if (ws->type == MAG_WEBSOCKET_TEXT && !magi_utf8_feed(&ws->heard, data, len))
		return wrong(ws, 1007, "a text is no UTF-8");
	if (!magi_websocket_append(&ws->message, data, len))
		return wrong(ws, 1011, "no memory for a message");
	return 1;
}

/* The other end closes: it is told the same. */
static int closed(mag_websocket *ws)
{
	const struct magi_websocket_control *c = &ws->come;
	unsigned code = c->len >= 2 ? (unsigned)c->data[0] << 8 | c->data[1] : 1005;

	if (c->len == 1 || (c->len && !may_be_sent(code)))
		return wrong(ws, 1002, "a close has no code that may be sent");
	if (c->len > 2 && !magi_utf8_good(c->data + 2, c->len - 2u))
		return wrong(ws, 1007, "the reason of a close is no UTF-8");
	ws->over = true;
	ws->code = (uint16_t)code;
	ws->reason_len = (uint8_t)(c->len > 2 ? c->len - 2 : 0);
	memcpy(ws->reason, c->data + 2, ws->reason_len);
	ws->reason[ws->reason_len] = 0;
	ws->due = *c;
	ws->due.len = c->len ? 2 : 0;
	return 0;
}

static int end_control(mag_websocket *ws)
{
	if (ws->opcode == WSLAY_CONNECTION_CLOSE)
		return closed(ws);
	if (ws->opcode == WSLAY_PONG)
		return 1;
	ws->due = ws->come;
	ws->due.opcode = WSLAY_PONG;
	return 0;
}

static int give(mag_websocket *ws, mag_websocket_message *m, bool last)
{
	*m = (mag_websocket_message){ (enum mag_websocket_type)ws->type, !ws->given, last, ws->message.data, ws->message.end };
	ws->message.end = 0;
	ws->given = true;
	if (last)
		ws->type = 0;
	return 1;
}

static bool is_control(const mag_websocket *ws)
{
	return wslay_is_ctrl_frame(ws->opcode);
}

int magi_websocket_parse(mag_websocket *ws, mag_websocket_message *m)
{
	for (;;) {
		struct wslay_frame_iocb h = { 0 };
		ssize_t n = wslay_frame_recv(ws->frames, &h);

		if (n == WSLAY_ERR_WANT_READ && ws->o.fragments && ws->message.end && ws->in_frame)
			return give(ws, m, false);
		if (n == WSLAY_ERR_WANT_READ)
			return -EAGAIN;
		if (n < 0)
			return wrong(ws, 1002, "the header of a frame is badly made");
		if (!ws->in_frame && !begin_frame(ws, &h))
			return 0;
		if (n > 0 && !payload(ws, h.data, (size_t)n))
			return 0;
		if (ws->left)
			continue;
		ws->in_frame = false;
		if (is_control(ws)) {
			if (!end_control(ws))
				return 0;
			continue;
		}
		if (ws->fin && ws->type == MAG_WEBSOCKET_TEXT && !magi_utf8_whole(&ws->heard))
			return wrong(ws, 1007, "a text ends within a character");
		if (ws->fin || (ws->o.fragments && ws->message.end))
			return give(ws, m, ws->fin);
	}
}
