/* SPDX-License-Identifier: MIT */
/* test_streams_crew.c - several calls at once: order, limits, errors, cancelling, and that nothing is lost or left behind. */
#include "streams.h"

enum { N = 60 };

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
