/* SPDX-License-Identifier: MIT */
/* http2_answer.c - what the task of a stream writes: the text of its answer, from which nghttp2 takes the body. */
#include <errno.h>
#include <string.h>

#include "http2.h"

static int digit(char c)
{
	return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* One character between the chunks, which the server has put there itself. */
static void skip(struct http2_stream *s, char c)
{
	if (s->framing == HTTP2_SIZE && c == '\n')
		s->framing = s->left ? HTTP2_CHUNK : HTTP2_WHOLE;
	else if (s->framing == HTTP2_SIZE && c != '\r')
		s->left = s->left * 16 + (uint64_t)digit(c);
	else if (s->framing == HTTP2_TAIL && c == '\n')
		s->framing = HTTP2_SIZE;
}

/* Takes of the body what there is room for. */
static size_t take(struct http2_stream *s, void *out, size_t room)
{
	size_t n = 0, run;

	while (s->lent_len && s->framing != HTTP2_WHOLE) {
		if (s->framing == HTTP2_SIZE || s->framing == HTTP2_TAIL) {
			skip(s, *s->lent++);
			s->lent_len--;
			continue;
		}
		if (n == room)
			return n;
		run = room - n < s->lent_len ? room - n : s->lent_len;
		run = run < s->left ? run : (size_t)s->left;
		memcpy((char *)out + n, s->lent, run);
		n += run;
		s->lent += run;
		s->lent_len -= run;
		s->left -= run;
		if (s->left == 0)
			s->framing = s->framing == HTTP2_CHUNK ? HTTP2_TAIL : HTTP2_WHOLE;
	}
	if (s->framing == HTTP2_WHOLE) /* the empty line behind the last chunk */
		s->lent_len = 0;
	return n;
}

static bool is_taken(struct http2_stream *s)
{
	if (s->lent_len)
		return false;
	s->lent = NULL;
	return true;
}

ssize_t magi_http2_source(nghttp2_session *session, int32_t id, uint8_t *out, size_t room, uint32_t *flags,
			  nghttp2_data_source *source, void *user)
{
	struct http2_stream *s = source->ptr;
	size_t n = s->held_len - s->held_at < room ? s->held_len - s->held_at : room;

	(void)session, (void)id, (void)user;
	memcpy(out, s->text + s->held_at, n);
	s->held_at += (uint32_t)n;
	if (s->held_at == s->held_len)
		s->held_at = s->held_len = 0;
	if (s->lent && !s->held_len) {
		n += take(s, out + n, room - n);
		if (is_taken(s))
			mag_event_set(&s->out);
	}
	if (s->framing == HTTP2_WHOLE && !s->held_len)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	else if (n == 0)
		return NGHTTP2_ERR_DEFERRED;
	return (ssize_t)n;
}

/* What is small needs not to wait: the request's text has been read, and leaves room. */
static void hold(struct http2_stream *s)
{
	if (s->text_at < s->text_len || s->held_len)
		return;
	s->held_len = (uint32_t)take(s, s->text, s->text_size);
}

int64_t magi_http2_write(struct http2_stream *s, const char *data, size_t size)
{
	size_t at = s->taken;
	int64_t n;

	s->taken = 0;
	if (at)
		return (int64_t)at;
	if (s->dead)
		return -EPIPE;
	mag_event_set(&s->h2->wanted);
	while (s->framing == HTTP2_HEAD && at < size) {
		n = magi_http2_head(s, data + at, size - at);
		if (n < 0)
			return n;
		at += (size_t)n;
	}
	if (at == size || s->framing == HTTP2_WHOLE)
		return (int64_t)size;
	s->lent = data + at;
	s->lent_len = size - at;
	s->lent_of = size;
	hold(s);
	nghttp2_session_resume_data(s->h2->session, s->id);
	if (is_taken(s))
		return (int64_t)size;
	mag_event_reset(&s->out);
	return -EAGAIN;
}

void magi_http2_unlend(struct http2_stream *s)
{
	s->taken = s->lent_of - s->lent_len;
	s->lent = NULL;
	s->lent_len = 0;
}
