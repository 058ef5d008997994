/* SPDX-License-Identifier: MIT */
/* stream_source.h - what streams begin with: arrays, queues, lines, timers, signals, functions, generators, iterators.
 *
 *	MAG_STREAM_GENERATE(self->rc, &self->pages, sizeof(struct page), pages, .session = s);
 *	mag_stream_take_init(&self->first, &self->pages.stream, 10);
 *	…
 *	MAG_AWAIT(self->rc, mag_stream_close, &self->first.stream);             // the generator cleans up and ends
 *
 * The member `stream` of each is what stages and mag_stream_next take. An init does nothing else than fill the struct:
 * what must be closed is said below. */
#ifndef MAGPIE_STREAM_SOURCE_H
#define MAGPIE_STREAM_SOURCE_H

#include <magpie/generator.h>
#include <magpie/lines.h>
#include <magpie/queue.h>
#include <magpie/signal.h>
#include <magpie/stream.h>
#include <magpie/time.h>

MAGI_C_BEGIN

typedef struct mag_stream_array {
	mag_stream stream;
	const unsigned char *at;
	size_t left;
} mag_stream_array;

typedef struct mag_stream_queue {
	mag_stream stream;
	mag_queue *queue;
} mag_stream_queue;

typedef struct mag_stream_lines {
	mag_stream stream;
	mag_lines *lines;
} mag_stream_lines;

/* What to do about ticks that nobody asked for in time. */
enum mag_missed {
	MAG_MISSED_BURST = 0, /* they come one behind the other, until all have come */
	MAG_MISSED_DELAY = 1, /* the next comes a period after the late one */
	MAG_MISSED_SKIP = 2   /* they are left out: the next comes at a multiple of the period */
};

typedef struct mag_tick {
	uint64_t due;    /* when it was to come, as mag_now tells the time */
	uint64_t missed; /* MAG_MISSED_SKIP: how many were left out before this one */
} mag_tick;

typedef struct mag_stream_interval {
	mag_stream stream;
	uint64_t period;
	uint64_t due;
	uint64_t missed;
	enum mag_missed policy;
} mag_stream_interval;

typedef struct mag_stream_signals {
	mag_stream stream;
	mag_signal *signal;
} mag_stream_signals;

/* Gives the next item: 1 and *item, 0 at the end, or an error. */
typedef int (*mag_stream_pull)(void *ctx, void *item);

typedef struct mag_stream_function {
	mag_stream stream;
	mag_stream_pull pull;
	void *ctx;
} mag_stream_function;

typedef struct mag_stream_generator {
	mag_stream stream;
	mag_generator generator;
} mag_stream_generator;

typedef struct mag_stream_iterator {
	mag_stream stream;
	struct magi_open_hook hook;
	mag_frame *opener;
	mag_frame *closer; /* its frame is there from the start */
	mag_stream_fn next, close;
	void *ctx;
	bool refused; /* there was no memory to call `next` */
} mag_stream_iterator;

/* A stream of `count` items of `size` bytes. The array stays the caller's, and as it is.
 *
 * Threads:  any
 * Returns:  0, -EINVAL
 * Since:    0.2 */
MAG_API int mag_stream_array_init(mag_stream_array *s, const void *items, size_t count, size_t size);

/* A stream of what is popped from a queue, until it is closed and empty. Several streams, and others, may pop from it.
 * Closing the stream does not close the queue, and takes nothing out of it.
 *
 * Threads:  any
 * Returns:  0, -EINVAL
 * Since:    0.2 */
MAG_API int mag_stream_queue_init(mag_stream_queue *s, mag_queue *queue);

/* A stream of a reader's lines: of items mag_line, each good until the next is asked for. Stages that run ahead must not
 * take them. MAG_ETOOLONG ends the stream; the reader goes on behind that line.
 *
 * Threads:  any
 * Returns:  0, -EINVAL
 * Since:    0.2 */
MAG_API int mag_stream_lines_init(mag_stream_lines *s, mag_lines *lines);

/* A stream of ticks (items mag_tick), without an end: the first at `first` (mag_now(): at once), then every `period` ns.
 *
 * Threads:  any
 * Returns:  0, -EINVAL when the period is 0
 * Since:    0.2 */
MAG_API int mag_stream_interval_init(mag_stream_interval *s, uint64_t first, uint64_t period, enum mag_missed policy);

/* A stream of the signals that come to a receiver: of items int, each a signal's number, until mag_signal_close.
 * Closing the stream does not close the receiver.
 *
 * Threads:  any
 * Returns:  0, -EINVAL
 * Since:    0.2 */
MAG_API int mag_stream_signals_init(mag_stream_signals *s, mag_signal *signal);

/* A stream of what a plain function gives, which is called for each item on the worker that asks: it must not block.
 *
 * Threads:  any
 * Returns:  0, -EINVAL
 * Since:    0.2 */
MAG_API int mag_stream_function_init(mag_stream_function *s, size_t size, mag_stream_pull pull, void *ctx);

/* A stream of what a generator emits, of `size` bytes each; by name, as MAG_GENERATE. It is begun when the first item is
 * asked for, or when it is closed, so that it cleans up in any case. dst: 0, -ENOMEM, -EINVAL.  Since: 0.2 */
#define MAG_STREAM_GENERATE(dst, s, size, name, ...)                                                      \
	do {                                                                                              \
		MAG_GENERATE(dst, &(s)->generator, name, ##__VA_ARGS__);                                  \
		(dst) = magi_stream_generator_init((s), (size), (dst));                                   \
	} while (0)

/* An iterator of one's own. next: an async function with the arguments `struct x *ctx; item *out;`, which returns 1 when it
 * has filled *out, 0 at the end, or an error. When it returns MAG_ECANCELED because its caller was cancelled it must have
 * lost nothing: it is called again. close: one with the argument `struct x *ctx;`, called once when the stream is closed,
 * also if nothing was asked for; MAG_STREAM_NO_CLOSE for none. dst: 0, -ENOMEM, -EINVAL.  Since: 0.2 */
#define MAG_STREAM_ITERATE(dst, s, size, next, close, ctx)                                                \
	do {                                                                                              \
		MAGI_SITE(NULL, "MAG_STREAM_ITERATE");                                                    \
		(dst) = magi_stream_iterator_init(w, &self->frame, (s), (size), (next), (close), (ctx));  \
	} while (0)
/* Nothing to do when an iterator is closed. */
#define MAG_STREAM_NO_CLOSE magi_stream_fn(NULL, 0, 0, 0, 0)

MAG_API int magi_stream_generator_init(mag_stream_generator *s, size_t size, int64_t rc);
MAG_API int magi_stream_iterator_init(mag_worker *w, mag_frame *f, mag_stream_iterator *s, size_t size,
				      mag_stream_fn next, mag_stream_fn close, void *ctx);

MAGI_C_END

#endif
