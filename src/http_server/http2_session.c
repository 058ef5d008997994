/* SPDX-License-Identifier: MIT */
/* http2_session.c - a connection's session: its settings, what comes, what goes, its end. */
#include <stdlib.h>
#include <string.h>

#include "http2.h"

static int settle(struct http2 *h2)
{
	const mag_http_server_options *o = &h2->c->server->options;
	const nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, o->streams },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, o->head_max + o->target_max },
		{ NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1 },
	};
	int rc = nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, settings, sizeof settings / sizeof settings[0]);

	return rc ? rc : nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0, HTTP2_WINDOW_ALL);
}

static int start(struct http2 *h2)
{
	nghttp2_session_callbacks *callbacks;
	nghttp2_option *option;
	int rc = nghttp2_session_callbacks_new(&callbacks);

	if (rc)
		return rc;
	rc = nghttp2_option_new(&option);
	if (rc == 0) {
		nghttp2_option_set_no_auto_window_update(option, 1);
		nghttp2_option_set_no_closed_streams(option, 1);
		nghttp2_option_set_max_send_header_block_length(option, 2 * 64 * 1024); /* twice what handlers may add */
		magi_http2_listen(callbacks);
		rc = nghttp2_session_server_new2(&h2->session, callbacks, h2, option);
		nghttp2_option_del(option);
	}
	nghttp2_session_callbacks_del(callbacks);
	if (rc)
		return rc;
	rc = settle(h2);
	if (rc)
		nghttp2_session_del(h2->session);
	return rc;
}

struct http2 *magi_http2_new(struct http_conn *c)
{
	struct http2 *h2 = calloc(1, sizeof *h2);

	if (!h2)
		return NULL;
	h2->c = c;
	h2->fresh_tail = &h2->fresh;
	h2->idle_since = magi_http_clock();
	if (start(h2)) {
		free(h2);
		return NULL;
	}
	pthread_mutex_init(&h2->lock, NULL);
	mag_event_init(&h2->wanted);
	mag_event_init(&h2->written);
	return h2;
}

void magi_http2_free(struct http2 *h2)
{
	struct http2_stream *s, *next;

	nghttp2_session_del(h2->session);
	for (s = h2->streams; s; s = next) {
		next = s->next;
		s->known = s->has_task = false;
		magi_http2_stream_release(s);
	}
	mag_event_fini(&h2->wanted);
	mag_event_fini(&h2->written);
	pthread_mutex_destroy(&h2->lock);
	free(h2);
}

/* An answer's head for each stream, and as much again for what is said about them. */
static size_t queue_max(const struct http2 *h2)
{
	return HTTP2_QUEUE + 2 * (size_t)h2->c->server->options.streams;
}

bool magi_http2_take(struct http2 *h2, const void *bytes, size_t n)
{
	bool goes_on;

	pthread_mutex_lock(&h2->lock);
	goes_on = nghttp2_session_mem_recv(h2->session, bytes, n) >= 0;
	if (nghttp2_session_want_write(h2->session))
		mag_event_set(&h2->wanted);
	goes_on = goes_on && !h2->broken && nghttp2_session_want_read(h2->session) &&
		  nghttp2_session_get_outbound_queue_size(h2->session) < queue_max(h2);
	h2->ended |= !goes_on;
	pthread_mutex_unlock(&h2->lock);
	return goes_on;
}

void magi_http2_end_session(struct http2 *h2)
{
	h2->ended = true;
	if (h2->pause)
		mag_scope_cancel(h2->pause);
}

void magi_http2_reset(struct http2_stream *s, uint32_t error)
{
	if (nghttp2_submit_rst_stream(s->h2->session, NGHTTP2_FLAG_NONE, s->id, error))
		magi_http2_end_session(s->h2);
	mag_event_set(&s->h2->wanted);
}

size_t magi_http2_put(struct http2 *h2, char *out, size_t room)
{
	const uint8_t *frame;
	ssize_t got = 0;
	size_t n = 0;

	pthread_mutex_lock(&h2->lock);
	while (!h2->broken && room - n >= HTTP2_FRAME && (got = nghttp2_session_mem_send(h2->session, &frame)) > 0) {
		memcpy(out + n, frame, (size_t)got);
		n += (size_t)got;
	}
	h2->broken |= got < 0;
	/* only when its last words are sent nghttp2 says so */
	if (!h2->ended && (h2->broken || !nghttp2_session_want_read(h2->session)))
		magi_http2_end_session(h2);
	if (n == 0)
		mag_event_reset(&h2->wanted);
	h2->sent += n;
	pthread_mutex_unlock(&h2->lock);
	return n;
}

void magi_http2_cut(struct http2 *h2)
{
	pthread_mutex_lock(&h2->lock);
	for (struct http2_stream *s = h2->streams; s; s = s->next)
		magi_http2_stream_cut(s);
	pthread_mutex_unlock(&h2->lock);
}

void magi_http2_notice(struct http2 *h2)
{
	pthread_mutex_lock(&h2->lock);
	h2->draining = true;
	nghttp2_submit_shutdown_notice(h2->session);
	nghttp2_submit_ping(h2->session, NGHTTP2_FLAG_NONE, NULL);
	mag_event_set(&h2->wanted);
	pthread_mutex_unlock(&h2->lock);
}

void magi_http2_goodbye(struct http2 *h2)
{
	h2->noticed = true;
	nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(h2->session),
			      NGHTTP2_NO_ERROR, NULL, 0);
	mag_event_set(&h2->wanted);
	if (h2->pause)
		mag_scope_cancel(h2->pause);
}

struct http2_stream *magi_http2_fresh(struct http2 *h2)
{
	struct http2_stream *s;

	pthread_mutex_lock(&h2->lock);
	s = h2->fresh;
	if (s) {
		h2->fresh = s->next_fresh;
		if (!h2->fresh)
			h2->fresh_tail = &h2->fresh;
	}
	pthread_mutex_unlock(&h2->lock);
	return s;
}

void magi_http2_refuse(struct http2_stream *s)
{
	struct http2 *h2 = s->h2;

	pthread_mutex_lock(&h2->lock);
	if (s->known)
		magi_http2_reset(s, NGHTTP2_REFUSED_STREAM);
	magi_http2_task_over(s);
	magi_http2_body_drop(s);
	magi_http2_stream_release(s);
	pthread_mutex_unlock(&h2->lock);
}
