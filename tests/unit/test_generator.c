/* SPDX-License-Identifier: MIT */
/* test_generator.c - generators: items, waits, ends, closing early, and whose scope they run in. */
#include "gates.h"

enum ending { RUNS_OUT, FAILS };

struct numbers {
	mag_frame frame;
	MAG_ARGS(numbers, int n; enum ending ending; bool waits; uint32_t *began; uint32_t *cleaned;);
	mag_scope shield;
	int64_t rc;
	int i;
};

MAG_TASK(numbers)
{
	MAG_BEGIN(numbers);
	count(self->began);
	for (self->i = 0; self->i < self->n; self->i++) {
		if (self->waits)
			MAG_AWAIT(self->rc, mag_sleep, REST);
		else
			MAG_YIELD(self->rc);
		if (self->rc < 0) {
			MAG_YIELD(self->rc);
			CHECK(self->rc == MAG_ECANCELED);
			break;
		}
		MAG_EMIT(self->rc, self->i);
		if (self->rc < 0)
			break;
	}
	MAG_SHIELD(&self->shield, 10 * REST);
	MAG_AWAIT(self->rc, mag_sleep, REST); /* cleaning up takes its time */
	CHECK(self->rc == 0);
	MAG_SCOPE_END(self->rc, &self->shield);
	count(self->cleaned);
	MAG_RETURN(self->ending == FAILS ? -EIO : 5);
	MAG_END;
}

/* Takes up to `take` items, then closes, or leaves it to the return. */
struct consumer {
	mag_frame frame;
	MAG_ARGS(consumer, int n; int take; enum ending ending; bool waits; bool leaves; uint32_t *began;
		 uint32_t *cleaned;);
	mag_generator gen;
	int64_t rc;
	int item, i;
};

MAG_TASK(consumer)
{
	MAG_BEGIN(consumer);
	MAG_GENERATE(self->rc, &self->gen, numbers, .n = self->n, .ending = self->ending, .waits = self->waits,
		     .began = self->began, .cleaned = self->cleaned);
	CHECK(self->rc == 0 && counted(self->began) == 0);
	for (self->i = 0; self->i < self->take; self->i++) {
		self->item = -1;
		MAG_NEXT(self->rc, &self->gen, &self->item);
		if (self->rc <= 0)
			break;
		CHECK(self->rc == 1 && self->item == self->i);
	}
	if (self->take > self->n) {
		CHECK(self->rc == (self->ending == FAILS ? -EIO : 0) && self->i == self->n);
		MAG_NEXT(self->rc, &self->gen, &self->item);
		CHECK(self->rc == (self->ending == FAILS ? -EIO : 0)); /* and so it stays */
	}
	if (self->leaves)
		MAG_RETURN(77);
	MAG_CLOSE(&self->gen);
	CHECK(counted(self->cleaned) == 1);
	MAG_CLOSE(&self->gen);
	MAG_NEXT(self->rc, &self->gen, &self->item);
	CHECK(self->rc <= 0);
	MAG_RETURN(77);
	MAG_END;
}

/* Tried: MAG_CLOSE that drops a generator which has not begun. */
Test(generator, it_is_begun_once_and_cleans_up_however_it_ends, .timeout = 20)
{
	EACH_WORKERS(n) {
		for (int take = 0; take <= 5; take++) {
			for (int variant = 0; variant < 8; variant++) {
				uint32_t began = 0, cleaned = 0;

				cr_assert_eq(RUN(n, consumer, .n = 3, .take = take, .waits = variant & 1,
						 .leaves = variant & 2, .ending = variant & 4 ? FAILS : RUNS_OUT,
						 .began = &began, .cleaned = &cleaned), 77);
				cr_assert_eq(began, 1);
				cr_assert_eq(cleaned, 1);
			}
		}
	}
}

struct cut_short {
	mag_frame frame;
	MAG_ARGS(cut_short, uint32_t *began; uint32_t *cleaned;);
	mag_generator gen;
	mag_scope scope;
	int64_t rc;
	int item;
};

MAG_TASK(cut_short)
{
	MAG_BEGIN(cut_short);
	MAG_GENERATE(self->rc, &self->gen, numbers, .n = 100, .waits = true, .began = self->began,
		     .cleaned = self->cleaned);
	MAG_NEXT(self->rc, &self->gen, &self->item);
	CHECK(self->rc == 1 && self->item == 0);
	MAG_WITH_TIMEOUT(&self->scope, REST / 2); /* opened after the generator: it runs in it all the same */
	MAG_NEXT(self->rc, &self->gen, &self->item);
	CHECK(self->rc == 0); /* its wait was cancelled: it cleaned up and ended */
	CHECK(counted(self->cleaned) == 1);
	MAG_SCOPE_END(self->rc, &self->scope);
	CHECK(self->rc == MAG_ETIMEDOUT);
	MAG_CLOSE(&self->gen);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: a generator that keeps the scope it was made in. */
Test(generator, it_runs_in_the_scope_of_who_asks_and_is_cancelled_with_it, .timeout = 10)
{
	EACH_WORKERS(n) {
		uint32_t began = 0, cleaned = 0;

		cr_assert_eq(RUN(n, cut_short, .began = &began, .cleaned = &cleaned), 0);
	}
}

enum open_kind { A_SCOPE, A_GROUP, A_SIZE, ERRORS };

struct illegal {
	mag_frame frame;
	MAG_ARGS(illegal, enum open_kind kind;);
	mag_scope scope;
	mag_group group;
	int64_t rc;
};

MAG_TASK(illegal)
{
	MAG_BEGIN(illegal);
	if (self->kind == A_SCOPE)
		MAG_SCOPE_BEGIN(&self->scope);
	if (self->kind == A_GROUP)
		MAG_GROUP_BEGIN(&self->group);
	if (self->kind == ERRORS) {
		MAG_GROUP_BEGIN(&self->group);
		MAG_SPAWN(self->rc, &self->group, idler, .result = -EIO);
		MAG_GROUP_END(self->rc, &self->group);
		CHECK(self->rc == -EIO);
	}
	if (self->kind == A_SIZE)
		MAG_EMIT(self->rc, (char)1);
	else
		MAG_EMIT(self->rc, 1);
	CHECK(self->rc == (self->kind == ERRORS ? 0 : -EINVAL));
	if (self->kind == A_SCOPE)
		MAG_SCOPE_END(self->rc, &self->scope);
	if (self->kind == A_GROUP)
		MAG_GROUP_END(self->rc, &self->group);
	MAG_EMIT(self->rc, 2);
	CHECK(self->rc == 0);
	MAG_RETURN(0);
	MAG_END;
}

struct illegal_story {
	mag_frame frame;
	MAG_ARGS(illegal_story, enum open_kind kind;);
	mag_generator gen;
	int64_t rc;
	int item;
};

MAG_TASK(illegal_story)
{
	MAG_BEGIN(illegal_story);
	MAG_GENERATE(self->rc, &self->gen, illegal, .kind = self->kind);
	if (self->kind == ERRORS) {
		MAG_NEXT(self->rc, &self->gen, &self->item);
		CHECK(self->rc == 1 && self->item == 1);
	}
	MAG_NEXT(self->rc, &self->gen, &self->item);
	CHECK(self->rc == 1 && self->item == 2);
	MAG_NEXT(self->rc, &self->gen, &self->item);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: emit without the look at what is open: the consumer would run in a scope of the generator's. */
Test(generator, it_may_not_emit_inside_a_scope_of_its_own_or_another_type, .timeout = 10)
{
	EACH_WORKERS(n) {
		for (enum open_kind kind = A_SCOPE; kind <= A_SIZE; kind++)
			cr_assert_eq(RUN(n, illegal_story, .kind = kind), 0);
	}
}

/* The list of errors of a group that has ended lies on the frame until it is cleared, but it is nothing open.
 * Tried: counting it as in the way of emitting. */
Test(generator, it_may_emit_after_a_group_that_had_errors, .timeout = 10)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, illegal_story, .kind = ERRORS), 0);
}

/* A generator that consumes another one; both are closed by the return, the outer one first. */
struct doubler {
	mag_frame frame;
	MAG_ARGS(doubler, uint32_t *began; uint32_t *cleaned;);
	mag_generator gen;
	int64_t rc;
	int item;
};

MAG_TASK(doubler)
{
	MAG_BEGIN(doubler);
	MAG_GENERATE(self->rc, &self->gen, numbers, .n = 4, .waits = true, .began = self->began,
		     .cleaned = self->cleaned);
	for (;;) {
		MAG_NEXT(self->rc, &self->gen, &self->item);
		if (self->rc <= 0)
			break;
		MAG_EMIT(self->rc, 2 * self->item);
		if (self->rc < 0)
			break;
	}
	MAG_RETURN(self->rc);
	MAG_END;
}

struct doubler_story {
	mag_frame frame;
	MAG_ARGS(doubler_story, int take; uint32_t *began; uint32_t *cleaned;);
	mag_generator gen;
	int64_t rc;
	int item, i;
};

MAG_TASK(doubler_story)
{
	MAG_BEGIN(doubler_story);
	MAG_GENERATE(self->rc, &self->gen, doubler, .began = self->began, .cleaned = self->cleaned);
	for (self->i = 0; self->i < self->take; self->i++) {
		MAG_NEXT(self->rc, &self->gen, &self->item);
		CHECK(self->i < 4 ? self->rc == 1 && self->item == 2 * self->i : self->rc == 0);
	}
	MAG_RETURN(0);
	MAG_END;
}

Test(generator, one_may_consume_another, .timeout = 10)
{
	EACH_WORKERS(n) {
		for (int take = 1; take <= 5; take++) {
			uint32_t began = 0, cleaned = 0;

			cr_assert_eq(RUN(n, doubler_story, .take = take, .began = &began, .cleaned = &cleaned), 0);
			cr_assert_eq(began, 1);
			cr_assert_eq(cleaned, 1);
		}
	}
}

/* A generator that forks: the child lives in the consumer's scope of that moment. */
struct forking {
	mag_frame frame;
	MAG_ARGS(forking, mag_future *gate; uint32_t *ended; int64_t *saw;);
	int64_t rc;
};

MAG_TASK(forking)
{
	MAG_BEGIN(forking);
	MAG_FORK(waiter, .gate = self->gate, .ended = self->ended, .saw = self->saw);
	MAG_EMIT(self->rc, 1);
	MAG_JOIN(self->rc);
	MAG_RETURN(0);
	MAG_END;
}

struct forking_story {
	mag_frame frame;
	MAG_NO_ARGS(forking_story);
	mag_generator gen;
	mag_future gate;
	mag_scope scope;
	uint32_t ended;
	int64_t saw, rc;
	int item;
};

MAG_TASK(forking_story)
{
	MAG_BEGIN(forking_story);
	mag_future_init(&self->gate);
	self->ended = 0;
	MAG_GENERATE(self->rc, &self->gen, forking, .gate = &self->gate, .ended = &self->ended, .saw = &self->saw);
	MAG_WITH_TIMEOUT(&self->scope, REST);
	MAG_NEXT(self->rc, &self->gen, &self->item);
	CHECK(self->rc == 1 && counted(&self->ended) == 1); /* else it would outlive the scope that it is linked to */
	MAG_SCOPE_END(self->rc, &self->scope);
	CHECK(self->rc == MAG_ETIMEDOUT && self->saw == MAG_ECANCELED);
	memset(&self->scope, 0x5a, sizeof(self->scope));
	mag_future_complete(&self->gate, 0);
	MAG_CLOSE(&self->gen);
	mag_future_fini(&self->gate);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: MAG_EMIT without its join: the child stays linked to a scope that is gone. */
Test(generator, emitting_joins_what_it_forked, .timeout = 10)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, forking_story), 0);
}
