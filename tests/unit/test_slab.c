/* SPDX-License-Identifier: MIT */
/* test_slab.c - frames: size classes, free lists, the depot. */
#include "unit/crew.h"

#include <pthread.h>

#if defined(MAGI_TSAN)
enum { ROUNDS = 50 };
#else
enum { ROUNDS = 1000 };
#endif

static void *take(struct magi_worker *w, unsigned cls)
{
	return magi_slab_take(&w->pub, &w->pub.free[cls], cls, magi_class_bytes(cls));
}

static void give(struct magi_worker *w, unsigned cls, void *p)
{
	if (magi_slab_put(&w->pub.free[cls], p, magi_class_bytes(cls)))
		magi_slab_surplus(&w->pub, cls);
}

static int64_t in_use(struct crew *c)
{
	int64_t n = c->rt->foreign_frames;

	for (uint32_t i = 0; i < c->rt->n; i++) {
		magi_slab_publish(c->w[i]);
		n += magi_slab_in_use(c->w[i]);
	}
	return n;
}

/* Tried: steps of 128 instead of 64, a wrong shift in MAGI_CLASS_COARSE. */
Test(slab, class_of_each_size_is_the_smallest_that_holds_it, .timeout = 20)
{
	for (int n = 1; n <= MAGI_CLASS_BYTES_MAX; n++) {
		unsigned cls = (unsigned)MAGI_CLASS(n);

		cr_assert(cls >= 1 && cls < MAGI_CLASSES, "%d bytes: class %u", n, cls);
		cr_assert(magi_class_bytes(cls) >= (size_t)n, "%d bytes: class %u", n, cls);
		cr_assert(cls == 1 || magi_class_bytes(cls - 1) < (size_t)n, "%d bytes: class %u", n, cls);
	}
}

Test(slab, frame_that_was_freed_last_is_taken_first, .timeout = 5)
{
	struct crew c;
	void *a, *b;

	crew_init(&c, 1);
	a = take(c.w[0], 3);
	b = take(c.w[0], 3);
	give(c.w[0], 3, a);
	give(c.w[0], 3, b);
	cr_assert_eq(take(c.w[0], 3), b);
	cr_assert_eq(take(c.w[0], 3), a);
	give(c.w[0], 3, a);
	give(c.w[0], 3, b);
	crew_fini(&c);
}

static void fill(unsigned cls, void **p, int n, struct magi_worker *w)
{
	for (int i = 0; i < n; i++) {
		p[i] = take(w, cls);
		cr_assert_not_null(p[i]);
		cr_assert_eq((uintptr_t)p[i] % MAGI_CACHE_LINE, 0);
		memset(p[i], i, magi_class_bytes(cls));
	}
}

/* Tried: carve that advances by 64 bytes less. */
Test(slab, frames_do_not_overlap, .timeout = 20)
{
	static const unsigned classes[] = { 1, 2, 5, 64, 65, 80, 96 };
	enum { N = 200 };
	struct crew c;
	void *p[N];

	crew_init(&c, 1);
	for (size_t k = 0; k < sizeof(classes) / sizeof(classes[0]); k++) {
		unsigned cls = classes[k];

		fill(cls, p, N, c.w[0]);
		for (int i = 0; i < N; i++) {
			unsigned char *bytes = p[i];

			cr_assert_eq(bytes[0], i);
			cr_assert_eq(bytes[magi_class_bytes(cls) - 1], i);
		}
		for (int i = 0; i < N; i++)
			give(c.w[0], cls, p[i]);
		cr_assert_eq(in_use(&c), 0);
	}
	crew_fini(&c);
}

/* Tried: surplus that keeps all; the depot grows by each round. */
Test(slab, what_one_worker_takes_and_another_frees_comes_back, .timeout = 20)
{
	enum { N = 100, CLS = 4 };
	struct crew c;
	void *p[N];
	uint64_t bytes = 0;

	crew_init(&c, 2);
	for (int round = 0; round < 1000; round++) {
		fill(CLS, p, N, c.w[0]);
		for (int i = 0; i < N; i++)
			give(c.w[1], CLS, p[i]);
		cr_assert_eq(in_use(&c), 0);
		if (round == 10)
			bytes = c.rt->depot.bytes;
		if (round > 10)
			cr_assert_eq(c.rt->depot.bytes, bytes);
		cr_assert(c.w[1]->pub.free[CLS].head->length <= c.w[1]->pub.free[CLS].high);
	}
	crew_fini(&c);
}

Test(slab, stopped_worker_leaves_its_frames_to_the_others, .timeout = 5)
{
	struct crew c;
	void *p;
	uint64_t bytes;

	crew_init(&c, 2);
	p = take(c.w[0], 2);
	give(c.w[0], 2, p);
	bytes = c.rt->depot.bytes;
	magi_slab_drain(c.w[0]);
	cr_assert_eq(c.w[0]->frames[2], 0);
	cr_assert_eq(take(c.w[1], 2), p);
	cr_assert_eq(c.rt->depot.bytes, bytes);
	give(c.w[1], 2, p);
	crew_fini(&c);
}

Test(slab, threads_that_are_no_workers_take_one_frame, .timeout = 5)
{
	struct crew c;
	void *p, *q;

	crew_init(&c, 1);
	p = magi_slab_take_foreign(c.rt, 2);
	q = magi_slab_take_foreign(c.rt, 2);
	cr_assert(p && q && p != q);
	memset(p, 1, magi_class_bytes(2));
	memset(q, 2, magi_class_bytes(2));
	cr_assert_eq(in_use(&c), 2);
	give(c.w[0], 2, p); /* it may end on any worker */
	magi_slab_give_foreign(c.rt, 2, q);
	cr_assert_eq(in_use(&c), 0);
	crew_fini(&c);
}

Test(slab, foreign_thread_takes_one_of_a_batch_and_leaves_the_rest, .timeout = 5)
{
	enum { N = 1000 };
	struct crew c;
	void *p[N];
	uint64_t bytes;

	crew_init(&c, 1);
	fill(2, p, N, c.w[0]);
	for (int i = 0; i < N; i++)
		give(c.w[0], 2, p[i]);
	magi_slab_drain(c.w[0]);
	bytes = c.rt->depot.bytes;
	for (int i = 0; i < N; i++) {
		p[i] = magi_slab_take_foreign(c.rt, 2);
		memset(p[i], i, magi_class_bytes(2));
	}
	cr_assert_eq(c.rt->depot.bytes, bytes);
	cr_assert_eq(in_use(&c), N);
	for (int i = 0; i < N; i++)
		magi_slab_give_foreign(c.rt, 2, p[i]);
	crew_fini(&c);
}

/* Tried: refill that does not look at the result of the depot. */
Test(slab, no_memory_is_said_and_forgotten, .timeout = 5)
{
	struct crew c;
	void *p;

	crew_init(&c, 1);
	for (uint64_t n = 1; n <= 2; n++) {
		magi_fault_plan(n, 0);
		cr_assert_null(take(c.w[0], 2));
		magi_fault_plan(n, 0);
		cr_assert_null(magi_slab_take_foreign(c.rt, 2));
	}
	magi_fault_plan(0, 0);
	cr_assert_eq(in_use(&c), 0);
	p = take(c.w[0], 2);
	cr_assert_not_null(p);
	give(c.w[0], 2, p);
	crew_fini(&c);
}

#ifdef MAGI_ASAN
Test(slab, freed_frame_is_poisoned, .timeout = 5)
{
	struct crew c;
	char *p;

	crew_init(&c, 1);
	p = take(c.w[0], 4);
	cr_assert_not(__asan_address_is_poisoned(p + 255));
	give(c.w[0], 4, p);
	cr_assert(__asan_address_is_poisoned(p + 16));
	cr_assert(__asan_address_is_poisoned(p + 255));
	cr_assert_eq(take(c.w[0], 4), p);
	cr_assert_not(__asan_address_is_poisoned(p + 255));
	give(c.w[0], 4, p);
	crew_fini(&c);
}
#endif

struct trader {
	struct magi_worker *w;
	pthread_t thread;
};

enum { TRADED = 3, HELD = 300 }; /* more than a free list keeps: each round goes to the depot and back */

/* Nobody else has what this one has taken. */
static void *trade(void *arg)
{
	struct trader *t = arg;
	uint64_t *p[HELD];

	for (uint64_t round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < HELD; i++) {
			p[i] = take(t->w, TRADED);
			cr_assert_not_null(p[i]);
			for (int k = 0; k < TRADED * 8; k++)
				p[i][k] = round << 8 | t->w->pub.index;
		}
		for (int i = 0; i < HELD; i++) {
			for (int k = 0; k < TRADED * 8; k++)
				cr_assert_eq(p[i][k], round << 8 | t->w->pub.index);
			give(t->w, TRADED, p[i]);
		}
	}
	return NULL;
}

/* For ThreadSanitizer above all. Tried there: take_batch without the lock. */
Test(slab, workers_trade_frames_through_the_depot, .timeout = 60)
{
	struct trader trader[3];
	struct crew c;

	crew_init(&c, 3);
	for (int i = 0; i < 3; i++) {
		trader[i].w = c.w[i];
		cr_assert_eq(pthread_create(&trader[i].thread, NULL, trade, &trader[i]), 0);
	}
	for (int i = 0; i < 3; i++)
		pthread_join(trader[i].thread, NULL);
	cr_assert_eq(in_use(&c), 0);
	crew_fini(&c);
}
