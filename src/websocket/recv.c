/* SPDX-License-Identifier: MIT */
/* recv.c - from the stream to messages; the other end is asked whether it is there. */
#include <errno.h>
#include <magpie/scope.h>
#include <magpie/time.h>
#include <string.h>

#include "websocket/frames.h"

/* Under `lock`: what is due is what the next send begins with. Only the newest ping is answered (RFC 6455, 5.5.3), and of
 * closes the first. Says who sends it: a pong may be left to another task, which may be cut short; a close may not, because
 * nothing is sent behind the receive that gives it. */
static enum magi_websocket_what hand_over(mag_websocket *ws)
{
	if (ws->due.opcode != WSLAY_CONNECTION_CLOSE) {
		if (!ws->closing)
			ws->pong = ws->due;
	} else if (!ws->closing) {
		ws->close = ws->due;
		ws->closing = true;
	}
	ws->due.opcode = 0;
	return ws->close.opcode ? MAGI_WEBSOCKET_CLOSE : MAGI_WEBSOCKET_CONTROL;
}

/* The message that was given is over, unless it is a close that receives: then it is another task's, and put aside. */
static void forget(mag_websocket *ws, bool waste)
{
	if (!waste) {
		magi_websocket_free(ws, &ws->aside);
	} else if (ws->lent) {
		ws->aside = ws->message;
		memset(&ws->message, 0, sizeof(ws->message));
	}
	ws->lent = false;
	if (!ws->type && ws->message.room > MAGI_WEBSOCKET_KEPT)
		magi_websocket_free(ws, &ws->message);
}

static uint64_t patience(const mag_websocket *ws)
{
	return ws->pinged ? ws->o.pong_ns : ws->o.ping_ns;
}

/* Nothing has come for so long. */
static void nothing_came(mag_websocket *ws)
{
	if (ws->pinged) {
		magi_websocket_fail(ws, 1006, MAG_ETIMEDOUT, "a ping was not answered");
		return;
	}
	ws->pinged = true;
	ws->due = (struct magi_websocket_control){ .opcode = WSLAY_PING };
}

/* n > 0 bytes have come; 0: the stream has ended. */
static void came(mag_websocket *ws, size_t n)
{
	if (!n)
		magi_websocket_fail(ws, 1006, MAG_EEOF, "the stream ended without a close");
	ws->in.end += n;
	ws->greedy = ws->in.end == ws->in.room;
	ws->pinged = false;
}

/* > 0: a message; -EAGAIN: more must come; -EINPROGRESS: something is due. */
static int64_t look(mag_websocket *ws, mag_websocket_message *m)
{
	int rc;

	if (ws->failed || ws->over)
		return ws->failed;
	rc = magi_websocket_parse(ws, m);
	return rc ? rc : -EINPROGRESS;
}

struct websocket_recv {
	mag_frame frame;
	MAG_ARGS(websocket_recv, mag_websocket *ws; mag_websocket_message *message; bool waste;);
	mag_scope scope;
	enum magi_websocket_what what;
	int64_t n, rc, why;
};

static MAG_TASK(websocket_recv)
{
	MAG_BEGIN(websocket_recv);
	MAG_AWAIT(self->n, mag_mutex_lock, &self->ws->reading);
	if (self->n < 0)
		MAG_RETURN(self->n);
	forget(self->ws, self->waste);
	for (;;) {
		if (self->ws->due.opcode) {
			MAG_AWAIT(self->n, mag_mutex_lock, &self->ws->lock);
			if (self->n < 0)
				break;
			self->what = hand_over(self->ws);
			mag_mutex_unlock(&self->ws->lock);
			MAG_WITH_TIMEOUT(&self->scope, self->what == MAGI_WEBSOCKET_CLOSE ? self->ws->o.close_ns : MAG_NEVER);
			MAG_CALL(self->rc, magi_websocket_sending, .ws = self->ws, .what = self->what);
			MAG_SCOPE_END(self->why, &self->scope);
		}
		self->n = look(self->ws, self->message);
		if (self->n == -EINPROGRESS)
			continue;
		if (self->n != -EAGAIN)
			break;
		magi_websocket_room(self->ws);
		MAG_WITH_TIMEOUT(&self->scope, patience(self->ws));
		MAG_AWAIT(self->rc, self->ws->ops->recv, self->ws->stream, self->ws->in.data, self->ws->in.room);
		MAG_SCOPE_END(self->why, &self->scope);
		if (self->rc >= 0) {
			came(self->ws, (size_t)self->rc);
		} else if (self->rc == MAG_ECANCELED && self->why == MAG_ETIMEDOUT) {
			nothing_came(self->ws);
		} else {
			self->n = self->rc;
			break;
		}
	}
	self->ws->lent = self->n > 0 && !self->waste;
	mag_mutex_unlock(&self->ws->reading);
	MAG_RETURN(self->n);
	MAG_END;
}

mag_frame *mag_websocket_recv(mag_worker *w, mag_frame *f, mag_websocket *ws, mag_websocket_message *message)
{
	if (!ws || !ws->frames || !message)
		MAG_OP_DONE(-EINVAL);
	memset(message, 0, sizeof(*message));
	MAG_OP_CALL(websocket_recv, .ws = ws, .message = message);
}

/* What is still received is thrown away, up to the other end's close. */
struct websocket_close {
	mag_frame frame;
	MAG_ARGS(websocket_close, mag_websocket *ws; struct magi_websocket_control close;);
	mag_scope scope;
	mag_websocket_message waste;
	int64_t rc, why;
};

/* Under `lock`. */
static void say_close(struct websocket_close *c)
{
	if (!c->ws->closing)
		c->ws->close = c->close;
	c->ws->closing = true;
}

static MAG_TASK(websocket_close)
{
	MAG_BEGIN(websocket_close);
	MAG_WITH_TIMEOUT(&self->scope, self->ws->o.close_ns);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->ws->lock);
	if (self->rc == 0) {
		say_close(self);
		mag_mutex_unlock(&self->ws->lock);
		MAG_CALL(self->rc, magi_websocket_sending, .ws = self->ws, .what = MAGI_WEBSOCKET_CLOSE);
	}
	if (self->rc == 0) {
		do {
			MAG_CALL(self->rc, websocket_recv, .ws = self->ws, .message = &self->waste, .waste = true);
		} while (self->rc > 0);
	}
	MAG_SCOPE_END(self->why, &self->scope);
	MAG_RETURN(self->rc == MAG_ECANCELED && self->why < 0 ? self->why : self->rc);
	MAG_END;
}

mag_frame *mag_websocket_close(mag_worker *w, mag_frame *f, mag_websocket *ws, unsigned code, const char *reason)
{
	struct magi_websocket_control c;

	if (!ws || !ws->frames || !magi_websocket_close_frame(&c, code, reason))
		MAG_OP_DONE(-EINVAL);
	MAG_OP_CALL(websocket_close, .ws = ws, .close = c);
}
