/* SPDX-License-Identifier: MIT */
/* test_streams_ahead.c - stages with tasks that take from above by themselves: merge, ahead, limits in time, batches by time,
 * for each; what nobody asks for is discarded. */
#include "streams.h"

enum { N = 60 };

/* Several streams as they come. */
struct merge {
	mag_frame frame;
	MAG_ARGS(merge, int take; uint64_t pause; int64_t result; bool leaves;);
	mag_stream_generator source[3];
	mag_stream *ups[3];
	mag_stream_crew crew;
	uint32_t cleaned;
	int64_t rc, sum;
	int item, i;
};

MAG_TASK(merge)
{
	MAG_BEGIN(merge);
	self->cleaned = 0;
	self->sum = 0;
	for (self->i = 0; self->i < 3; self->i++) {
		MAG_STREAM_GENERATE(self->rc, &self->source[self->i], sizeof(int), emitter, .n = N, .cleaned = &self->cleaned,
				    .pause = self->pause * ((uint64_t)self->i + 1), .result = self->i == 2 ? self->result : 0);
		self->ups[self->i] = &self->source[self->i].stream;
	}
	MAG_STREAM_MERGE(self->rc, &self->crew, self->ups, 3);
	CHECK(self->rc == 0);
	for (self->i = 0; self->i < self->take; self->i++) {
		MAG_AWAIT(self->rc, mag_stream_next, &self->crew.stream, &self->item);
		if (self->rc <= 0)
			break;
		self->sum += self->item;
	}
	if (self->take > 3 * N) {
		CHECK(self->rc == self->result);
		if (self->pause || !self->result) { /* the one that fails is the slowest, or none does */
			CHECK(self->i == 3 * N && self->sum == 3 * N * (N - 1) / 2);
			CHECK(counted(&self->cleaned) == 3);
		}
	}
	if (self->leaves)
		MAG_RETURN(0);
	MAG_AWAIT(self->rc, mag_stream_close, &self->crew.stream);
	CHECK(counted(&self->cleaned) == 3);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: an end that is told with the first lane's; a place that is lost with a lane's end. */
Test(streams_ahead, merge_gives_all_items_of_all_and_ends_with_the_last, .timeout = 60)
{
	EACH_WORKERS(n) {
		for (int variant = 0; variant < 4; variant++) {
			uint64_t pause = variant & 1 ? REST : 0;
			int64_t result = variant & 2 ? -EIO : 0;

			cr_assert_eq(RUN(n, merge, .take = 3 * N + 1, .pause = pause, .result = result), 0);
			cr_assert_eq(RUN(n, merge, .take = variant * 7, .pause = pause, .leaves = variant & 2), 0);
		}
	}
}

/* One that has nothing beside one that has. */
struct empty_one {
	mag_frame frame;
	MAG_NO_ARGS(empty_one);
	mag_stream_array empty;
	mag_stream_generator source;
	mag_stream *ups[2];
	mag_stream_crew crew;
	int64_t rc, sum;
};

MAG_TASK(empty_one)
{
	MAG_BEGIN(empty_one);
	self->sum = 0;
	CHECK(mag_stream_array_init(&self->empty, NULL, 0, sizeof(int)) == 0);
	MAG_STREAM_GENERATE(self->rc, &self->source, sizeof(int), emitter, .n = N, .pause = REST);
	self->ups[0] = &self->empty.stream;
	self->ups[1] = &self->source.stream;
	MAG_STREAM_MERGE(self->rc, &self->crew, self->ups, 2);
	MAG_CALL(self->rc, mag_stream_fold, .stream = &self->crew.stream, .fold = add_int, .ctx = &self->sum);
	CHECK(self->rc == N && self->sum == N * (N - 1) / 2);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: an end with the first lane's. */
Test(streams_ahead, merge_outlives_the_first_of_its_streams, .timeout = 20)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, empty_one), 0);
}

/* One that fails beside one that never ends. */
struct beside_endless {
	mag_frame frame;
	MAG_NO_ARGS(beside_endless);
	mag_stream_generator source;
	mag_stream_function endless;
	mag_stream_throttle slowly;
	mag_stream *ups[2];
	mag_stream_crew crew;
	uint32_t cleaned;
	int64_t rc;
	int n, item, failed_at, i;
};

MAG_TASK(beside_endless)
{
	MAG_BEGIN(beside_endless);
	self->n = 1000;
	self->failed_at = 0;
	self->cleaned = 0;
	MAG_STREAM_GENERATE(self->rc, &self->source, sizeof(int), emitter, .n = 3, .pause = 10, .result = -EIO,
			    .cleaned = &self->cleaned);
	CHECK(mag_stream_function_init(&self->endless, sizeof(int), count_up, &self->n) == 0);
	CHECK(mag_stream_throttle_init(&self->slowly, &self->endless.stream, 10) == 0);
	self->ups[0] = &self->slowly.stream;
	self->ups[1] = &self->source.stream;
	MAG_STREAM_MERGE(self->rc, &self->crew, self->ups, 2);
	for (self->i = 0; self->i < 100; self->i++) {
		MAG_AWAIT(self->rc, mag_stream_next, &self->crew.stream, &self->item);
		if (self->rc < 0)
			break;
		CHECK(self->rc == 1);
		self->failed_at += self->item < 1000;
	}
	CHECK(self->rc == -EIO && self->failed_at == 3); /* behind its own items, in spite of the other's */
	MAG_AWAIT(self->rc, mag_stream_next, &self->crew.stream, &self->item);
	CHECK(self->rc == 0);
	MAG_AWAIT(self->rc, mag_stream_close, &self->crew.stream);
	CHECK(self->rc == 0 && counted(&self->cleaned) == 1);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: an error that waits until all have ended. */
Test(streams_ahead, merge_tells_an_error_although_the_others_go_on, .timeout = 20)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, beside_endless), 0);
}

/* Items that own something: what nobody asks for is discarded. */
static void release(void *ctx, void *item)
{
	(void)item;
	count(ctx);
}

struct ahead {
	mag_frame frame;
	MAG_ARGS(ahead, int take; uint32_t n;);
	mag_stream_function source;
	mag_stream_crew crew;
	uint32_t released;
	int64_t rc;
	int made, item, i;
};

MAG_TASK(ahead)
{
	MAG_BEGIN(ahead);
	self->made = 0;
	self->released = 0;
	CHECK(mag_stream_function_init(&self->source, sizeof(int), count_up, &self->made) == 0);
	MAG_STREAM_AHEAD(self->rc, &self->crew, &self->source.stream, self->n, .discard = release, .ctx = &self->released);
	CHECK(self->rc == 0);
	for (self->i = 0; self->i < self->take; self->i++) {
		MAG_AWAIT(self->rc, mag_stream_next, &self->crew.stream, &self->item);
		CHECK(self->rc == 1 && self->item == self->i);
	}
	MAG_AWAIT(self->rc, mag_sleep, REST);
	CHECK(self->made == (self->take ? self->take + (int)self->n : 0)); /* it has run ahead, so far and no further */
	MAG_AWAIT(self->rc, mag_stream_close, &self->crew.stream);
	CHECK((int)counted(&self->released) == self->made - self->take);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: a crew that takes one item without a place for it; a discard that is left out. */
Test(streams_ahead, ahead_runs_so_far_and_discards_what_nobody_asks_for, .timeout = 20)
{
	EACH_WORKERS(n) {
		for (int take = 0; take < 5; take++) {
			cr_assert_eq(RUN(n, ahead, .take = take, .n = 1), 0);
			cr_assert_eq(RUN(n, ahead, .take = take, .n = 7), 0);
		}
	}
}

/* In order, behind a slow first: what has been made lies in the ring. */
struct behind_slow {
	mag_frame frame;
	MAG_NO_ARGS(behind_slow);
	mag_stream_function source;
	mag_stream_crew crew;
	mag_scope scope;
	uint64_t item;
	uint32_t released;
	int64_t rc;
	int n;
};

struct waits_for_it {
	mag_frame frame;
	MAG_ARGS(waits_for_it, const int *in; uint64_t *out; uint32_t *ctx;);
	int64_t rc;
};

MAG_TASK(waits_for_it)
{
	MAG_BEGIN(waits_for_it);
	MAG_AWAIT(self->rc, mag_sleep, *self->in ? 1 : 100);
	*self->out = (uint64_t)*self->in;
	MAG_RETURN(self->rc);
	MAG_END;
}

MAG_TASK(behind_slow)
{
	MAG_BEGIN(behind_slow);
	self->n = 0;
	self->released = 0;
	CHECK(mag_stream_function_init(&self->source, sizeof(int), count_up, &self->n) == 0);
	MAG_STREAM_BUFFERED(self->rc, &self->crew, &self->source.stream, sizeof(uint64_t), MAG_STREAM_FN(waits_for_it),
			    .limit = 6, .discard = release, .ctx = &self->released);
	MAG_WITH_TIMEOUT(&self->scope, 50);
	MAG_AWAIT(self->rc, mag_stream_next, &self->crew.stream, &self->item);
	CHECK(self->rc == MAG_ECANCELED);
	MAG_SCOPE_END(self->rc, &self->scope);
	MAG_AWAIT(self->rc, mag_stream_close, &self->crew.stream);
	CHECK(counted(&self->released) == 5 && self->n == 6);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: a discard that passes over what lies in the ring. */
Test(streams_ahead, what_waits_for_its_turn_is_discarded_too, .timeout = 10)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, behind_slow), 0);
}

/* For each, with a limit. */
struct each {
	mag_frame frame;
	MAG_ARGS(each, struct work *work; uint32_t limit; int n;);
	mag_stream_generator source;
	uint32_t cleaned;
	int64_t rc, out;
};

MAG_TASK(each)
{
	MAG_BEGIN(each);
	self->cleaned = 0;
	MAG_STREAM_GENERATE(self->rc, &self->source, sizeof(int), emitter, .n = self->n, .cleaned = &self->cleaned);
	MAG_CALL(self->rc, mag_stream_each, .stream = &self->source.stream, .fn = MAG_STREAM_FN(worked), .ctx = self->work,
		 .limit = self->limit);
	CHECK(counted(&self->cleaned) == 1 && counted(&self->work->running) == 0);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: a limit of 0 that waits for ever; places smaller than what the function writes are the function's matter. */
Test(streams_ahead, each_item_is_worked_on_with_a_limit, .timeout = 20)
{
	EACH_WORKERS(n) {
		struct work work = { .fails_at = NO_ERROR, .pause = REST };

		cr_assert_eq(RUN(n, each, .work = &work, .limit = 5, .n = N), N);
		cr_assert_eq(work.ran, N);
		cr_assert_eq(work.most, 5);
		cr_assert_eq(RUN(n, each, .work = &work, .limit = 0, .n = N), -EINVAL);
		cr_assert_eq(RUN(n, each, .work = &work, .limit = 5, .n = 0), 0);
		work.fails_at = 30;
		cr_assert_eq(RUN(n, each, .work = &work, .limit = 5, .n = N), -EIO);
	}
}

/* A limit in time for each item, and batches by time: a generator that pauses. */
struct in_time {
	mag_frame frame;
	MAG_NO_ARGS(in_time);
	mag_stream_generator source;
	mag_stream_timeout limited;
	mag_stream_batch_timed batches;
	mag_batch batch;
	uint32_t cleaned;
	int64_t rc;
	int item, room[10], i, late;
};

MAG_TASK(in_time)
{
	MAG_BEGIN(in_time);
	self->cleaned = 0;
	self->late = 0;
	MAG_STREAM_GENERATE(self->rc, &self->source, sizeof(int), emitter, .n = 4, .pause = 25, .cleaned = &self->cleaned);
	MAG_STREAM_TIMEOUT(self->rc, &self->limited, &self->source.stream, 10);
	CHECK(self->rc == 0);
	for (self->i = 0; self->i < 4;) {
		MAG_AWAIT(self->rc, mag_stream_next, &self->limited.stream, &self->item);
		if (self->rc == MAG_ETIMEDOUT) {
			self->late++;
			continue;
		}
		CHECK(self->rc == 1 && self->item == self->i); /* none was cut short: they all come */
		self->i++;
	}
	CHECK(self->late == 8); /* after 10 and 20 of 25, each */
	do /* the generator cleans up */
		MAG_AWAIT(self->rc, mag_stream_next, &self->limited.stream, &self->item);
	while (self->rc == MAG_ETIMEDOUT);
	CHECK(self->rc == 0 && counted(&self->cleaned) == 1);
	MAG_AWAIT(self->rc, mag_stream_close, &self->limited.stream);

	MAG_STREAM_GENERATE(self->rc, &self->source, sizeof(int), emitter, .n = 10, .pause = 10, .cleaned = &self->cleaned);
	MAG_STREAM_BATCH(self->rc, &self->batches, &self->source.stream, self->room, 10, 25);
	CHECK(self->rc == 0);
	for (self->i = 0; self->i < 9; self->i += 3) { /* at 10, 20, 30; the time is up at 35 */
		MAG_AWAIT(self->rc, mag_stream_next, &self->batches.batch.stream, &self->batch);
		CHECK(self->rc == 1 && self->batch.count == 3 && ((int *)self->batch.items)[0] == self->i);
	}
	MAG_AWAIT(self->rc, mag_stream_next, &self->batches.batch.stream, &self->batch);
	CHECK(self->rc == 1 && self->batch.count == 1); /* the end comes before the time is up */
	MAG_AWAIT(self->rc, mag_stream_next, &self->batches.batch.stream, &self->batch);
	CHECK(self->rc == 0);
	MAG_AWAIT(self->rc, mag_stream_close, &self->batches.batch.stream);

	MAG_STREAM_GENERATE(self->rc, &self->source, sizeof(int), emitter, .n = 8, .result = -EIO, .cleaned = &self->cleaned);
	MAG_STREAM_BATCH(self->rc, &self->batches, &self->source.stream, self->room, 5, 25);
	MAG_AWAIT(self->rc, mag_stream_next, &self->batches.batch.stream, &self->batch);
	CHECK(self->rc == 1 && self->batch.count == 5);
	MAG_AWAIT(self->rc, mag_stream_next, &self->batches.batch.stream, &self->batch);
	CHECK(self->rc == 1 && self->batch.count == 3); /* before the error */
	MAG_AWAIT(self->rc, mag_stream_next, &self->batches.batch.stream, &self->batch);
	CHECK(self->rc == -EIO);
	MAG_AWAIT(self->rc, mag_stream_next, &self->batches.batch.stream, &self->batch);
	CHECK(self->rc == 0);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: a time limit that cancels what is above; a batch whose clock starts with the wait. */
Test(streams_ahead, a_limit_in_time_cuts_nothing_short_above, .timeout = 20)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, in_time), 0);
}

/* Two stages deep each, where there is room for one. */
struct too_deep {
	mag_frame frame;
	MAG_NO_ARGS(too_deep);
	mag_stream_function source;
	mag_stream_count skips[MAG_STREAM_DEPTH_MAX - 2];
	mag_stream *last;
	mag_stream_timeout limited;
	mag_stream_batch_timed batches;
	int64_t rc;
	int n, item, room[2];
};

MAG_TASK(too_deep)
{
	MAG_BEGIN(too_deep);
	self->n = 0;
	CHECK(mag_stream_function_init(&self->source, sizeof(int), count_up, &self->n) == 0);
	self->last = &self->source.stream;
	for (int i = 0; i < MAG_STREAM_DEPTH_MAX - 2; i++) {
		CHECK(mag_stream_skip_init(&self->skips[i], self->last, 1) == 0);
		self->last = &self->skips[i].stream;
	}
	MAG_STREAM_TIMEOUT(self->rc, &self->limited, self->last, 10);
	CHECK(self->rc == -EINVAL);
	MAG_STREAM_BATCH(self->rc, &self->batches, self->last, self->room, 2, 10);
	CHECK(self->rc == -EINVAL);
	MAG_AWAIT(self->rc, mag_stream_next, self->last, &self->item); /* it was not taken over */
	CHECK(self->rc == 1 && self->item == MAG_STREAM_DEPTH_MAX - 2);
	MAG_AWAIT(self->rc, mag_stream_close, self->last);
	CHECK(self->rc == 0);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: a stage that is opened and then cannot be asked. */
Test(streams_ahead, a_stage_that_is_too_deep_leaves_nothing_open, .timeout = 10)
{
	cr_assert_eq(RUN(1, too_deep), 0);
}

/* A generator may not emit across the scope of the tasks. */
struct emits_with_tasks {
	mag_frame frame;
	MAG_NO_ARGS(emits_with_tasks);
	mag_stream_function source;
	mag_stream_crew crew;
	int64_t rc;
	int n, item;
};

MAG_TASK(emits_with_tasks)
{
	MAG_BEGIN(emits_with_tasks);
	self->n = 0;
	CHECK(mag_stream_function_init(&self->source, sizeof(int), count_up, &self->n) == 0);
	MAG_STREAM_AHEAD(self->rc, &self->crew, &self->source.stream, 2);
	MAG_AWAIT(self->rc, mag_stream_next, &self->crew.stream, &self->item);
	MAG_EMIT(self->rc, self->item);
	CHECK(self->rc == -EINVAL);
	MAG_AWAIT(self->rc, mag_stream_close, &self->crew.stream);
	MAG_EMIT(self->rc, 77);
	CHECK(self->rc == MAG_ECANCELED); /* it was given, and nobody wants more */
	MAG_RETURN(0);
	MAG_END;
}

struct asks_it {
	mag_frame frame;
	MAG_NO_ARGS(asks_it);
	mag_stream_generator source;
	int64_t rc;
	int item;
};

MAG_TASK(asks_it)
{
	MAG_BEGIN(asks_it);
	MAG_STREAM_GENERATE(self->rc, &self->source, sizeof(int), emits_with_tasks);
	MAG_AWAIT(self->rc, mag_stream_next, &self->source.stream, &self->item);
	CHECK(self->rc == 1);
	MAG_RETURN(self->item);
	MAG_END;
}

/* Tried: emit that does not look for tasks. */
Test(streams_ahead, a_generator_may_not_emit_while_it_has_tasks_in_the_askers_scope, .timeout = 10)
{
	cr_assert_eq(RUN(2, asks_it), 77);
}
