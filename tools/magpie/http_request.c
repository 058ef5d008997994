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

void http_parser_init(struct http_parser *p, char *spill, size_t spill_len)
{
	memset(p, 0, sizeof *p);
	p->spill = spill;
	p->spill_len = (uint32_t)(spill_len < HTTP_TARGET_MAX ? spill_len : HTTP_TARGET_MAX);
	http_head_begin(p);
}

/* Before a request one empty line is tolerated (RFC 9112, 2.2), and only with a whole line end. */
static size_t start(struct http_parser *p, const char *s)
{
	if (p->phase == HTTP_PHASE_BLANK ? *s != '\n' : *s == '\r' && p->blank) {
		http_fail(p, 400);
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

/* A piece of the head or of the trailer. */
static size_t lines(struct http_parser *p, const char *s, size_t n)
{
	int status;
	size_t good = http_guard_walk(&p->guard, s, n, &status);

	if (http_feed(p, s, good) < 0)
		return n;
	if (status) {
		http_fail(p, status);
		return n;
	}
	if (p->phase != HTTP_PHASE_TRAILER) {
		p->head_bytes += (uint32_t)good;
		p->phase = p->guard.request ? HTTP_PHASE_LINE : HTTP_PHASE_FIELDS;
	}
	if (p->guard.done != (p->phase == HTTP_PHASE_TRAILER ? p->ended : p->head_done))
		http_fail(p, 400); /* the two disagree about where the head ends: that can only be an attack */
	else if (!p->guard.done)
		return good;
	else if (p->phase == HTTP_PHASE_TRAILER)
		p->phase = HTTP_PHASE_READY;
	else if (p->chunked)
		p->phase = HTTP_PHASE_CHUNK_LINE;
	else
		p->phase = p->left ? HTTP_PHASE_BODY : HTTP_PHASE_READY;
	return good;
}

static size_t body(struct http_parser *p, size_t n)
{
	size_t took = n < p->left ? n : (size_t)p->left;

	p->left -= took;
	if (p->left == 0)
		p->phase = HTTP_PHASE_READY;
	return took;
}

/* llhttp has parsed a chunk-size line to its end, or says that it has not. */
static int open_chunk(struct http_parser *p)
{
	if (!p->chunk_done)
		return http_fail(p, 400);
	if (p->left > HTTP_BODY_MAX - p->body || p->framing > HTTP_BODY_MAX)
		return http_fail(p, 413);
	p->line = 0;
	p->body += (uint32_t)p->left;
	if (p->left) {
		p->left += 2; /* its line end */
		p->phase = HTTP_PHASE_CHUNK_DATA;
	} else {
		http_guard_trailer(&p->guard);
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
	if (http_feed(p, s, took) < 0)
		return n;
	p->line += (uint32_t)took;
	p->framing += (uint32_t)took;
	if (lf)
		open_chunk(p);
	else if (took < n)
		http_fail(p, 400);
	return took;
}

static size_t chunk_data(struct http_parser *p, const char *s, size_t n)
{
	size_t took = n < p->left ? n : (size_t)p->left;

	if (http_feed(p, s, took) < 0)
		return n;
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
		return body(p, n);
	case HTTP_PHASE_CHUNK_LINE:
		return chunk_line(p, s, n);
	case HTTP_PHASE_CHUNK_DATA:
		return chunk_data(p, s, n);
	default:
		return lines(p, s, n);
	}
}

int http_parse(struct http_parser *p, const char *buf, size_t len, size_t *used)
{
	size_t at = 0;

	if (p->phase == HTTP_PHASE_READY) {
		if (p->keep_alive)
			http_head_begin(p);
		else
			p->phase = HTTP_PHASE_CLOSED;
	}
	while (at < len && p->phase < HTTP_PHASE_READY)
		at += step(p, buf + at, len - at);
	*used = at;
	if (p->phase == HTTP_PHASE_READY)
		return HTTP_READY;
	if (p->phase == HTTP_PHASE_CLOSED) {
		*used = len;
		if (p->status == 0 || p->reported)
			return HTTP_MORE;
		p->reported = true;
		p->keep_alive = false;
		return HTTP_ERROR;
	}
	if (p->target && p->target != p->spill) {
		/* the buffer goes back to the reader before the request is complete */
		memcpy(p->spill, p->target, p->target_len < p->spill_len ? p->target_len : p->spill_len);
		p->target = p->spill;
	}
	return HTTP_MORE;
}

bool http_since_is(const struct http_parser *p, const char date[HTTP_DATE_LEN])
{
	return p->seen.since_len == HTTP_DATE_LEN && !p->seen.etag && memcmp(p->seen.since, date, HTTP_DATE_LEN) == 0;
}
