/* SPDX-License-Identifier: MIT */
/* http2_request.c - from the fields of a request to the text of one of HTTP/1.1, which is judged as such. nghttp2 has seen
 * by then that names and values have no line ends, and that no field is of the connection (RFC 9113, 8.2). */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http2.h"

/* What is beyond is dropped, the head's end as well: by then the target or the fields are above their limits. */
static uint32_t text_max(const struct http2_stream *s)
{
	const struct http_limits *l = &s->h2->c->server->limits;

	return l->target + l->head + 512;
}

static bool grow(struct http2_stream *s, uint32_t want)
{
	uint32_t size = s->text_size * 2 > want ? s->text_size * 2 : want;
	char *bigger = realloc(s->text == s->own ? NULL : s->text, size);

	if (!bigger)
		return false;
	if (s->text == s->own)
		memcpy(bigger, s->own, s->text_len);
	s->text = bigger;
	s->text_size = size;
	return true;
}

/* At a place of the text. False: memory is out. */
static bool put_at(struct http2_stream *s, uint32_t at, const void *bytes, size_t length)
{
	uint32_t room = text_max(s) - s->text_len, n = length < room ? (uint32_t)length : room;

	if (s->text_len + n > s->text_size && !grow(s, s->text_len + n))
		return false;
	memmove(s->text + at + n, s->text + at, s->text_len - at);
	memcpy(s->text + at, bytes, n);
	s->text_len += n;
	return true;
}

static bool put(struct http2_stream *s, const void *bytes, size_t n)
{
	return put_at(s, s->text_len, bytes, n);
}

#define PUT(s, literal) put((s), (literal), sizeof(literal) - 1)

static nghttp2_vec bytes_of(nghttp2_rcbuf *b)
{
	return b ? nghttp2_rcbuf_get_buf(b) : (nghttp2_vec){ (uint8_t *)(uintptr_t)"", 0 };
}

static bool is(nghttp2_vec name, const char *word)
{
	return name.len == strlen(word) && memcmp(name.base, word, name.len) == 0;
}

static bool put_field(struct http2_stream *s, nghttp2_vec name, nghttp2_vec value)
{
	return put(s, name.base, name.len) && PUT(s, ": ") && put(s, value.base, value.len) && PUT(s, "\r\n");
}

/* The request's line, and whom it is for. */
static bool begin(struct http2_stream *s)
{
	nghttp2_vec method = bytes_of(s->method), authority = bytes_of(s->authority);
	nghttp2_vec target = s->path ? bytes_of(s->path) : authority; /* CONNECT has none */

	s->begun = true;
	s->head_only = is(method, "HEAD");
	if (!put(s, method.base, method.len) || !PUT(s, " ") || !put(s, target.base, target.len) ||
	    !PUT(s, " HTTP/1.1\r\n"))
		return false;
	return !s->authority || put_field(s, (nghttp2_vec){ (uint8_t *)(uintptr_t)"host", 4 }, authority);
}

/* What would be another request's line as text is none. */
static bool is_line(nghttp2_vec value)
{
	for (size_t i = 0; i < value.len; i++)
		if (value.base[i] <= ' ' || value.base[i] == 0x7f)
			return false;
	return value.len > 0;
}

static int keep(nghttp2_rcbuf **place, nghttp2_rcbuf *value)
{
	if (*place || !is_line(bytes_of(value)))
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	nghttp2_rcbuf_incref(value);
	*place = value;
	return 0;
}

static int pseudo(struct http2_stream *s, nghttp2_vec name, nghttp2_rcbuf *value)
{
	if (is(name, ":method"))
		return keep(&s->method, value);
	if (is(name, ":path"))
		return keep(&s->path, value);
	if (is(name, ":authority") && bytes_of(value).len)
		return keep(&s->authority, value);
	return 0;
}

/* Clients send each cookie in a field of its own; in HTTP/1.1 there is one (RFC 9113, 8.2.3). */
static bool put_cookie(struct http2_stream *s, nghttp2_vec name, nghttp2_vec value)
{
	const uint32_t before = s->text_len;

	if (!s->cookie_end) {
		if (!put_field(s, name, value))
			return false;
		s->cookie_end = s->text_len - 2;
		return true;
	}
	if (!put_at(s, s->cookie_end, "; ", 2) || !put_at(s, s->cookie_end + 2, value.base, value.len))
		return false;
	s->cookie_end += s->text_len - before;
	return true;
}

int magi_http2_field(struct http2_stream *s, nghttp2_rcbuf *name_of, nghttp2_rcbuf *value_of)
{
	nghttp2_vec name = bytes_of(name_of), value = bytes_of(value_of), authority = bytes_of(s->authority);
	bool put_it;

	if (name.len && *name.base == ':')
		return pseudo(s, name, value_of);
	if (!s->begun && !begin(s))
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	s->fields++;
	/* a second host, unless it is the same, is found to be one too many */
	if (is(name, "host") && authority.len == value.len && !strncasecmp((char *)authority.base, (char *)value.base, value.len))
		return 0;
	s->sized |= is(name, "content-length");
	put_it = is(name, "cookie") ? put_cookie(s, name, value) : put_field(s, name, value);
	return put_it ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

int magi_http2_fields_end(struct http2_stream *s)
{
	bool good = s->begun || begin(s);

	s->chunked = !s->asked && !s->sized;
	if (good && s->chunked)
		good = PUT(s, "transfer-encoding: chunked\r\n");
	return good && PUT(s, "\r\n") ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}
