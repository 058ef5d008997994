/* SPDX-License-Identifier: MIT */
/* http_request.c - llhttp in a frame of stricter rules.
 *
 * llhttp, even strict, takes a bare LF after the request line and as the end of the head, obs-fold, several blanks in
 * the request line, HTTP/0.9, RTSP, empty field names, an empty Transfer-Encoding beside a Content-Length, and any
 * number of bare line ends before a request. So the guard walks each piece of a head first, up to its first fault or
 * the head's end, and llhttp gets the bytes before that point: whichever of the two objects to the earlier byte
 * decides, and the answer is the same however the bytes arrive. llhttp begins anew with each request. */
#include "http_head.h"

#include <string.h>

const struct http_limits magi_http_limits = {
	.target = HTTP_TARGET_MAX, .head = HTTP_HEADERS_MAX, .fields = HTTP_FIELDS_MAX, .body = HTTP_BODY_MAX
};

void magi_http_parser_init(struct http_parser *p, const struct http_limits *limits)
{
	memset(p, 0, sizeof *p);
	p->limits = limits;
	magi_http_head_begin(p);
}

/* Before a request one empty line is tolerated (RFC 9112, 2.2), and only with a whole line end. */
static size_t start(struct http_parser *p, const char *s)
{
	if (p->phase == HTTP_PHASE_BLANK ? *s != '\n' : *s == '\r' && p->blank) {
		magi_http_fail(p, 400);
	} else if (p->phase == HTTP_PHASE_BLANK) {
		p->blank = true;
		p->phase = HTTP_PHASE_START;
	} else if (*s == '\r') {
		p->phase = HTTP_PHASE_BLANK;
	} else {
		p->phase = HTTP_PHASE_LINE;
		return 0;
	}
	return 1;
}

static void end_head(struct http_parser *p)
{
	p->event = HTTP_BEGUN;
	p->body_began = p->chunked || p->left;
	if (p->chunked)
		p->phase = HTTP_PHASE_CHUNK_LINE;
	else
		p->phase = p->left ? HTTP_PHASE_BODY : HTTP_PHASE_READY;
}

static void end_body(struct http_parser *p)
{
	p->event = HTTP_READY;
	p->phase = HTTP_PHASE_READY;
}

/* A piece of the head or of the trailer. */
static size_t lines(struct http_parser *p, const char *s, size_t n)
{
	int status;
	size_t good = magi_http_guard_walk(&p->guard, s, n, &status);

	if (magi_http_feed(p, s, good) < 0)
		return n;
	if (status) {
		magi_http_fail(p, status);
		return n;
	}
	if (p->phase != HTTP_PHASE_TRAILER) {
		if (p->phase == HTTP_PHASE_LINE && !p->guard.request)
			p->fields_at = p->head_bytes + p->guard.line_end;
		p->head_bytes += (uint32_t)good;
		p->phase = p->guard.request ? HTTP_PHASE_LINE : HTTP_PHASE_FIELDS;
	}
	if (p->guard.done != (p->phase == HTTP_PHASE_TRAILER ? p->ended : p->head_done))
		magi_http_fail(p, 400); /* the two disagree about where the head ends: that can only be an attack */
	else if (!p->guard.done)
		return good;
	else if (p->phase == HTTP_PHASE_TRAILER)
		end_body(p);
	else
		end_head(p);
	return good;
}

static void give(struct http_parser *p, const char *s, size_t n)
{
	p->event = HTTP_DATA;
	p->piece = s;
	p->piece_len = n;
}

/* The body's end is told by a call of its own, behind its last piece. */
static size_t body(struct http_parser *p, const char *s, size_t n)
{
	size_t took = n < p->left ? n : (size_t)p->left;

	if (took)
		give(p, s, took);
	p->left -= took;
	return took;
}

void magi_http_skip(struct http_parser *p, size_t bytes)
{
	p->left -= bytes;
}

/* llhttp has parsed a chunk-size line to its end, or says that it has not. */
static int open_chunk(struct http_parser *p)
{
	if (!p->chunk_done)
		return magi_http_fail(p, 400);
	if (p->left > p->body_max - p->body || p->framing > p->body_max)
		return magi_http_fail(p, 413);
	p->line = 0;
	p->body += p->left;
	if (p->left) {
		p->left += 2; /* its line end */
		p->phase = HTTP_PHASE_CHUNK_DATA;
	} else {
		magi_http_guard_trailer(&p->guard);
		p->phase = HTTP_PHASE_TRAILER;
	}
	return 0;
}

static size_t chunk_line(struct http_parser *p, const char *s, size_t n)
{
	size_t took = n < HTTP_CHUNK_LINE_MAX - p->line ? n : HTTP_CHUNK_LINE_MAX - p->line;
	const char *lf = memchr(s, '\n', took);

	if (lf)
		took = (size_t)(lf - s) + 1;
	p->chunk_done = false;
	if (magi_http_feed(p, s, took) < 0)
		return n;
	p->line += (uint32_t)took;
	p->framing += (uint32_t)took;
	if (lf)
		open_chunk(p);
	else if (took < n)
		magi_http_fail(p, 400);
	return took;
}

static size_t chunk_data(struct http_parser *p, const char *s, size_t n)
{
	size_t took = n < p->left ? n : (size_t)p->left, data = p->left > 2 ? (size_t)p->left - 2 : 0;

	if (magi_http_feed(p, s, took) < 0)
		return n;
	if (data)
		give(p, s, took < data ? took : data);
	p->left -= took;
	if (p->left == 0)
		p->phase = HTTP_PHASE_CHUNK_LINE;
	return took;
}

static size_t step(struct http_parser *p, const char *s, size_t n)
{
	switch (p->phase) {
	case HTTP_PHASE_START:
	case HTTP_PHASE_BLANK:
		return start(p, s);
	case HTTP_PHASE_BODY:
		return body(p, s, n);
	case HTTP_PHASE_CHUNK_LINE:
		return chunk_line(p, s, n);
	case HTTP_PHASE_CHUNK_DATA:
		return chunk_data(p, s, n);
	default:
		return lines(p, s, n);
	}
}

int magi_http_parse(struct http_parser *p, const char *buf, size_t len, size_t *used)
{
	size_t at = 0;

	if (p->phase == HTTP_PHASE_READY) {
		if (p->keep_alive)
			magi_http_head_begin(p);
		else
			p->phase = HTTP_PHASE_CLOSED;
	}
	p->event = HTTP_MORE;
	if (p->phase == HTTP_PHASE_BODY && !p->judged) {
		p->judged = true;
		if (p->left > p->body_max)
			magi_http_fail(p, 413);
	}
	while (at < len && p->phase < HTTP_PHASE_READY && p->event == HTTP_MORE && !magi_http_body_at_end(p))
		at += step(p, buf + at, len - at);
	*used = at;
	if (p->event == HTTP_MORE && magi_http_body_at_end(p))
		end_body(p);
	if (p->phase == HTTP_PHASE_CLOSED) {
		*used = len;
		if (p->status == 0 || p->reported)
			return HTTP_MORE;
		p->reported = true;
		p->keep_alive = false;
		return HTTP_ERROR;
	}
	return p->event;
}
