/* SPDX-License-Identifier: MIT */
/* stream.h - what a source or a stage is to those that take its items.
 *
 * What:    taking an item is a plain call down the chain as long as there is one: `next`. When a source or a stage must
 *          wait, the whole chain is left, `who` says where it has stopped, a frame waits there, and `next` is called
 *          again from the top. So a chain of any length costs one frame while it waits, none when it does not, and each
 *          stage keeps what it has got so far in its own struct.
 * Who:     next, woken: whoever takes the items, one task at a time. wait: a frame of that task.
 * Always:  `next` called again takes the same way to the same place: an item that a wait has brought lies in the waiting
 *          frame's room, and is taken by the very next call.
 *          A wait that was cancelled leaves everything as it was.
 *          Whoever finds an error marks itself ended; those behind it pass the error on, and ask again when asked. One
 *          that a wait has brought comes down the chain as an item does, behind what the stages have gathered.
 * Not:     a frame for each stage: a hand-over there and back for each stage and item.
 *          Frames of the chain's own that stay: they would have to be in some scope between two calls. */
#ifndef MAGI_STREAM_STREAM_H
#define MAGI_STREAM_STREAM_H

#include <magpie/stream.h>
#include <string.h>

#include "task/wait.h"

#define MAGI_STREAM_WAIT INT64_MIN

enum { MAGI_STREAM_TURN = 1024 }; /* items that a stage passes over before others get their turn; picked */

enum magi_stream_closing { MAGI_STREAM_OPEN, MAGI_STREAM_CLOSING, MAGI_STREAM_CLOSED };

struct magi_stream_ops {
	const mag_site *site; /* what its wait is, for those who look */
	/* 1 and an item, 0, an error; or MAGI_STREAM_WAIT and who is to be waited for. */
	int64_t (*next)(mag_stream *s, void *out, mag_stream **who);
	/* Waits, as a leaf operation does; room: for an item of s, as long as f waits. */
	mag_frame *(*wait)(mag_worker *w, mag_frame *f, mag_stream *s, void *room);
	/* The wait's result. >= 0: call `next` from the top; or an error to give at once, with which nothing ends. */
	int64_t (*woken)(mag_stream *s, mag_frame *f, int64_t rc, void *room);
	/* One step of closing s itself; f: go on, until s->closing says that it is done. NULL: there is nothing to do. */
	mag_frame *(*close)(mag_worker *w, mag_frame *f, mag_stream *s);
};

#define MAGI_STREAM_SITE(what) { NULL, "mag_stream_next", __FILE__, (what), __LINE__ }

/* Makes s a source of items of `size` bytes, or a stage behind `up`. 0, or -EINVAL: then s is not made. */
int magi_stream_init(mag_stream *s, const struct magi_stream_ops *ops, mag_stream *up, size_t size);
/* The same behind several; the array stays. */
int magi_stream_init_many(mag_stream *s, const struct magi_stream_ops *ops, mag_stream *const *ups, size_t n, size_t size);

/* mag_stream_next for a stage that takes from `s`. */
mag_frame *magi_stream_take(mag_worker *w, mag_frame *f, mag_stream *s, void *out);

/* One step of closing s and all above; f: it is done. */
mag_frame *magi_stream_close_some(mag_worker *w, mag_frame *f, mag_stream *s);

/* Starts an async function as f's callee with these arguments; its frame may be given. f: -ENOMEM. */
mag_frame *magi_stream_call(mag_worker *w, mag_frame *f, const mag_stream_fn *fn, void *const *args, void *frame);
/* The same as a stage's wait; refused: whether -ENOMEM is no result of the function's, which was not called. */
mag_frame *magi_stream_wait_call(mag_worker *w, mag_frame *f, const mag_stream_fn *fn, void *const *args, bool *refused);

/* Lets others run: what a stage waits for that has passed over many items. */
mag_frame *magi_stream_rest(mag_worker *w, mag_frame *f, mag_stream *s, void *room);
int64_t magi_stream_rested(mag_stream *s, mag_frame *f, int64_t rc, void *room);

static inline int64_t magi_stream_wait_for(mag_stream *s, mag_stream **who)
{
	*who = s;
	return MAGI_STREAM_WAIT;
}

static inline int64_t magi_stream_end(mag_stream *s, int64_t rc)
{
	s->ended = 1;
	return rc;
}

/* A wait has brought this end. */
static inline int64_t magi_stream_ends(mag_stream *s, int64_t rc)
{
	s->error = (int32_t)rc;
	s->ended = 1;
	return 0;
}

/* What there is to tell behind the end. */
static inline int64_t magi_stream_over(mag_stream *s)
{
	int64_t rc = s->error;

	s->error = 0;
	return rc;
}

static inline int64_t magi_stream_pull(mag_stream *s, void *out, mag_stream **who)
{
	return s->ops->next(s, out, who);
}

/* Gives the item that a wait has brought. */
static inline int64_t magi_stream_give_held(mag_stream *s, void *out)
{
	memcpy(out, s->held, s->size);
	s->held = NULL;
	return 1;
}

#endif
