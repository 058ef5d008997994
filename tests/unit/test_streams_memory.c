/* SPDX-License-Identifier: MIT */
/* test_streams_memory.c - a stream takes as much memory for many items as for a few, and loses none for want of it. */
#include "streams.h"

/* As much memory after many items as after a few. */
struct flat {
	mag_frame frame;
	MAG_ARGS(flat, int64_t n;);
	mag_stream_generator source;
	mag_stream_map squares;
	mag_stream_count take;
	mag_stream_crew ahead;
	mag_stats before, after;
	int64_t rc, sum;
};

/* Emits without an end. */
struct endless {
	mag_frame frame;
	MAG_NO_ARGS(endless);
	int64_t rc;
	int i;
};

MAG_TASK(endless)
{
	MAG_BEGIN(endless);
	self->rc = 0;
	for (self->i = 0; self->rc == 0; self->i = (self->i + 1) & 0xff)
		MAG_EMIT(self->rc, self->i);
	MAG_RETURN(0);
	MAG_END;
}

MAG_TASK(flat)
{
	MAG_BEGIN(flat);
	self->before.size = self->after.size = sizeof(self->after);
	self->sum = 0;
	MAG_STREAM_GENERATE(self->rc, &self->source, sizeof(int), endless);
	CHECK(mag_stream_map_init(&self->squares, &self->source.stream, sizeof(int64_t), square, NULL) == 0);
	CHECK(mag_stream_take_init(&self->take, &self->squares.stream, (uint64_t)self->n) == 0);
	MAG_STREAM_AHEAD(self->rc, &self->ahead, &self->take.stream, 64);
	CHECK(self->rc == 0);
	mag_runtime_stats(mag_runtime_current(), &self->before);
	MAG_CALL(self->rc, mag_stream_fold, .stream = &self->ahead.stream, .fold = add_long, .ctx = &self->sum);
	mag_runtime_stats(mag_runtime_current(), &self->after);
	CHECK(self->rc == self->n);
	CHECK(self->after.bytes <= self->before.bytes + (1 << 20)); /* slabs come in steps of 1 MiB */
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Ten million with MAGPIE_LONG. Tried: a frame for each item that is not given back. */
Test(streams_memory, memory_stays_flat_over_many_items, .timeout = 120)
{
	int64_t n = getenv("MAGPIE_LONG") ? 10000000 : 100000 / PLAY_SLOWDOWN;

	for (uint32_t workers = 1; workers <= 2; workers++)
		cr_assert_eq(RUN(workers, flat, .n = n), n);
}

/* What a stage calls cannot be started, for want of memory: the item is there for the next that asks. */
struct large {
	mag_frame frame;
	MAG_ARGS(large, const int *in; int *out; int *ctx;);
	char much[400 * 1024];
};

MAG_TASK(large)
{
	MAG_BEGIN(large);
	*self->out = *self->in;
	MAG_RETURN(0);
	MAG_END;
}

struct larger {
	mag_frame frame;
	MAG_ARGS(larger, int *ctx; int *out;);
	char much[800 * 1024];
};

MAG_TASK(larger)
{
	MAG_BEGIN(larger);
	*self->out = (*self->ctx)++;
	MAG_RETURN(1);
	MAG_END;
}

struct short_of_memory {
	mag_frame frame;
	MAG_NO_ARGS(short_of_memory);
	mag_stream_iterator source;
	mag_stream_map_async same;
	int64_t rc;
	int n, in, item, failed;
};

MAG_TASK(short_of_memory)
{
	MAG_BEGIN(short_of_memory);
	self->n = 7;
	self->failed = 0;
	MAG_STREAM_ITERATE(self->rc, &self->source, sizeof(int), MAG_STREAM_FN(larger), MAG_STREAM_NO_CLOSE, &self->n);
	CHECK(self->rc == 0);
	CHECK(mag_stream_map_async_init(&self->same, &self->source.stream, &self->in, sizeof(int), MAG_STREAM_FN(large),
					NULL) == 0);
	do { /* the frame to wait in, that of the one, that of the other */
		magi_fault_plan((uint64_t)self->failed + 1, 0);
		MAG_AWAIT(self->rc, mag_stream_next, &self->same.stream, &self->item);
		magi_fault_plan(0, 0);
		CHECK(self->rc == -ENOMEM || self->rc == 1);
		self->failed += self->rc < 0;
	} while (self->rc < 0);
	CHECK(self->item == 7 && self->failed >= 3);
	MAG_AWAIT(self->rc, mag_stream_next, &self->same.stream, &self->item);
	CHECK(self->rc == 1 && self->item == 8);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: a stage that takes a missing frame for its function's error. */
Test(streams_memory, what_cannot_be_called_for_want_of_memory_loses_no_item, .timeout = 20)
{
	cr_assert_eq(RUN(1, short_of_memory), 0);
}
