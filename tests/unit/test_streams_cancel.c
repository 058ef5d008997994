/* SPDX-License-Identifier: MIT */
/* test_streams_cancel.c - who waits for a stream's next item is cancelled at the very moment when it comes; by its scope, by a
 * deadline, by its group. The item is given, or stays for the next call. On the kernel. */
#include <magpie/magpie.h>

#include <criterion/criterion.h>

#include "stream/stream.h"
#include "support/matrix.h"

struct stream_subject {
	struct subject s;
	mag_queue queue;
	uint64_t room[1];
	mag_stream_queue source;
	mag_stream_map map;
};

static struct stream_subject *of(struct subject *s)
{
	return (struct stream_subject *)s;
}

static int same(void *ctx, const void *in, void *out)
{
	(void)ctx;
	memcpy(out, in, sizeof(uint64_t));
	return 0;
}

/* The next item, and 0 for it. */
struct ask {
	mag_frame frame;
	MAG_ARGS(ask, mag_stream *stream; uint64_t *out;);
	int64_t rc;
};

MAG_TASK(ask)
{
	MAG_BEGIN(ask);
	MAG_AWAIT(self->rc, mag_stream_next, self->stream, self->out);
	MAG_RETURN(self->rc == 1 ? 0 : self->rc);
	MAG_END;
}

static mag_frame *next_wait(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out)
{
	const mag_stream_fn fn = MAG_STREAM_FN(ask);

	return magi_stream_call(w, f, &fn, (void *[2]){ &of(s)->map.stream, out }, NULL);
}

static void push_one(struct subject *s, mag_worker *w, mag_frame *f)
{
	uint64_t item = 3;

	(void)w;
	(void)f;
	(void)mag_queue_try_push(&of(s)->queue, &item);
}

/* Nothing may be left in the stream itself: the next to ask would get an item that was never given. */
static bool pop_left(struct subject *s, mag_worker *w, mag_frame *f)
{
	uint64_t item;

	(void)w;
	(void)f;
	if (of(s)->source.stream.held || of(s)->map.stream.busy)
		abort();
	return mag_queue_try_pop(&of(s)->queue, &item) == 0;
}

static void make(struct stream_subject *q)
{
	*q = (struct stream_subject){
		.s = { .wait = next_wait, .give = push_one, .reset = pop_left, .waitq = &q->queue.waitq },
		.queue = MAG_QUEUE_INIT(q->room),
	};
	cr_assert_eq(mag_stream_queue_init(&q->source, &q->queue), 0);
	cr_assert_eq(mag_stream_map_init(&q->map, &q->source.stream, sizeof(uint64_t), same, NULL), 0);
}

/* One asks at a time, so of the matrix only the races are for it; the cases one by one are in test_streams.c.
 * Tried: a wait's item that is dropped because the asker was cancelled afterwards; a stream that stays busy. */
Test(streams_cancel, given_and_cancelled_at_once_is_one_of_both, .timeout = 120)
{
	MATRIX_RACES(struct stream_subject, make);
}
