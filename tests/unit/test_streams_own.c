/* SPDX-License-Identifier: MIT */
/* test_streams_own.c - iterators of one's own, async functions in a stage, lines, pairs, batches, tables; what is open
 * when somebody else closes it. */
#include "streams.h"

#include <sys/mman.h>
#include <unistd.h>

enum { N = 40 };

/* An iterator of two async functions: it sleeps, then gives the next number, and counts how it is closed. */
struct counter {
	int at, end;
	uint64_t pause;
	uint32_t asked, closed;
	int64_t result;
};

struct counter_next {
	mag_frame frame;
	MAG_ARGS(counter_next, struct counter *ctx; int *out;);
	int64_t rc;
};

MAG_TASK(counter_next)
{
	MAG_BEGIN(counter_next);
	self->ctx->asked++;
	self->rc = 0;
	if (self->ctx->pause)
		MAG_AWAIT(self->rc, mag_sleep, self->ctx->pause);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	if (self->ctx->at == self->ctx->end)
		MAG_RETURN(self->ctx->result);
	*self->out = self->ctx->at++;
	MAG_RETURN(1);
	MAG_END;
}

struct counter_close {
	mag_frame frame;
	MAG_ARGS(counter_close, struct counter *ctx;);
	mag_scope shield;
	int64_t rc;
};

MAG_TASK(counter_close)
{
	MAG_BEGIN(counter_close);
	MAG_SHIELD(&self->shield, 10 * REST);
	MAG_AWAIT(self->rc, mag_sleep, REST);
	CHECK(self->rc == 0);
	MAG_SCOPE_END(self->rc, &self->shield);
	self->ctx->closed++;
	MAG_RETURN(0);
	MAG_END;
}

/* Between it and the asker: an async function that halves the even ones and drops the others. */
struct halve {
	mag_frame frame;
	MAG_ARGS(halve, const int *in; int64_t *out; uint64_t *ctx;);
	int64_t rc;
};

MAG_TASK(halve)
{
	MAG_BEGIN(halve);
	if (*self->in % 2)
		MAG_RETURN(MAG_STREAM_DROP);
	MAG_AWAIT(self->rc, mag_sleep, *self->ctx);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	*self->out = *self->in / 2;
	MAG_RETURN(0);
	MAG_END;
}

struct own {
	mag_frame frame;
	MAG_ARGS(own, struct counter *counter; uint64_t patience; int take; int leaving;);
	mag_stream_iterator source;
	mag_stream_map_async halves;
	mag_scope scope;
	uint64_t work;
	int64_t rc, why, item;
	int in, i, gave_up;
};

MAG_TASK(own)
{
	MAG_BEGIN(own);
	self->work = 3;
	self->gave_up = 0;
	MAG_STREAM_ITERATE(self->rc, &self->source, sizeof(int), MAG_STREAM_FN(counter_next), MAG_STREAM_FN(counter_close),
			   self->counter);
	CHECK(self->rc == 0);
	CHECK(mag_stream_map_async_init(&self->halves, &self->source.stream, &self->in, sizeof(int64_t), MAG_STREAM_FN(halve),
					&self->work) == 0);
	for (self->i = 0; self->i < self->take;) {
		MAG_WITH_TIMEOUT(&self->scope, self->patience);
		MAG_AWAIT(self->rc, mag_stream_next, &self->halves.stream, &self->item);
		MAG_SCOPE_END(self->why, &self->scope);
		if (self->rc == MAG_ECANCELED) {
			self->gave_up++;
			self->work = self->counter->pause = 0; /* it would never come to an end otherwise */
			continue;
		}
		if (self->rc <= 0)
			break;
		CHECK(self->item == self->i);
		self->i++;
		if (self->patience != MAG_NEVER)
			self->work = self->counter->pause = 3 + (uint64_t)self->i % 2 * 3;
	}
	if (self->take > N / 2) {
		CHECK(self->i == N / 2 && self->rc == self->counter->result);
		MAG_AWAIT(self->rc, mag_stream_next, &self->halves.stream, &self->item);
		CHECK(self->rc == 0);
	}
	CHECK(self->counter->closed == 0);
	if (self->leaving)
		MAG_RETURN(self->gave_up);
	MAG_AWAIT(self->rc, mag_stream_close, &self->halves.stream);
	CHECK(self->rc == 0 && self->counter->closed == 1);
	MAG_AWAIT(self->rc, mag_stream_close, &self->halves.stream);
	MAG_RETURN(self->gave_up);
	MAG_END;
}

/* Tried: an input that is dropped when its function was cancelled; a close that is called twice, or not at all for an
 * iterator that nobody has asked; an end that is asked for again. */
Test(streams_own, an_iterator_of_two_functions_and_a_function_between, .timeout = 60)
{
	EACH_WORKERS(n) {
		for (int variant = 0; variant < 8; variant++) {
			struct counter c = { .end = N, .pause = variant & 1, .result = variant & 4 ? -EIO : 0 };

			cr_assert_eq(RUN(n, own, .counter = &c, .patience = MAG_NEVER, .take = N, .leaving = variant & 2), 0);
			cr_assert_eq(c.asked, N + 1);
			cr_assert_eq(c.closed, 1);
			c = (struct counter){ .end = N };
			cr_assert_eq(RUN(n, own, .counter = &c, .patience = MAG_NEVER, .take = variant, .leaving = variant & 1), 0);
			cr_assert_eq(c.closed, 1);
			c = (struct counter){ .end = N, .pause = 5 };
			cr_assert_geq(RUN(n, own, .counter = &c, .patience = 7, .take = N), 5);
			cr_assert_eq(c.closed, 1);
		}
	}
}

/* Pairs, batches, one item each so many ns. */
struct pair {
	int first;
	int64_t second;
};

struct pairs {
	mag_frame frame;
	MAG_NO_ARGS(pairs);
	mag_stream_generator slow;
	mag_stream_array array;
	mag_stream_function source;
	mag_stream_map squares;
	mag_stream_zip zip;
	mag_stream_batch batches;
	mag_stream_throttle throttle;
	mag_scope scope;
	struct pair pair, room;
	mag_batch batch;
	uint64_t began;
	int64_t rc;
	int items[N], some[6], n, i, item;
};

MAG_TASK(pairs)
{
	MAG_BEGIN(pairs);
	for (int i = 0; i < N; i++)
		self->items[i] = i;
	/* a generator that pauses beside an array: the half that is there waits for the other, also when its asker gives up */
	MAG_STREAM_GENERATE(self->rc, &self->slow, sizeof(int), emitter, .n = 5, .pause = 10);
	CHECK(mag_stream_array_init(&self->array, self->items, N, sizeof(int)) == 0);
	CHECK(mag_stream_map_init(&self->squares, &self->slow.stream, sizeof(int64_t), square, NULL) == 0);
	CHECK(mag_stream_zip_init(&self->zip, &self->array.stream, &self->squares.stream, &self->room, sizeof(struct pair),
				  sizeof(struct pair) - sizeof(int)) == -EINVAL);
	CHECK(mag_stream_zip_init(&self->zip, &self->array.stream, &self->squares.stream, &self->room, sizeof(struct pair),
				  offsetof(struct pair, second)) == 0);
	for (self->i = 0; self->i < 5; self->i++) {
		MAG_SCOPE_BEGIN(&self->scope);
		mag_scope_cancel(&self->scope);
		MAG_AWAIT(self->rc, mag_stream_next, &self->zip.stream, &self->pair);
		CHECK(self->rc == MAG_ECANCELED);
		MAG_SCOPE_END(self->rc, &self->scope);
		MAG_AWAIT(self->rc, mag_stream_next, &self->zip.stream, &self->pair);
		CHECK(self->rc == 1 && self->pair.first == self->i && self->pair.second == self->i * self->i);
	}
	MAG_AWAIT(self->rc, mag_stream_next, &self->zip.stream, &self->pair);
	CHECK(self->rc == 0);
	MAG_AWAIT(self->rc, mag_stream_close, &self->zip.stream);

	CHECK(mag_stream_array_init(&self->array, self->items, N, sizeof(int)) == 0);
	CHECK(mag_stream_batch_init(&self->batches, &self->array.stream, self->some, 6) == 0);
	for (self->i = 0; self->i < N; self->i += 6) {
		MAG_AWAIT(self->rc, mag_stream_next, &self->batches.stream, &self->batch);
		CHECK(self->rc == 1 && self->batch.count == (self->i + 6 <= N ? 6 : N % 6));
		CHECK(!memcmp(self->batch.items, self->items + self->i, self->batch.count * sizeof(int)));
	}
	MAG_AWAIT(self->rc, mag_stream_next, &self->batches.stream, &self->batch);
	CHECK(self->rc == 0);

	self->n = 0;
	self->began = mag_now();
	CHECK(mag_stream_function_init(&self->source, sizeof(int), count_up, &self->n) == 0);
	CHECK(mag_stream_throttle_init(&self->throttle, &self->source.stream, 10) == 0);
	for (self->i = 0; self->i < 5; self->i++) {
		MAG_AWAIT(self->rc, mag_stream_next, &self->throttle.stream, &self->item);
		CHECK(self->rc == 1 && self->item == self->i && mag_now() == self->began + 10 * (uint64_t)self->i);
	}
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: a half that is asked for again; a last batch that is dropped; a throttle that counts from the start. */
Test(streams_own, pairs_batches_and_a_throttle, .timeout = 20)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, pairs), 0);
}

/* A table by key. */
struct entry {
	uint32_t key;
	char name[12];
};

static int make_entry(void *ctx, void *item)
{
	int *i = ctx;
	struct entry *e = item;

	if (*i == 3000)
		return 0;
	*e = (struct entry){ .key = (uint32_t)(*i % 1000) };
	snprintf(e->name, sizeof(e->name), "%d", (*i)++);
	return 1;
}

struct tabled {
	mag_frame frame;
	MAG_ARGS(tabled, enum mag_twice twice; size_t limit;);
	mag_stream_function source;
	mag_table table;
	int64_t rc;
	int n;
};

MAG_TASK(tabled)
{
	MAG_BEGIN(tabled);
	self->n = 0;
	self->table = (mag_table){ 0 };
	CHECK(mag_stream_function_init(&self->source, sizeof(struct entry), make_entry, &self->n) == 0);
	MAG_CALL(self->rc, mag_stream_to_table, .stream = &self->source.stream, .into = &self->table,
		 .key_at = offsetof(struct entry, key), .key_size = sizeof(uint32_t), .twice = self->twice, .limit = self->limit);
	if (self->rc == 1000) {
		int seen = 0;

		for (uint32_t key = 0; key < 1000; key++) {
			struct entry *e = mag_table_find(&self->table, &key);

			CHECK(e && e->key == key && atoi(e->name) == (int)key + (self->twice == MAG_TWICE_LAST ? 2000 : 0));
		}
		CHECK(!mag_table_find(&self->table, &(uint32_t){ 1000 }));
		for (struct entry *e = NULL; (e = mag_table_next(&self->table, e)); seen++)
			CHECK(e->key < 1000);
		CHECK(seen == 1000);
	} else {
		CHECK(self->table.count == (self->rc == -EEXIST ? 1000 : self->limit));
	}
	mag_table_fini(&self->table);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: growing without a new hash; a limit that is one too high; the first and the last mixed up. */
Test(streams_own, a_table_by_key, .timeout = 20)
{
	cr_assert_eq(RUN(1, tabled, .twice = MAG_TWICE_LAST, .limit = 1000), 1000);
	cr_assert_eq(RUN(1, tabled, .twice = MAG_TWICE_FIRST, .limit = 1000), 1000);
	cr_assert_eq(RUN(1, tabled, .twice = MAG_TWICE_ERROR, .limit = 1000), -EEXIST);
	cr_assert_eq(RUN(1, tabled, .limit = 999), MAG_ETOOLONG);
	cr_assert_eq(RUN(1, tabled, .limit = 0), -EINVAL);
}

/* A callee closes what this frame has opened in a scope; then the scope can be left. */
struct lent {
	mag_frame frame;
	MAG_NO_ARGS(lent);
	mag_stream_generator source;
	mag_stream_crew crew;
	mag_stream_map_async halves;
	mag_scope scope;
	uint32_t cleaned;
	uint64_t work;
	int64_t rc, sum;
	int in, i;
};

MAG_TASK(lent)
{
	MAG_BEGIN(lent);
	self->cleaned = 0;
	self->work = 1;
	for (self->i = 0; self->i < 3; self->i++) {
		MAG_SCOPE_BEGIN(&self->scope);
		self->sum = 0;
		MAG_STREAM_GENERATE(self->rc, &self->source, sizeof(int), emitter, .n = N, .cleaned = &self->cleaned);
		MAG_STREAM_AHEAD(self->rc, &self->crew, &self->source.stream, 3);
		CHECK(mag_stream_map_async_init(&self->halves, &self->crew.stream, &self->in, sizeof(int64_t),
						MAG_STREAM_FN(halve), &self->work) == 0);
		MAG_CALL(self->rc, mag_stream_fold, .stream = &self->halves.stream, .fold = add_long, .ctx = &self->sum);
		CHECK(self->rc == N / 2 && self->sum == N / 2 * (N / 2 - 1) / 2);
		CHECK(counted(&self->cleaned) == (uint32_t)self->i + 1);
		MAG_SCOPE_END(self->rc, &self->scope);
		CHECK(self->rc == 0);
	}
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: a close by a callee that leaves its opener's list as it was: the scope's end, or the next round, ends badly. */
Test(streams_own, what_a_callee_has_closed_is_closed_for_its_opener_too, .timeout = 10)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, lent), 0);
}

/* The lines of a file. */
static int number_of(void *ctx, const void *in, void *out)
{
	const mag_line *line = in;
	int n = 0;

	(void)ctx;
	for (size_t i = 0; i < line->len; i++)
		n = 10 * n + line->data[i] - '0';
	*(int *)out = n;
	return 0;
}

struct from_file {
	mag_frame frame;
	MAG_ARGS(from_file, int raw; int n;);
	mag_fd fd;
	mag_lines lines;
	mag_stream_lines source;
	mag_stream_map numbers;
	int64_t rc, sum, closed;
};

MAG_TASK(from_file)
{
	MAG_BEGIN(from_file);
	self->sum = 0;
	CHECK(mag_fd_adopt(self->raw, &self->fd) == 0);
	CHECK(mag_lines_init(&self->lines, self->fd, NULL) == 0);
	CHECK(mag_stream_lines_init(&self->source, &self->lines) == 0);
	CHECK(mag_stream_map_init(&self->numbers, &self->source.stream, sizeof(int), number_of, NULL) == 0);
	MAG_CALL(self->rc, mag_stream_fold, .stream = &self->numbers.stream, .fold = add_int, .ctx = &self->sum);
	CHECK(self->rc == self->n);
	mag_lines_fini(&self->lines);
	MAG_AWAIT(self->closed, mag_close, self->fd);
	MAG_RETURN(self->sum);
	MAG_END;
}

static void write_numbers(int fd, int n)
{
	char text[16];

	for (int i = 0; i < n; i++) {
		int len = snprintf(text, sizeof(text), "%d\n", i);

		cr_assert_eq(write(fd, text, (size_t)len), len);
	}
	lseek(fd, 0, SEEK_SET);
}

/* Tried: a line that is lost between two reads; an end that is told twice. */
Test(streams_own, the_lines_of_a_file_on_the_kernel, .timeout = 20)
{
	enum { LINES = 50000 }; /* some chunks */
	mag_runtime *rt = play_real(2, 0);
	struct play p = { NULL, rt };
	int raw = memfd_create("lines", MFD_CLOEXEC);
	int64_t rc;

	write_numbers(raw, LINES);
	play_run(&p, rc, from_file, .raw = raw, .n = LINES);
	cr_assert_eq(rc, (int64_t)LINES * (LINES - 1) / 2);
	cr_assert_eq(mag_runtime_destroy(rt, mag_deadline_in(30 * MAG_SECOND)), 0);
}

/* What is refused leaves the streams above as they were. */
struct refused {
	mag_frame frame;
	MAG_NO_ARGS(refused);
	mag_stream_array ints, longs;
	mag_stream *two[2];
	mag_stream_crew crew;
	mag_stream_generator source;
	mag_stream_zip zip;
	int64_t rc;
	int items[2], item;
	int64_t other[2];
};

MAG_TASK(refused)
{
	MAG_BEGIN(refused);
	self->items[0] = 6;
	CHECK(mag_stream_array_init(&self->ints, self->items, 2, sizeof(int)) == 0);
	CHECK(mag_stream_array_init(&self->longs, self->other, 2, sizeof(int64_t)) == 0);
	self->two[0] = &self->ints.stream;
	self->two[1] = &self->longs.stream;
	MAG_STREAM_MERGE(self->rc, &self->crew, self->two, 2);
	CHECK(self->rc == -EINVAL); /* items of two sizes */
	self->two[1] = &self->ints.stream;
	MAG_STREAM_MERGE(self->rc, &self->crew, self->two, 2);
	CHECK(self->rc == -EINVAL); /* the same one twice */
	MAG_STREAM_MERGE(self->rc, &self->crew, self->two, 0);
	CHECK(self->rc == -EINVAL);
	MAG_STREAM_AHEAD(self->rc, &self->crew, &self->ints.stream, 0);
	CHECK(self->rc == -EINVAL);
	MAG_STREAM_BUFFERED(self->rc, &self->crew, &self->ints.stream, sizeof(int), MAG_STREAM_FN(counter_close), .limit = 1);
	CHECK(self->rc == -EINVAL); /* a function with other arguments */
	MAG_STREAM_ITERATE(self->rc, (mag_stream_iterator *)(void *)&self->crew, sizeof(int), MAG_STREAM_FN(counter_close),
			   MAG_STREAM_NO_CLOSE, NULL);
	CHECK(self->rc == -EINVAL);
	CHECK(mag_stream_zip_init(&self->zip, &self->ints.stream, &self->ints.stream, self->other, 16, 8) == -EINVAL);
	MAG_AWAIT(self->rc, mag_stream_next, &self->ints.stream, &self->item);
	CHECK(self->rc == 1 && self->item == 6);
#ifndef MAGPIE_DEBUG
	MAG_STREAM_AHEAD(self->rc, &self->crew, &self->ints.stream, 1);
	CHECK(self->rc == 0);
	MAG_STREAM_AHEAD(self->rc, &self->crew, &self->longs.stream, 1);
	CHECK(self->rc == -EBUSY); /* it is open */
	MAG_AWAIT(self->rc, mag_stream_next, &self->crew.stream, &self->item);
	CHECK(self->rc == 1);
	MAG_STREAM_GENERATE(self->rc, &self->source, sizeof(int), emitter, .n = 1);
	CHECK(self->rc == 0);
	MAG_GENERATE(self->rc, &self->source.generator, emitter, .n = 2);
	CHECK(self->rc == -EBUSY); /* it has not ended */
	MAG_AWAIT(self->rc, mag_stream_next, &self->source.stream, &self->item);
	CHECK(self->rc == 1 && self->item == 0);
	MAG_AWAIT(self->rc, mag_stream_next, &self->source.stream, &self->item);
	CHECK(self->rc == 0);
	MAG_STREAM_GENERATE(self->rc, &self->source, sizeof(int), emitter, .n = 1); /* now it may be used again */
	CHECK(self->rc == 0);
#endif
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: an open that takes some of its streams before it looks at the others; a second open that is let in. */
Test(streams_own, what_is_refused_leaves_all_as_it_was, .timeout = 10)
{
	cr_assert_eq(RUN(2, refused), 0);
}
