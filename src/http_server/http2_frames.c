/* SPDX-License-Identifier: MIT */
/* http2_frames.c - what nghttp2 tells of what has come and what was sent. All of it is told under the session's lock. */
#include "http2.h"

static struct http2_stream *stream_of(nghttp2_session *session, int32_t id)
{
	return nghttp2_session_get_stream_user_data(session, id);
}

/* A client that asks for too much of what costs it nothing. */
static int calm(struct http2 *h2)
{
	return nghttp2_session_terminate_session(h2->session, NGHTTP2_ENHANCE_YOUR_CALM);
}

static int noise(struct http2 *h2)
{
	return magi_http2_spend(&h2->noise, HTTP2_NOISE, HTTP2_NOISE_S) ? 0 : calm(h2);
}

/* Those that carry nothing are counted; but those of unknown types, which nghttp2 skips without a word, and at no cost. */
static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *hd, void *user)
{
	(void)session;
	switch (hd->type) {
	case NGHTTP2_DATA:
		return hd->length || (hd->flags & NGHTTP2_FLAG_END_STREAM) ? 0 : noise(user);
	case NGHTTP2_HEADERS:
	case NGHTTP2_WINDOW_UPDATE:
	case NGHTTP2_RST_STREAM:
		return 0;
	default:
		return noise(user);
	}
}

/* Streams that were reset and whose tasks have not ended yet count, but a client that is quick may be a little ahead. */
static bool is_full(const struct http2 *h2)
{
	return h2->tasks >= 2 * h2->c->server->options.streams;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct http2 *h2 = user;
	struct http2_stream *s;

	h2->head_since = h2->c->now;
	h2->head_of = frame->hd.stream_id;
	if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	s = is_full(h2) ? NULL : magi_http2_stream_new(h2, frame->hd.stream_id);
	if (!s)
		return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_REFUSED_STREAM);
	return nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, s);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, nghttp2_rcbuf *name, nghttp2_rcbuf *value,
		     uint8_t flags, void *user)
{
	struct http2 *h2 = user;
	struct http2_stream *s = stream_of(session, frame->hd.stream_id);

	(void)flags;
	/* one byte may mean a field of some KiB that came before */
	if (s && s->fields > 4 * h2->c->server->limits.fields)
		return calm(h2);
	if (!s || frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	return magi_http2_field(s, name, value);
}

/* All of a request has come. */
static void asked(struct http2_stream *s)
{
	s->asked = true;
	mag_event_set(&s->in);
}

static int begin_request(struct http2 *h2, struct http2_stream *s)
{
	int rc = magi_http2_fields_end(s);

	if (rc)
		return rc;
	s->has_task = true;
	h2->tasks++;
	*h2->fresh_tail = s;
	h2->fresh_tail = &s->next_fresh;
	return 0;
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct http2 *h2 = user;
	struct http2_stream *s = frame->hd.stream_id ? stream_of(session, frame->hd.stream_id) : NULL;

	if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) && h2->draining && !h2->noticed)
		magi_http2_goodbye(h2);
	if (frame->hd.type == NGHTTP2_WINDOW_UPDATE &&
	    frame->window_update.window_size_increment < HTTP2_SMALL_WINDOW)
		return noise(h2);
	if (frame->hd.type == NGHTTP2_HEADERS)
		h2->head_since = 0;
	if (!s || (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA))
		return 0;
	if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
		asked(s);
	if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
		return begin_request(h2, s);
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t n, void *user)
{
	struct http2_stream *s = stream_of(session, id);

	(void)flags, (void)user;
	if (s)
		return magi_http2_body_came(s, bytes, n);
	return nghttp2_session_consume_connection(session, n);
}

/* The answer is complete. What is left of the request its task has read away, as far as the limits go: only then is the
 * client told that it is of no use, since there are some that take that for an error. */
static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct http2_stream *s;

	(void)user;
	if ((frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) ||
	    !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
		return 0;
	s = stream_of(session, frame->hd.stream_id);
	if (!s)
		return 0;
	s->answered = true;
	if (s->asked || s->has_task)
		return 0;
	return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, s->id, NGHTTP2_NO_ERROR);
}

/* A head that is too large even for us. */
static int on_frame_not_sent(nghttp2_session *session, const nghttp2_frame *frame, int error, void *user)
{
	(void)user;
	if (frame->hd.type != NGHTTP2_HEADERS || error == NGHTTP2_ERR_STREAM_CLOSED ||
	    error == NGHTTP2_ERR_STREAM_CLOSING)
		return 0;
	return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_INTERNAL_ERROR);
}

/* It waits for a task no more: it is in the list only until the bytes at hand are parsed. */
static void unqueue(struct http2 *h2, struct http2_stream *s)
{
	for (struct http2_stream **at = &h2->fresh; *at; at = &(*at)->next_fresh) {
		if (*at != s)
			continue;
		*at = s->next_fresh;
		if (h2->fresh_tail == &s->next_fresh)
			h2->fresh_tail = at;
		magi_http2_task_over(s);
		return;
	}
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *user)
{
	struct http2 *h2 = user;
	struct http2_stream *s = stream_of(session, id);
	int rc = 0;

	if (h2->head_of == id) /* what was wrong with its head comes to no end */
		h2->head_since = 0;
	/* whoever has reset it, and with whatever code: there are ways to make us do so */
	if ((error || (s && !s->answered)) && !magi_http2_spend(&h2->resets, HTTP2_RESETS, HTTP2_RESETS_S))
		rc = calm(h2);
	if (!s)
		return rc;
	s->known = false;
	if (error || !s->asked || !s->answered)
		magi_http2_stream_cut(s);
	if (!s->conn)
		unqueue(h2, s);
	if (s->dead || !s->has_task) /* a task that has answered may read its body yet */
		magi_http2_body_drop(s);
	magi_http2_stream_release(s);
	return rc;
}

void magi_http2_listen(nghttp2_session_callbacks *c)
{
	nghttp2_session_callbacks_set_on_begin_frame_callback(c, on_begin_frame);
	nghttp2_session_callbacks_set_on_begin_headers_callback(c, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback2(c, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(c, on_frame_recv);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_data);
	nghttp2_session_callbacks_set_on_frame_send_callback(c, on_frame_send);
	nghttp2_session_callbacks_set_on_frame_not_send_callback(c, on_frame_not_sent);
	nghttp2_session_callbacks_set_on_stream_close_callback(c, on_stream_close);
}
