/* SPDX-License-Identifier: MIT */
/* send.c - from messages to the stream. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "websocket/frames.h"
#include "websocket/utf8.h"

/* What is due goes first. */
static void control(struct magi_websocket_sending *s, struct magi_websocket_control *c)
{
	int rc = magi_websocket_frame(s->ws, c->opcode, true, c->data, c->len);

	c->opcode = 0;
	s->due = true;
	if (rc < 0)
		s->failed = rc;
}

/* Whether this message may begin, or go on. */
static int64_t may_begin(struct magi_websocket_sending *s)
{
	mag_websocket *ws = s->ws;

	if (ws->cut)
		return -EPIPE;
	if (ws->sending_type && (!s->part || ws->sending_type != s->type))
		return -EBUSY;
	if (!ws->sending_type)
		ws->said = (struct magi_utf8){ 0, 0, 0 };
	if (s->type == MAG_WEBSOCKET_TEXT) {
		struct magi_utf8 said = ws->said;

		if (!magi_utf8_feed(&said, s->data, s->len) || (s->last && !magi_utf8_whole(&said)))
			return -EILSEQ;
		ws->said = said;
	}
	return 0;
}

/* The next fragment. */
static int64_t fragment(struct magi_websocket_sending *s)
{
	mag_websocket *ws = s->ws;
	size_t left = s->len - s->at, n = left < ws->o.fragment ? left : ws->o.fragment;
	bool ends = n == left, fin = ends && s->last;
	int64_t rc = s->begun ? 0 : may_begin(s);

	if (rc == 0)
		rc = magi_websocket_frame(ws, ws->sending_type ? WSLAY_CONTINUATION_FRAME : (unsigned)s->type, fin, s->data + s->at,
					  n);
	if (rc < 0)
		return rc;
	s->begun = true;
	s->at += n;
	s->done = ends;
	ws->sending_type = fin ? 0 : (uint8_t)s->type;
	return 0;
}

/* Whether this one still has a frame of its own to send. */
static bool wants(const struct magi_websocket_sending *s)
{
	return (s->what == MAGI_WEBSOCKET_DATA || s->what == MAGI_WEBSOCKET_PING) && !s->done && !s->failed;
}

/* Under `lock`: the next frame, unless older ones are still to be sent. */
static void produce(struct magi_websocket_sending *s)
{
	mag_websocket *ws = s->ws;

	if (wants(s) && ((ws->closing && !ws->close.opcode) || (ws->cut && s->what == MAGI_WEBSOCKET_DATA)))
		s->failed = -EPIPE;
	if (ws->out.end)
		return;
	if (ws->pong.opcode) {
		control(s, &ws->pong);
	} else if (ws->close.opcode) {
		control(s, &ws->close);
	} else if (wants(s) && s->what == MAGI_WEBSOCKET_DATA) {
		s->failed = fragment(s);
	} else if (wants(s)) {
		s->failed = magi_websocket_frame(ws, WSLAY_PING, true, s->data, s->len);
		s->done = true;
	}
}

/* Under `lock`: whether to leave. Who has failed does not wait for what others have left to be sent, but for what is due. */
static bool is_over(const struct magi_websocket_sending *s)
{
	return !s->ws->out.end || (s->failed && !s->due && !s->ws->pong.opcode && !s->ws->close.opcode);
}

/* n bytes are sent. */
static void landed(mag_websocket *ws, size_t n)
{
	ws->out.start += n;
	if (ws->out.start == ws->out.end)
		magi_websocket_free(ws, &ws->out);
}

/* Gives `sending` back. A message that was begun and has not ended cannot be gone on with. */
static int64_t leave(mag_worker *w, struct magi_websocket_sending *s, int64_t rc)
{
	if (s->begun && !s->done)
		s->ws->cut = true;
	mag_mutex_unlock_by(w, &s->frame, &s->ws->sending);
	return rc;
}

/* Under `lock`, so that nobody counts on this one any more: `sending` goes first. */
static int64_t finish(mag_worker *w, struct magi_websocket_sending *s)
{
	int64_t rc = leave(w, s, s->failed);

	mag_mutex_unlock_by(w, &s->frame, &s->ws->lock);
	return rc;
}

/* Takes `sending` for one who does not wait for it, under `lock`. */
static bool try_sending(mag_worker *w, struct magi_websocket_sending *s)
{
	bool got = mag_mutex_try_lock_by(w, &s->frame, &s->ws->sending) == 0;

	mag_mutex_unlock_by(w, &s->frame, &s->ws->lock);
	return got;
}

MAG_TASK(magi_websocket_sending)
{
	MAG_BEGIN(magi_websocket_sending);
	self->at = 0;
	self->failed = 0;
	self->begun = self->done = self->due = false;
	if (self->what == MAGI_WEBSOCKET_CONTROL) {
		MAG_AWAIT(self->rc, mag_mutex_lock, &self->ws->lock);
		if (self->rc < 0 || !try_sending(w, self))
			MAG_RETURN(self->rc);
	} else {
		MAG_AWAIT(self->rc, mag_mutex_lock, &self->ws->sending);
		if (self->rc < 0)
			MAG_RETURN(self->rc);
	}
	for (;;) {
		MAG_AWAIT(self->rc, mag_mutex_lock, &self->ws->lock);
		if (self->rc < 0) { /* when all is sent that is no cancellation */
			self->rc = self->done && !self->failed && !self->ws->out.end ? 0 : self->rc;
			break;
		}
		produce(self);
		if (is_over(self))
			MAG_RETURN(finish(w, self));
		mag_mutex_unlock(&self->ws->lock);
		MAG_AWAIT(self->rc, self->ws->ops->send_all, self->ws->stream, self->ws->out.data + self->ws->out.start,
			  self->ws->out.end - self->ws->out.start, &self->sent);
		landed(self->ws, self->sent);
		if (self->rc < 0)
			break;
	}
	MAG_RETURN(leave(w, self, self->rc));
	MAG_END;
}

static mag_frame *send_data(mag_worker *w, mag_frame *f, mag_websocket *ws, enum mag_websocket_type type, const void *data,
			    size_t len, bool part, bool last)
{
	if (!ws || !ws->frames || (!data && len) || (type != MAG_WEBSOCKET_TEXT && type != MAG_WEBSOCKET_BINARY))
		MAG_OP_DONE(-EINVAL);
	MAG_OP_CALL(magi_websocket_sending, .ws = ws, .what = MAGI_WEBSOCKET_DATA, .type = type, .data = data, .len = len,
		    .part = part, .last = last);
}

mag_frame *mag_websocket_send(mag_worker *w, mag_frame *f, mag_websocket *ws, enum mag_websocket_type type, const void *data,
			      size_t len)
{
	return send_data(w, f, ws, type, data, len, false, true);
}

mag_frame *mag_websocket_send_part(mag_worker *w, mag_frame *f, mag_websocket *ws, enum mag_websocket_type type,
				   const void *data, size_t len, bool last)
{
	return send_data(w, f, ws, type, data, len, true, last);
}

mag_frame *mag_websocket_ping(mag_worker *w, mag_frame *f, mag_websocket *ws, const void *data, size_t len)
{
	if (!ws || !ws->frames || (!data && len) || len > MAG_WEBSOCKET_CONTROL_MAX)
		MAG_OP_DONE(-EINVAL);
	MAG_OP_CALL(magi_websocket_sending, .ws = ws, .what = MAGI_WEBSOCKET_PING, .data = data, .len = len);
}
