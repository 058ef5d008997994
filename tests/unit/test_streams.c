/* SPDX-License-Identifier: MIT */
/* test_streams.c - sources and plain stages: what they give, their ends, cancelling, closing early. */
#include "streams.h"

#include <signal.h>

/* The options of a test that ends the program in debug builds. */
#ifdef MAGPIE_DEBUG
#define MISUSE(...) .signal = SIGABRT, __VA_ARGS__
#else
#define MISUSE(...) __VA_ARGS__
#endif

enum { N = 20 };

struct numbered {
	uint64_t index;
	int item;
};

/* Each plain stage over an array. */
struct plain {
	mag_frame frame;
	MAG_NO_ARGS(plain);
	mag_stream_array array, more;
	mag_stream_filter even, first;
	mag_stream_map squares;
	mag_stream_count skip, take;
	mag_stream_enumerate numbers;
	mag_stream_chain chain;
	mag_stream *two[2];
	mag_list list;
	struct numbered pair;
	int64_t rc, sum, item64;
	int items[N], i, limit;
};

static void fill(int *items, int n)
{
	for (int i = 0; i < n; i++)
		items[i] = i;
}

MAG_TASK(plain)
{
	MAG_BEGIN(plain);
	fill(self->items, N);

	/* skip 2, even ones, squared, the first three: 4, 16, 36 */
	CHECK(mag_stream_array_init(&self->array, self->items, N, sizeof(int)) == 0);
	CHECK(mag_stream_skip_init(&self->skip, &self->array.stream, 2) == 0);
	CHECK(mag_stream_filter_init(&self->even, &self->skip.stream, is_even, NULL) == 0);
	CHECK(mag_stream_map_init(&self->squares, &self->even.stream, sizeof(int64_t), square, NULL) == 0);
	CHECK(mag_stream_take_init(&self->take, &self->squares.stream, 3) == 0);
	for (self->i = 2; self->i <= 6; self->i += 2) {
		MAG_AWAIT(self->rc, mag_stream_next, &self->take.stream, &self->item64);
		CHECK(self->rc == 1 && self->item64 == self->i * self->i);
	}
	MAG_AWAIT(self->rc, mag_stream_next, &self->take.stream, &self->item64);
	CHECK(self->rc == 0);
	MAG_AWAIT(self->rc, mag_stream_next, &self->take.stream, &self->item64);
	CHECK(self->rc == 0); /* and so it stays */
	CHECK(self->array.left == N - 7); /* no more was asked for than was given */
	MAG_AWAIT(self->rc, mag_stream_close, &self->take.stream);
	CHECK(self->rc == 0);
	MAG_AWAIT(self->rc, mag_stream_close, &self->take.stream);
	CHECK(self->rc == 0);

	/* two arrays one behind the other, those below 5 of them, numbered */
	self->limit = 5;
	self->items[6] = 0; /* which comes behind the end */
	CHECK(mag_stream_array_init(&self->array, self->items, 3, sizeof(int)) == 0);
	CHECK(mag_stream_array_init(&self->more, self->items + 3, N - 3, sizeof(int)) == 0);
	self->two[0] = &self->array.stream;
	self->two[1] = &self->more.stream;
	CHECK(mag_stream_chain_init(&self->chain, self->two, 2) == 0);
	CHECK(mag_stream_take_while_init(&self->first, &self->chain.stream, is_below, &self->limit) == 0);
	CHECK(mag_stream_enumerate_init(&self->numbers, &self->first.stream, sizeof(struct numbered),
					offsetof(struct numbered, item)) == 0);
	for (self->i = 0; self->i < 5; self->i++) {
		MAG_AWAIT(self->rc, mag_stream_next, &self->numbers.stream, &self->pair);
		CHECK(self->rc == 1 && self->pair.index == (uint64_t)self->i && self->pair.item == self->i);
	}
	MAG_AWAIT(self->rc, mag_stream_next, &self->numbers.stream, &self->pair);
	CHECK(self->rc == 0);
	MAG_AWAIT(self->rc, mag_stream_next, &self->numbers.stream, &self->pair);
	CHECK(self->rc == 0);

	/* to their ends */
	self->items[6] = 6;
	CHECK(mag_stream_array_init(&self->array, self->items, N, sizeof(int)) == 0);
	self->sum = 0;
	MAG_CALL(self->rc, mag_stream_fold, .stream = &self->array.stream, .fold = add_int, .ctx = &self->sum);
	CHECK(self->rc == N && self->sum == N * (N - 1) / 2);
	self->list = (mag_list){ 0 };
	CHECK(mag_stream_array_init(&self->array, self->items, N, sizeof(int)) == 0);
	MAG_CALL(self->rc, mag_stream_collect, .stream = &self->array.stream, .into = &self->list, .limit = N);
	CHECK(self->rc == N && self->list.count == N && !memcmp(self->list.items, self->items, sizeof(self->items)));
	CHECK(mag_stream_array_init(&self->array, self->items, 1, sizeof(int)) == 0);
	MAG_CALL(self->rc, mag_stream_collect, .stream = &self->array.stream, .into = &self->list, .limit = N);
	CHECK(self->rc == MAG_ETOOLONG && self->list.count == N); /* what came before is kept */
	mag_free(self->list.items);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: take that asks for one more; take_while that goes on behind the end; chain that stays at the first; collect
 * that counts the item above the limit. */
Test(streams, plain_stages_over_arrays, .timeout = 20)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, plain), 0);
}

static int fails_at_5(void *ctx, const void *in, void *out)
{
	(void)ctx;
	*(int *)out = *(const int *)in;
	return *(const int *)in == 5 ? -EIO : *(const int *)in % 2 ? MAG_STREAM_DROP : 0;
}

static int ends_badly(void *ctx, void *item)
{
	return (*(int *)ctx)++ ? -EPIPE : (*(int *)item = 1);
}

/* A source that says so itself: nobody has cancelled anything. */
static int gives_up(void *ctx, void *item)
{
	(void)ctx;
	(void)item;
	return MAG_ECANCELED;
}

struct failing {
	mag_frame frame;
	MAG_NO_ARGS(failing);
	mag_stream_function source, more;
	mag_stream_map map;
	mag_stream_chain chain;
	mag_stream *two[2];
	int64_t rc;
	int n, item, i;
};

MAG_TASK(failing)
{
	MAG_BEGIN(failing);
	self->n = 0;
	CHECK(mag_stream_function_init(&self->source, sizeof(int), count_up, &self->n) == 0);
	CHECK(mag_stream_map_init(&self->map, &self->source.stream, sizeof(int), fails_at_5, NULL) == 0);
	for (self->i = 0; self->i <= 4; self->i += 2) {
		MAG_AWAIT(self->rc, mag_stream_next, &self->map.stream, &self->item);
		CHECK(self->rc == 1 && self->item == self->i);
	}
	MAG_AWAIT(self->rc, mag_stream_next, &self->map.stream, &self->item);
	CHECK(self->rc == -EIO);
	MAG_AWAIT(self->rc, mag_stream_next, &self->map.stream, &self->item);
	CHECK(self->rc == 0); /* behind an error comes the end */

	self->n = 0;
	CHECK(mag_stream_function_init(&self->source, sizeof(int), ends_badly, &self->n) == 0);
	CHECK(mag_stream_map_init(&self->map, &self->source.stream, sizeof(int), fails_at_5, NULL) == 0);
	MAG_AWAIT(self->rc, mag_stream_next, &self->map.stream, &self->item);
	CHECK(self->rc == -EPIPE); /* the 1 was dropped */
	MAG_AWAIT(self->rc, mag_stream_next, &self->map.stream, &self->item);
	CHECK(self->rc == 0 && self->n == 2);

	CHECK(mag_stream_function_init(&self->source, sizeof(int), gives_up, NULL) == 0);
	CHECK(mag_stream_function_init(&self->more, sizeof(int), count_up, &self->n) == 0);
	self->two[0] = &self->source.stream;
	self->two[1] = &self->more.stream;
	CHECK(mag_stream_chain_init(&self->chain, self->two, 2) == 0);
	MAG_AWAIT(self->rc, mag_stream_next, &self->chain.stream, &self->item);
	CHECK(self->rc == MAG_ECANCELED);
	MAG_AWAIT(self->rc, mag_stream_next, &self->chain.stream, &self->item);
	CHECK(self->rc == 0); /* and not what the next of them has */
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: a map, and a function's stream, that do not remember their error; a chain that goes on behind one. */
Test(streams, an_error_comes_once_and_then_the_end, .timeout = 10)
{
	cr_assert_eq(RUN(1, failing), 0);
}

/* A generator at the top of a chain: taken to its end, or given up, by closing or by leaving. */
enum leaving { TO_THE_END, CLOSES, RETURNS };

struct over_generator {
	mag_frame frame;
	MAG_ARGS(over_generator, enum leaving leaving; int take; uint64_t pause; int64_t result; uint32_t *cleaned;);
	mag_stream_generator source;
	mag_stream_filter even;
	mag_stream_map squares;
	int64_t rc, item;
	int i;
};

MAG_TASK(over_generator)
{
	MAG_BEGIN(over_generator);
	MAG_STREAM_GENERATE(self->rc, &self->source, sizeof(int), emitter, .n = N, .pause = self->pause,
			    .result = self->result, .cleaned = self->cleaned);
	CHECK(self->rc == 0);
	CHECK(mag_stream_filter_init(&self->even, &self->source.stream, is_even, NULL) == 0);
	CHECK(mag_stream_map_init(&self->squares, &self->even.stream, sizeof(int64_t), square, NULL) == 0);
	for (self->i = 0; self->i < self->take; self->i++) {
		MAG_AWAIT(self->rc, mag_stream_next, &self->squares.stream, &self->item);
		CHECK(self->rc == 1 && self->item == 4 * self->i * self->i);
	}
	if (self->leaving == RETURNS)
		MAG_RETURN(7);
	if (self->leaving == TO_THE_END) {
		MAG_AWAIT(self->rc, mag_stream_next, &self->squares.stream, &self->item);
		CHECK(self->rc == self->result && counted(self->cleaned) == 1);
		MAG_AWAIT(self->rc, mag_stream_next, &self->squares.stream, &self->item);
		CHECK(self->rc == 0);
	}
	MAG_AWAIT(self->rc, mag_stream_close, &self->squares.stream);
	CHECK(self->rc == 0 && counted(self->cleaned) == 1);
	MAG_AWAIT(self->rc, mag_stream_close, &self->squares.stream);
	CHECK(self->rc == 0);
	MAG_AWAIT(self->rc, mag_stream_next, &self->squares.stream, &self->item);
	CHECK(self->rc == 0);
	MAG_RETURN(7);
	MAG_END;
}

/* Tried: a close that stops at the stage; a generator's end that is asked for twice. */
Test(streams, closing_goes_up_to_the_generator_and_awaits_its_cleanup, .timeout = 30)
{
	EACH_WORKERS(n) {
		for (enum leaving how = TO_THE_END; how <= RETURNS; how++) {
			for (int variant = 0; variant < 6; variant++) {
				uint32_t cleaned = 0;

				cr_assert_eq(RUN(n, over_generator, .leaving = how, .pause = variant & 1,
						 .result = variant & 2 ? -EIO : 0, .cleaned = &cleaned,
						 .take = how == TO_THE_END ? N / 2 : variant), 7);
				cr_assert_eq(cleaned, 1);
			}
		}
	}
}

/* Ticks. */
struct ticks {
	mag_frame frame;
	MAG_ARGS(ticks, enum mag_missed policy;);
	mag_stream_interval source;
	mag_tick tick;
	uint64_t began;
	int64_t rc;
	uint64_t due[8], missed[8], at[8];
	int i;
};

MAG_TASK(ticks)
{
	MAG_BEGIN(ticks);
	self->began = mag_now();
	CHECK(mag_stream_interval_init(&self->source, self->began, 10, self->policy) == 0);
	for (self->i = 0; self->i < 8; self->i++) {
		if (self->i == 3) /* at 20 + 35: those of 30, 40 and 50 are late */
			MAG_AWAIT(self->rc, mag_sleep, 35);
		MAG_AWAIT(self->rc, mag_stream_next, &self->source.stream, &self->tick);
		CHECK(self->rc == 1);
		self->due[self->i] = self->tick.due - self->began;
		self->missed[self->i] = self->tick.missed;
		self->at[self->i] = mag_now() - self->began;
	}
	for (self->i = 0; self->i < 4; self->i++)
		CHECK(self->due[self->i] == 10u * (unsigned)self->i && self->missed[self->i] == 0);
	CHECK(self->at[2] == 20 && self->at[3] == 55);
	switch (self->policy) {
	case MAG_MISSED_BURST: /* 40 and 50 at once, then 60 on time */
		CHECK(self->due[4] == 40 && self->at[4] == 55 && self->due[5] == 50 && self->at[5] == 55);
		CHECK(self->due[6] == 60 && self->at[6] == 60 && self->at[7] == 70);
		break;
	case MAG_MISSED_DELAY: /* from 55 on */
		CHECK(self->due[4] == 65 && self->at[4] == 65 && self->at[5] == 75);
		break;
	default: /* at multiples again; two were left out */
		CHECK(self->due[4] == 60 && self->at[4] == 60 && self->missed[4] == 2);
		CHECK(self->due[5] == 70 && self->missed[5] == 0);
	}
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: each policy as one of the others. */
Test(streams, ticks_that_were_missed_come_as_the_policy_says, .timeout = 20)
{
	EACH_WORKERS(n) {
		for (enum mag_missed policy = MAG_MISSED_BURST; policy <= MAG_MISSED_SKIP; policy++)
			cr_assert_eq(RUN(n, ticks, .policy = policy), 0);
	}
}

/* Two tasks that ask the same stream. */
struct second {
	mag_frame frame;
	MAG_ARGS(second, mag_stream *stream; mag_queue *queue;);
	int64_t rc;
	int item;
};

MAG_TASK(second)
{
	MAG_BEGIN(second);
	MAG_AWAIT(self->rc, mag_sleep, REST); /* the first one waits by now */
	MAG_AWAIT(self->rc, mag_stream_next, self->stream, &self->item);
	CHECK(self->rc == -EBUSY);
	MAG_AWAIT(self->rc, mag_stream_close, self->stream);
	CHECK(self->rc == -EBUSY);
	mag_queue_close(self->queue);
	MAG_RETURN(0);
	MAG_END;
}

struct first {
	mag_frame frame;
	MAG_NO_ARGS(first);
	mag_queue queue;
	mag_stream_queue source;
	mag_group group;
	int64_t rc;
	int item;
};

MAG_TASK(first)
{
	MAG_BEGIN(first);
	CHECK(mag_queue_init(&self->queue, 2, sizeof(int)) == 0);
	CHECK(mag_stream_queue_init(&self->source, &self->queue) == 0);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, second, .stream = &self->source.stream, .queue = &self->queue);
	MAG_AWAIT(self->rc, mag_stream_next, &self->source.stream, &self->item);
	CHECK(self->rc == 0);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(mag_queue_fini(&self->queue) == 0);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: a next that does not say that it is busy. */
Test(streams, two_tasks_at_one_stream_are_told, MISUSE(.timeout = 10))
{
	cr_assert_eq(RUN(2, first), 0);
}

/* Wrong use: an error where no debug build ends the program. */
struct misuse {
	mag_frame frame;
	MAG_NO_ARGS(misuse);
	mag_stream_array array;
	mag_stream_filter even, odd;
	int64_t rc;
	int items[N], item;
	char small;
};

MAG_TASK(misuse)
{
	MAG_BEGIN(misuse);
	CHECK(mag_stream_array_init(&self->array, self->items, N, 0) == -EINVAL);
	CHECK(mag_stream_array_init(&self->array, self->items, N, MAG_STREAM_ITEM_MAX + 1) == -EINVAL);
	CHECK(mag_stream_filter_init(&self->even, &self->array.stream, is_even, NULL) == -EINVAL); /* was not made */
	CHECK(mag_stream_filter_init(&self->odd, &self->even.stream, is_even, NULL) == -EINVAL); /* tells of the chain */
	CHECK(mag_stream_array_init(&self->array, self->items, N, sizeof(int)) == 0);
	CHECK(mag_stream_filter_init(&self->even, &self->array.stream, NULL, NULL) == -EINVAL);
	CHECK(mag_stream_filter_init(&self->even, &self->array.stream, is_even, NULL) == 0);
	CHECK(mag_stream_filter_init(&self->odd, &self->array.stream, is_even, NULL) == -EINVAL); /* is taken */
#ifndef MAGPIE_DEBUG
	MAG_AWAIT(self->rc, mag_stream_next, &self->array.stream, &self->item);
	CHECK(self->rc == -EBUSY);
	MAG_AWAIT(self->rc, mag_stream_close, &self->array.stream);
	CHECK(self->rc == -EBUSY);
	MAG_AWAIT(self->rc, mag_stream_next, &self->even.stream, &self->small);
	CHECK(self->rc == -EINVAL);
#endif
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: an init that takes what is taken. */
Test(streams, wrong_use_is_refused, .timeout = 10)
{
	cr_assert_eq(RUN(1, misuse), 0);
}
