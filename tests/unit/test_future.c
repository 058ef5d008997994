/* SPDX-License-Identifier: MIT */
/* test_future.c - results completed once by any thread, waited for by tasks and by threads. */
#include "gates.h"

#include <pthread.h>

Test(future, it_is_complete_once_and_the_first_result_stays, .timeout = 5)
{
	mag_future future;
	int64_t rc = 5;

	mag_future_init(&future);
	cr_assert_not(mag_future_poll(&future, &rc));
	cr_assert_eq(mag_future_wait(&future, &rc, mag_now()), MAG_ETIMEDOUT);
	cr_assert_eq(mag_future_wait(&future, &rc, mag_deadline_in(MAG_MILLISECOND)), MAG_ETIMEDOUT);
	cr_assert_eq(rc, 5);
	cr_assert_eq(mag_future_complete(&future, 7), 0);
	cr_assert_eq(mag_future_complete(&future, 8), -EALREADY);
	cr_assert(mag_future_poll(&future, &rc) && rc == 7);
	cr_assert(mag_future_poll(&future, NULL));
	cr_assert_eq(mag_future_wait(&future, &rc, 0), 0);
	cr_assert_eq(rc, 7);
	mag_future_fini(&future);
}

struct from_within {
	mag_frame frame;
	MAG_NO_ARGS(from_within);
	mag_future future;
	int64_t rc;
};

MAG_TASK(from_within)
{
	MAG_BEGIN(from_within);
	mag_future_init(&self->future);
	CHECK(mag_future_wait(&self->future, NULL, MAG_NEVER) == MAG_EDEADLK);
	mag_future_complete(&self->future, -EIO);
	MAG_AWAIT(self->rc, mag_future_await, &self->future); /* does not park */
	mag_future_fini(&self->future);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(future, a_worker_does_not_block_on_one, .timeout = 5)
{
	cr_assert_eq(RUN(1, from_within), -EIO);
}

/* Many tasks wait for one future, some with a deadline that comes first. */
enum { WAITERS = 40 };

struct bounded {
	mag_frame frame;
	MAG_ARGS(bounded, mag_future *gate; uint64_t ns; int64_t want;);
	mag_scope scope;
	int64_t rc;
};

MAG_TASK(bounded)
{
	MAG_BEGIN(bounded);
	MAG_WITH_TIMEOUT(&self->scope, self->ns);
	MAG_AWAIT(self->rc, mag_future_await, self->gate);
	CHECK(self->rc == self->want);
	MAG_SCOPE_END(self->rc, &self->scope);
	MAG_RETURN(0);
	MAG_END;
}

struct crowd {
	mag_frame frame;
	MAG_NO_ARGS(crowd);
	mag_group group;
	mag_scope scope;
	mag_future gate;
	int64_t rc;
	int i;
};

MAG_TASK(crowd)
{
	MAG_BEGIN(crowd);
	mag_future_init(&self->gate);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < WAITERS; self->i++)
		MAG_SPAWN(self->rc, &self->group, bounded, .gate = &self->gate,
			  .ns = self->i % 3 ? MAG_NEVER : REST, .want = self->i % 3 ? 11 : MAG_ECANCELED);
	MAG_AWAIT(self->rc, mag_sleep, 2 * REST);
	CHECK(mag_future_complete(&self->gate, 11) == 0);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(self->rc == 0);
	MAG_SCOPE_BEGIN(&self->scope);
	mag_scope_cancel(&self->scope);
	MAG_AWAIT(self->rc, mag_future_await, &self->gate);
	CHECK(self->rc == 11); /* completion beats cancellation */
	MAG_SCOPE_END(self->rc, &self->scope);
	mag_future_fini(&self->gate);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: completing wakes the first waiter only. */
Test(future, all_who_wait_get_the_result_but_those_who_gave_up, .timeout = 10)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, crowd), 0);
}

/* Freed right after the wait: the completer must have let go. */
struct hand_over {
	mag_future *future;
	uint32_t rounds, done;
};

static void *complete_all(void *arg)
{
	struct hand_over *h = arg;

	for (uint32_t i = 0; i < h->rounds; i++) {
		mag_future *future;

		while (!(future = magi_xchg_ar(&h->future, NULL))) /* [handed] */
			sched_yield();
		CHECK(mag_future_complete(future, i) == 0);
	}
	return NULL;
}

static mag_future *offer(struct hand_over *h)
{
	mag_future *future = malloc(sizeof(*future));

	mag_future_init(future);
	(void)magi_xchg_ar(&h->future, future); /* [handed] */
	return future;
}

enum { ROUNDS = 20000 / PLAY_SLOWDOWN };

Test(future, a_thread_frees_it_right_after_its_wait, .timeout = 60)
{
	struct hand_over h = { .rounds = ROUNDS };
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, complete_all, &h), 0);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		mag_future *future = offer(&h);
		int64_t rc = -1;

		if (i % 2)
			cr_assert_eq(mag_future_wait(future, &rc, MAG_NEVER), 0);
		else
			while (!mag_future_poll(future, &rc))
				sched_yield();
		cr_assert_eq(rc, i);
		mag_future_fini(future);
		memset(future, 0xff, sizeof(*future)); /* a lock that is taken again would hang */
		free(future);
	}
	pthread_join(thread, NULL);
}

struct freeing {
	mag_frame frame;
	MAG_ARGS(freeing, struct hand_over *h;);
	mag_future *future;
	int64_t rc;
	uint32_t i;
};

MAG_TASK(freeing)
{
	MAG_BEGIN(freeing);
	for (self->i = 0; self->i < self->h->rounds; self->i++) {
		self->future = offer(self->h);
		MAG_AWAIT(self->rc, mag_future_await, self->future);
		CHECK(self->rc == self->i);
		mag_future_fini(self->future);
		memset(self->future, 0xff, sizeof(*self->future));
		free(self->future);
	}
	MAG_RETURN(0);
	MAG_END;
}

Test(future, a_task_frees_it_right_after_its_await, .timeout = 60)
{
	EACH_WORKERS(n) {
		struct hand_over h = { .rounds = ROUNDS };
		pthread_t thread;
		struct play p;
		int64_t rc;

		play_begin(&p, n);
		cr_assert_eq(pthread_create(&thread, NULL, complete_all, &h), 0);
		play_run(&p, rc, freeing, .h = &h);
		cr_assert_eq(rc, 0);
		pthread_join(thread, NULL);
		play_end(&p);
	}
}

/* Two threads complete the same one; two more wait for it, and tasks too. */
struct contest {
	mag_future future;
	uint32_t start, winners;
	int64_t got[2];
};

static void *compete(void *arg)
{
	struct contest *c = arg;

	while (!is_raised(&c->start))
		sched_yield();
	if (mag_future_complete(&c->future, 3) == 0)
		count(&c->winners);
	return NULL;
}

static void *wait_for_it(void *arg)
{
	struct contest *c = arg;
	int64_t rc = 0;

	CHECK(mag_future_wait(&c->future, &rc, MAG_NEVER) == 0 && rc == 3);
	return NULL;
}

Test(future, of_two_completers_one_wins_and_all_threads_wake, .timeout = 30)
{
	for (int round = 0; round < 500 / PLAY_SLOWDOWN; round++) {
		struct contest c = { .start = 0 };
		pthread_t thread[4];

		mag_future_init(&c.future);
		for (int i = 0; i < 4; i++)
			cr_assert_eq(pthread_create(&thread[i], NULL, i % 2 ? compete : wait_for_it, &c), 0);
		raise_flag(&c.start);
		for (int i = 0; i < 4; i++)
			pthread_join(thread[i], NULL);
		cr_assert_eq(counted(&c.winners), 1);
		mag_future_fini(&c.future);
	}
}
