/* SPDX-License-Identifier: MIT */
/* stream.h - items of one size, one after the other, from whatever gives them: an array, a queue, a file's lines, a timer,
 * a generator, one's own iterator; and stages in between that map, filter, gather or run ahead.
 *
 *	mag_stream_array_init(&self->numbers, self->array, 1000, sizeof(int));
 *	mag_stream_filter_init(&self->even, &self->numbers.stream, is_even, NULL);
 *	mag_stream_map_init(&self->squares, &self->even.stream, sizeof(int64_t), square, NULL);
 *	for (;;) {
 *		MAG_AWAIT(self->rc, mag_stream_next, &self->squares.stream, &self->square);
 *		if (self->rc <= 0)
 *			break;                                              // 0: the end, or an error
 *		…
 *	}
 *	MAG_AWAIT(self->rc, mag_stream_close, &self->squares.stream);           // the whole chain
 *
 * Sources: stream_source.h. Stages: stream_stage.h; those that run tasks: stream_crew.h. What takes a stream to its end:
 * stream_end.h. All structs are the caller's memory, most of them part of a frame. */
#ifndef MAGPIE_STREAM_H
#define MAGPIE_STREAM_H

#include <magpie/scope.h>

MAGI_C_BEGIN

enum {
	MAG_STREAM_ITEM_MAX = 1024,  /* bytes: items are copied. Larger things go by pointer */
	MAG_STREAM_DEPTH_MAX = 32,   /* stages one behind the other */
	MAG_STREAM_DROP = 0x40000000 /* what a stage's function returns for: no item comes of this one */
};

typedef struct mag_stream {
	const struct magi_stream_ops *ops; /* NULL: its init failed, or was not called */
	struct mag_stream *up;             /* where it takes its items from; NULL: it is a source, or has several: */
	struct mag_stream *const *ups;
	const void *held; /* an item that a wait has brought, until it is taken */
	uint32_t ups_n;
	uint32_t size; /* bytes of an item */
	uint32_t room; /* bytes of the largest item of the chain */
	uint32_t busy; /* atomic: somebody waits for its next item */
	int32_t error; /* that a wait has brought, until it is told */
	uint8_t depth;
	uint8_t taken;   /* a stage takes its items: nobody else may */
	uint8_t ended;   /* nothing comes any more but the error */
	uint8_t closing; /* how far closing it is */
} mag_stream;

/* An async function that a stage calls for each item: MAG_STREAM_FN(name). Its arguments are three pointers, the item,
 * where what comes of it goes, and the context:
 *
 *	MAG_ARGS(fetch, const struct job *in; struct reply *out; struct session *ctx;);
 *
 * It returns >= 0 when it has filled *out, MAG_STREAM_DROP when no item comes of this one, or an error, with which the
 * stream ends. */
typedef struct mag_stream_fn {
	mag_step_fn step; /* NULL: none */
	uint32_t class_;
	uint32_t args_at;
	uint32_t args_size;
	uint32_t frame_size;
} mag_stream_fn;

/* An async function as one of these. */
#define MAG_STREAM_FN(name)                                                                                     \
	magi_stream_fn(name##_step, MAGI_CLASS(sizeof(struct name)), offsetof(struct name, args_),              \
		       sizeof(struct name##_args), sizeof(struct name))

static inline mag_stream_fn magi_stream_fn(mag_step_fn step, int class_, size_t args_at, size_t args_size, size_t size)
{
	mag_stream_fn fn;

	fn.step = step;
	fn.class_ = (uint32_t)class_;
	fn.args_at = (uint32_t)args_at;
	fn.args_size = (uint32_t)args_size;
	fn.frame_size = (uint32_t)size;
	return fn;
}

/* MAG_AWAIT(rc, mag_stream_next, &stream, &item): the next item. `item` is of the stream's size; it is in the frame, or
 * lives as long.
 *
 * Await:    yes, a cancellation point, at which no item is lost: the next call gives it. What the chain runs for it, a
 *           generator or an async function, runs in the caller's scope
 * Threads:  any worker, one task at a time
 * Owns:     the item is a copy
 * Returns:  1 and *item; 0 at the end, and from then on; an error of the source or of a stage's function, behind which
 *           the stream has ended. MAG_ECANCELED (this scope was cancelled) and -ENOMEM (no frame to wait in, or for what
 *           is to be called): nothing is lost. -EINVAL (another size, or not made), -EBUSY (another task waits in it, or a
 *           stage takes its items): in debug builds the program ends
 * Since:    0.2 */
#define mag_stream_next(w, f, stream, item) magi_stream_next(w, f, stream, item, sizeof(*(item)))
MAG_API MAG_OP magi_stream_next(MAG_OP_ARGS, mag_stream *stream, void *item, size_t size);

/* The same with a deadline (mag_now): MAG_ETIMEDOUT then. It is cancelled as by a scope: nothing is lost of what a queue or
 * a timer gives, but a generator above sees that its own await was cut short. MAG_STREAM_TIMEOUT leaves it alone.
 * Since: 0.2 */
#define mag_stream_next_until(w, f, stream, item, deadline) \
	magi_stream_next_until(w, f, stream, item, sizeof(*(item)), deadline)
MAG_API MAG_OP magi_stream_next_until(MAG_OP_ARGS, mag_stream *stream, void *item, size_t size, uint64_t deadline);

/* mag_stream_try_next(&stream, &item): the next item if that can be had without waiting.
 *
 * Threads:  any worker, one task at a time
 * Returns:  as mag_stream_next, and -EAGAIN: it would have to wait (over a generator, or a function that awaits, always;
 *           over a stage with tasks, until mag_stream_next has started them)
 * Since:    0.2 */
#define mag_stream_try_next(stream, item) magi_stream_try_next(stream, item, sizeof(*(item)))
MAG_API int64_t magi_stream_try_next(mag_stream *stream, void *item, size_t size);

/* MAG_AWAIT(rc, mag_stream_close, &stream): ends the stream and all that it takes its items from, from here up: what runs
 * is cancelled and awaited, generators clean up and end. Not needed behind a terminal operation, which does it. A stream
 * that holds something, a generator, an iterator or tasks, is closed at the end of the frame that opened it if it is
 * open then.
 *
 * Await:    yes, never cut short
 * Threads:  the task that opened the chain; nobody waits in it
 * Returns:  0, also when it is closed; -EINVAL (not made), -EBUSY (in use: in debug builds the program ends)
 * Since:    0.2 */
MAG_API MAG_OP mag_stream_close(MAG_OP_ARGS, mag_stream *stream);

/* Bytes of an item.  Threads: any */
MAGI_FAST size_t mag_stream_size(const mag_stream *stream)
{
	return stream->size;
}

MAGI_C_END

#endif
