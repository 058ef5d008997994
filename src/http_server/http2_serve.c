/* SPDX-License-Identifier: MIT */
/* http2_serve.c - the task of a connection that speaks HTTP/2: receives, and starts a task for each stream.
 *
 * Stopping. The client is told that the server stops, and answers that once it has seen it (a PING); what it has begun until
 * then is served. Then it is told which stream is the last, and when that has ended the connection does. What still runs
 * when `drain_ns` are over is cut short. */
#include <errno.h>

#include "http2.h"
#include "http_count.h"

#define NOTICE_NS (500 * MAG_MILLISECOND) /* to see that the server stops; picked, not measured */

static uint64_t after(uint64_t since, uint64_t time)
{
	return time > MAG_NEVER - since ? MAG_NEVER : since + time;
}

/* Until when nothing needs to come. A head that has begun is to end in the time of a head; while others are served that is
 * not looked at. */
static uint64_t deadline_of(const struct http2 *h2)
{
	const mag_http_server_options *o = &h2->c->server->options;
	uint64_t at = after(h2->c->stop_since, o->drain_ns), seen = after(h2->told_since, NOTICE_NS);

	if (!h2->draining && h2->head_since && !h2->tasks)
		return after(h2->head_since, o->head_ns);
	if (!h2->draining)
		return after(h2->tasks ? h2->c->now : h2->idle_since, o->idle_ns);
	return h2->noticed || at < seen ? at : seen;
}

/* What a scope gets that is about to be opened, in ns. */
static uint64_t time_left(struct http2_serve *self)
{
	struct http2 *h2 = self->h2;
	uint64_t at;

	h2->c->now = magi_http_clock();
	pthread_mutex_lock(&h2->lock);
	at = deadline_of(h2);
	self->timed_for = h2->head_since;
	pthread_mutex_unlock(&h2->lock);
	return at > h2->c->now ? at - h2->c->now : 0;
}

/* The scope is open. The end of the session ends it, and that of the last stream, once the client knows that it is the
 * last. */
static void begin_pause(struct http2_serve *self)
{
	struct http2 *h2 = self->h2;

	pthread_mutex_lock(&h2->lock);
	h2->pause = &self->scope;
	if (h2->ended || (h2->noticed && h2->count == 0))
		mag_scope_cancel(h2->pause);
	pthread_mutex_unlock(&h2->lock);
}

static void end_pause(struct http2 *h2)
{
	pthread_mutex_lock(&h2->lock);
	h2->pause = NULL;
	pthread_mutex_unlock(&h2->lock);
}

static bool goes_on_idle(struct http2 *h2, int64_t why)
{
	bool idle;

	if (why == MAG_ECANCELED) {
		h2->c->stopping = true;
		h2->c->stop_since = magi_http_stops(h2->c->server);
		h2->told_since = h2->c->now;
		magi_http2_notice(h2);
		return true;
	}
	pthread_mutex_lock(&h2->lock);
	idle = why != MAG_ETIMEDOUT || (h2->tasks == 0 && h2->c->now >= deadline_of(h2));
	h2->c->tally.timeouts += idle && h2->head_since;
	if (idle)
		magi_http2_goodbye(h2);
	pthread_mutex_unlock(&h2->lock);
	return !idle;
}

static bool goes_on_draining(struct http2 *h2)
{
	bool more;

	pthread_mutex_lock(&h2->lock);
	if (!h2->noticed && h2->c->now >= deadline_of(h2))
		magi_http2_goodbye(h2);
	more = !(h2->noticed && h2->count == 0) && h2->c->now < after(h2->c->stop_since, h2->c->server->options.drain_ns);
	pthread_mutex_unlock(&h2->lock);
	return more;
}

/* Whether the scope is for what is waited for: a head may have begun since it was opened, or ended. */
static bool is_timed(const struct http2_serve *self)
{
	bool timed;

	pthread_mutex_lock(&self->h2->lock);
	timed = self->timed_for == self->h2->head_since;
	pthread_mutex_unlock(&self->h2->lock);
	return timed;
}

/* The wait for the client was cut short, or is to be for another time. */
static bool goes_on(struct http2_serve *self)
{
	bool ended;

	self->h2->c->now = magi_http_clock();
	pthread_mutex_lock(&self->h2->lock);
	ended = self->h2->ended;
	pthread_mutex_unlock(&self->h2->lock);
	if (ended)
		return false;
	if (!is_timed(self))
		return true;
	return self->h2->draining ? goes_on_draining(self->h2) : goes_on_idle(self->h2, self->why);
}

/* A little memory for those that are idle, more for those that send much. */
static void make_room(struct http2_serve *self, size_t came, size_t room)
{
	struct http_conn *c = self->c;

	if (self->buffer && came < room / 8) {
		magi_http_buffer_give(&magi_http_conn_here(c)->shelf, self->buffer);
		self->buffer = NULL;
	} else if (!self->buffer && came == room) {
		self->buffer = magi_http_buffer_take(&magi_http_conn_here(c)->shelf, HTTP_SMALL);
	}
}

static char *input(struct http2_serve *self)
{
	return self->buffer ? self->buffer->data : self->c->input_own;
}

static size_t input_size(const struct http2_serve *self)
{
	return self->buffer ? self->buffer->size : sizeof self->c->input_own;
}

static void count(struct http2_serve *self)
{
	struct http_conn *c = self->c;

	pthread_mutex_lock(&self->h2->lock);
	c->tally.sent += self->h2->sent;
	self->h2->sent = 0;
	pthread_mutex_unlock(&self->h2->lock);
	magi_http_count_up(c, magi_http_conn_here(c));
}

/* Something has come, or the end. */
static bool came(struct http2_serve *self)
{
	bool goes_on;

	if (self->n <= 0)
		return false;
	self->c->now = magi_http_clock();
	self->c->tally.received += (uint64_t)self->n;
	count(self);
	goes_on = magi_http2_take(self->h2, input(self), (size_t)self->n);
	make_room(self, (size_t)self->n, input_size(self));
	return goes_on;
}

/* What came with the preface. */
static bool begin(struct http2_serve *self)
{
	struct http_conn *c = self->c;

	self->buffer = NULL;
	self->n = 1;
	if (self->rc < 0) { /* no writer */
		mag_event_set(&self->h2->written);
		return false;
	}
	return magi_http2_take(self->h2, c->in, c->in_len);
}

/* The writer ends when it has sent what there is. */
static void over(struct http2 *h2)
{
	pthread_mutex_lock(&h2->lock);
	h2->over = true;
	mag_event_set(&h2->wanted);
	pthread_mutex_unlock(&h2->lock);
}

/* The client does not take what is left. */
static void cancel_writer(struct http2 *h2)
{
	pthread_mutex_lock(&h2->lock);
	h2->broken = true;
	if (h2->writing)
		mag_scope_cancel(h2->writing);
	pthread_mutex_unlock(&h2->lock);
}

/* 0: the client is there. */
static int64_t end(struct http2_serve *self)
{
	bool gone = self->h2->broken || (self->n <= 0 && self->n != MAG_ECANCELED);

	count(self);
	magi_http_buffer_give(&magi_http_conn_here(self->c)->shelf, self->buffer);
	magi_http2_free(self->h2);
	return gone ? -ECONNRESET : 0;
}

MAG_TASK(http2_serve)
{
	MAG_BEGIN(http2_serve);
	self->h2 = magi_http2_new(self->c);
	if (!self->h2)
		MAG_RETURN(-ENOMEM);
	MAG_GROUP_BEGIN(&self->writers, .policy = MAG_COLLECT);
	MAG_SPAWN(self->rc, &self->writers, http2_writer, .h2 = self->h2);
	MAG_GROUP_BEGIN(&self->streams, .policy = MAG_COLLECT);
	MAG_WITH_TIMEOUT(&self->scope, time_left(self));
	begin_pause(self);
	self->more = begin(self);
	while (self->more) {
		while ((self->fresh = magi_http2_fresh(self->h2))) {
			MAG_SPAWN(self->rc, &self->streams, http_conn, .server = self->c->server,
				  .wire.stream = self->fresh, .peer = self->c->peer);
			if (self->rc < 0)
				magi_http2_refuse(self->fresh);
		}
		self->n = MAG_ECANCELED;
		if (is_timed(self))
			MAG_AWAIT(self->n, magi_http_wire_recv, &self->c->wire, input(self), input_size(self));
		if (self->n != MAG_ECANCELED) {
			self->more = came(self);
			continue;
		}
		end_pause(self->h2);
		MAG_SCOPE_END(self->why, &self->scope);
		self->more = goes_on(self);
		if (self->h2->draining)
			MAG_SHIELD(&self->scope, time_left(self));
		else
			MAG_WITH_TIMEOUT(&self->scope, time_left(self));
		begin_pause(self);
	}
	end_pause(self->h2);
	MAG_SCOPE_END(self->why, &self->scope);
	magi_http2_cut(self->h2);
	MAG_GROUP_END(self->rc, &self->streams);
	over(self->h2);
	MAG_SHIELD(&self->scope, self->c->server->options.linger_ns);
	MAG_AWAIT(self->rc, mag_event_wait, &self->h2->written);
	if (self->rc < 0)
		cancel_writer(self->h2);
	MAG_SCOPE_END(self->why, &self->scope);
	MAG_GROUP_END(self->rc, &self->writers);
	MAG_RETURN(end(self));
	MAG_END;
}
