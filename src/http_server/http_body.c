/* SPDX-License-Identifier: MIT */
/* http_body.c - a request's body, for its handler: from what was received with the head, then from the wire: of known
 * length straight into the handler's memory, chunks through the connection's input. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http_conn.h"

int64_t mag_http_body_length(const mag_http_exchange *x)
{
	const struct http_conn *c = magi_http_conn_of(x);

	return c->parser.chunked ? -1 : (int64_t)c->x.body_length;
}

static int64_t fail(struct http_conn *c, int64_t rc)
{
	c->x.body_error = (int32_t)rc;
	c->parser.keep_alive = false;
	return rc;
}

static int64_t parser_error(struct http_conn *c)
{
	return fail(c, c->parser.status == 413 ? MAG_ETOOLONG : -EBADMSG);
}

/* What has come already: bytes, 0 at the end, an error, or -EAGAIN. */
static int64_t take(struct http_conn *c, char *buf, size_t size)
{
	struct mag_http_exchange *x = &c->x;

	while (!x->body_over && !x->body_error) {
		size_t there = c->in_len - c->in_at, used;
		int rc = magi_http_parse(&c->parser, c->in + c->in_at, there < size ? there : size, &used);

		c->in_at += (uint32_t)used;
		if (rc == HTTP_READY)
			x->body_over = true;
		else if (rc == HTTP_ERROR)
			return parser_error(c);
		else if (rc == HTTP_MORE && c->in_at == c->in_len)
			return -EAGAIN;
		if (rc == HTTP_DATA) {
			memcpy(buf, c->parser.piece, c->parser.piece_len);
			return (int64_t)c->parser.piece_len;
		}
	}
	return x->body_error;
}

/* Waits for more of it. */
struct http_body_wait {
	mag_frame frame;
	MAG_ARGS(http_body_wait, struct http_conn *c; char *buf; size_t size;);
	mag_scope scope;
	char *to;
	size_t room;
	uint64_t since;
	int64_t n, why;
};

/* Where the next bytes go: those of known length to the handler, chunks behind the head, which stays. */
static void aim(struct http_body_wait *self)
{
	struct http_conn *c = self->c;

	if (!c->parser.chunked) {
		self->to = self->buf;
		self->room = self->size < c->parser.left ? self->size : (size_t)c->parser.left;
		return;
	}
	c->in_at = c->in_len = (uint32_t)(c->x.head - c->in) + c->parser.head_bytes;
	self->to = c->in + c->in_len;
	self->room = c->in_size - c->in_len;
}

/* How long the client may be silent: it gets its time anew when it has moved enough in it. */
static uint64_t patience(struct http_body_wait *self)
{
	uint64_t window = self->c->server->options.body_ns;

	self->since = mag_now();
	return self->c->x.body_waited < window ? window - self->c->x.body_waited : 0;
}

/* It was silent for that long: whether it is given up. */
static bool too_slow(struct http_conn *c)
{
	const mag_http_server_options *o = &c->server->options;

	if ((double)c->input_bytes < (double)o->body_ns / (double)MAG_SECOND * o->rate)
		return true;
	c->input_bytes = c->x.body_waited = 0;
	return false;
}

/* Bytes have come: how many of them are for the handler; 0: none of them yet. */
static int64_t came(struct http_body_wait *self)
{
	struct http_conn *c = self->c;
	int64_t n;

	c->input_bytes += (uint64_t)self->n;
	c->tally.received += (uint64_t)self->n;
	if (!c->parser.chunked) {
		magi_http_skip(&c->parser, (size_t)self->n);
		c->x.body_over = magi_http_body_at_end(&c->parser);
		if (c->x.body_over) {
			size_t used;

			magi_http_parse(&c->parser, c->in, 0, &used);
		}
		return self->n;
	}
	c->in_len += (uint32_t)self->n;
	n = take(c, self->buf, self->size);
	return n;
}

static void ask(struct http_conn *c)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

	if (!c->parser.expects || c->x.continued || c->x.reply != HTTP_REPLY_NONE)
		return;
	c->x.continued = true;
	if (magi_http_room(c, magi_http_conn_here(c), sizeof go_on)) {
		memcpy(c->out + c->out_len, go_on, sizeof go_on - 1);
		c->out_len += sizeof go_on - 1;
	}
}

MAG_TASK(http_body_wait)
{
	MAG_BEGIN(http_body_wait);
	ask(self->c);
	self->n = 0;
	if (self->c->out_len) /* the client may wait for the answers before */
		MAG_CALL(self->n, http_flush, .c = self->c);
	while (self->n >= 0) {
		aim(self);
		MAG_WITH_TIMEOUT(&self->scope, patience(self));
		MAG_AWAIT(self->n, magi_http_wire_recv, &self->c->wire, self->to, self->room);
		MAG_SCOPE_END(self->why, &self->scope);
		self->c->x.body_waited += mag_now() - self->since;
		if (self->n > 0) {
			self->n = came(self);
			if (self->n != -EAGAIN)
				MAG_RETURN(self->n);
			self->n = 0;
		} else if (self->n == 0) {
			MAG_RETURN(fail(self->c, MAG_EEOF));
		} else if (self->n == MAG_ECANCELED && self->why == MAG_ETIMEDOUT) {
			if (too_slow(self->c)) {
				self->c->tally.timeouts++;
				MAG_RETURN(fail(self->c, MAG_ETIMEDOUT));
			}
			self->n = 0;
		}
	}
	if (self->n != MAG_ECANCELED)
		fail(self->c, self->n);
	MAG_RETURN(self->n);
	MAG_END;
}

mag_frame *mag_http_body_read(MAG_OP_ARGS, mag_http_exchange *x, void *buf, size_t size)
{
	struct http_conn *c = magi_http_conn_of(x);
	int64_t n;

	if (!buf || !size)
		return magi_http_done(f, -EINVAL);
	n = take(c, buf, size);
	if (n != -EAGAIN)
		return magi_http_done(f, n);
	return MAGI_HTTP_CALL(http_body_wait, .c = c, .buf = buf, .size = size);
}

/* All of it, into memory that grows. */
struct http_body_gather {
	mag_frame frame;
	MAG_ARGS(http_body_gather, struct http_conn *c; mag_http_text *text;);
	size_t at, size;
	int64_t n;
};

/* One byte more than there may be, so that too much is seen; and a terminator. */
static bool grow(struct http_body_gather *self)
{
	struct mag_http_exchange *x = &self->c->x;
	size_t size = self->size ? self->size * 2 : self->c->parser.chunked ? 4096 : x->body_length + 2;
	char *bigger = realloc(x->whole, size);

	if (!bigger)
		return false;
	x->whole = bigger;
	self->size = size;
	return true;
}

MAG_TASK(http_body_gather)
{
	MAG_BEGIN(http_body_gather);
	self->at = self->size = 0;
	do {
		if (self->at + 1 >= self->size && !grow(self))
			MAG_RETURN(-ENOMEM);
		MAG_AWAIT(self->n, mag_http_body_read, &self->c->x, self->c->x.whole + self->at,
			  self->size - 1 - self->at);
		self->at += self->n > 0 ? (size_t)self->n : 0;
	} while (self->n > 0);
	if (self->n < 0)
		MAG_RETURN(self->n);
	self->c->x.whole[self->at] = '\0';
	*self->text = (mag_http_text){ self->c->x.whole, self->at };
	MAG_RETURN((int64_t)self->at);
	MAG_END;
}

mag_frame *mag_http_body_all(MAG_OP_ARGS, mag_http_exchange *x, mag_http_text *text)
{
	struct http_conn *c = magi_http_conn_of(x);

	if (!text || x->whole)
		return magi_http_done(f, text ? -EALREADY : -EINVAL);
	return MAGI_HTTP_CALL(http_body_gather, .c = c, .text = text);
}
