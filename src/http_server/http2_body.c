/* SPDX-License-Identifier: MIT */
/* http2_body.c - what the task of a stream reads: the text of its request, then the body as it comes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http2.h"

static void opened(struct http2 *h2)
{
	if (nghttp2_session_want_write(h2->session))
		mag_event_set(&h2->wanted);
}

void magi_http2_body_drop(struct http2_stream *s)
{
	uint32_t n = s->body_len - s->body_at;

	s->body_at = s->body_len = 0;
	if (n) {
		nghttp2_session_consume_connection(s->h2->session, n);
		opened(s->h2);
	}
}

/* The windows see to it that this is finite. */
static bool make_room(struct http2_stream *s, size_t n)
{
	size_t want = s->body_len - s->body_at + n, size = s->body_size ? s->body_size : 4096;
	char *bigger;

	if (s->body_len + n <= s->body_size)
		return true;
	if (want <= s->body_size) {
		memmove(s->body, s->body + s->body_at, s->body_len - s->body_at);
		s->body_len -= s->body_at;
		s->body_at = 0;
		return true;
	}
	while (size < s->body_len + n)
		size *= 2;
	bigger = realloc(s->body, size);
	if (!bigger)
		return false;
	s->body = bigger;
	s->body_size = (uint32_t)size;
	return true;
}

int magi_http2_body_came(struct http2_stream *s, const uint8_t *bytes, size_t n)
{
	if (s->dead || !s->has_task) {
		nghttp2_session_consume_connection(s->h2->session, n);
		return 0;
	}
	if (!make_room(s, n)) {
		nghttp2_session_consume_connection(s->h2->session, n);
		return nghttp2_submit_rst_stream(s->h2->session, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_INTERNAL_ERROR);
	}
	memcpy(s->body + s->body_len, bytes, n);
	s->body_len += (uint32_t)n;
	mag_event_set(&s->in);
	return 0;
}

static size_t move(char *to, size_t room, const char *from, uint32_t *at, uint32_t end)
{
	size_t n = end - *at < room ? end - *at : room;

	memcpy(to, from + *at, n);
	*at += (uint32_t)n;
	return n;
}

/* The body's next bytes. */
static size_t take_body(struct http2_stream *s, char *to, size_t room)
{
	size_t n;

	if (!s->body)
		return 0;
	n = move(to, room, s->body, &s->body_at, s->body_len);
	if (s->body_at == s->body_len)
		s->body_at = s->body_len = 0;
	if (n) {
		nghttp2_session_consume(s->h2->session, s->id, n);
		opened(s->h2);
	}
	return n;
}

/* What stands around the next chunk. False: nothing is known of one. */
static bool begin_chunk(struct http2_stream *s, const char *before)
{
	uint32_t there = s->body_len - s->body_at;

	if (!there && !s->asked)
		return false;
	s->around_at = 0;
	s->around_len = (uint8_t)snprintf(s->around, sizeof s->around, "%s%x\r\n%s", before, there, there ? "" : "\r\n");
	s->chunk_left = there;
	s->last_told = !there;
	return true;
}

/* The body in chunks, each as much as has come. */
static size_t take_chunks(struct http2_stream *s, char *to, size_t room)
{
	size_t n = 0, got;

	while (n < room) {
		if (s->around_at < s->around_len) {
			while (n < room && s->around_at < s->around_len)
				to[n++] = s->around[s->around_at++];
		} else if (s->chunk_left) {
			got = take_body(s, to + n, s->chunk_left < room - n ? s->chunk_left : room - n);
			s->chunk_left -= (uint32_t)got;
			n += got;
		} else if (s->last_told || !begin_chunk(s, s->around_len ? "\r\n" : "")) {
			break;
		}
	}
	return n;
}

int64_t magi_http2_read(struct http2_stream *s, char *buf, size_t size)
{
	size_t n;

	if (s->text_at < s->text_len)
		return (int64_t)move(buf, size, s->text, &s->text_at, s->text_len);
	if (s->dead)
		return -ECONNRESET;
	n = s->chunked ? take_chunks(s, buf, size) : take_body(s, buf, size);
	if (n)
		return (int64_t)n;
	return s->asked ? 0 : -EAGAIN;
}
