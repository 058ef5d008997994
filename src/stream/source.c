/* SPDX-License-Identifier: MIT */
/* source.c - streams of what is there, or comes by itself: an array, a function, a queue, lines, ticks.
 *
 * Who:     the task that asks, in which each of them waits as it would without a stream. */
#include <errno.h>
#include <magpie/stream_source.h>

#include "stream/stream.h"

/* An array. */

static int64_t array_next(mag_stream *s, void *out, mag_stream **who)
{
	mag_stream_array *a = (mag_stream_array *)(void *)s;

	(void)who;
	if (!a->left)
		return 0;
	a->left--;
	memcpy(out, a->at, s->size);
	a->at += s->size;
	return 1;
}

static const struct magi_stream_ops array_ops = { .next = array_next };

int mag_stream_array_init(mag_stream_array *a, const void *items, size_t count, size_t size)
{
	int rc = magi_stream_init(a ? &a->stream : NULL, &array_ops, NULL, size);

	if (rc < 0)
		return rc;
	a->at = items;
	a->left = items ? count : 0;
	return 0;
}

/* A function. */

static int64_t function_next(mag_stream *s, void *out, mag_stream **who)
{
	mag_stream_function *p = (mag_stream_function *)(void *)s;
	int rc;

	(void)who;
	if (s->ended)
		return 0;
	rc = p->pull(p->ctx, out);
	return rc > 0 ? 1 : magi_stream_end(s, rc);
}

static const struct magi_stream_ops function_ops = { .next = function_next };

int mag_stream_function_init(mag_stream_function *p, size_t size, mag_stream_pull pull, void *ctx)
{
	int rc = magi_stream_init(p ? &p->stream : NULL, pull ? &function_ops : NULL, NULL, size);

	if (rc < 0)
		return rc;
	p->pull = pull;
	p->ctx = ctx;
	return pull ? 0 : -EINVAL;
}

/* A queue. */

static int64_t queue_next(mag_stream *s, void *out, mag_stream **who)
{
	mag_queue *q = ((mag_stream_queue *)(void *)s)->queue;
	int rc;

	if (s->held)
		return magi_stream_give_held(s, out);
	if (s->ended)
		return magi_stream_over(s);
	rc = mag_queue_try_pop(q, out);
	if (rc == -EAGAIN)
		return magi_stream_wait_for(s, who);
	return rc == 0 ? 1 : magi_stream_end(s, 0);
}

static mag_frame *queue_wait(mag_worker *w, mag_frame *f, mag_stream *s, void *room)
{
	return mag_queue_pop(w, f, ((mag_stream_queue *)(void *)s)->queue, room);
}

static int64_t queue_woken(mag_stream *s, mag_frame *f, int64_t rc, void *room)
{
	(void)f;
	if (rc == MAG_ECANCELED)
		return rc;
	if (rc < 0)
		return magi_stream_ends(s, 0);
	s->held = room;
	return 0;
}

static const mag_site queue_site = MAGI_STREAM_SITE("mag_queue_pop of a stream");
static const struct magi_stream_ops queue_ops = {
	.site = &queue_site, .next = queue_next, .wait = queue_wait, .woken = queue_woken
};

int mag_stream_queue_init(mag_stream_queue *s, mag_queue *queue)
{
	int rc = magi_stream_init(s ? &s->stream : NULL, &queue_ops, NULL, queue ? queue->size : 0);

	if (rc == 0)
		s->queue = queue;
	return rc;
}

/* Lines. */

static mag_lines *lines_of(mag_stream *s)
{
	return ((mag_stream_lines *)(void *)s)->lines;
}

static int64_t lines_next(mag_stream *s, void *out, mag_stream **who)
{
	int64_t rc;

	if (s->held)
		return magi_stream_give_held(s, out);
	if (s->ended)
		return magi_stream_over(s);
	rc = mag_lines_try_next(lines_of(s), out);
	if (rc == -EAGAIN)
		return magi_stream_wait_for(s, who);
	return rc == 1 ? rc : magi_stream_end(s, rc);
}

static mag_frame *lines_wait(mag_worker *w, mag_frame *f, mag_stream *s, void *room)
{
	return mag_lines_next(w, f, lines_of(s), room);
}

static int64_t lines_woken(mag_stream *s, mag_frame *f, int64_t rc, void *room)
{
	(void)f;
	if (rc == MAG_ECANCELED)
		return rc;
	if (rc <= 0)
		return magi_stream_ends(s, rc);
	s->held = room;
	return 0;
}

static const mag_site lines_site = MAGI_STREAM_SITE("mag_lines_next of a stream");
static const struct magi_stream_ops lines_ops = {
	.site = &lines_site, .next = lines_next, .wait = lines_wait, .woken = lines_woken
};

int mag_stream_lines_init(mag_stream_lines *s, mag_lines *lines)
{
	int rc = magi_stream_init(s ? &s->stream : NULL, lines ? &lines_ops : NULL, NULL, sizeof(mag_line));

	if (rc < 0)
		return rc;
	s->lines = lines;
	return lines ? 0 : -EINVAL;
}

/* Ticks. */

static uint64_t add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static uint64_t next_due(mag_stream_interval *i, uint64_t now)
{
	uint64_t next = add(i->due, i->period);

	i->missed = 0;
	if (i->policy == MAG_MISSED_DELAY)
		return add(now, i->period);
	if (i->policy == MAG_MISSED_SKIP && next <= now) {
		i->missed = (now - next) / i->period + 1;
		next += i->missed * i->period;
	}
	return next;
}

static int64_t interval_next(mag_stream *s, void *out, mag_stream **who)
{
	mag_stream_interval *i = (mag_stream_interval *)(void *)s;
	uint64_t now = mag_now();

	if (now < i->due)
		return magi_stream_wait_for(s, who);
	*(mag_tick *)out = (mag_tick){ i->due, i->missed };
	i->due = next_due(i, now);
	return 1;
}

static mag_frame *interval_wait(mag_worker *w, mag_frame *f, mag_stream *s, void *room)
{
	(void)room;
	return mag_sleep_until(w, f, ((mag_stream_interval *)(void *)s)->due);
}

static const mag_site interval_site = MAGI_STREAM_SITE("mag_sleep_until of an interval");
static const struct magi_stream_ops interval_ops = {
	.site = &interval_site, .next = interval_next, .wait = interval_wait, .woken = magi_stream_rested
};

int mag_stream_interval_init(mag_stream_interval *i, uint64_t first, uint64_t period, enum mag_missed policy)
{
	int rc = magi_stream_init(i ? &i->stream : NULL, &interval_ops, NULL, sizeof(mag_tick));

	if (rc == 0 && (!period || (unsigned)policy > MAG_MISSED_SKIP)) {
		i->stream.ops = NULL;
		rc = -EINVAL;
	}
	if (rc < 0)
		return rc;
	i->period = period;
	i->due = first;
	i->missed = 0;
	i->policy = policy;
	return 0;
}
