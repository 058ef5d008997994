/* SPDX-License-Identifier: MIT */
/* test_semaphore.c - src/sync/semaphore.c. */
#include <magpie/semaphore.h>
#include <magpie/time.h>

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>

#include "support/matrix.h"

/* At most so many at once. */

struct limited {
	mag_semaphore semaphore;
	uint32_t inside, most; /* atomic */
	uint64_t done;         /* atomic */
};

struct user {
	mag_frame frame;
	MAG_ARGS(user, struct limited *l; uint32_t n; uint32_t most;);
	uint32_t i, need;
	int64_t rc;
};

MAG_TASK(user)
{
	MAG_BEGIN(user);
	for (self->i = 0; self->i < self->n; self->i++) {
		self->need = 1 + self->i % self->most;
		MAG_AWAIT(self->rc, mag_semaphore_acquire, &self->l->semaphore, self->need);
		NEED(self->rc == 0);
		NEED(magi_add_rlx(&self->l->inside, self->need) + self->need <= self->l->most);
		if (self->i % 8 == 0)
			MAG_YIELD(self->rc);
		magi_sub_rlx(&self->l->inside, self->need);
		(void)magi_add_rlx(&self->l->done, 1);
		NEED(mag_semaphore_release(&self->l->semaphore, self->need) == 0);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct users {
	mag_frame frame;
	MAG_ARGS(users, struct limited *l; uint32_t tasks; uint32_t n;);
	mag_group group;
	uint32_t i;
	int64_t rc;
};

MAG_TASK(users)
{
	MAG_BEGIN(users);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < self->tasks; self->i++)
		MAG_SPAWN(self->rc, &self->group, user, .l = self->l, .n = self->n, .most = self->l->most);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(semaphore, no_more_than_the_permits_are_taken, .timeout = 60)
{
	static struct limited l = { .semaphore = MAG_SEMAPHORE_INIT(3, 3), .most = 3 };
	int64_t rc = RUN(4, users, .l = &l, .tasks = 16, .n = 3000);

	cr_assert_eq(rc, 0, "%s", where(rc));
	cr_assert_eq(l.done, (uint64_t)16 * 3000);
	cr_assert_eq(mag_semaphore_permits(&l.semaphore), 3);
	cr_assert_eq(mag_semaphore_fini(&l.semaphore), 0);
}

/* Order. */

struct in_turn {
	mag_frame frame;
	MAG_ARGS(in_turn, mag_semaphore *semaphore; uint32_t need; uint32_t *turns; uint32_t *mine;);
	int64_t rc;
};

MAG_TASK(in_turn)
{
	MAG_BEGIN(in_turn);
	MAG_AWAIT(self->rc, mag_semaphore_acquire, self->semaphore, self->need);
	NEED(self->rc == 0);
	*self->mine = magi_add_rlx(&self->turns[0], 1) + 1;
	magi_add_rel(&self->turns[1], 1); /* now it may be looked at */
	MAG_RETURN(0);
	MAG_END;
}

/* Five wait for 1, 1, 3, 1, 1 permits. */
struct queueing {
	mag_frame frame;
	MAG_ARGS(queueing, mag_semaphore *semaphore;);
	mag_group group;
	uint32_t mine[5], turns[2], i;
	int64_t rc;
};

MAG_TASK(queueing)
{
	MAG_BEGIN(queueing);
	self->turns[0] = self->turns[1] = 0;
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 5; self->i++) {
		self->mine[self->i] = 0;
		MAG_SPAWN(self->rc, &self->group, in_turn, .semaphore = self->semaphore, .need = self->i == 2 ? 3 : 1,
			  .turns = self->turns, .mine = &self->mine[self->i]);
		UNTIL_WAITING(self->rc, &self->semaphore->waitq, self->i + 1);
	}
	/* n permits wake n waiters (tried: a release that grants to the first only; the test times out) */
	NEED(mag_semaphore_release(self->semaphore, 2) == 0);
	while (magi_load_acq(&self->turns[1]) < 2)
		MAG_YIELD(self->rc);
	NEED(waiting(&self->semaphore->waitq) == 3);
	/* the third needs three and is not overtaken by those behind it, nor by newcomers */
	NEED(mag_semaphore_release(self->semaphore, 2) == 0);
	NEED(waiting(&self->semaphore->waitq) == 3);
	NEED(mag_semaphore_permits(self->semaphore) == 2);
	NEED(mag_semaphore_try_acquire(self->semaphore, 1) == -EAGAIN);
	NEED(mag_semaphore_release(self->semaphore, 1) == 0);
	while (magi_load_acq(&self->turns[1]) < 3)
		MAG_YIELD(self->rc);
	NEED(self->mine[2] == 3);
	NEED(mag_semaphore_permits(self->semaphore) == 0);
	NEED(mag_semaphore_release(self->semaphore, 5) == 0);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0);
	NEED(mag_semaphore_permits(self->semaphore) == 3);
	NEED(mag_semaphore_try_acquire(self->semaphore, 3) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(semaphore, waiters_are_served_in_turn_and_as_many_as_there_are_permits, .timeout = 20)
{
	mag_semaphore semaphore;
	int64_t rc;

	cr_assert_eq(mag_semaphore_init(&semaphore, 0, 10), 0);
	rc = RUN(4, queueing, .semaphore = &semaphore);
	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* Foreign threads. */

struct counted {
	mag_frame frame;
	MAG_ARGS(counted, mag_semaphore *semaphore; uint32_t n;);
	uint32_t i;
	int64_t rc;
};

MAG_TASK(counted)
{
	MAG_BEGIN(counted);
	for (self->i = 0; self->i < self->n; self->i++) {
		MAG_AWAIT(self->rc, mag_semaphore_acquire, self->semaphore, 1);
		NEED(self->rc == 0);
	}
	MAG_RETURN(0);
	MAG_END;
}

enum { EVENTS = 20000 };

static void *release_from_outside(void *arg)
{
	for (int i = 0; i < EVENTS; i++) {
		if (mag_semaphore_release((mag_semaphore *)arg, 1) < 0)
			return arg;
	}
	return NULL;
}

Test(semaphore, any_thread_may_release, .timeout = 60)
{
	mag_semaphore semaphore = MAG_SEMAPHORE_INIT(0, EVENTS);
	pthread_t thread;
	void *failed;
	int64_t rc;

	cr_assert_eq(pthread_create(&thread, NULL, release_from_outside, &semaphore), 0);
	rc = RUN(2, counted, .semaphore = &semaphore, .n = EVENTS);
	cr_assert_eq(rc, 0, "%s", where(rc));
	pthread_join(thread, &failed);
	cr_assert_null(failed);
	cr_assert_eq(mag_semaphore_permits(&semaphore), 0);
}

/* A foreign thread releases, and who acquires frees the semaphore (tried: a release that always takes the lock;
 * ThreadSanitizer reports it). */
#define NO_MORE ((mag_semaphore *)1)

struct freed {
	mag_frame frame;
	MAG_ARGS(freed, mag_semaphore **mailbox; uint32_t rounds; uint64_t until;);
	mag_semaphore *semaphore;
	mag_scope scope;
	uint32_t i;
	int64_t rc;
};

MAG_TASK(freed)
{
	MAG_BEGIN(freed);
	for (self->i = 0; self->i < self->rounds && mag_now() < self->until; self->i++) {
		self->semaphore = malloc(sizeof(*self->semaphore));
		NEED(self->semaphore);
		NEED(mag_semaphore_init(self->semaphore, 0, 1) == 0);
		if (self->i % 16 < 4) {
			MAG_WITH_TIMEOUT(&self->scope, MAG_MICROSECOND);
			MAG_AWAIT(self->rc, mag_semaphore_acquire, self->semaphore, 1);
			MAG_SCOPE_END(self->rc, &self->scope);
		}
		magi_store_rel(self->mailbox, self->semaphore);
		if (self->i % 2) {
			while (mag_semaphore_try_acquire(self->semaphore, 1) < 0)
				MAG_YIELD(self->rc);
		} else {
			MAG_AWAIT(self->rc, mag_semaphore_acquire, self->semaphore, 1);
			NEED(self->rc == 0);
		}
		free(self->semaphore);
	}
	magi_store_rel(self->mailbox, NO_MORE);
	MAG_RETURN(0);
	MAG_END;
}

static void *release_each(void *arg)
{
	mag_semaphore **mailbox = arg, *semaphore;

	while ((semaphore = magi_xchg_ar(mailbox, NULL)) != NO_MORE) {
		if (semaphore)
			mag_semaphore_release(semaphore, 1);
		else
			sched_yield();
	}
	return NULL;
}

Test(semaphore, may_be_freed_by_who_got_the_last_permit, .timeout = 60)
{
	mag_semaphore *mailbox = NULL;
	pthread_t thread;
	int64_t rc;

	cr_assert_eq(pthread_create(&thread, NULL, release_each, &mailbox), 0);
	rc = RUN(2, freed, .mailbox = &mailbox, .rounds = 20000, .until = mag_deadline_in(5 * MAG_SECOND));
	cr_assert_eq(rc, 0, "%s", where(rc));
	pthread_join(thread, NULL);
}

/* Wrong use. */

Test(semaphore, bounds_are_checked, .timeout = 10)
{
	mag_semaphore s;

	cr_assert_eq(mag_semaphore_init(&s, 1, 0), -EINVAL);
	cr_assert_eq(mag_semaphore_init(&s, 0, 0), -EINVAL);
	cr_assert_eq(mag_semaphore_init(&s, 3, 2), -EINVAL);
	cr_assert_eq(mag_semaphore_init(&s, 0, MAG_SEMAPHORE_MAX + 1), -EINVAL);
	cr_assert_eq(mag_semaphore_init(&s, MAG_SEMAPHORE_MAX, MAG_SEMAPHORE_MAX), 0);
	cr_assert_eq(mag_semaphore_permits(&s), MAG_SEMAPHORE_MAX);
	cr_assert_eq(mag_semaphore_try_acquire(&s, MAG_SEMAPHORE_MAX), 0);
	cr_assert_eq(mag_semaphore_try_acquire(&s, 1), -EAGAIN);
	cr_assert_eq(mag_semaphore_release(&s, 0), 0);
	cr_assert_eq(mag_semaphore_release(&s, MAG_SEMAPHORE_MAX), 0);
	cr_assert_eq(mag_semaphore_init(&s, 2, 2), 0);
	cr_assert_eq(mag_semaphore_try_acquire(&s, 0), -EINVAL);
	cr_assert_eq(mag_semaphore_try_acquire(&s, 3), -EINVAL);
	cr_assert_eq(mag_semaphore_permits(&s), 2);
}

struct too_many {
	mag_frame frame;
	MAG_ARGS(too_many, mag_semaphore *semaphore;);
	int64_t rc;
};

MAG_TASK(too_many)
{
	MAG_BEGIN(too_many);
	MAG_AWAIT(self->rc, mag_semaphore_acquire, self->semaphore, 0);
	NEED(self->rc == -EINVAL);
	MAG_AWAIT(self->rc, mag_semaphore_acquire, self->semaphore, 3);
	NEED(self->rc == -EINVAL);
	MAG_AWAIT(self->rc, mag_semaphore_acquire, self->semaphore, 2);
	NEED(self->rc == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(semaphore, what_can_never_be_had_is_refused, .timeout = 20)
{
	mag_semaphore semaphore = MAG_SEMAPHORE_INIT(2, 2);
	int64_t rc = RUN(1, too_many, .semaphore = &semaphore);

	cr_assert_eq(rc, 0, "%s", where(rc));
	cr_assert_eq(mag_semaphore_permits(&semaphore), 0);
}

Test(semaphore, cannot_be_released_above_its_max, MISUSE(.timeout = 10))
{
	mag_semaphore semaphore = MAG_SEMAPHORE_INIT(1, 2);

	cr_assert_eq(mag_semaphore_release(&semaphore, 1), 0);
	cr_assert_eq(mag_semaphore_release(&semaphore, 1), -EOVERFLOW);
	cr_assert_eq(mag_semaphore_release(&semaphore, UINT32_MAX), -EOVERFLOW);
	cr_assert_eq(mag_semaphore_permits(&semaphore), 2);
}

struct ended_early {
	mag_frame frame;
	MAG_ARGS(ended_early, mag_semaphore *semaphore;);
	mag_group group;
	int64_t rc;
};

MAG_TASK(ended_early)
{
	MAG_BEGIN(ended_early);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, counted, .semaphore = self->semaphore, .n = 1);
	UNTIL_WAITING(self->rc, &self->semaphore->waitq, 1);
	NEED(mag_semaphore_fini(self->semaphore) == -EBUSY);
	NEED(mag_semaphore_release(self->semaphore, 3) == -EOVERFLOW);
	NEED(mag_semaphore_release(self->semaphore, 1) == 0);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(mag_semaphore_fini(self->semaphore) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(semaphore, cannot_end_while_somebody_waits, MISUSE(.timeout = 20))
{
	mag_semaphore semaphore = MAG_SEMAPHORE_INIT(0, 2);
	int64_t rc = RUN(1, ended_early, .semaphore = &semaphore);

	cr_assert_eq(rc, 0, "%s", where(rc));
}
