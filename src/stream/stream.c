/* SPDX-License-Identifier: MIT */
/* stream.c - taking the next item, and closing a chain; stream.h has the rules.
 *
 * Pairs:   [hint] `busy`: one task at a time; who is told otherwise has made a mistake, and may not be told
 *          closing keeps its place in the streams themselves, and in two words of the frame's op that neither a join nor
 *          a callee touches: it needs no memory, so it cannot fail. */
#include "stream/stream.h"

#include <errno.h>

#include "base/assert.h"
#include "task/until.h"

struct drive {
	mag_frame frame;
	mag_stream *top, *who;
	void *out;
	bool waits;
	MAGI_ALIGNED(16) unsigned char room[];
};

MAGI_ASSERT_STATIC(sizeof(struct drive) + MAG_STREAM_ITEM_MAX <= 4096, "up to there a class is 64 bytes");

/* Making. */

static bool fits(const mag_stream *up)
{
	return up && up->ops && !up->taken && up->depth < MAG_STREAM_DEPTH_MAX;
}

static void take_over(mag_stream *s, mag_stream *up)
{
	up->taken = 1;
	if (up->depth >= s->depth)
		s->depth = (uint8_t)(up->depth + 1);
	if (up->room > s->room)
		s->room = up->room;
}

int magi_stream_init_many(mag_stream *s, const struct magi_stream_ops *ops, mag_stream *const *ups, size_t n, size_t size)
{
	if (!s)
		return -EINVAL;
	*s = (mag_stream){ .size = (uint32_t)size, .room = (uint32_t)size, .depth = 1 };
	if (!size || size > MAG_STREAM_ITEM_MAX || (n && !ups) || n > UINT32_MAX)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		if (!fits(ups[i])) {
			while (i--)
				ups[i]->taken = 0;
			return -EINVAL;
		}
		take_over(s, ups[i]);
	}
	s->ups = ups;
	s->ups_n = (uint32_t)n;
	s->ops = ops;
	return 0;
}

int magi_stream_init(mag_stream *s, const struct magi_stream_ops *ops, mag_stream *up, size_t size)
{
	int rc = magi_stream_init_many(s, ops, up ? &up : NULL, up ? 1 : 0, size);

	if (rc == 0) {
		s->ups = NULL;
		s->ups_n = 0;
		s->up = up;
	}
	return rc;
}

/* Taking. */

static void set_busy(mag_stream *s, uint32_t busy)
{
	magi_store_rlx(&s->busy, busy); /* [hint] */
}

/* Waits where the chain has stopped, and calls it again, until it gives something. MAG_ECANCELED that the chain gives,
 * unless it comes of a wait that was cut short in our scope, is what was waited for, and no sign that time is up. */
static mag_frame *drive(mag_worker *w, mag_frame *f)
{
	struct drive *d = (struct drive *)(void *)f;
	int64_t rc = MAGI_STREAM_WAIT;
	bool given = false;

	for (;;) {
		mag_frame *next;

		if (d->waits) {
			d->waits = false;
			given = f->op.result != MAG_ECANCELED || !magi_cancelled(f);
			rc = d->who->ops->woken(d->who, f, f->op.result, d->room);
			if (rc < 0)
				given = false;
			else
				rc = magi_stream_pull(d->top, d->out, &d->who);
		}
		if (rc != MAGI_STREAM_WAIT)
			break;
		d->waits = true;
		f->at = d->who->ops->site;
		next = d->who->ops->wait(w, f, d->who, d->room);
		if (next != f)
			return next;
	}
	set_busy(d->top, 0);
	if (given && rc == MAG_ECANCELED)
		magi_until_given(f->parent);
	return magi_end(w, f, rc, f->class_);
}

static mag_frame *begin_drive(mag_worker *w, mag_frame *f, mag_stream *s, mag_stream *who, void *out)
{
	size_t size = sizeof(struct drive) + s->room;
	int cls = (int)(size + 63) / 64; /* MAGI_CLASS of a size that is no constant, and small */
	struct drive *d = magi_frame_take(w, cls, size);

	if (!d)
		return magi_wait_done(w, f, -ENOMEM);
	set_busy(s, 1);
	d->top = s;
	d->who = who;
	d->out = out;
	d->waits = false;
	return magi_call(f, &d->frame, drive, cls);
}

mag_frame *magi_stream_take(mag_worker *w, mag_frame *f, mag_stream *s, void *out)
{
	mag_stream *who;
	int64_t rc;

	if (MAGI_UNLIKELY(magi_cancelled(f)))
		return magi_wait_done(w, f, MAG_ECANCELED);
	rc = magi_stream_pull(s, out, &who);
	if (MAGI_UNLIKELY(rc == MAG_ECANCELED))
		magi_until_given(f);
	if (MAGI_LIKELY(rc != MAGI_STREAM_WAIT))
		return magi_wait_done(w, f, rc);
	return begin_drive(w, f, s, who, out);
}

static bool in_use(const mag_stream *s)
{
	return s->taken || magi_load_rlx(&s->busy); /* [hint] */
}

/* 1: go on; or what to say instead. site: where it is asked, for who has made a mistake. */
static int64_t refusal(const mag_stream *s, size_t size, const mag_site *site)
{
	(void)site;
	if (!s || !s->ops || size != s->size) {
		magi_misuse("mag_stream_next at %s:%d: items of %zu bytes are asked for, it has those of %zu", site->file,
			    site->line, size, s && s->ops ? (size_t)s->size : 0);
		return -EINVAL;
	}
	if (in_use(s)) {
		magi_misuse("mag_stream_next at %s:%d: %s", site->file, site->line,
			    s->taken ? "a stage takes its items" : "another task waits in it");
		return -EBUSY;
	}
	return s->closing ? 0 : 1;
}

mag_frame *magi_stream_next(mag_worker *w, mag_frame *f, mag_stream *s, void *out, size_t size)
{
	int64_t rc = refusal(s, size, f->at);

	if (MAGI_UNLIKELY(rc <= 0))
		return magi_wait_done(w, f, rc);
	return magi_stream_take(w, f, s, out);
}

int64_t magi_stream_try_next(mag_stream *s, void *out, size_t size)
{
	static const mag_site here = MAGI_STREAM_SITE("mag_stream_try_next");
	mag_stream *who;
	int64_t rc = refusal(s, size, &here);

	if (rc <= 0)
		return rc;
	rc = magi_stream_pull(s, out, &who);
	return rc == MAGI_STREAM_WAIT ? -EAGAIN : rc;
}

static mag_frame *take(mag_worker *w, mag_frame *f, void *s, uint64_t out)
{
	return magi_stream_take(w, f, s, (void *)(uintptr_t)out);
}

mag_frame *magi_stream_next_until(mag_worker *w, mag_frame *f, mag_stream *s, void *out, size_t size, uint64_t deadline)
{
	int64_t rc = refusal(s, size, f->at);
	mag_stream *who;

	if (rc <= 0)
		return magi_wait_done(w, f, rc);
	if (magi_cancelled(f))
		return magi_wait_done(w, f, MAG_ECANCELED);
	rc = magi_stream_pull(s, out, &who);
	if (rc != MAGI_STREAM_WAIT)
		return magi_wait_done(w, f, rc);
	return magi_until(w, f, take, s, (uintptr_t)out, deadline);
}

/* Closing. */

static mag_stream *up_of(mag_stream *s, uint32_t i)
{
	return s->ups ? s->ups[i] : s->up;
}

mag_frame *magi_stream_close_some(mag_worker *w, mag_frame *f, mag_stream *s)
{
	uint32_t n = s->ups ? s->ups_n : s->up != NULL;

	if (s->closing == MAGI_STREAM_OPEN)
		s->closing = s->ops->close ? MAGI_STREAM_CLOSING : MAGI_STREAM_CLOSED;
	while (s->closing != MAGI_STREAM_CLOSED) {
		mag_frame *next = s->ops->close(w, f, s);

		if (next != f)
			return next;
	}
	for (uint32_t i = 0; i < n; i++) {
		mag_frame *next = magi_stream_close_some(w, f, up_of(s, i));

		if (next != f)
			return next;
	}
	return f;
}

/* word[2]: the stream, word[3]: what the frame's step was. */
static mag_frame *close_step(mag_worker *w, mag_frame *f)
{
	mag_frame *next = magi_stream_close_some(w, f, (mag_stream *)(uintptr_t)f->op.word[2]);

	if (next != f)
		return next;
	f->step = (mag_step_fn)(uintptr_t)f->op.word[3];
	return magi_wait_done(w, f, 0);
}

mag_frame *mag_stream_close(mag_worker *w, mag_frame *f, mag_stream *s)
{
	if (!s || !s->ops)
		return magi_wait_done(w, f, -EINVAL);
	if (in_use(s)) {
		magi_misuse("mag_stream_close at %s:%d: %s", f->at->file, f->at->line,
			    s->taken ? "a stage takes its items: close that" : "a task waits in it");
		return magi_wait_done(w, f, -EBUSY);
	}
	f->op.word[2] = (uintptr_t)s;
	f->op.word[3] = (uintptr_t)f->step;
	f->step = close_step;
	return close_step(w, f);
}

/* What stages share. */

mag_frame *magi_stream_call(mag_worker *w, mag_frame *f, const mag_stream_fn *fn, void *const *args, void *frame)
{
	if (!frame)
		frame = magi_frame_take(w, (int)fn->class_, fn->frame_size);
	if (!frame)
		return magi_wait_done(w, f, -ENOMEM);
	memcpy((char *)frame + fn->args_at, args, fn->args_size);
	return magi_call(f, frame, fn->step, (int)fn->class_);
}

mag_frame *magi_stream_wait_call(mag_worker *w, mag_frame *f, const mag_stream_fn *fn, void *const *args, bool *refused)
{
	void *frame = magi_frame_take(w, (int)fn->class_, fn->frame_size);

	*refused = !frame;
	return frame ? magi_stream_call(w, f, fn, args, frame) : magi_wait_done(w, f, -ENOMEM);
}

mag_frame *magi_stream_rest(mag_worker *w, mag_frame *f, mag_stream *s, void *room)
{
	(void)s;
	(void)room;
	return mag_yield(w, f);
}

int64_t magi_stream_rested(mag_stream *s, mag_frame *f, int64_t rc, void *room)
{
	(void)s;
	(void)f;
	(void)room;
	return rc;
}
