/* SPDX-License-Identifier: MIT */
/* http2_stream.c - a stream's life, and the wire that it is for its task. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http2.h"

struct http2_stream *magi_http2_stream_new(struct http2 *h2, int32_t id)
{
	struct http2_stream *s = malloc(sizeof *s);

	if (!s)
		return NULL;
	memset(s, 0, offsetof(struct http2_stream, own));
	s->h2 = h2;
	s->id = id;
	s->known = true;
	s->text = s->own;
	s->text_size = sizeof s->own;
	mag_event_init(&s->in);
	mag_event_init(&s->out);
	s->next = h2->streams;
	s->pprev = &h2->streams;
	if (s->next)
		s->next->pprev = &s->next;
	h2->streams = s;
	h2->count++;
	return s;
}

static void drop(nghttp2_rcbuf *b)
{
	if (b)
		nghttp2_rcbuf_decref(b);
}

void magi_http2_stream_release(struct http2_stream *s)
{
	struct http2 *h2 = s->h2;

	if (s->known || s->has_task)
		return;
	*s->pprev = s->next;
	if (s->next)
		s->next->pprev = s->pprev;
	drop(s->method);
	drop(s->path);
	drop(s->authority);
	if (s->text != s->own)
		free(s->text);
	free(s->body);
	mag_event_fini(&s->in);
	mag_event_fini(&s->out);
	free(s);
	if (--h2->count == 0 && h2->pause && h2->noticed)
		mag_scope_cancel(h2->pause);
}

void magi_http2_task_over(struct http2_stream *s)
{
	s->has_task = false;
	if (--s->h2->tasks == 0)
		s->h2->idle_since = magi_http_clock();
}

void magi_http2_stream_cut(struct http2_stream *s)
{
	struct http_conn *c = s->conn;

	s->dead = true;
	s->lent = NULL;
	s->lent_len = 0;
	mag_event_set(&s->in);
	mag_event_set(&s->out);
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	if (c->working)
		mag_scope_cancel(&c->scope);
	pthread_mutex_unlock(&c->lock);
}

void magi_http2_begin(struct http2_stream *s, struct http_conn *c)
{
	pthread_mutex_lock(&s->h2->lock);
	s->conn = c;
	pthread_mutex_unlock(&s->h2->lock);
}

void magi_http2_end(struct http2_stream *s)
{
	struct http2 *h2 = s->h2;
	bool cut_short;

	pthread_mutex_lock(&h2->lock);
	cut_short = s->framing != HTTP2_WHOLE || s->failed;
	s->conn = NULL;
	magi_http2_task_over(s);
	if (s->known && (cut_short || (s->answered && !s->asked)))
		magi_http2_reset(s, cut_short ? NGHTTP2_INTERNAL_ERROR : NGHTTP2_NO_ERROR);
	magi_http2_body_drop(s);
	magi_http2_stream_release(s);
	pthread_mutex_unlock(&h2->lock);
}

bool magi_http2_has_more(struct http2_stream *s)
{
	bool more;

	pthread_mutex_lock(&s->h2->lock);
	more = s->text_at < s->text_len || s->body_at < s->body_len;
	pthread_mutex_unlock(&s->h2->lock);
	return more;
}

int64_t magi_http2_held(struct http2_stream *s)
{
	return -(int64_t)s->taken; /* a send waits until all is taken; what a cut one has moved was not told yet */
}

void magi_http2_break(struct http2_stream *s)
{
	pthread_mutex_lock(&s->h2->lock);
	s->failed = true;
	pthread_mutex_unlock(&s->h2->lock);
}

bool magi_http2_is_dead(struct http2_stream *s)
{
	bool dead;

	pthread_mutex_lock(&s->h2->lock);
	dead = s->dead;
	pthread_mutex_unlock(&s->h2->lock);
	return dead;
}

struct mag_tls *magi_http2_tls(const struct http2_stream *s)
{
	return magi_http_wire_session(&s->h2->c->wire);
}

/* Reads what there is; or sees to it that what comes is told. */
static int64_t read_some(struct http2_stream *s, void *buf, size_t size)
{
	int64_t n;

	pthread_mutex_lock(&s->h2->lock);
	n = magi_http2_read(s, buf, size);
	if (n == -EAGAIN)
		mag_event_reset(&s->in);
	pthread_mutex_unlock(&s->h2->lock);
	return n;
}

struct http2_recv {
	mag_frame frame;
	MAG_ARGS(http2_recv, struct http2_stream *s; void *buf; size_t size;);
	int64_t n;
};

static MAG_TASK(http2_recv)
{
	MAG_BEGIN(http2_recv);
	do {
		MAG_AWAIT(self->n, mag_event_wait, &self->s->in);
		if (self->n == 0)
			self->n = read_some(self->s, self->buf, self->size);
	} while (self->n == -EAGAIN);
	MAG_RETURN(self->n);
	MAG_END;
}

mag_frame *magi_http2_recv(MAG_OP_ARGS, struct http2_stream *s, void *buf, size_t size)
{
	int64_t n = read_some(s, buf, size);

	if (n != -EAGAIN)
		MAG_OP_DONE(n);
	MAG_OP_CALL(http2_recv, .s = s, .buf = buf, .size = size);
}

/* The wait for what was lent is over: how much is sent. */
static int64_t end_send(struct http2_stream *s, int64_t rc, size_t size)
{
	pthread_mutex_lock(&s->h2->lock);
	if (s->dead)
		rc = -EPIPE;
	else if (!s->lent)
		rc = (int64_t)size;
	if (s->lent)
		magi_http2_unlend(s);
	pthread_mutex_unlock(&s->h2->lock);
	return rc;
}

struct http2_send {
	mag_frame frame;
	MAG_ARGS(http2_send, struct http2_stream *s; size_t size;);
	int64_t rc;
};

static MAG_TASK(http2_send)
{
	MAG_BEGIN(http2_send);
	MAG_AWAIT(self->rc, mag_event_wait, &self->s->out);
	MAG_RETURN(end_send(self->s, self->rc, self->size));
	MAG_END;
}

mag_frame *magi_http2_send(MAG_OP_ARGS, struct http2_stream *s, const void *data, size_t size)
{
	mag_frame *next;
	int64_t n;

	pthread_mutex_lock(&s->h2->lock);
	n = magi_http2_write(s, data, size);
	pthread_mutex_unlock(&s->h2->lock);
	if (n != -EAGAIN)
		MAG_OP_DONE(n);
	next = MAGI_HTTP_CALL(http2_send, .s = s, .size = size);
	if (next == f)
		end_send(s, -ENOMEM, size);
	return next;
}
