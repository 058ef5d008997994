/* SPDX-License-Identifier: MIT */
/* http2_head.c - from the text of an answer's head, which the server has composed itself, to fields. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http2.h"

enum { FIELDS = 24 }; /* for which no memory is asked; picked */

struct head {
	nghttp2_nv *fields;
	size_t count;
	uint64_t length;
	bool sized, chunked;
};

static nghttp2_nv field(const char *name, size_t name_len, const char *value, size_t value_len)
{
	return (nghttp2_nv){ (uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, name_len, value_len,
			     NGHTTP2_NV_FLAG_NONE };
}

static bool is(const char *name, size_t n, const char *word)
{
	return n == strlen(word) && strncasecmp(name, word, n) == 0;
}

/* Those that are of a connection have no place here (RFC 9113, 8.2.2). */
static void put(struct head *h, const char *name, size_t name_len, const char *value, size_t value_len)
{
	if (is(name, name_len, "transfer-encoding")) {
		h->chunked = true;
		return;
	}
	if (is(name, name_len, "connection") || is(name, name_len, "upgrade") || is(name, name_len, "keep-alive") ||
	    is(name, name_len, "proxy-connection"))
		return;
	if (is(name, name_len, "content-length")) {
		h->sized = true;
		h->length = strtoull(value, NULL, 10);
	}
	h->fields[h->count++] = field(name, name_len, value, value_len);
}

/* The lines behind the first one; each is a field. */
static void take_fields(struct head *h, const char *at, const char *end)
{
	while (at < end) {
		const char *line_end = memchr(at, '\r', (size_t)(end - at));
		const char *colon = memchr(at, ':', (size_t)(line_end - at)), *value = colon + 1;

		while (value < line_end && (*value == ' ' || *value == '\t'))
			value++;
		put(h, at, (size_t)(colon - at), value, (size_t)(line_end - value));
		at = line_end + 2;
	}
}

static size_t count_lines(const char *at, const char *end)
{
	size_t n = 0;

	for (; at < end && (at = memchr(at, '\n', (size_t)(end - at))); at++)
		n++;
	return n;
}

/* What follows it. */
static enum http2_framing framing_of(const struct http2_stream *s, const struct head *h, int status)
{
	if (status < 200)
		return HTTP2_HEAD;
	if (s->head_only || magi_http_bodiless(status) || (!h->chunked && h->length == 0))
		return HTTP2_WHOLE;
	return h->chunked ? HTTP2_SIZE : HTTP2_LENGTH;
}

static int submit(struct http2_stream *s, const struct head *h, int status)
{
	nghttp2_data_provider source = { .source.ptr = s, .read_callback = magi_http2_source };
	nghttp2_session *session = s->h2->session;
	int rc;

	s->framing = (uint8_t)framing_of(s, h, status);
	s->left = s->framing == HTTP2_LENGTH ? h->length : 0;
	if (s->framing == HTTP2_HEAD)
		rc = nghttp2_submit_headers(session, NGHTTP2_FLAG_NONE, s->id, NULL, h->fields, h->count, NULL);
	else
		rc = nghttp2_submit_response(session, s->id, h->fields, h->count,
					     s->framing == HTTP2_WHOLE ? NULL : &source);
	s->failed |= rc < 0;
	return rc == NGHTTP2_ERR_NOMEM ? -ENOMEM : rc < 0 ? -EPIPE : 0;
}

int64_t magi_http2_head(struct http2_stream *s, const char *text, size_t size)
{
	const char *end = memmem(text, size, "\r\n\r\n", 4), *first = end ? memchr(text, '\n', size) : NULL;
	nghttp2_nv few[FIELDS];
	struct head h = { .fields = few };
	size_t lines;
	int rc;

	if (!end || first - text < 13)
		return -EPROTO;
	lines = first < end ? count_lines(first, end) + 2 : 2;
	if (lines > FIELDS)
		h.fields = malloc(lines * sizeof *h.fields);
	if (!h.fields)
		return -ENOMEM;
	h.fields[h.count++] = field(":status", 7, text + 9, 3);
	take_fields(&h, first + 1, end + 2);
	rc = submit(s, &h, atoi(text + 9));
	if (h.fields != few)
		free(h.fields);
	return rc < 0 ? rc : end + 4 - text;
}
