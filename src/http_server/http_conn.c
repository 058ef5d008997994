/* SPDX-License-Identifier: MIT */
/* http_conn.c - one connection of the server.
 *
 * Deadlines. A scope with a deadline around each await would cost more than all else that the task does for a small
 * request. So one scope stays open for as many awaits as have the same kind of deadline, and is opened anew, with the
 * deadline as it is by then, at most once a second. When it fires early, that is seen by the clock and the await is done
 * again. An answer that fits in the socket at once runs under the deadline of the wait for the next request. A handler that
 * is a task has a scope of its own kind, which several requests in a row share.
 *
 * Rates. A body and an answer get their time over and over, as long as enough was moved in it. What was moved before
 * does not count: who was fast for a while may not be silent for the longer.
 *
 * Stopping. The server cancels all connections. Whoever waits for a request without having any of it closes; all
 * others go on under a shield, with what is left of `drain_ns` (and `linger_ns` at least) as its deadline, and close after
 * the answer to the last request that has come until then: what lies unread in the socket counts, too. Handlers are under a
 * shield from the beginning; when `drain_ns` are over the server cancels that. */
#include "http_conn.h"

#include <stdlib.h>

#include "http_count.h"
#include "http_zip.h"
#ifdef MAGPIE_HAVE_NGHTTP2
#include "http2.h"
#endif

#define RENEW_NS MAG_SECOND /* how far behind a scope's deadline may be */

_Static_assert(sizeof(struct http_conn) <= HTTP_CONN_MAX, "an idle connection costs 4 KiB at most");

static unsigned wait_of(const struct http_conn *c)
{
	if (c->step == HTTP_CALL)
		return HTTP_WAIT_WORK;
	return c->slow && c->step == HTTP_SEND ? HTTP_WAIT_TAKE : c->input;
}

static uint64_t after(uint64_t since, uint64_t time)
{
	return time > MAG_NEVER - since ? MAG_NEVER : since + time;
}

/* The window in which `rate` is asked of what is being moved. */
static uint64_t window_of(const struct http_conn *c)
{
	return c->step == HTTP_SEND ? c->server->options.write_ns : c->server->options.body_ns;
}

/* How many bytes must be moved in a window. */
static uint64_t bytes_of(const struct http_conn *c)
{
	uint64_t window = window_of(c);

	return window == MAG_NEVER ? 0 : (uint64_t)((double)window / (double)MAG_SECOND * c->server->options.rate);
}

static uint64_t deadline_of(const struct http_conn *c)
{
	const mag_http_server_options *o = &c->server->options;
	uint64_t at;

	switch ((enum http_wait)wait_of(c)) {
	case HTTP_WAIT_HEAD:
		at = after(c->input_since, o->head_ns);
		break;
	case HTTP_WAIT_BODY:
		at = after(c->input_since, o->body_ns);
		break;
	case HTTP_WAIT_TAKE:
		at = after(c->take_since, o->write_ns);
		break;
	case HTTP_WAIT_LINGER:
		at = after(c->input_since, o->linger_ns);
		break;
	case HTTP_WAIT_WORK:
		return after(c->now, c->work_ns);
	case HTTP_WAIT_STREAMS:
		return MAG_NEVER;
	default:
		at = after(c->input_since, o->idle_ns);
	}
	return c->stopping && at > after(c->stop_since, o->drain_ns) ? after(c->stop_since, o->drain_ns) : at;
}

static uint64_t work_ns(const struct http_conn *c)
{
	const struct http_route *route = c->x.match.route;

	return route && route->request_ns ? route->request_ns : c->server->options.request_ns;
}

/* Whether the open scope is for another deadline than what comes next. */
static bool is_stale(const struct http_conn *c)
{
	uint64_t old = c->now - c->scope_since;

	if (c->scoped != wait_of(c))
		return true;
	return c->scoped == HTTP_WAIT_WORK ? c->work_ns != work_ns(c) || old > c->work_ns / 64 || old > RENEW_NS
					   : old > RENEW_NS;
}

/* What the next scope gets, in ns. */
static uint64_t time_left(struct http_conn *c)
{
	uint64_t at;

	c->now = c->scope_since = magi_http_clock();
	c->scoped = (uint8_t)wait_of(c);
	c->work_ns = work_ns(c);
	at = deadline_of(c);
	return at > c->now ? at - c->now : 0;
}

/* The scope of a handler is open: from now on the end of the server finds it. */
static void begin_work(struct http_conn *c)
{
	bool hard = false;

	pthread_mutex_lock(&c->lock);
	c->working = true;
	pthread_mutex_unlock(&c->lock);
	if (mag_event_is_set(&c->server->stopping)) {
		pthread_mutex_lock(&c->server->lock);
		hard = c->server->hard;
		pthread_mutex_unlock(&c->server->lock);
	}
	if (hard || magi_http_wire_is_dead(&c->wire))
		mag_scope_cancel(&c->scope);
}

/* The scope is about to be left. */
static void end_work(struct http_conn *c)
{
	if (!c->working)
		return;
	pthread_mutex_lock(&c->lock);
	c->working = false;
	pthread_mutex_unlock(&c->lock);
}

void magi_http_begin_take(struct http_conn *c)
{
	c->slow = true;
	c->take_since = c->now;
	c->take_left = magi_http_wire_held(&c->wire);
}

bool magi_http_takes_on(struct http_conn *c)
{
	int64_t left = magi_http_wire_held(&c->wire);
	uint64_t want = (uint64_t)((double)c->server->options.write_ns / (double)MAG_SECOND * c->server->options.rate);

	if (c->take_left - left < (int64_t)want)
		return false;
	c->take_since = c->now;
	c->take_left = left;
	return true;
}

/* Whether the client has moved enough in its time; then it gets as much again. */
static bool goes_on(struct http_conn *c)
{
	if (c->step == HTTP_RECV && c->input == HTTP_WAIT_BODY && c->input_bytes >= bytes_of(c)) {
		c->input_since = c->now;
		c->input_bytes = 0;
		return true;
	}
	return c->step == HTTP_SEND && c->slow && magi_http_takes_on(c);
}

bool magi_http_has_more(const struct http_conn *c)
{
	return c->in_at < c->in_len || magi_http_wire_has_more(&c->wire);
}

/* The client had its time for a request. It hears that, unless it has been answered. */
static void too_slow(struct http_conn *c)
{
	c->tally.timeouts++;
	c->closing = true;
	c->parser.keep_alive = false;
	if (c->x.open || !magi_http_in_body(&c->parser)) {
		if (!c->x.open)
			magi_http_begin_none(c);
		c->x.head_only = false;
		magi_http_say(c, magi_http_conn_here(c), 408);
		magi_http_exchange_over(c);
	}
	c->step = c->out_len ? HTTP_SEND : HTTP_FINISH;
	/* its time is over, but it shall hear that */
	c->input = HTTP_WAIT_LINGER;
	c->input_since = c->now;
}

/* The client had its time. */
static void expired(struct http_conn *c)
{
	bool over = c->stopping && c->now >= after(c->stop_since, c->server->options.drain_ns);

	if (!over && goes_on(c))
		return;
	if (c->step == HTTP_RECV && c->input != HTTP_WAIT_IDLE && !over) {
		too_slow(c);
	} else if (c->step == HTTP_SEND && !c->slow && !over) {
		magi_http_begin_take(c);
	} else {
		c->tally.timeouts += c->step == HTTP_SEND || c->step == HTTP_SHAKE;
		c->broken = c->step == HTTP_SEND;
		c->step = HTTP_OVER;
	}
}

/* Since when the time to stop runs: for all since the same, but what a handler has said at its end has a little of it. */
static uint64_t stop_since(struct http_conn *c)
{
	const mag_http_server_options *o = &c->server->options;
	uint64_t last = o->linger_ns < o->drain_ns ? o->linger_ns : o->drain_ns, at = magi_http_stops(c->server);

	return after(at, o->drain_ns) < c->now + last ? c->now + last - o->drain_ns : at;
}

/* An await was cut short: by a deadline, or because the server stops. */
static void cut(struct http_conn *c)
{
	int why = mag_scope_cancelled(&c->scope);

	c->now = magi_http_clock();
	c->scoped = HTTP_WAIT_NONE;
	if (why == MAG_ETIMEDOUT) {
		if (c->now >= deadline_of(c))
			expired(c);
	} else if (why != MAG_ECANCELED || c->stopping) {
		c->step = HTTP_OVER;
	} else {
		c->stopping = true;
		c->stop_since = stop_since(c);
		if ((c->step == HTTP_RECV && c->input == HTTP_WAIT_IDLE && !magi_http_has_more(c)) ||
		    c->step == HTTP_LINGER || c->step == HTTP_SHAKE)
			c->step = HTTP_OVER;
	}
}

static void shaken(struct http_conn *c)
{
	c->tally.timeouts += c->n == MAG_ETIMEDOUT;
	c->step = c->n < 0 ? HTTP_OVER : HTTP_RECV;
	if (c->n >= 0 && !c->server->options.no_http2 && magi_http_wire_is_http2(&c->wire))
		magi_http_begin_streams(c);
}

void magi_http_begin_streams(struct http_conn *c)
{
	c->step = HTTP_STREAMS;
	c->input = HTTP_WAIT_STREAMS;
}

/* The session is over: whoever is still there hears that nothing more comes. */
static void end_streams(struct http_conn *c)
{
	c->step = c->n < 0 ? HTTP_OVER : HTTP_FINISH;
	c->scoped = HTTP_WAIT_NONE;
	c->in_at = c->in_len = 0;
	c->input = HTTP_WAIT_LINGER;
	c->input_since = magi_http_clock();
	c->n = 0;
}

static void received(struct http_conn *c)
{
	if (c->n <= 0) { /* the client has closed, or is gone: whatever was begun is of no use to it */
		c->step = HTTP_OVER;
		return;
	}
	c->in_len += (uint32_t)c->n;
	c->tally.received += (uint64_t)c->n;
	magi_http_answer(c);
}

/* All that was gathered is sent. */
static void sent_all(struct http_conn *c)
{
	if (c->slow) {
		c->slow = false;
		c->now = magi_http_clock();
		/* nobody has received meanwhile: what comes next has its time from now on */
		if (c->input != HTTP_WAIT_LINGER)
			c->input_since = c->now;
	}
	magi_http_emptied(c);
	if (c->in_at < c->in_len || c->closing || c->stopping || magi_http_body_at_end(&c->parser))
		magi_http_answer(c);
	else
		c->step = HTTP_RECV;
}

static void sent(struct http_conn *c)
{
	if (c->n <= 0) {
		c->step = HTTP_OVER;
		return;
	}
	c->tally.sent += (uint64_t)c->n;
	c->out_at += (uint32_t)c->n;
	if (c->slow)
		c->take_left += c->n;
	if (c->out_at == c->out_len) {
		sent_all(c);
		return;
	}
	c->now = magi_http_clock();
	if (!c->slow)
		magi_http_begin_take(c);
}

static void finished(struct http_conn *c)
{
	c->input = HTTP_WAIT_LINGER;
	c->input_since = magi_http_clock();
	c->step = c->n < 0 ? HTTP_OVER : HTTP_LINGER;
}

/* A handler has returned. When its time was over, the next one gets a scope of its own. */
static void handled(struct http_conn *c)
{
	c->now = magi_http_clock();
	if (mag_scope_cancelled(&c->scope)) {
		c->scoped = HTTP_WAIT_NONE;
		c->tally.timeouts += mag_scope_cancelled(&c->scope) == MAG_ETIMEDOUT;
	}
	c->slow = false;
	magi_http_answered(c, c->n);
	if (c->step != HTTP_OVER)
		magi_http_answer(c);
	c->n = 0;
}

static bool may_receive(struct http_conn *c)
{
	if (magi_http_input_room(c))
		return true;
	c->closing = true;
	magi_http_say(c, magi_http_conn_here(c), 503);
	c->step = HTTP_SEND;
	c->n = 0;
	return false;
}

/* A stream is not in the list: its connection is. */
static void enlist(struct http_conn *c)
{
	mag_http_server *server = c->server;

	pthread_mutex_lock(&server->lock);
	c->next = server->conns;
	c->pprev = &server->conns;
	if (c->next)
		c->next->pprev = &c->next;
	server->conns = c;
	server->conn_count++;
	pthread_mutex_unlock(&server->lock);
}

static void delist(struct http_conn *c)
{
	pthread_mutex_lock(&c->server->lock);
	*c->pprev = c->next;
	if (c->next)
		c->next->pprev = c->pprev;
	c->server->conn_count--;
	pthread_mutex_unlock(&c->server->lock);
}

static void begin(struct http_conn *c)
{
	uint64_t now = magi_http_clock();
	mag_http_server *server = c->server;

	memset(&c->step, 0, offsetof(struct http_conn, scope) - offsetof(struct http_conn, step));
	pthread_mutex_init(&c->lock, NULL);
	c->step = HTTP_RECV;
	if (server->options.tls || c->wire.stream)
		c->step = magi_http_wire_begin(&c->wire, server->options.tls, c) < 0 ? HTTP_OVER
			  : c->wire.stream					     ? HTTP_RECV
										     : HTTP_SHAKE;
	c->input = HTTP_WAIT_IDLE;
	c->in = c->input_own;
	c->in_size = sizeof c->input_own;
	c->out = c->gather;
	c->out_size = sizeof c->gather;
	c->input_since = c->now = now;
	magi_http_parser_init(&c->parser, &server->limits);
	if (!c->wire.stream)
		enlist(c);
}

static void end(struct http_conn *c)
{
	struct http_here *here = magi_http_here(c->server, magi_http_clock());

	if (c->broken)
		magi_http_wire_break(&c->wire);
	magi_http_wire_end(&c->wire);
	c->x.extra_len = 0;
	magi_http_emptied(c);
	magi_http_buffer_give(&here->shelf, c->in_buffer);
	magi_http_count_up(c, here);
	if (!c->wire.stream)
		delist(c);
	pthread_mutex_destroy(&c->lock);
}

MAG_TASK(http_conn)
{
	MAG_BEGIN(http_conn);
	begin(self);
	MAG_WITH_TIMEOUT(&self->scope, time_left(self));
	while (self->step != HTTP_OVER) {
		if (is_stale(self)) {
			end_work(self);
			MAG_SCOPE_END(self->why, &self->scope);
			if (self->stopping || self->step == HTTP_CALL)
				MAG_SHIELD(&self->scope, time_left(self));
			else
				MAG_WITH_TIMEOUT(&self->scope, time_left(self));
			if (self->step == HTTP_CALL)
				begin_work(self);
		}
		if (self->yields) {
			self->yields = false;
			MAG_YIELD(self->why);
		}
		switch ((enum http_step)self->step) {
		case HTTP_SHAKE:
			MAG_AWAIT(self->n, magi_http_wire_shake, &self->wire);
			if (self->n != MAG_ECANCELED)
				shaken(self);
			break;
		case HTTP_STREAMS:
#ifdef MAGPIE_HAVE_NGHTTP2
			MAG_CALL(self->n, http2_serve, .c = self);
#endif
			end_streams(self);
			break;
		case HTTP_RECV:
			if (!may_receive(self))
				break;
			MAG_AWAIT(self->n, magi_http_wire_recv, &self->wire, self->in + self->in_len, self->in_size - self->in_len);
			if (self->n != MAG_ECANCELED)
				received(self);
			break;
		case HTTP_CALL:
			self->n = 0;
			if (self->out_len) /* it may wait for what the client does about the answers before */
				MAG_CALL(self->n, http_flush, .c = self);
			if (self->n >= 0)
				MAG_AWAIT(self->n, mag_http_next, &self->x);
			if (self->x.zip && self->n >= 0)
				MAG_CALL(self->n, http_zip_end, .c = self);
			handled(self);
			break;
		case HTTP_SEND:
			MAG_AWAIT(self->n, magi_http_wire_send, &self->wire, self->out + self->out_at, self->out_len - self->out_at);
			if (self->n != MAG_ECANCELED)
				sent(self);
			break;
		case HTTP_FINISH:
			MAG_AWAIT(self->n, magi_http_wire_finish, &self->wire);
			if (self->n != MAG_ECANCELED)
				finished(self);
			break;
		case HTTP_LINGER:
			MAG_AWAIT(self->n, magi_http_wire_recv, &self->wire, self->in, self->in_size);
			if (self->n <= 0 && self->n != MAG_ECANCELED)
				self->step = HTTP_OVER;
			break;
		case HTTP_OVER:
			break;
		}
		if (self->n == MAG_ECANCELED)
			cut(self);
	}
	end_work(self);
	MAG_SCOPE_END(self->why, &self->scope);
	end(self);
	if (self->wire.stream)
		MAG_RETURN(0);
	MAG_AWAIT(self->n, mag_close, self->wire.fd);
	magi_http_gate_leave(&self->server->gate, self->ticket);
	MAG_RETURN(0);
	MAG_END;
}
