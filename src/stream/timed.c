/* SPDX-License-Identifier: MIT */
/* timed.c - stages that wait only for so long: a limit for each item, batches by time.
 *
 * What:    a task takes from above, ahead by some items, and is not cancelled when the time is up: what is cut short is
 *          the wait for what it tells, in which nothing can be lost.
 * Who:     the task that asks, in a scope with a deadline that a frame opens around that wait. */
#include <errno.h>
#include <magpie/time.h>

#include "stream/crew.h"

enum { BATCH_AHEAD = 64 /* items; picked */ };

struct timed {
	mag_frame frame;
	MAG_ARGS(timed, mag_stream *who; void *room; uint64_t deadline;);
	mag_scope scope;
	int64_t rc, why;
};

/* Waits for what `who` waits for; MAG_ETIMEDOUT: only until then. */
static MAG_TASK(timed)
{
	MAG_BEGIN(timed);
	MAG_WITH_DEADLINE(&self->scope, self->deadline);
	MAGI_AWAIT(self->rc, "the tasks of a stage", self->who->ops->wait(w, &self->frame, self->who, self->room));
	MAG_SCOPE_END(self->why, &self->scope);
	MAG_RETURN(self->rc == MAG_ECANCELED && self->why == MAG_ETIMEDOUT ? MAG_ETIMEDOUT : self->rc);
	MAG_END;
}

static mag_frame *wait_until(mag_worker *w, mag_frame *f, mag_stream *who, void *room, uint64_t deadline)
{
	const int cls = MAGI_CLASS(sizeof(struct timed));
	struct timed *t = magi_frame_take(w, cls, sizeof(*t));

	if (!t)
		return magi_wait_done(w, f, -ENOMEM);
	t->who = who;
	t->room = room;
	t->deadline = deadline;
	return magi_call(f, &t->frame, timed_step, cls);
}

/* Two stages come behind `up`: the first is not to be opened when there is no room for the second. */
static int open_ahead(mag_worker *w, mag_frame *f, mag_stream_crew *c, mag_stream *up, size_t n)
{
	const mag_stream_crew_options options = { .size = sizeof(options), .limit = (uint32_t)n };

	if (up && up->depth + 2 > MAG_STREAM_DEPTH_MAX)
		return -EINVAL;
	return magi_stream_crew_open(w, f, c, &up, 1, 0, MAGI_STREAM_NO_FN, &options);
}

/* A limit for each item. */

static int64_t timeout_next(mag_stream *s, void *out, mag_stream **who)
{
	mag_stream_timeout *t = (mag_stream_timeout *)(void *)s;
	int64_t rc = magi_stream_pull(s->up, out, &t->who);

	if (rc != MAGI_STREAM_WAIT) {
		t->deadline = 0;
		return rc;
	}
	if (!t->deadline)
		t->deadline = mag_deadline_in(t->ns);
	return magi_stream_wait_for(s, who);
}

static mag_frame *timeout_wait(mag_worker *w, mag_frame *f, mag_stream *s, void *room)
{
	mag_stream_timeout *t = (mag_stream_timeout *)(void *)s;

	return wait_until(w, f, t->who, room, t->deadline);
}

static int64_t timeout_woken(mag_stream *s, mag_frame *f, int64_t rc, void *room)
{
	mag_stream_timeout *t = (mag_stream_timeout *)(void *)s;

	if (rc == MAG_ETIMEDOUT)
		t->deadline = 0;
	if (rc == MAG_ETIMEDOUT || rc == -ENOMEM)
		return rc;
	return t->who->ops->woken(t->who, f, rc, room);
}

static const mag_site timeout_site = MAGI_STREAM_SITE("an item, with a limit");
static const struct magi_stream_ops timeout_ops = {
	.site = &timeout_site, .next = timeout_next, .wait = timeout_wait, .woken = timeout_woken
};

int magi_stream_timeout_open(mag_worker *w, mag_frame *f, mag_stream_timeout *t, mag_stream *up, uint64_t ns)
{
	int rc = open_ahead(w, f, &t->ahead, up, 1);

	t->stream.ops = NULL;
	t->ns = ns;
	t->deadline = 0;
	return rc < 0 ? rc : magi_stream_init(&t->stream, &timeout_ops, &t->ahead.stream, up->size);
}

/* Batches by time. */

static int64_t batch_next(mag_stream *s, void *out, mag_stream **who)
{
	mag_stream_batch_timed *t = (mag_stream_batch_timed *)(void *)s;
	mag_stream_batch *b = &t->batch;
	int64_t rc = 1;

	if (s->ended) {
		rc = b->after;
		b->after = 0;
		return rc;
	}
	while (b->count < b->most) {
		rc = magi_stream_pull(s->up, b->room + b->count * s->up->size, &t->who);
		if (rc != 1)
			break;
		if (b->count++ == 0)
			t->deadline = mag_deadline_in(t->ns);
	}
	if (rc == MAGI_STREAM_WAIT && (!b->count || mag_now() < t->deadline))
		return magi_stream_wait_for(s, who);
	if (rc <= 0 && rc != MAGI_STREAM_WAIT) {
		s->ended = 1;
		if (!b->count)
			return rc;
		b->after = rc;
	}
	*(mag_batch *)out = (mag_batch){ b->room, b->count };
	b->count = 0;
	return 1;
}

static mag_frame *batch_wait(mag_worker *w, mag_frame *f, mag_stream *s, void *room)
{
	mag_stream_batch_timed *t = (mag_stream_batch_timed *)(void *)s;

	return wait_until(w, f, t->who, room, t->batch.count ? t->deadline : MAG_NEVER);
}

static int64_t batch_woken(mag_stream *s, mag_frame *f, int64_t rc, void *room)
{
	mag_stream_batch_timed *t = (mag_stream_batch_timed *)(void *)s;

	if (rc == MAG_ETIMEDOUT)
		return 0;
	if (rc == -ENOMEM)
		return rc;
	return t->who->ops->woken(t->who, f, rc, room);
}

static const mag_site batch_site = MAGI_STREAM_SITE("items of a batch");
static const struct magi_stream_ops batch_ops = {
	.site = &batch_site, .next = batch_next, .wait = batch_wait, .woken = batch_woken
};

int magi_stream_batch_open(mag_worker *w, mag_frame *f, mag_stream_batch_timed *t, mag_stream *up, void *room, size_t most,
			   uint64_t ns)
{
	int rc = mag_stream_batch_init(&t->batch, up, room, most);

	if (rc < 0)
		return rc;
	up->taken = 0; /* the task takes from it, and the batch from the task */
	rc = open_ahead(w, f, &t->ahead, up, most < BATCH_AHEAD ? most : BATCH_AHEAD);
	if (rc < 0) {
		t->batch.stream.ops = NULL;
		return rc;
	}
	t->ns = ns;
	t->deadline = 0;
	return magi_stream_init(&t->batch.stream, &batch_ops, &t->ahead.stream, sizeof(mag_batch));
}
