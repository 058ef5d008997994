/* SPDX-License-Identifier: MIT */
/* test_wheel_threads.c - one thread adds to the timer wheel while another removes. */
#include "sched/wheel.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/random.h"

#define TICK (UINT64_C(1) << MAGI_WHEEL_TICK_BITS)
#define NEVER UINT64_MAX

enum { ID = 3 };

static struct magi_wheel wheel; /* large for a stack; each test has a process of its own */

/* One thread adds and expires, another removes, expires too, and frees what it got: a remove that returned while a
 * callback ran would be a use after free (tried: a remove that does not take the lock when `wheel` is 0). */
enum { HANDED = 64, ROUNDS = 60000 };

struct passed {
	magi_timer t; /* first */
	size_t fired;
};

struct traffic {
	struct passed *slots[HANDED]; /* atomic */
	uint64_t now;                 /* atomic */
	size_t removed, gone, wrong;  /* the remover's */
	bool done;                    /* atomic */
};

static void mark_passed(magi_timer *t, void *ctx)
{
	(void)ctx;
	((struct passed *)t)->fired++;
}

static void take_passed(struct traffic *tr, struct passed *p)
{
	bool removed = magi_wheel_remove(&wheel, &p->t);

	tr->removed += removed;
	tr->gone += !removed;
	tr->wrong += p->fired != !removed;
	free(p);
}

static void *remover(void *arg)
{
	struct traffic *tr = arg;
	bool done;

	do {
		done = magi_load_acq(&tr->done);
		for (int i = 0; i < HANDED; i++) {
			struct passed *p = magi_xchg_ar(&tr->slots[i], NULL);

			if (p)
				take_passed(tr, p);
			if (i == HANDED / 2)
				magi_wheel_expire(&wheel, magi_load_acq(&tr->now), mark_passed, NULL);
		}
	} while (!done);
	return NULL;
}

Test(wheel, removal_by_another_thread_frees_the_timer, .timeout = 10)
{
	static struct traffic tr;
	struct magi_random random;
	pthread_t thread;

	magi_random_seed(&random, 1);
	magi_wheel_init(&wheel, ID, 0);
	cr_assert_eq(pthread_create(&thread, NULL, remover, &tr), 0);
	for (size_t i = 0; i < ROUNDS; i++) {
		struct passed *p = malloc(sizeof *p), *none = NULL;
		uint64_t now = i * TICK / 16;

		cr_assert_not_null(p);
		p->fired = 0;
		magi_wheel_add(&wheel, &p->t, now + magi_random_below(&random, 4 * TICK));
		magi_store_rel(&tr.now, now);
		while (!magi_cas_ar(&tr.slots[i % HANDED], &none, p)) {
			none = NULL;
			sched_yield();
		}
		if (i % 4 == 0)
			magi_wheel_expire(&wheel, now, mark_passed, NULL);
	}
	magi_store_rel(&tr.done, true);
	pthread_join(thread, NULL);
	cr_assert_eq(tr.wrong, 0);
	cr_assert_eq(tr.removed + tr.gone, ROUNDS);
	cr_assert_eq(magi_wheel_armed(&wheel), 0);
	cr_assert_eq(magi_wheel_next(&wheel), NEVER);
}

struct slow {
	magi_timer t;
	bool inside, asked, over; /* atomic */
	bool over_at_return;
};

static void slow_callback(magi_timer *t, void *ctx)
{
	struct slow *s = ctx;

	(void)t;
	magi_store_rel(&s->inside, true);
	while (!magi_load_acq(&s->asked))
		sched_yield();
	for (int i = 0; i < 1000; i++) /* time enough for a remove that does not wait */
		sched_yield();
	magi_store_rel(&s->over, true);
}

static void *remove_during_callback(void *arg)
{
	struct slow *s = arg;

	while (!magi_load_acq(&s->inside))
		sched_yield();
	magi_store_rel(&s->asked, true);
	magi_wheel_remove(&wheel, &s->t);
	s->over_at_return = magi_load_acq(&s->over);
	return NULL;
}

Test(wheel, remove_returns_when_the_callback_is_over, .timeout = 10)
{
	static struct slow s;
	pthread_t thread;

	magi_wheel_init(&wheel, ID, 0);
	magi_wheel_add(&wheel, &s.t, 1);
	cr_assert_eq(pthread_create(&thread, NULL, remove_during_callback, &s), 0);
	cr_assert_eq(magi_wheel_expire(&wheel, 1, slow_callback, &s), 1);
	pthread_join(thread, NULL);
	cr_assert(s.over_at_return);
}
