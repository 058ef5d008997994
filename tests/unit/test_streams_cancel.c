/* SPDX-License-Identifier: MIT */
/* test_streams_cancel.c - who waits for a stream's next item is cancelled at the very moment when it comes; by its scope, by a
 * deadline, by its group, by the end of the runtime. The item is given, or stays for the next call. On the kernel. */
#include <magpie/magpie.h>

#include <criterion/criterion.h>

#include "stream/stream.h"
#include "support/matrix.h"
#include "unit/play.h"

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

/* Two calls that wait for something that does not come, and a third item that nobody has taken. */
struct hanging {
	mag_frame frame;
	MAG_ARGS(hanging, const uint64_t *in; uint64_t *out; mag_queue *ctx;);
	int64_t rc;
};

MAG_TASK(hanging)
{
	MAG_BEGIN(hanging);
	MAG_AWAIT(self->rc, mag_queue_pop, self->ctx, self->out);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct lasting {
	mag_frame frame;
	MAG_ARGS(lasting, mag_queue *items; mag_queue *nothing;);
	mag_stream_queue source;
	mag_stream_crew crew;
	uint64_t item;
	int64_t rc, closed;
};

MAG_TASK(lasting)
{
	MAG_BEGIN(lasting);
	NEED(mag_stream_queue_init(&self->source, self->items) == 0);
	MAG_STREAM_BUFFERED(self->rc, &self->crew, &self->source.stream, sizeof(uint64_t), MAG_STREAM_FN(hanging), .limit = 2,
			    .ctx = self->nothing);
	NEED(self->rc == 0);
	MAG_AWAIT(self->rc, mag_stream_next, &self->crew.stream, &self->item);
	MAG_AWAIT(self->closed, mag_stream_close, &self->crew.stream);
	NEED(self->closed == 0);
	MAG_RETURN(self->rc);
	MAG_END;
}

static void shut_down(mag_runtime *rt)
{
	mag_queue items, nothing;
	mag_future done;
	int64_t rc;

	cr_assert_eq(mag_queue_init(&items, 4, sizeof(uint64_t)), 0);
	cr_assert_eq(mag_queue_init(&nothing, 1, sizeof(uint64_t)), 0);
	for (uint64_t i = 0; i < 3; i++)
		cr_assert_eq(mag_queue_try_push(&items, &i), 0);
	mag_future_init(&done);
	cr_assert_eq(mag_spawn_from(rt, &done, lasting, .items = &items, .nothing = &nothing), 0);
	while (waiting(&nothing.waitq) < 2)
		sched_yield();
	cr_assert_eq(mag_runtime_destroy(rt, mag_deadline_in(30 * MAG_SECOND)), 0);
	cr_assert(mag_future_poll(&done, &rc));
	cr_assert_eq(rc, MAG_ECANCELED, "%s", where(rc));
	cr_assert_eq(mag_queue_length(&items), 1);
	mag_future_fini(&done);
	cr_assert_eq(mag_queue_fini(&items), 0);
	cr_assert_eq(mag_queue_fini(&nothing), 0);
}

/* Tried: a stage whose tasks lie in no scope. */
Test(streams_cancel, the_end_of_the_runtime_ends_a_stage_and_its_calls, .timeout = 60)
{
	for (uint32_t n = 1; n <= 4; n *= 2)
		shut_down(play_real(n, 0));
}
