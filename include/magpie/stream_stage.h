/* SPDX-License-Identifier: MIT */
/* stream_stage.h - stages of a stream that run in the task that asks: map, filter, take, skip, take while, enumerate,
 * chain, zip, batch, throttle. A stage takes over the streams above it: from then on only it is asked, and closed.
 *
 *	mag_stream_map_init(&self->parsed, &self->lines.stream, sizeof(struct entry), parse, NULL);
 *	mag_stream_batch_init(&self->batches, &self->parsed.stream, self->entries, 100);
 *
 * Plain functions run on the worker and must not block. An item is copied from stage to stage.
 *
 * All inits: Threads: any. Returns: 0, or -EINVAL: sizes that do not fit, too deep, a stream that is not made or taken
 * over already; then asking the stage says -EINVAL, too, so that the last stage's result tells of the whole chain. */
#ifndef MAGPIE_STREAM_STAGE_H
#define MAGPIE_STREAM_STAGE_H

#include <magpie/stream.h>

MAGI_C_BEGIN

/* Makes *out of *in: >= 0, MAG_STREAM_DROP when nothing comes of it, or an error, with which the stream ends. */
typedef int (*mag_stream_mapper)(void *ctx, const void *in, void *out);

/* Whether an item is meant. */
typedef bool (*mag_stream_test)(void *ctx, const void *item);

typedef struct mag_stream_map {
	mag_stream stream;
	mag_stream_mapper map;
	void *ctx;
} mag_stream_map;

typedef struct mag_stream_map_async {
	mag_stream stream;
	mag_stream_fn fn;
	void *ctx;
	void *in; /* room for an item of the stream above */
	bool full;
	bool refused; /* there was no memory to call it */
} mag_stream_map_async;

typedef struct mag_stream_filter {
	mag_stream stream;
	mag_stream_test test;
	void *ctx;
} mag_stream_filter;

typedef struct mag_stream_count {
	mag_stream stream;
	uint64_t left;
} mag_stream_count;

typedef struct mag_stream_enumerate {
	mag_stream stream;
	uint64_t index;
	size_t item_at;
} mag_stream_enumerate;

typedef struct mag_stream_chain {
	mag_stream stream;
	uint32_t at;
} mag_stream_chain;

typedef struct mag_stream_zip {
	mag_stream stream;
	mag_stream *pair[2];
	unsigned char *room; /* both items */
	size_t second_at;
	bool half;           /* the first is there */
} mag_stream_zip;

/* Items that came one behind the other; good until the next batch is asked for. */
typedef struct mag_batch {
	void *items;
	size_t count;
} mag_batch;

typedef struct mag_stream_batch {
	mag_stream stream;
	unsigned char *room;
	size_t most, count;
	int64_t after; /* an error that comes behind what is gathered */
} mag_stream_batch;

typedef struct mag_stream_throttle {
	mag_stream stream;
	uint64_t gap;
	uint64_t free_at;
} mag_stream_throttle;

/* What a function makes of each item; `size` bytes.  Since: 0.2 */
MAG_API int mag_stream_map_init(mag_stream_map *s, mag_stream *up, size_t size, mag_stream_mapper map, void *ctx);

/* The same with an async function, one call at a time (for several, see MAG_STREAM_BUFFERED). in: memory for an item of
 * `up`, as long as the stream lives. When the function returns MAG_ECANCELED because its caller was cancelled, it is
 * called again for the same item by the next that asks.  Since: 0.2 */
MAG_API int mag_stream_map_async_init(mag_stream_map_async *s, mag_stream *up, void *in, size_t size, mag_stream_fn fn,
				      void *ctx);

/* The items that pass the test.  Since: 0.2 */
MAG_API int mag_stream_filter_init(mag_stream_filter *s, mag_stream *up, mag_stream_test test, void *ctx);

/* The items before the first that does not pass the test; that one is lost.  Since: 0.2 */
MAG_API int mag_stream_take_while_init(mag_stream_filter *s, mag_stream *up, mag_stream_test test, void *ctx);

/* The first n items; no more are asked for.  Since: 0.2 */
MAG_API int mag_stream_take_init(mag_stream_count *s, mag_stream *up, uint64_t n);

/* All but the first n items.  Since: 0.2 */
MAG_API int mag_stream_skip_init(mag_stream_count *s, mag_stream *up, uint64_t n);

/* Each item with its number, from 0: items of `size` bytes that begin with a uint64_t and have the item at `item_at`, say
 * offsetof(struct numbered, item).  Since: 0.2 */
MAG_API int mag_stream_enumerate_init(mag_stream_enumerate *s, mag_stream *up, size_t size, size_t item_at);

/* All items of one stream, then of the next, and so on: what yield* is elsewhere. The array of streams, with items of one
 * size, stays as it is.  Since: 0.2 */
MAG_API int mag_stream_chain_init(mag_stream_chain *s, mag_stream *const *ups, size_t n);

/* The next item of both, as one: items of `size` bytes that begin with the first and have the second at `second_at`. It
 * ends with the shorter one; an item of the longer may be lost then. room: memory for a pair, as long as the stream
 * lives.  Since: 0.2 */
MAG_API int mag_stream_zip_init(mag_stream_zip *s, mag_stream *first, mag_stream *second, void *room, size_t size,
				size_t second_at);

/* Arrays of `most` items (items mag_batch), the last one may be shorter. room: memory for so many items, as long as the
 * stream lives. By time as well: MAG_STREAM_BATCH.  Since: 0.2 */
MAG_API int mag_stream_batch_init(mag_stream_batch *s, mag_stream *up, void *room, size_t most);

/* At most one item each `gap` ns.  Since: 0.2 */
MAG_API int mag_stream_throttle_init(mag_stream_throttle *s, mag_stream *up, uint64_t gap);

MAGI_C_END

#endif
