/* SPDX-License-Identifier: MIT */
/* test_mutex.c - src/sync/mutex.c. */
#include <magpie/mutex.h>
#include <magpie/time.h>

#include <criterion/criterion.h>
#include <stdlib.h>

#include "support/matrix.h"

struct shared {
	mag_mutex mutex;
	uint64_t count; /* plain: ThreadSanitizer sees it when the mutex does not order */
	uint32_t inside;
	uint32_t tries;
};

/* Exclusion. */

struct adder {
	mag_frame frame;
	MAG_ARGS(adder, struct shared *s; uint32_t n;);
	uint32_t i;
	int64_t rc;
};

MAG_TASK(adder)
{
	MAG_BEGIN(adder);
	for (self->i = 0; self->i < self->n; self->i++) {
		if (self->i % 7 == 0 && mag_mutex_try_lock(&self->s->mutex) == 0) {
			self->rc = 0;
		} else {
			MAG_AWAIT(self->rc, mag_mutex_lock, &self->s->mutex);
		}
		NEED(self->rc == 0);
		NEED(self->s->inside++ == 0);
		if (self->i % 16 == 0)
			MAG_YIELD(self->rc);
		self->s->count++;
		NEED(--self->s->inside == 0);
		NEED(mag_mutex_unlock(&self->s->mutex) == 0);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct adders {
	mag_frame frame;
	MAG_ARGS(adders, struct shared *s; uint32_t tasks; uint32_t n;);
	mag_group group;
	uint32_t i;
	int64_t rc;
};

MAG_TASK(adders)
{
	MAG_BEGIN(adders);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < self->tasks; self->i++)
		MAG_SPAWN(self->rc, &self->group, adder, .s = self->s, .n = self->n);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

static void add_on(uint32_t workers)
{
	static struct shared s = { .mutex = MAG_MUTEX_INIT };
	int64_t rc = RUN(workers, adders, .s = &s, .tasks = 16, .n = 5000);

	cr_assert_eq(rc, 0, "%s", where(rc));
	cr_assert_eq(s.count, (uint64_t)16 * 5000);
	cr_assert_not(mag_mutex_is_locked(&s.mutex));
	cr_assert_eq(mag_mutex_fini(&s.mutex), 0);
}

Test(mutex, one_task_at_a_time_holds_it, .timeout = 60)
{
	add_on(4);
}

Test(mutex, one_task_at_a_time_holds_it_on_the_only_worker, .timeout = 60)
{
	add_on(1);
}

struct trying {
	mag_frame frame;
	MAG_ARGS(trying, struct shared *s; int want;);
};

MAG_TASK(trying)
{
	MAG_BEGIN(trying);
	NEED(mag_mutex_try_lock(&self->s->mutex) == self->want);
	if (self->want == 0)
		NEED(mag_mutex_unlock(&self->s->mutex) == 0);
	MAG_RETURN(0);
	MAG_END;
}

/* What a task calls is the task; what it forks is not. */
struct held {
	mag_frame frame;
	MAG_ARGS(held, struct shared *s;);
	int64_t rc;
};

MAG_TASK(held)
{
	MAG_BEGIN(held);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->s->mutex);
	NEED(self->rc == 0);
	NEED(mag_mutex_is_locked(&self->s->mutex));
	MAG_FORK(trying, .s = self->s, .want = -EAGAIN);
	MAG_JOIN(self->rc);
	NEED(self->rc == 0);
	MAG_RETURN(0);
	MAG_END;
}

struct tried {
	mag_frame frame;
	MAG_ARGS(tried, struct shared *s;);
	int64_t rc;
};

MAG_TASK(tried)
{
	MAG_BEGIN(tried);
	MAG_CALL(self->rc, held, .s = self->s);
	NEED(self->rc == 0);
	NEED(mag_mutex_unlock(&self->s->mutex) == 0);
	MAG_FORK(trying, .s = self->s, .want = 0);
	MAG_JOIN(self->rc);
	NEED(self->rc == 0);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->s->mutex);
	NEED(self->rc == 0);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->s->mutex);
	NEED(self->rc == MAG_EDEADLK);
	NEED(mag_mutex_unlock(&self->s->mutex) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(mutex, belongs_to_the_task_that_locked_it, .timeout = 20)
{
	static struct shared s;
	int64_t rc;

	mag_mutex_init(&s.mutex);
	rc = RUN(2, tried, .s = &s);
	cr_assert_eq(rc, 0, "%s", where(rc));
	rc = RUN(1, tried, .s = &s);
	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* One waits in vain, then gets the mutex without waiting and frees it: the unlock that found the traces of the wait must
 * be done with the mutex by then (tried: one that lets others have it before it releases the lock, with no waiter left;
 * ThreadSanitizer reports it). */

struct keeper {
	mag_frame frame;
	MAG_ARGS(keeper, mag_mutex *mutex; uint32_t *held; mag_scope *scope;);
	int64_t rc;
};

MAG_TASK(keeper)
{
	MAG_BEGIN(keeper);
	MAG_AWAIT(self->rc, mag_mutex_lock, self->mutex);
	NEED(self->rc == 0);
	magi_store_rel(self->held, 1u);
	UNTIL_WAITING(self->rc, &self->mutex->waitq, 1);
	mag_scope_cancel(self->scope);
	mag_mutex_unlock(self->mutex);
	MAG_RETURN(0);
	MAG_END;
}

struct heir {
	mag_frame frame;
	MAG_ARGS(heir, uint32_t rounds;);
	mag_group group;
	mag_scope scope;
	mag_mutex *mutex;
	uint32_t i, held;
	int64_t rc;
};

MAG_TASK(heir)
{
	MAG_BEGIN(heir);
	for (self->i = 0; self->i < self->rounds; self->i++) {
		self->mutex = malloc(sizeof(*self->mutex));
		NEED(self->mutex);
		mag_mutex_init(self->mutex);
		self->held = 0;
		MAG_GROUP_BEGIN(&self->group);
		MAG_SPAWN(self->rc, &self->group, keeper, .mutex = self->mutex, .held = &self->held,
			  .scope = &self->scope);
		NEED(self->rc == 0);
		while (!magi_load_acq(&self->held))
			MAG_YIELD(self->rc);
		MAG_SCOPE_BEGIN(&self->scope);
		MAG_AWAIT(self->rc, mag_mutex_lock, self->mutex);
		NEED(self->rc == MAG_ECANCELED);
		MAG_SCOPE_END(self->rc, &self->scope);
		while (mag_mutex_try_lock(self->mutex) < 0)
			MAG_YIELD(self->rc);
		mag_mutex_unlock(self->mutex);
		free(self->mutex);
		MAG_GROUP_END(self->rc, &self->group);
		NEED(self->rc == 0);
	}
	MAG_RETURN(0);
	MAG_END;
}

Test(mutex, may_be_freed_by_who_gets_it_next, .timeout = 60)
{
	int64_t rc = RUN(2, heir, .rounds = 5000);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* Overtaking. One task takes the mutex again and again before the woken one has its turn (tried: without fair_at the
 * waiter never gets it, and the test times out). */
struct greedy {
	mag_frame frame;
	MAG_ARGS(greedy, struct shared *s; uint32_t *over;);
	int64_t rc;
};

MAG_TASK(greedy)
{
	MAG_BEGIN(greedy);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->s->mutex);
	while (!magi_load_acq(self->over)) {
		MAG_YIELD(self->rc);
		NEED(mag_mutex_unlock(&self->s->mutex) == 0);
		MAG_AWAIT(self->rc, mag_mutex_lock, &self->s->mutex);
		NEED(self->rc == 0);
		self->s->tries++;
	}
	NEED(mag_mutex_unlock(&self->s->mutex) == 0);
	MAG_RETURN(0);
	MAG_END;
}

struct patient {
	mag_frame frame;
	MAG_ARGS(patient, struct shared *s; uint32_t *over;);
	int64_t rc;
};

MAG_TASK(patient)
{
	MAG_BEGIN(patient);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->s->mutex);
	magi_store_rel(self->over, 1u);
	NEED(self->rc == 0);
	NEED(mag_mutex_unlock(&self->s->mutex) == 0);
	MAG_RETURN(0);
	MAG_END;
}

struct overtaking {
	mag_frame frame;
	MAG_ARGS(overtaking, struct shared *s;);
	mag_group group;
	uint32_t over;
	int64_t rc;
};

MAG_TASK(overtaking)
{
	MAG_BEGIN(overtaking);
	self->over = 0;
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, greedy, .s = self->s, .over = &self->over);
	while (!mag_mutex_is_locked(&self->s->mutex))
		MAG_YIELD(self->rc);
	MAG_SPAWN(self->rc, &self->group, patient, .s = self->s, .over = &self->over);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(mutex, waiter_is_not_overtaken_for_ever, .timeout = 20)
{
	static struct shared s;
	bool overtaken = false;

	/* not in each try: who has the CPU taken away for MAG_FAIR_US overtakes nobody any more */
	for (int i = 0; i < 100 && !overtaken; i++) {
		int64_t rc;

		s.tries = 0;
		rc = RUN(1, overtaking, .s = &s);
		cr_assert_eq(rc, 0, "%s", where(rc));
		overtaken = s.tries > 1;
	}
#ifndef MAGI_FORCED_MIGRATION
	cr_assert(overtaken, "the waiter was not overtaken once: this shows nothing");
#endif
}

/* Wrong use. */

struct unlock_free {
	mag_frame frame;
	MAG_ARGS(unlock_free, struct shared *s;);
	int64_t rc;
};

MAG_TASK(unlock_free)
{
	MAG_BEGIN(unlock_free);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->s->mutex);
	NEED(mag_mutex_unlock(&self->s->mutex) == 0);
	NEED(mag_mutex_unlock(&self->s->mutex) == -EPERM);
	NEED(!mag_mutex_is_locked(&self->s->mutex));
	MAG_RETURN(0);
	MAG_END;
}

Test(mutex, cannot_be_unlocked_twice, MISUSE(.timeout = 20))
{
	struct shared s = { .mutex = MAG_MUTEX_INIT };
	int64_t rc = RUN(2, unlock_free, .s = &s);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

struct unlock_foreign {
	mag_frame frame;
	MAG_ARGS(unlock_foreign, struct shared *s;);
};

MAG_TASK(unlock_foreign)
{
	MAG_BEGIN(unlock_foreign);
	NEED(mag_mutex_unlock(&self->s->mutex) == -EPERM);
	MAG_RETURN(0);
	MAG_END;
}

struct robbed {
	mag_frame frame;
	MAG_ARGS(robbed, struct shared *s;);
	int64_t rc;
};

MAG_TASK(robbed)
{
	MAG_BEGIN(robbed);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->s->mutex);
	MAG_FORK(unlock_foreign, .s = self->s);
	MAG_JOIN(self->rc);
	NEED(self->rc == 0);
	NEED(mag_mutex_fini(&self->s->mutex) == -EBUSY);
	NEED(mag_mutex_unlock(&self->s->mutex) == 0);
	NEED(mag_mutex_fini(&self->s->mutex) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(mutex, cannot_be_unlocked_by_another_task_nor_end_while_held, MISUSE(.timeout = 20))
{
	struct shared s = { .mutex = MAG_MUTEX_INIT };
	int64_t rc = RUN(2, robbed, .s = &s);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* Cancellation. */

struct mutex_subject {
	struct subject s;
	mag_mutex mutex;
};

static mag_mutex *of(struct subject *s)
{
	return &((struct mutex_subject *)s)->mutex;
}

static mag_frame *subject_wait(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out)
{
	(void)out;
	return mag_mutex_lock(w, f, of(s));
}

static void subject_set_up(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)mag_mutex_try_lock_by(w, f, of(s));
}

static void subject_give(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)mag_mutex_unlock_by(w, f, of(s));
}

static bool subject_reset(struct subject *s, mag_worker *w, mag_frame *f)
{
	return mag_mutex_try_lock_by(w, f, of(s)) == 0;
}

static void make(struct mutex_subject *m)
{
	*m = (struct mutex_subject){ .s = { .wait = subject_wait, .give = subject_give, .after = subject_give,
					    .reset = subject_reset, .set_up = subject_set_up,
					    .waitq = &m->mutex.waitq, .stays = true } };
	mag_mutex_init(&m->mutex);
}

Test(mutex, cancelled_waiter_holds_nothing_and_blocks_nobody, .timeout = 20)
{
	MATRIX_CASES(struct mutex_subject, make);
}

Test(mutex, unlocked_and_cancelled_at_once_is_one_of_both, .timeout = 120)
{
	MATRIX_RACES(struct mutex_subject, make);
}

/* Many wait for one mutex, are woken, overtaken, handed it, and cancelled all the time; nobody is left over. */

struct impatient {
	mag_frame frame;
	MAG_ARGS(impatient, struct shared *s; uint32_t n; uint64_t seed; uint64_t *done;);
	mag_scope scope;
	struct magi_random random;
	uint32_t i;
	int64_t rc, why;
};

MAG_TASK(impatient)
{
	MAG_BEGIN(impatient);
	magi_random_seed(&self->random, self->seed);
	for (self->i = 0; self->i < self->n; self->i++) {
		MAG_WITH_TIMEOUT(&self->scope, MAG_MICROSECOND * magi_random_below(&self->random, 400));
		MAG_AWAIT(self->rc, mag_mutex_lock, &self->s->mutex);
		MAG_SCOPE_END(self->why, &self->scope);
		NEED(self->rc == 0 || (self->rc == MAG_ECANCELED && self->why == MAG_ETIMEDOUT));
		if (self->rc < 0)
			continue;
		NEED(self->s->inside++ == 0);
		if (magi_random_below(&self->random, 4) == 0)
			MAG_YIELD(self->rc);
		self->s->count++;
		self->s->inside--;
		(void)magi_add_rlx(self->done, 1);
		NEED(mag_mutex_unlock(&self->s->mutex) == 0);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct crowd {
	mag_frame frame;
	MAG_ARGS(crowd, struct shared *s; uint32_t tasks; uint32_t n; uint64_t *done;);
	mag_group group;
	uint32_t i;
	int64_t rc;
};

MAG_TASK(crowd)
{
	MAG_BEGIN(crowd);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < self->tasks; self->i++)
		MAG_SPAWN(self->rc, &self->group, impatient, .s = self->s, .n = self->n, .seed = self->i + 1,
			  .done = self->done);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0);
	NEED(mag_mutex_fini(&self->s->mutex) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(mutex, crowd_of_impatient_tasks_leaves_it_free, .timeout = 60)
{
	static struct shared s = { .mutex = MAG_MUTEX_INIT };
	uint64_t done = 0;
	int64_t rc = RUN(4, crowd, .s = &s, .tasks = 16, .n = 3000, .done = &done);

	cr_assert_eq(rc, 0, "%s", where(rc));
	cr_assert_eq(s.count, done);
	cr_assert_gt(done, 0);
}
