/* SPDX-License-Identifier: MIT */
/* http_answer.c - from what was received to what is to be sent, or to a handler. Does no I/O. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http_conn.h"
#include "http_count.h"
#include "http_path.h"
#include "http_put.h"
#include "http_zip.h"

#define HTTP_TURN_NS (4 * MAG_MILLISECOND) /* a tick of the clock, usually; picked, not measured */

void magi_http_say(struct http_conn *c, struct http_here *here, int status)
{
	struct mag_http_exchange *x = &c->x;
	const char *name = c->server->options.name;
	struct http_answer a = {
		.status = (uint16_t)status, .minor = c->parser.minor, .keep_alive = magi_http_keeps(c), .server = name
	};
	int n;

	if (x->open && (status == 405 || status == 204))
		a.allow = x->match.allowed | (x->match.allowed & 1 << HTTP_GET ? 1 << HTTP_HEAD : 0) |
			  1 << HTTP_OPTIONS;
	x->extra_len = 0;
	magi_http_room(c, here, HTTP_RESPONSE_MAX + HTTP_METHODS_MAX + (name ? (uint32_t)strlen(name) : 0));
	n = status == 204
		    ? magi_http_response_head(c->out + c->out_len, magi_http_free(c), &a, &here->date)
		    : magi_http_response_error(c->out + c->out_len, magi_http_free(c), &a, x->head_only, &here->date);
	if (n > 0)
		c->out_len += (uint32_t)n;
	c->closing |= !a.keep_alive || n <= 0;
	x->status = (uint16_t)status;
	x->reply = HTTP_REPLY_DONE;
}

void magi_http_exchange_over(struct http_conn *c)
{
	struct mag_http_exchange *x = &c->x;

	magi_http_count(c);
	free(x->whole);
	x->whole = NULL;
	magi_http_zip_drop(x);
	x->open = false;
	x->extra_len = 0;
	c->input = HTTP_WAIT_NONE;
}

/* What a handler's error is to the client. */
static int status_of(const struct http_conn *c, int64_t rc)
{
	if (rc >= 0)
		return 500; /* it has not answered */
	if (c->x.body_error == rc && rc == MAG_ETIMEDOUT)
		return 408;
	switch (rc) {
	case MAG_ETOOLONG:
		return 413;
	case MAG_ETIMEDOUT:
	case MAG_ECANCELED:
	case -ENOMEM:
	case -EMFILE:
	case -ENFILE:
		return 503;
	case -EBADMSG:
		return 400;
	case -ENOENT:
		return 404;
	case -EACCES:
	case -EPERM:
		return 403;
	default:
		return 500;
	}
}

/* An answer that was begun ends here. False: it cannot end well. */
static bool end_reply(struct http_conn *c, struct http_here *here, int64_t rc)
{
	struct mag_http_exchange *x = &c->x;

	if (x->reply == HTTP_REPLY_DONE || x->reply == HTTP_REPLY_TAKEN)
		return true;
	if (rc < 0)
		return false;
	if (x->no_body)
		return true;
	if (x->reply == HTTP_REPLY_LENGTH)
		return x->left == 0;
	if (x->reply == HTTP_REPLY_CHUNKS) {
		if (x->zip && !x->sent && !magi_http_put_zip_of_nothing(c))
			return false;
		if (!magi_http_room(c, here, 5))
			return false;
		memcpy(c->out + c->out_len, "0\r\n\r\n", 5);
		c->out_len += 5;
	}
	return true;
}

void magi_http_answered(struct http_conn *c, int64_t rc)
{
	struct http_here *here = magi_http_conn_here(c);
	struct mag_http_exchange *x = &c->x;

	if (x->reply == HTTP_REPLY_NONE) {
		/* what is left of a body that has gone wrong has no end */
		c->parser.keep_alive &= x->body_error == 0;
		magi_http_say(c, here, status_of(c, rc));
	} else if (!end_reply(c, here, rc)) {
		c->broken = c->closing = true;
		c->out_len = c->out_at = 0;
	}
	if (x->body_error || x->reply == HTTP_REPLY_TAKEN)
		c->closing = true;
	c->step = c->broken || x->reply == HTTP_REPLY_TAKEN ? HTTP_OVER : HTTP_SEND;
	magi_http_exchange_over(c);
}

/* Finds the path and the route. 0, or the status that says why not. */
static int find_route(struct http_conn *c, const char *target)
{
	struct mag_http_exchange *x = &c->x;
	const struct http_parser *p = &c->parser;
	const char *path, *end = target + p->target_len;
	size_t length;

	x->match.route = NULL;
	x->match.allowed = 0;
	if (p->method == HTTP_OPTIONS && p->target_len == 1 && *target == '*') {
		x->path_at = p->target_at;
		x->path_len = 1;
		return 204;
	}
	if (magi_http_find_path(target, p->target_len, &path, &length) < 0)
		return p->method == HTTP_CONNECT ? 405 : 400;
	x->path_at = (uint32_t)(path - x->head);
	x->path_len = (uint32_t)length;
	x->query_len = path + length < end ? (uint32_t)(end - path - length) - 1 : 0;
	magi_http_router_match(&c->server->router, p->method, length ? path : "/", length ? length : 1, &x->match);
	if (x->match.route)
		return 0;
	if (!x->match.allowed)
		return 404;
	return p->method == HTTP_OPTIONS ? 204 : 405;
}

static void begin_exchange(struct http_conn *c)
{
	struct mag_http_exchange *x = &c->x;

	memset(x, 0, offsetof(struct mag_http_exchange, match));
	x->open = c->used = true;
	x->head = c->in + c->in_at - c->parser.head_bytes;
	x->head_only = c->parser.method == HTTP_HEAD;
	x->body_over = !magi_http_in_body(&c->parser);
	x->body_length = x->body_over || c->parser.chunked ? 0 : c->parser.left;
	x->began = c->now;
}

void magi_http_begin_none(struct http_conn *c)
{
	begin_exchange(c);
	c->x.head_only = false; /* the parser's method is that of the request before */
	c->x.malformed = true;
}

/* What was answered to others before is theirs, even if this one's answer is none. */
static void call_plain(struct http_conn *c)
{
	const uint32_t at = c->out_at, before = c->out_len;

	magi_http_answered(c, magi_http_call_plain(c));
	if (!c->broken || at == before)
		return;
	c->out_at = at;
	c->out_len = before;
	c->step = HTTP_SEND;
}

/* A head has come: it is answered, or its handler is to be called, or what is owed comes behind its body. */
static void request(struct http_conn *c, struct http_here *here)
{
	const struct mag_http_server *server = c->server;
	struct mag_http_exchange *x = &c->x;
	const struct http_route *route;
	int status;

	begin_exchange(c);
	status = find_route(c, x->head + c->parser.target_at);
	route = x->match.route;
	if (route && route->body_max)
		c->parser.body_max = route->body_max;
	if (!c->parser.chunked && c->parser.left > c->parser.body_max && !x->body_over) {
		c->parser.keep_alive = false;
		status = 413;
	}
	if (status == 0 && !server->middle_tasks && route->handler.plain) {
		call_plain(c);
		return;
	}
	x->owed = (uint16_t)status;
	if (status && (!server->middle_count || status == 413 || status == 400)) {
		if (!x->body_over && !c->parser.expects && status != 413)
			return;
		magi_http_say(c, here, status);
		magi_http_exchange_over(c);
		return;
	}
	if (magi_http_body_room(c)) {
		c->step = HTTP_CALL;
		return;
	}
	magi_http_say(c, here, 503);
	magi_http_exchange_over(c);
}

/* What has come begins as clients do who know that HTTP/2 is spoken (RFC 9113, 3.4): no request of another kind does. */
static bool is_preface(const struct http_conn *c)
{
#ifdef MAGPIE_HAVE_NGHTTP2
	static const char line[] = "PRI * HTTP/2.0\r\n";

	return !c->used && c->in_len >= sizeof line - 1 && !memcmp(c->in, line, sizeof line - 1) &&
	       !c->server->options.no_http2 && magi_http_wire_may_be_http2(&c->wire);
#else
	return (void)c, false;
#endif
}

/* The stream is no request, or a body is wrong. */
static void fault(struct http_conn *c, struct http_here *here)
{
	if (is_preface(c)) {
		magi_http_begin_streams(c);
		return;
	}
	c->closing = true;
	if (!c->x.open && c->parser.body_began) /* it was answered, but its body was not read */
		return;
	if (!c->x.open)
		magi_http_begin_none(c);
	c->x.malformed = true;
	magi_http_say(c, here, c->parser.status);
	magi_http_exchange_over(c);
}

/* What the client is given time for from now on. fresh: requests were answered since it was asked last. */
static void begin_wait(struct http_conn *c, bool fresh, uint32_t bytes, uint64_t now)
{
	unsigned wait = magi_http_idle(&c->parser)      ? HTTP_WAIT_IDLE
			: magi_http_in_body(&c->parser) ? HTTP_WAIT_BODY
							: HTTP_WAIT_HEAD;

	if (wait == HTTP_WAIT_IDLE || fresh || wait != c->input) {
		c->input_since = now;
		c->input_bytes = 0;
		if (wait != HTTP_WAIT_IDLE)
			c->scoped = HTTP_WAIT_NONE;
	} else {
		c->input_bytes += bytes;
	}
	c->input = (uint8_t)wait;
}

/* One event of the parser. False: no more for now. */
static bool take(struct http_conn *c, struct http_here *here)
{
	size_t used;
	int rc = magi_http_parse(&c->parser, c->in + c->in_at, c->in_len - c->in_at, &used);

	c->in_at += (uint32_t)used;
	switch (rc) {
	case HTTP_MORE:
		return false;
	case HTTP_BEGUN:
		request(c, here);
		break;
	case HTTP_READY:
		if (c->x.open) {
			c->x.body_over = true;
			magi_http_say(c, here, c->x.owed);
			magi_http_exchange_over(c);
		}
		break;
	case HTTP_ERROR:
		fault(c, here);
		break;
	default:
		break;
	}
	return true;
}

/* Whether others have waited long enough: requests that come together may each take long. */
static bool is_turn_over(struct http_conn *c)
{
	c->yields = c->out_len && magi_http_clock() - c->now > HTTP_TURN_NS;
	return c->yields;
}

/* Takes events as long as there are some, room for answers, and no handler to be called. Returns: whether there were any */
static bool take_all(struct http_conn *c)
{
	const uint32_t enough = HTTP_LARGE / 2; /* gathered: the next request has to wait until that is sent */
	bool fresh = false;

	c->here = magi_http_here(c->server, c->now);
	c->step = HTTP_SEND;
	while ((c->in_at < c->in_len || magi_http_body_at_end(&c->parser)) && !c->closing) {
		if (c->out_len > enough || (fresh && is_turn_over(c)) ||
		    !magi_http_room(c, c->here, HTTP_RESPONSE_MAX) || !take(c, c->here))
			break;
		fresh = true;
		if (c->step != HTTP_SEND)
			break;
	}
	magi_http_count_up(c, c->here);
	c->here = NULL;
	return fresh;
}

void magi_http_answer(struct http_conn *c)
{
	uint64_t now = magi_http_clock();
	const uint32_t from = c->in_at;
	bool fresh;

	c->now = now;
	fresh = take_all(c);
	if (c->step != HTTP_SEND)
		return;
	c->closing |= magi_http_closing(&c->parser);
	begin_wait(c, fresh && !magi_http_in_body(&c->parser), c->in_at - from, now);
	if (c->out_len)
		c->step = HTTP_SEND;
	else if (c->closing || (c->stopping && c->input == HTTP_WAIT_IDLE && !magi_http_has_more(c)))
		c->step = HTTP_FINISH;
	else
		c->step = HTTP_RECV;
}
