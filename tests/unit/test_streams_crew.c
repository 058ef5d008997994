/* SPDX-License-Identifier: MIT */
/* test_streams_crew.c - stages with tasks: order, limits, errors, cancelling, and that nothing is lost or left behind. */
#include "streams.h"

enum { N = 60, NO_ERROR = -1 };

/* What the tests' function counts: how many run, at most ran, ran at all, and were cut short. */
struct work {
	uint32_t running, most, ran, cut;
	int fails_at;
	int drops; /* every so many-th; 0: none */
	uint64_t pause;
	bool uneven;
};

struct worked {
	mag_frame frame;
	MAG_ARGS(worked, const int *in; int64_t *out; struct work *ctx;);
	int64_t rc;
	uint32_t now;
};

static void note_most(struct work *work, uint32_t now)
{
	uint32_t most = magi_load_rlx(&work->most);

	while (now > most && !magi_cas_rlx(&work->most, &most, now))
		;
}

MAG_TASK(worked)
{
	MAG_BEGIN(worked);
	self->rc = 0;
	self->now = magi_add_ar(&self->ctx->running, 1u) + 1; /* [counted] */
	note_most(self->ctx, self->now);
	if (self->ctx->pause)
		MAG_AWAIT(self->rc, mag_sleep, self->ctx->uneven && *self->in % 3 == 0 ? 3 * self->ctx->pause : self->ctx->pause);
	magi_sub_ar(&self->ctx->running, 1u); /* [counted] */
	count(&self->ctx->ran);
	if (self->rc < 0) {
		count(&self->ctx->cut);
		MAG_RETURN(self->rc);
	}
	if (*self->in == self->ctx->fails_at)
		MAG_RETURN(-EIO);
	if (self->ctx->drops && *self->in % self->ctx->drops == 0)
		MAG_RETURN(MAG_STREAM_DROP);
	*self->out = (int64_t)*self->in * *self->in;
	MAG_RETURN(0);
	MAG_END;
}

/* buffered(limit) over numbers, to the end or for `take` items. */
struct buffered {
	mag_frame frame;
	MAG_ARGS(buffered, struct work *work; uint32_t limit; bool as_completed; int take; int64_t end; uint64_t pause;
		 bool leaves; uint64_t patience;);
	mag_stream_generator source;
	mag_stream_crew crew;
	mag_scope scope;
	uint32_t cleaned;
	int64_t rc, why, item, sum, expected, gave_up;
	int i;
};

/* The next square in order: those that are dropped are passed over. */
static int64_t next_square(const struct work *work, int *i)
{
	while (work->drops && *i % work->drops == 0)
		(*i)++;
	return (int64_t)*i * *i;
}

MAG_TASK(buffered)
{
	MAG_BEGIN(buffered);
	self->cleaned = 0;
	self->sum = self->expected = self->gave_up = 0;
	MAG_STREAM_GENERATE(self->rc, &self->source, sizeof(int), emitter, .n = N, .cleaned = &self->cleaned,
			    .pause = self->pause);
	MAG_STREAM_BUFFERED(self->rc, &self->crew, &self->source.stream, sizeof(int64_t), MAG_STREAM_FN(worked),
			    .limit = self->limit, .as_completed = self->as_completed, .ctx = self->work);
	CHECK(self->rc == 0);
	for (self->i = 0; self->take--; self->i++) {
		MAG_WITH_TIMEOUT(&self->scope, self->patience ? self->patience : MAG_NEVER);
		MAG_AWAIT(self->rc, mag_stream_next, &self->crew.stream, &self->item);
		MAG_SCOPE_END(self->why, &self->scope);
		if (self->rc == MAG_ECANCELED && self->why == MAG_ETIMEDOUT) {
			self->gave_up++;
			self->i--;
			self->take++;
			continue;
		}
		if (self->rc <= 0)
			break;
		self->expected += next_square(self->work, &self->i);
		self->sum += self->item;
		if (!self->as_completed)
			CHECK(self->sum == self->expected);
	}
	if (self->take >= 0) { /* it has ended, as expected */
		CHECK(self->rc == self->end && (self->end || self->sum == self->expected));
		MAG_AWAIT(self->rc, mag_stream_next, &self->crew.stream, &self->item);
		CHECK(self->rc == 0);
		MAG_AWAIT(self->rc, mag_sleep, 1); /* where it has failed the others end without being closed */
		CHECK(counted(&self->work->running) == 0);
	}
	if (self->leaves)
		MAG_RETURN(self->gave_up);
	MAG_AWAIT(self->rc, mag_stream_close, &self->crew.stream);
	CHECK(self->rc == 0 && counted(&self->cleaned) == 1 && counted(&self->work->running) == 0);
	MAG_RETURN(self->gave_up);
	MAG_END;
}

/* Tried: a limit that is one too high; results given as they come; a drop that stops the ring. */
Test(streams_crew, several_calls_at_once_in_order_and_as_completed, .timeout = 60)
{
	EACH_WORKERS(n) {
		for (uint32_t limit = 1; limit <= 16; limit *= 4) {
			for (int variant = 0; variant < 8; variant++) {
				struct work work = { .fails_at = NO_ERROR, .pause = variant & 1 ? REST : 0,
						     .uneven = variant & 1, .drops = variant & 2 ? 4 : 0 };

				cr_assert_eq(RUN(n, buffered, .work = &work, .limit = limit, .take = N + 1,
						 .as_completed = variant & 4), 0);
				cr_assert_eq(work.ran, N);
				cr_assert_leq(work.most, limit);
				if (variant & 1)
					cr_assert_eq(work.most, limit);
			}
		}
	}
}

/* The first is slow, and nothing comes of it; the second has come long before. */
struct last_drop {
	mag_frame frame;
	MAG_ARGS(last_drop, struct work *work;);
	mag_stream_array source;
	mag_stream_crew crew;
	int64_t rc, item;
	int two[2];
};

MAG_TASK(last_drop)
{
	MAG_BEGIN(last_drop);
	self->two[0] = 0;
	self->two[1] = 1;
	CHECK(mag_stream_array_init(&self->source, self->two, 2, sizeof(int)) == 0);
	MAG_STREAM_BUFFERED(self->rc, &self->crew, &self->source.stream, sizeof(int64_t), MAG_STREAM_FN(worked), .limit = 4,
			    .ctx = self->work);
	MAG_AWAIT(self->rc, mag_stream_next, &self->crew.stream, &self->item);
	CHECK(self->rc == 1 && self->item == 1);
	MAG_AWAIT(self->rc, mag_stream_next, &self->crew.stream, &self->item);
	CHECK(self->rc == 0);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: a drop after which the next in the ring is not looked at. */
Test(streams_crew, behind_what_is_dropped_comes_the_next, .timeout = 10)
{
	EACH_WORKERS(n) {
		struct work work = { .fails_at = NO_ERROR, .pause = REST, .uneven = true, .drops = 4 };

		cr_assert_eq(RUN(n, last_drop, .work = &work), 0);
	}
}

/* The order of the first items when every third takes three times as long. */
struct first_come {
	mag_frame frame;
	MAG_ARGS(first_come, struct work *work;);
	mag_stream_generator source;
	mag_stream_crew crew;
	int64_t rc, item, got[6];
	int i;
};

MAG_TASK(first_come)
{
	MAG_BEGIN(first_come);
	MAG_STREAM_GENERATE(self->rc, &self->source, sizeof(int), emitter, .n = 6);
	MAG_STREAM_BUFFERED(self->rc, &self->crew, &self->source.stream, sizeof(int64_t), MAG_STREAM_FN(worked),
			    .limit = 6, .as_completed = true, .ctx = self->work);
	for (self->i = 0; self->i < 6; self->i++) {
		MAG_AWAIT(self->rc, mag_stream_next, &self->crew.stream, &self->item);
		CHECK(self->rc == 1);
		self->got[self->i] = self->item;
	}
	CHECK(self->got[4] + self->got[5] == 9); /* 0 and 3 come last */
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: as completed taken for in order. */
Test(streams_crew, as_completed_does_not_wait_for_the_slow_ones, .timeout = 10)
{
	EACH_WORKERS(n) {
		struct work work = { .fails_at = NO_ERROR, .pause = REST, .uneven = true };

		cr_assert_eq(RUN(n, first_come, .work = &work), 0);
	}
}

/* Tried: an error that does not cancel the others; a close that does not; tasks that are not joined; a generator above that
 * is not closed. */
Test(streams_crew, an_error_or_an_early_stop_cancels_and_joins_what_runs, .timeout = 60)
{
	EACH_WORKERS(n) {
		for (int variant = 0; variant < 8; variant++) {
			struct work work = { .fails_at = variant & 1 ? 20 : NO_ERROR, .pause = variant & 2 ? REST : 0 };

			cr_assert_eq(RUN(n, buffered, .work = &work, .limit = 8, .as_completed = variant & 4,
					 .take = variant & 1 ? N + 1 : 10, .end = -EIO), 0);
			cr_assert_eq(work.running, 0);
			cr_assert_leq(work.ran, 20 + 2 * 8);
			cr_assert_eq(RUN(n, buffered, .work = &work, .limit = 8, .take = variant, .leaves = true), 0);
			cr_assert_eq(work.running, 0);
		}
	}
}

/* Tried: a wait's message that is lost when the asker was cancelled: the sums would differ. */
Test(streams_crew, an_asker_that_gives_up_now_and_then_loses_nothing, .timeout = 60)
{
	EACH_WORKERS(n) {
		for (int as_completed = 0; as_completed < 2; as_completed++) {
			struct work work = { .fails_at = NO_ERROR, .pause = 4 * MAG_MILLISECOND, .uneven = true };

			cr_assert_geq(RUN(n, buffered, .work = &work, .limit = 4, .take = N + 1, .patience = MAG_MILLISECOND,
					  .as_completed = as_completed), 20);
			cr_assert_eq(work.ran, N);
			cr_assert_eq(work.cut, 0);
		}
	}
}

/* A deadline around all of it: open, ask, and close inside. */
struct in_scope {
	mag_frame frame;
	MAG_ARGS(in_scope, struct work *work; bool shield;);
	mag_stream_generator source;
	mag_stream_crew crew;
	mag_scope scope, inner;
	uint32_t cleaned;
	int64_t rc, why, item;
	int got;
};

MAG_TASK(in_scope)
{
	MAG_BEGIN(in_scope);
	self->cleaned = 0;
	self->got = 0;
	MAG_WITH_TIMEOUT(&self->scope, 5 * REST + REST / 2);
	MAG_STREAM_GENERATE(self->rc, &self->source, sizeof(int), emitter, .n = N, .cleaned = &self->cleaned);
	MAG_STREAM_BUFFERED(self->rc, &self->crew, &self->source.stream, sizeof(int64_t), MAG_STREAM_FN(worked),
			    .limit = 2, .ctx = self->work);
	if (self->shield)
		MAG_SHIELD(&self->inner, 100 * REST);
	for (;;) {
		MAG_AWAIT(self->rc, mag_stream_next, &self->crew.stream, &self->item);
		if (self->rc <= 0)
			break;
		self->got++;
	}
	CHECK(self->rc == MAG_ECANCELED);
	if (self->shield) {
		MAG_AWAIT(self->rc, mag_stream_next, &self->crew.stream, &self->item);
		CHECK(self->rc == 0);
		MAG_SCOPE_END(self->rc, &self->inner);
	}
	MAG_AWAIT(self->rc, mag_stream_close, &self->crew.stream);
	CHECK(self->rc == 0 && counted(&self->cleaned) == 1 && counted(&self->work->running) == 0);
	MAG_SCOPE_END(self->why, &self->scope);
	CHECK(self->why == MAG_ETIMEDOUT);
	MAG_RETURN(self->got);
	MAG_END;
}

/* Two at once, a second each: ten in five seconds. In a shield the asker is not cancelled, but the tasks are.
 * Tried: tasks that live in no scope; hands that end without a word when they are cancelled. */
Test(streams_crew, its_tasks_are_cancelled_with_the_scope_that_it_was_opened_in, .timeout = 20)
{
	EACH_WORKERS(n) {
		for (int shield = 0; shield < 2; shield++) {
			struct work work = { .fails_at = NO_ERROR, .pause = REST };

			cr_assert_eq(RUN(n, in_scope, .work = &work, .shield = shield), 10);
			cr_assert_eq(work.cut, 2);
		}
	}
}

/* Its source cancels the asker just after that was granted an item. */
struct meddling {
	mag_scope *scope;
	int n;
};

static int cancels_the_asker(void *ctx, void *item)
{
	struct meddling *m = ctx;

	if (m->n == 1)
		mag_scope_cancel(m->scope);
	*(int *)item = m->n++;
	return 1;
}

struct ordered_anyway {
	mag_frame frame;
	MAG_NO_ARGS(ordered_anyway);
	struct meddling meddling;
	mag_stream_function source;
	mag_stream_crew ahead;
	mag_scope scope;
	int64_t rc, why;
	int item, expected;
};

MAG_TASK(ordered_anyway)
{
	MAG_BEGIN(ordered_anyway);
	self->meddling = (struct meddling){ .scope = &self->scope };
	CHECK(mag_stream_function_init(&self->source, sizeof(int), cancels_the_asker, &self->meddling) == 0);
	MAG_STREAM_AHEAD(self->rc, &self->ahead, &self->source.stream, 2);
	self->expected = 0;
	MAG_SCOPE_BEGIN(&self->scope);
	do {
		MAG_AWAIT(self->rc, mag_stream_next, &self->ahead.stream, &self->item);
		CHECK(self->rc == MAG_ECANCELED || (self->rc == 1 && self->item == self->expected));
		self->expected += self->rc == 1;
	} while (self->rc == 1);
	MAG_SCOPE_END(self->why, &self->scope);
	for (; self->expected < 10; self->expected++) {
		MAG_AWAIT(self->rc, mag_stream_next, &self->ahead.stream, &self->item);
		CHECK(self->rc == 1 && self->item == self->expected);
	}
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: a message that is dropped because its taker was cancelled afterwards. */
Test(streams_crew, an_item_that_was_granted_before_the_cancel_is_given, .timeout = 10)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, ordered_anyway), 0);
}

/* A function that never waits, and cancels the scope that the tasks live in. */
struct stopper {
	mag_frame frame;
	MAG_ARGS(stopper, const int *in; int *out; mag_scope *ctx;);
};

MAG_TASK(stopper)
{
	MAG_BEGIN(stopper);
	*self->out = *self->in;
	if (*self->in == 5)
		mag_scope_cancel(self->ctx);
	MAG_RETURN(0);
	MAG_END;
}

struct stopped {
	mag_frame frame;
	MAG_ARGS(stopped, uint32_t limit;);
	mag_stream_function source;
	mag_stream_crew crew;
	mag_scope scope, shield;
	int64_t rc;
	int n, item, got;
};

MAG_TASK(stopped)
{
	MAG_BEGIN(stopped);
	self->n = self->got = 0;
	CHECK(mag_stream_function_init(&self->source, sizeof(int), count_up, &self->n) == 0);
	MAG_SCOPE_BEGIN(&self->scope);
	MAG_STREAM_BUFFERED(self->rc, &self->crew, &self->source.stream, sizeof(int), MAG_STREAM_FN(stopper),
			    .limit = self->limit, .ctx = &self->scope);
	MAG_SHIELD(&self->shield, 100 * REST);
	for (;;) {
		MAG_AWAIT(self->rc, mag_stream_next, &self->crew.stream, &self->item);
		if (self->rc <= 0)
			break;
		CHECK(self->item == self->got);
		self->got++;
	}
	CHECK(self->rc == MAG_ECANCELED && self->got > 5 && self->got == self->n);
	MAG_SCOPE_END(self->rc, &self->shield);
	CHECK(self->rc == 0);
	MAG_AWAIT(self->rc, mag_stream_close, &self->crew.stream);
	MAG_SCOPE_END(self->rc, &self->scope);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: hands that end without a word when they are cancelled between two items. */
Test(streams_crew, cancelled_tasks_say_so_behind_what_they_have_made, .timeout = 10)
{
	EACH_WORKERS(n) {
		for (uint32_t limit = 1; limit <= 4; limit++)
			cr_assert_eq(RUN(n, stopped, .limit = limit), 0);
	}
}

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
		CHECK(self->i == 3 * N && self->sum == 3 * N * (N - 1) / 2 && self->rc == self->result);
		CHECK(counted(&self->cleaned) == 3);
	}
	if (self->leaves)
		MAG_RETURN(0);
	MAG_AWAIT(self->rc, mag_stream_close, &self->crew.stream);
	CHECK(counted(&self->cleaned) == 3);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: an end that is told with the first lane's; a place that is lost with a lane's end. */
Test(streams_crew, merge_gives_all_items_of_all_and_ends_with_the_last, .timeout = 60)
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
Test(streams_crew, merge_outlives_the_first_of_its_streams, .timeout = 20)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, empty_one), 0);
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
Test(streams_crew, ahead_runs_so_far_and_discards_what_nobody_asks_for, .timeout = 20)
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
Test(streams_crew, what_waits_for_its_turn_is_discarded_too, .timeout = 10)
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
Test(streams_crew, each_item_is_worked_on_with_a_limit, .timeout = 20)
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
Test(streams_crew, a_limit_in_time_cuts_nothing_short_above, .timeout = 20)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, in_time), 0);
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
Test(streams_crew, a_generator_may_not_emit_while_it_has_tasks_in_the_askers_scope, .timeout = 10)
{
	cr_assert_eq(RUN(2, asks_it), 77);
}
