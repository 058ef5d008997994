/* SPDX-License-Identifier: MIT */
/* test_ready.c - woken tasks: the ready queue with its spill, inboxes, the way of a pinned task. */
#include "unit/crew.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "sched/ready.h"

#if defined(MAGI_TSAN)
enum { MANY = 20000 };
#else
enum { MANY = 200000 };
#endif

static mag_frame *frames(uint32_t n)
{
	mag_frame *f = aligned_alloc(MAGI_CACHE_LINE, n * sizeof(*f));

	cr_assert_not_null(f);
	for (uint32_t i = 0; i < n; i++)
		crew_frame(&f[i], MAGI_SPAWN);
	return f;
}

Test(ready, woken_tasks_come_out_in_order, .timeout = 5)
{
	struct crew c;
	mag_frame *f = frames(3);

	crew_init(&c, 1);
	for (int i = 0; i < 3; i++)
		magi_ready_push(&c.w[0]->ready, &f[i]);
	cr_assert_eq(magi_ready_count(&c.w[0]->ready), 3);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(magi_ready_take(&c.w[0]->ready), &f[i]);
	cr_assert_null(magi_ready_take(&c.w[0]->ready));
	cr_assert_eq(magi_ready_count(&c.w[0]->ready), 0);
	crew_fini(&c);
	free(f);
}

/* Tried: a push that goes to the ring as soon as there is room again, past those that wait in the spill. */
Test(ready, order_holds_over_the_spill, .timeout = 5)
{
	enum { N = 3 * MAGI_DEQUE_CAPACITY };
	struct crew c;
	mag_frame *f = frames(N);
	struct magi_ready *q;
	int in = 0, out = 0;

	crew_init(&c, 1);
	q = &c.w[0]->ready;
	while (in < 2 * MAGI_DEQUE_CAPACITY)
		magi_ready_push(q, &f[in++]);
	cr_assert_eq(magi_ready_count(q), in);
	while (out < MAGI_DEQUE_CAPACITY + 10)
		cr_assert_eq(magi_ready_take(q), &f[out++]);
	while (in < N)
		magi_ready_push(q, &f[in++]);
	while (out < N)
		cr_assert_eq(magi_ready_take(q), &f[out++]);
	cr_assert_null(magi_ready_take(q));
	for (int i = 0; i < 2; i++)
		magi_ready_push(q, &f[i]);
	cr_assert_eq(magi_ready_take(q), &f[0]);
	cr_assert_eq(magi_ready_take(q), &f[1]);
	crew_fini(&c);
	free(f);
}

struct taker {
	struct magi_ready *q;
	mag_frame *frames;
	uint32_t *taken; /* atomic, one a frame */
	uint32_t *left;  /* atomic */
	pthread_t thread;
};

static void *take_all(void *arg)
{
	struct taker *t = arg;

	while (magi_load_acq(t->left)) { /* [left] */
		mag_frame *f = magi_ready_take(t->q);

		if (!f) {
			sched_yield();
			continue;
		}
		magi_add_ar(&t->taken[f - t->frames], 1u); /* [left] */
		magi_sub_ar(t->left, 1u); /* [left] */
	}
	return NULL;
}

/* Tried: the spill's head taken without the lock. */
Test(ready, each_task_is_taken_once_while_it_spills, .timeout = 60)
{
	struct crew c;
	mag_frame *f = frames(MANY);
	uint32_t *taken = calloc(MANY, sizeof(*taken)), left = MANY;
	struct taker taker[3];

	crew_init(&c, 1);
	for (int i = 0; i < MANY / 2; i++) /* so that most of them are taken out of the spill */
		magi_ready_push(&c.w[0]->ready, &f[i]);
	for (int i = 0; i < 3; i++) {
		taker[i] = (struct taker){ &c.w[0]->ready, f, taken, &left, 0 };
		cr_assert_eq(pthread_create(&taker[i].thread, NULL, take_all, &taker[i]), 0);
	}
	for (int i = MANY / 2; i < MANY; i++)
		magi_ready_push(&c.w[0]->ready, &f[i]);
	for (int i = 0; i < 3; i++)
		pthread_join(taker[i].thread, NULL);
	for (int i = 0; i < MANY; i++)
		cr_assert_eq(taken[i], 1);
	crew_fini(&c);
	free(taken);
	free(f);
}

/* Tried: the stack not reversed. */
Test(ready, inbox_is_read_oldest_first, .timeout = 5)
{
	struct crew c;
	mag_frame *f = frames(4);

	crew_init(&c, 1);
	cr_assert_not(magi_inbox_collect(c.w[0]));
	for (int i = 0; i < 4; i++)
		magi_inbox_send(NULL, c.w[0], &f[i], false);
	cr_assert(magi_inbox_collect(c.w[0]));
	for (int i = 0; i < 4; i++)
		cr_assert_eq(magi_ready_take(&c.w[0]->ready), &f[i]);
	cr_assert_not(magi_inbox_collect(c.w[0]));
	crew_fini(&c);
	free(f);
}

/* Tried: magi_wake_worker left out of magi_inbox_send; and the bit not cleared, which rings twice. */
Test(ready, sending_to_a_sleeper_wakes_it_once, .timeout = 5)
{
	struct crew c;
	mag_frame *f = frames(2);

	crew_init(&c, 2);
	magi_sleep_begin(c.w[1]);
	magi_inbox_send(&c.w[0]->pub, c.w[1], &f[0], false);
	magi_inbox_send(&c.w[0]->pub, c.w[1], &f[1], false);
	cr_assert_eq(crew_rings(&c, 1), 1);
	cr_assert_eq(crew_rings(&c, 0), 0);
	crew_fini(&c);
	free(f);
}

Test(ready, thief_takes_the_inbox_but_not_what_is_pinned, .timeout = 5)
{
	struct crew c;
	mag_frame *f = frames(2);

	crew_init(&c, 2);
	f[1].flags |= MAGI_PINNED;
	magi_inbox_send(NULL, c.w[0], &f[0], false);
	magi_inbox_send(NULL, c.w[0], &f[1], true);
	cr_assert(magi_inbox_steal(c.w[1], c.w[0]));
	cr_assert_eq(magi_ready_take(&c.w[1]->ready), &f[0]);
	cr_assert_not(magi_inbox_steal(c.w[1], c.w[0]));
	cr_assert(magi_inbox_collect(c.w[0]));
	cr_assert_eq(c.w[0]->pinned_head, &f[1]);
	cr_assert_eq(magi_ready_count(&c.w[0]->ready), 0);
	crew_fini(&c);
	free(f);
}

/* Tried: is_pinned looking at the frame instead of its task: a called frame of a pinned task runs elsewhere. */
Test(ready, frame_of_a_pinned_task_is_sent_home, .timeout = 5)
{
	struct crew c;
	mag_frame *f = frames(2);

	crew_init(&c, 3);
	f[0].flags |= MAGI_PINNED;
	f[0].home = 2;
	crew_frame(&f[1], MAGI_CALL);
	f[1].leader = &f[0];
	cr_assert_null(magi_resume_here(&c.w[0]->pub, &f[1]));
	cr_assert(magi_inbox_collect(c.w[2]));
	cr_assert_eq(c.w[2]->pinned_head, &f[1]);
	cr_assert_eq(magi_resume_here(&c.w[2]->pub, &f[1]), &f[1]);
	c.w[2]->pinned_head = c.w[2]->pinned_tail = NULL;
	magi_resume_later(c.rt, &c.w[1]->pub, &f[1]);
	magi_resume_later(c.rt, NULL, &f[0]);
	cr_assert(magi_inbox_collect(c.w[2]));
	cr_assert_eq(c.w[2]->pinned_head, &f[1]);
	cr_assert_eq(c.w[2]->pinned_tail, &f[0]);
	crew_fini(&c);
	free(f);
}

#ifndef MAGI_FORCED_MIGRATION
Test(ready, woken_task_stays_with_its_waker, .timeout = 5)
{
	struct crew c;
	mag_frame *f = frames(1);

	crew_init(&c, 2);
	magi_resume_later(c.rt, &c.w[1]->pub, &f[0]);
	cr_assert_eq(magi_ready_take(&c.w[1]->ready), &f[0]);
	crew_fini(&c);
	free(f);
}

/* Tried: next_worker instead of magi_idle_worker; one of the two went to the busy worker. */
Test(ready, foreign_thread_prefers_a_worker_that_sleeps, .timeout = 5)
{
	struct crew c;
	mag_frame *f = frames(2);

	crew_init(&c, 4);
	magi_sleep_begin(c.w[2]);
	magi_resume_later(c.rt, NULL, &f[0]);
	cr_assert_eq(crew_rings(&c, 2), 1);
	cr_assert(magi_inbox_collect(c.w[2]));
	cr_assert_eq(magi_ready_take(&c.w[2]->ready), &f[0]);
	crew_fini(&c);
	free(f);
}
#endif

struct sender {
	struct magi_worker *to;
	mag_frame *frames;
	uint32_t n;
	pthread_t thread;
};

static void *send_all(void *arg)
{
	struct sender *s = arg;

	for (uint32_t i = 0; i < s->n; i++)
		magi_inbox_send(NULL, s->to, &s->frames[i], false);
	return NULL;
}

/* Tried: the inbox taken by a load and, some 100 ns later, a store instead of an exchange. */
Test(ready, nothing_sent_by_three_threads_is_lost_and_each_keeps_its_order, .timeout = 60)
{
	enum { N = MANY / 4 };
	struct crew c;
	struct sender sender[3];
	uint32_t next[3] = { 0 }, got = 0;

	crew_init(&c, 1);
	for (int i = 0; i < 3; i++) {
		sender[i] = (struct sender){ c.w[0], frames(N), N, 0 };
		for (uint32_t k = 0; k < N; k++) {
			sender[i].frames[k].taken = k;
			sender[i].frames[k].home = (uint8_t)i;
		}
		cr_assert_eq(pthread_create(&sender[i].thread, NULL, send_all, &sender[i]), 0);
	}
	while (got < 3 * N) {
		mag_frame *f;

		if (!magi_inbox_collect(c.w[0]))
			sched_yield();
		while ((f = magi_ready_take(&c.w[0]->ready))) {
			cr_assert_eq(f->taken, next[f->home]++);
			got++;
		}
	}
	for (int i = 0; i < 3; i++) {
		pthread_join(sender[i].thread, NULL);
		free(sender[i].frames);
	}
	crew_fini(&c);
}
