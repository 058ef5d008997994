/* SPDX-License-Identifier: MIT */
/* iterator.c - streams of what async functions give: a generator, or two functions of the user's.
 *
 * Who:     the task that asks: both run as its callees, in its scope.
 * Always:  a generator is on its opener's list by itself. An iterator that is to be closed is there, too; the frame in
 *          which its close runs is taken when it is opened, so that it cannot be missing then. */
#include <errno.h>
#include <magpie/stream_source.h>

#include "base/assert.h"
#include "stream/stream.h"
#include "task/generator.h"
#include "task/scope.h"

/* A generator. */

static mag_stream_generator *generator_of(mag_stream *s)
{
	return (mag_stream_generator *)(void *)s;
}

static int64_t called_next(mag_stream *s, void *out, mag_stream **who)
{
	if (s->held)
		return magi_stream_give_held(s, out);
	return s->ended ? magi_stream_over(s) : magi_stream_wait_for(s, who);
}

static mag_frame *generator_wait(mag_worker *w, mag_frame *f, mag_stream *s, void *room)
{
	(void)w;
	return magi_gen_next(f, &generator_of(s)->generator, room, s->size);
}

static int64_t generator_woken(mag_stream *s, mag_frame *f, int64_t rc, void *room)
{
	(void)f;
	if (rc <= 0)
		return magi_stream_ends(s, rc);
	s->held = room;
	return 0;
}

static mag_frame *generator_close(mag_worker *w, mag_frame *f, mag_stream *s)
{
	(void)w;
	s->closing = MAGI_STREAM_CLOSED;
	return magi_gen_close(f, &generator_of(s)->generator);
}

static const mag_site generator_site = MAGI_STREAM_SITE("MAG_NEXT of a stream");
static const struct magi_stream_ops generator_ops = {
	.site = &generator_site,
	.next = called_next,
	.wait = generator_wait,
	.woken = generator_woken,
	.close = generator_close,
};

int magi_stream_generator_init(mag_stream_generator *s, size_t size, int64_t rc)
{
	int made = magi_stream_init(&s->stream, &generator_ops, NULL, size);

	if (rc < 0)
		s->stream.ops = NULL;
	return rc < 0 ? (int)rc : made;
}

/* An iterator. */

enum { NEXT_ARGS = 2, CLOSE_ARGS = 1 };

static mag_stream_iterator *iterator_of(mag_stream *s)
{
	return (mag_stream_iterator *)(void *)s;
}

static mag_frame *iterator_wait(mag_worker *w, mag_frame *f, mag_stream *s, void *room)
{
	mag_stream_iterator *it = iterator_of(s);

	return magi_stream_wait_call(w, f, &it->next, (void *[NEXT_ARGS]){ it->ctx, room }, &it->refused);
}

static int64_t iterator_woken(mag_stream *s, mag_frame *f, int64_t rc, void *room)
{
	if (iterator_of(s)->refused || (rc == MAG_ECANCELED && magi_cancelled(f)))
		return rc;
	if (rc <= 0)
		return magi_stream_ends(s, rc);
	s->held = room;
	return 0;
}

/* Once: the function that closes has begun; the second time it has ended. */
static mag_frame *iterator_close(mag_worker *w, mag_frame *f, mag_stream *s)
{
	mag_stream_iterator *it = iterator_of(s);
	mag_frame *frame = it->closer;

	if (frame) {
		it->closer = NULL;
		return magi_stream_call(w, f, &it->close, (void *[CLOSE_ARGS]){ it->ctx }, frame);
	}
	if (it->opener && it->opener->leader == f->leader) {
		magi_open_unlink(it->opener, &it->hook.open);
		it->opener = NULL;
	}
	s->closing = MAGI_STREAM_CLOSED;
	return f;
}

static mag_frame *iterator_leave(mag_worker *w, mag_frame *f, struct magi_open_hook *hook)
{
	mag_stream_iterator *it = (mag_stream_iterator *)(void *)((char *)hook - offsetof(mag_stream_iterator, hook));

	it->stream.closing = MAGI_STREAM_CLOSING;
	return iterator_close(w, f, &it->stream);
}

static const mag_site iterator_site = MAGI_STREAM_SITE("an iterator's next");
static const struct magi_stream_ops iterator_ops = {
	.site = &iterator_site,
	.next = called_next,
	.wait = iterator_wait,
	.woken = iterator_woken,
	.close = iterator_close,
};

int magi_stream_iterator_init(mag_worker *w, mag_frame *f, mag_stream_iterator *it, size_t size, mag_stream_fn next,
			      mag_stream_fn close, void *ctx)
{
	int rc;

	if (magi_open_has(f, &it->hook.open)) {
		magi_misuse("MAG_STREAM_ITERATE at %s:%d: this one has not been closed", f->at->file, f->at->line);
		return -EBUSY;
	}
	rc = magi_stream_init(&it->stream, &iterator_ops, NULL, size);
	it->opener = it->closer = NULL;
	it->next = next;
	it->close = close;
	it->ctx = ctx;
	it->refused = false;
	if (!next.step || next.args_size != NEXT_ARGS * sizeof(void *) ||
	    (close.step && close.args_size != CLOSE_ARGS * sizeof(void *)))
		rc = -EINVAL;
	if (rc == 0 && close.step) {
		it->closer = magi_frame_take(w, (int)close.class_, close.frame_size);
		rc = it->closer ? 0 : -ENOMEM;
	}
	if (rc < 0) {
		it->stream.ops = NULL;
		return rc;
	}
	if (!close.step)
		return 0;
	it->opener = f;
	it->hook.leave = iterator_leave;
	magi_open_push(f, &it->hook.open, MAGI_OPEN_HOOK);
	return 0;
}
