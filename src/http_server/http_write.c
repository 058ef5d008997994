/* SPDX-License-Identifier: MIT */
/* http_write.c - answers piece by piece: what is gathered, and how it is sent from within a handler. */
#include <magpie/http_reply.h>

#include "http_put.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "http_zip.h"

MAG_TASK(http_flush)
{
	MAG_BEGIN(http_flush);
	self->c->now = magi_http_clock();
	magi_http_begin_take(self->c);
	while (self->c->out_at < self->c->out_len) {
		MAG_WITH_TIMEOUT(&self->scope, self->c->server->options.write_ns);
		MAG_AWAIT(self->n, magi_http_wire_send, &self->c->wire, self->c->out + self->c->out_at,
			  self->c->out_len - self->c->out_at);
		MAG_SCOPE_END(self->why, &self->scope);
		if (self->n > 0) {
			self->c->out_at += (uint32_t)self->n;
			self->c->take_left += self->n;
			self->c->tally.sent += (uint64_t)self->n;
			continue;
		}
		if (self->n == MAG_ECANCELED && self->why != MAG_ETIMEDOUT)
			MAG_RETURN(MAG_ECANCELED);
		self->c->now = magi_http_clock();
		if (self->n == MAG_ECANCELED && magi_http_takes_on(self->c))
			continue;
		self->c->broken = true;
		if (self->n != MAG_ECANCELED)
			MAG_RETURN(self->n == 0 ? -EPIPE : self->n);
		self->c->tally.timeouts++;
		MAG_RETURN(MAG_ETIMEDOUT);
	}
	self->c->slow = false;
	magi_http_emptied(self->c);
	MAG_RETURN(self->result);
	MAG_END;
}

/* A size of a chunk has six digits, so that it can be put in front when it is known. */
static void put_size(char *at, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 5; i >= 0; i--, n >>= 4)
		at[i] = digits[n & 15];
	memcpy(at + 6, "\r\n", 2);
}

/* Room for a body's bytes, in front of which a size may have to go. */
static char *place(struct http_conn *c)
{
	return c->out + c->out_len + (c->x.reply == HTTP_REPLY_CHUNKS ? 8 : 0);
}

/* So many of them are there. */
static void placed(struct http_conn *c, size_t n)
{
	c->x.sent += n;
	if (n == 0)
		return;
	if (c->x.reply == HTTP_REPLY_CHUNKS) {
		put_size(c->out + c->out_len, n);
		memcpy(c->out + c->out_len + 8 + n, "\r\n", 2);
		n += 10;
	}
	c->out_len += (uint32_t)n;
}

void magi_http_put(struct http_conn *c, const void *data, size_t length)
{
	memcpy(place(c), data, length);
	placed(c, length);
	if (c->x.reply == HTTP_REPLY_LENGTH)
		c->x.left -= length;
}

/* How much may be put, when one would like to put so much. 0: what is gathered must go first. */
static size_t room_for(struct http_conn *c, size_t length)
{
	size_t want = length < HTTP_SMALL - 1024 ? length : HTTP_SMALL - 1024;

	if (c->out_len + want + HTTP_CHUNK_EXTRA > HTTP_SMALL && c->out_len > HTTP_SMALL / 2)
		return 0;
	if (c->out_len + want + HTTP_CHUNK_EXTRA > HTTP_SMALL)
		want = HTTP_SMALL - HTTP_CHUNK_EXTRA - c->out_len;
	return magi_http_room(c, magi_http_conn_here(c), (uint32_t)want + HTTP_CHUNK_EXTRA) ? want : 0;
}

bool magi_http_put_zip_of_nothing(struct http_conn *c)
{
	enum { FRAME = 64 }; /* bytes: gzip's own are 20 */

	if (!magi_http_room(c, magi_http_conn_here(c), FRAME + HTTP_CHUNK_EXTRA))
		return false;
	placed(c, magi_http_zip_take(c->x.zip, place(c), FRAME, HTTP_ZIP_END));
	return true;
}

struct http_write {
	mag_frame frame;
	MAG_ARGS(http_write, struct http_conn *c; const char *data; size_t length; int how;);
	size_t at;
	bool more;
	int64_t rc;
};
MAG_DECLARE_TASK(http_write);

/* Puts what there is room for, compressed. False: what is gathered must go first. */
static bool put_zipped(struct http_write *self)
{
	struct http_conn *c = self->c;
	size_t room = room_for(c, HTTP_SMALL / 2), n;

	if (!room)
		return false;
	n = magi_http_zip_take(c->x.zip, place(c), room, self->how);
	placed(c, n);
	self->more = n == room;
	return true;
}

static bool put_plain(struct http_write *self)
{
	size_t n = room_for(self->c, self->length - self->at);

	if (n)
		magi_http_put(self->c, self->data + self->at, n);
	self->at += n;
	self->more = self->at < self->length;
	return n > 0;
}

MAG_TASK(http_write)
{
	MAG_BEGIN(http_write);
	self->at = 0;
	if (self->c->x.zip)
		magi_http_zip_give(self->c->x.zip, self->data, self->length);
	do {
		if (self->c->x.zip ? put_zipped(self) : put_plain(self))
			continue;
		if (!self->c->out_len)
			MAG_RETURN(-ENOMEM);
		MAG_CALL(self->rc, http_flush, .c = self->c);
		if (self->rc < 0) {
			/* a part was put: whatever the handler says, this answer does not end well */
			self->c->broken |= self->at > 0 || self->c->x.zip;
			MAG_RETURN(self->rc);
		}
		self->more = true; /* nothing was put in this turn */
	} while (self->more);
	MAG_RETURN((int64_t)self->length);
	MAG_END;
}

MAG_TASK(http_zip_end)
{
	MAG_BEGIN(http_zip_end);
	if (self->c->x.no_body)
		MAG_RETURN(0);
	MAG_CALL(self->rc, http_write, .c = self->c, .data = "", .length = 0, .how = HTTP_ZIP_END);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* An answer that nobody has begun begins. 0, or an error. */
static int64_t begun(mag_http_exchange *x, size_t length)
{
	int64_t rc = 0;

	if (x->reply == HTTP_REPLY_NONE)
		rc = mag_http_reply_begin(x, 200, "application/octet-stream", MAG_HTTP_UNKNOWN);
	else if (x->reply >= HTTP_REPLY_DONE)
		rc = -EALREADY;
	if (rc == 0 && magi_http_conn_of(x)->broken)
		rc = -EPIPE;
	if (rc == 0 && x->reply == HTTP_REPLY_LENGTH && length > x->left)
		rc = MAG_ETOOLONG;
	return rc;
}

mag_frame *mag_http_write(MAG_OP_ARGS, mag_http_exchange *x, const void *data, size_t length)
{
	struct http_conn *c = magi_http_conn_of(x);
	int64_t rc = begun(x, length);

	if (rc < 0)
		return magi_http_done(f, rc);
	if (x->no_body || length == 0) {
		x->left -= x->reply == HTTP_REPLY_LENGTH ? length : 0;
		return magi_http_done(f, (int64_t)length);
	}
	if (!x->zip && room_for(c, length) >= length) {
		magi_http_put(c, data, length);
		return magi_http_done(f, (int64_t)length);
	}
	return MAGI_HTTP_CALL(http_write, .c = c, .data = data, .length = length, .how = HTTP_ZIP_GATHER);
}

/* Sends all: first what the compression has. */
struct http_flush_all {
	mag_frame frame;
	MAG_ARGS(http_flush_all, struct http_conn *c;);
	int64_t rc;
};

MAG_TASK(http_flush_all)
{
	MAG_BEGIN(http_flush_all);
	self->rc = 0;
	if (self->c->x.zip)
		MAG_CALL(self->rc, http_write, .c = self->c, .data = "", .length = 0, .how = HTTP_ZIP_FLUSH);
	if (self->rc >= 0)
		MAG_CALL(self->rc, http_flush, .c = self->c);
	MAG_RETURN(self->rc);
	MAG_END;
}

mag_frame *mag_http_flush(MAG_OP_ARGS, mag_http_exchange *x)
{
	struct http_conn *c = magi_http_conn_of(x);

	if (c->broken)
		return magi_http_done(f, -EPIPE);
	if (!c->out_len && !x->zip)
		return magi_http_done(f, 0);
	return MAGI_HTTP_CALL(http_flush_all, .c = c);
}
