/* SPDX-License-Identifier: MIT */
/* test_streams_wait.c - who waits for an item: from a queue, with a deadline, and cancelled at the worst moments. */
#include "streams.h"

enum { N = 20 };

/* A queue, filled by another task. */
struct filler {
	mag_frame frame;
	MAG_ARGS(filler, mag_queue *queue; int n; uint64_t pause;);
	int64_t rc;
	int i;
};

MAG_TASK(filler)
{
	MAG_BEGIN(filler);
	self->rc = 0;
	for (self->i = 0; self->i < self->n; self->i++) {
		if (self->pause)
			MAG_AWAIT(self->rc, mag_sleep, self->pause);
		CHECK(self->rc == 0);
		MAG_AWAIT(self->rc, mag_queue_push, self->queue, &self->i);
		CHECK(self->rc == 0);
	}
	mag_queue_close(self->queue);
	MAG_RETURN(0);
	MAG_END;
}

/* Now and then it looks only for so long: what it does not get then it gets next. */
struct from_queue {
	mag_frame frame;
	MAG_ARGS(from_queue, uint64_t pause; uint64_t patience;);
	mag_queue queue;
	mag_stream_queue source;
	mag_stream_map squares;
	mag_group group;
	mag_scope scope;
	int64_t rc, why, item;
	int i, gave_up;
};

MAG_TASK(from_queue)
{
	MAG_BEGIN(from_queue);
	self->gave_up = 0;
	CHECK(mag_queue_init(&self->queue, 2, sizeof(int)) == 0);
	CHECK(mag_stream_queue_init(&self->source, &self->queue) == 0);
	CHECK(mag_stream_map_init(&self->squares, &self->source.stream, sizeof(int64_t), square, NULL) == 0);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, filler, .queue = &self->queue, .n = N, .pause = self->pause);
	CHECK(self->rc == 0);
	for (self->i = 0; self->i < N;) {
		MAG_WITH_TIMEOUT(&self->scope, self->patience);
		MAG_AWAIT(self->rc, mag_stream_next, &self->squares.stream, &self->item);
		MAG_SCOPE_END(self->why, &self->scope);
		CHECK(self->rc == 1 || (self->rc == MAG_ECANCELED && self->why == MAG_ETIMEDOUT));
		if (self->rc == 1) {
			CHECK(self->item == self->i * self->i);
			self->i++;
		} else {
			self->gave_up++;
		}
	}
	MAG_AWAIT(self->rc, mag_stream_next, &self->squares.stream, &self->item);
	CHECK(self->rc == 0);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(mag_queue_fini(&self->queue) == 0);
	MAG_RETURN(self->gave_up);
	MAG_END;
}

/* Tried: a wait's item that is dropped when the scope was cancelled meanwhile; the queue's end taken for an error. */
Test(streams_wait, a_queue_gives_all_it_has_also_to_who_is_cancelled_now_and_then, .timeout = 20)
{
	EACH_WORKERS(n) {
		cr_assert_eq(RUN(n, from_queue, .pause = 0, .patience = MAG_NEVER), 0);
		cr_assert_eq(RUN(n, from_queue, .pause = 0, .patience = REST), 0);
		cr_assert_geq(RUN(n, from_queue, .pause = 10 * MAG_MILLISECOND, .patience = 4 * MAG_MILLISECOND), N);
		cr_assert_geq(RUN(n, from_queue, .pause = MAG_MILLISECOND, .patience = MAG_MILLISECOND), 0);
	}
}

/* Somebody who pushes, cancels the one that was granted, and closes when that one waits again. */
struct meddler {
	mag_frame frame;
	MAG_ARGS(meddler, mag_queue *queue; mag_scope *scope;);
	int64_t rc;
	int item;
};

MAG_TASK(meddler)
{
	MAG_BEGIN(meddler);
	MAG_AWAIT(self->rc, mag_sleep, REST);
	self->item = 5;
	CHECK(mag_queue_try_push(self->queue, &self->item) == 0);
	mag_scope_cancel(self->scope);
	MAG_AWAIT(self->rc, mag_sleep, REST);
	mag_queue_close(self->queue);
	MAG_RETURN(0);
	MAG_END;
}

struct granted_first {
	mag_frame frame;
	MAG_NO_ARGS(granted_first);
	mag_queue queue;
	mag_stream_queue source;
	mag_stream_map squares;
	mag_group group;
	mag_scope scope;
	int64_t rc, item;
};

MAG_TASK(granted_first)
{
	MAG_BEGIN(granted_first);
	CHECK(mag_queue_init(&self->queue, 2, sizeof(int)) == 0);
	CHECK(mag_stream_queue_init(&self->source, &self->queue) == 0);
	CHECK(mag_stream_map_init(&self->squares, &self->source.stream, sizeof(int64_t), square, NULL) == 0);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SCOPE_BEGIN(&self->scope);
	MAG_SPAWN(self->rc, &self->group, meddler, .queue = &self->queue, .scope = &self->scope);
	CHECK(self->rc == 0);
	MAG_AWAIT(self->rc, mag_stream_next, &self->squares.stream, &self->item);
	CHECK(self->rc == 1 && self->item == 25); /* what was granted is given */
	MAG_AWAIT(self->rc, mag_stream_next, &self->squares.stream, &self->item);
	CHECK(self->rc == MAG_ECANCELED);
	MAG_SCOPE_END(self->rc, &self->scope);
	MAG_AWAIT(self->rc, mag_stream_next, &self->squares.stream, &self->item);
	CHECK(self->rc == 0);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(mag_queue_fini(&self->queue) == 0);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: an item that is dropped because its taker was cancelled afterwards; the queue's end, for which somebody waits,
 * taken for an error. */
Test(streams_wait, what_was_granted_before_the_cancel_is_given, .timeout = 10)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, granted_first), 0);
}

/* With a deadline, and without waiting. */
struct with_deadline {
	mag_frame frame;
	MAG_NO_ARGS(with_deadline);
	mag_queue queue;
	mag_stream_queue source;
	mag_stream_map squares;
	mag_group group;
	mag_scope scope;
	uint64_t began;
	int64_t rc, item;
};

MAG_TASK(with_deadline)
{
	MAG_BEGIN(with_deadline);
	CHECK(mag_queue_init(&self->queue, 2, sizeof(int)) == 0);
	CHECK(mag_stream_queue_init(&self->source, &self->queue) == 0);
	CHECK(mag_stream_map_init(&self->squares, &self->source.stream, sizeof(int64_t), square, NULL) == 0);
	self->began = mag_now();
	CHECK(mag_stream_try_next(&self->squares.stream, &self->item) == -EAGAIN);
	MAG_AWAIT(self->rc, mag_stream_next_until, &self->squares.stream, &self->item, self->began + REST);
	CHECK(self->rc == MAG_ETIMEDOUT && mag_now() == self->began + REST);
	CHECK(mag_queue_try_push(&self->queue, &(int){ 3 }) == 0);
	MAG_AWAIT(self->rc, mag_stream_next_until, &self->squares.stream, &self->item, self->began);
	CHECK(self->rc == 1 && self->item == 9); /* what is there is given, however late it is */
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, filler, .queue = &self->queue, .n = 2, .pause = REST);
	MAG_AWAIT(self->rc, mag_stream_next_until, &self->squares.stream, &self->item, self->began + 9 * REST);
	CHECK(self->rc == 1 && self->item == 0);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(mag_stream_try_next(&self->squares.stream, &self->item) == 1 && self->item == 1);
	MAG_SCOPE_BEGIN(&self->scope);
	mag_scope_cancel(&self->scope);
	MAG_AWAIT(self->rc, mag_stream_next_until, &self->squares.stream, &self->item, MAG_NEVER);
	CHECK(self->rc == MAG_ECANCELED);
	MAG_SCOPE_END(self->rc, &self->scope);
	CHECK(mag_stream_try_next(&self->squares.stream, &self->item) == 0);
	MAG_AWAIT(self->rc, mag_stream_next_until, &self->squares.stream, &self->item, self->began);
	CHECK(self->rc == 0);
	CHECK(mag_queue_fini(&self->queue) == 0);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: a deadline that has passed before what is there is looked at; a try that says 0 for what would wait. */
Test(streams_wait, a_deadline_and_a_try, .timeout = 10)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, with_deadline), 0);
}

/* Cancelled before it asks: nothing is taken. */
struct cancelled_before {
	mag_frame frame;
	MAG_NO_ARGS(cancelled_before);
	mag_stream_function source;
	mag_scope scope;
	int64_t rc;
	int n, item;
};

MAG_TASK(cancelled_before)
{
	MAG_BEGIN(cancelled_before);
	self->n = 0;
	CHECK(mag_stream_function_init(&self->source, sizeof(int), count_up, &self->n) == 0);
	MAG_SCOPE_BEGIN(&self->scope);
	mag_scope_cancel(&self->scope);
	MAG_AWAIT(self->rc, mag_stream_next, &self->source.stream, &self->item);
	CHECK(self->rc == MAG_ECANCELED && self->n == 0);
	MAG_SCOPE_END(self->rc, &self->scope);
	MAG_AWAIT(self->rc, mag_stream_next, &self->source.stream, &self->item);
	CHECK(self->rc == 1 && self->item == 0);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: a next that does not look at its scope when an item is there. */
Test(streams_wait, who_is_cancelled_gets_nothing_and_loses_nothing, .timeout = 10)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, cancelled_before), 0);
}

/* An end of a stream that never waits, and never ends: its time is up all the same. */
static int few_keys(void *ctx, void *item)
{
	*(int *)item = (*(int *)ctx)++ & 3;
	return 1;
}

struct endless_ends {
	mag_frame frame;
	MAG_NO_ARGS(endless_ends);
	mag_stream_function source;
	mag_table table;
	mag_scope scope;
	uint64_t ns;
	int64_t rc, why, sum;
	int n;
};

MAG_TASK(endless_ends)
{
	MAG_BEGIN(endless_ends);
	self->n = 0;
	self->sum = 0;
	self->table = (mag_table){ 0 };
	CHECK(mag_stream_function_init(&self->source, sizeof(int), few_keys, &self->n) == 0);
	MAG_WITH_TIMEOUT(&self->scope, 5 * MAG_MILLISECOND);
	MAG_CALL(self->rc, mag_stream_fold, .stream = &self->source.stream, .fold = add_int, .ctx = &self->sum);
	MAG_SCOPE_END(self->why, &self->scope);
	CHECK(self->rc == MAG_ECANCELED && self->why == MAG_ETIMEDOUT);
	/* on a busy machine its time may be up before it has begun */
	for (self->ns = 5 * MAG_MILLISECOND; self->table.count < 4; self->ns *= 2) {
		CHECK(mag_stream_function_init(&self->source, sizeof(int), few_keys, &self->n) == 0);
		mag_table_fini(&self->table);
		MAG_WITH_TIMEOUT(&self->scope, self->ns);
		MAG_CALL(self->rc, mag_stream_to_table, .stream = &self->source.stream, .into = &self->table,
			 .key_size = sizeof(int), .limit = 10);
		MAG_SCOPE_END(self->why, &self->scope);
		CHECK(self->rc == MAG_ECANCELED && self->why == MAG_ETIMEDOUT && self->table.count <= 4);
	}
	mag_table_fini(&self->table);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: a table that lets others run only when it has grown. */
Test(streams_wait, what_never_waits_lets_others_run, .timeout = 20)
{
	mag_runtime *rt = play_real(1, 0);
	struct play p = { NULL, rt };
	int64_t rc;

	play_run(&p, rc, endless_ends);
	cr_assert_eq(rc, 0);
	cr_assert_eq(mag_runtime_destroy(rt, mag_deadline_in(30 * MAG_SECOND)), 0);
}
