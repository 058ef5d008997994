/* SPDX-License-Identifier: MIT */
/* http2_writer.c - sends what the session has to say. A task of its own: a client that does not read must not keep the
 * connection's task from hearing it. How long it may take is the streams' affair, and in the end the connection's. */
#include "http2.h"

static bool is_over(struct http2 *h2)
{
	bool over;

	pthread_mutex_lock(&h2->lock);
	over = h2->over || h2->broken;
	pthread_mutex_unlock(&h2->lock);
	return over;
}

static bool fill(struct http2_writer *self)
{
	struct http2 *h2 = self->h2;

	if (!self->buffer)
		self->buffer = magi_http_buffer_take(&magi_http_here(h2->c->server, magi_http_clock())->shelf, HTTP_SMALL);
	self->at = 0;
	self->len = self->buffer ? magi_http2_put(h2, self->buffer->data, self->buffer->size) : 0;
	return self->len > 0;
}

/* Nothing can be sent any more: nobody waits for that. */
static void give_up(struct http2 *h2)
{
	pthread_mutex_lock(&h2->lock);
	h2->broken = true;
	magi_http2_end_session(h2);
	pthread_mutex_unlock(&h2->lock);
	magi_http2_cut(h2);
}

/* The connection's end may have to cancel it. */
static void set_writing(struct http2 *h2, mag_scope *scope)
{
	pthread_mutex_lock(&h2->lock);
	h2->writing = scope;
	pthread_mutex_unlock(&h2->lock);
}

static void put_away(struct http2_writer *self)
{
	magi_http_buffer_give(&magi_http_here(self->h2->c->server, magi_http_clock())->shelf, self->buffer);
	self->buffer = NULL;
}

MAG_TASK(http2_writer)
{
	MAG_BEGIN(http2_writer);
	self->buffer = NULL;
	self->n = 1;
	MAG_SHIELD(&self->scope, MAG_NEVER);
	set_writing(self->h2, &self->scope);
	for (;;) {
		if (fill(self)) {
			while (self->at < self->len) {
				MAG_AWAIT(self->n, magi_http_wire_send, &self->h2->c->wire, self->buffer->data + self->at,
					  self->len - self->at);
				if (self->n <= 0)
					break;
				self->at += (size_t)self->n;
			}
			if (self->n > 0)
				continue;
			give_up(self->h2);
		} else if (!self->buffer) {
			give_up(self->h2);
		}
		put_away(self);
		if (is_over(self->h2))
			break;
		MAG_AWAIT(self->n, mag_event_wait, &self->h2->wanted);
		self->n = 1;
	}
	set_writing(self->h2, NULL);
	MAG_SCOPE_END(self->rc, &self->scope);
	mag_event_set(&self->h2->written);
	MAG_RETURN(0);
	MAG_END;
}
