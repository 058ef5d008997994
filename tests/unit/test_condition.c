/* SPDX-License-Identifier: MIT */
/* test_condition.c - src/sync/condition.c. */
#include <magpie/condition.h>
#include <magpie/time.h>

#include <criterion/criterion.h>
#include <pthread.h>

#include "play.h"
#include "support/matrix.h"

/* A box for a few things, one condition for those who fill it and one for those who empty it. */

enum { PLACES = 3 };

struct box {
	mag_mutex mutex;
	mag_condition filled, emptied;
	uint32_t count, added, taken; /* plain: ThreadSanitizer sees it when the mutex is not held */
};

struct worker {
	mag_frame frame;
	MAG_ARGS(worker, struct box *box; bool fills; uint32_t n; uint64_t timeout;);
	uint32_t i;
	int64_t rc;
};

static mag_frame *wait_for_change(mag_worker *w, mag_frame *f, struct box *box, bool fills, uint64_t timeout)
{
	return mag_condition_wait_until(w, f, fills ? &box->emptied : &box->filled, &box->mutex,
					timeout == MAG_NEVER ? MAG_NEVER : mag_deadline_in(timeout));
}

MAG_TASK(worker)
{
	MAG_BEGIN(worker);
	for (self->i = 0; self->i < self->n;) {
		MAG_AWAIT(self->rc, mag_mutex_lock, &self->box->mutex);
		NEED(self->rc == 0);
		while (self->rc == 0 && self->box->count == (self->fills ? PLACES : 0))
			MAG_AWAIT(self->rc, wait_for_change, self->box, self->fills, self->timeout);
		NEED(self->rc == 0 || self->rc == MAG_ETIMEDOUT);
		if (self->rc == 0) {
			self->box->count += self->fills ? 1 : -1u;
			*(self->fills ? &self->box->added : &self->box->taken) += 1;
			self->i++;
			mag_condition_signal(self->fills ? &self->box->filled : &self->box->emptied);
		}
		NEED(mag_mutex_unlock(&self->box->mutex) == 0);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct workers {
	mag_frame frame;
	MAG_ARGS(workers, struct box *box; uint32_t each; uint32_t n; uint64_t timeout;);
	mag_group group;
	uint32_t i;
	int64_t rc;
};

MAG_TASK(workers)
{
	MAG_BEGIN(workers);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 2 * self->each; self->i++)
		MAG_SPAWN(self->rc, &self->group, worker, .box = self->box, .fills = self->i % 2, .n = self->n,
			  .timeout = self->timeout);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0);
	NEED(mag_condition_fini(&self->box->filled) == 0 && mag_condition_fini(&self->box->emptied) == 0);
	NEED(mag_mutex_fini(&self->box->mutex) == 0);
	MAG_RETURN(0);
	MAG_END;
}

static void pass_through(uint32_t n_workers, uint64_t timeout)
{
	static struct box box;
	enum { EACH = 8, N = 1000 / PLAY_SLOWDOWN };
	int64_t rc;

	box = (struct box){ MAG_MUTEX_INIT, MAG_CONDITION_INIT, MAG_CONDITION_INIT, 0, 0, 0 };
	rc = RUN(n_workers, workers, .box = &box, .each = EACH, .n = N, .timeout = timeout);
	cr_assert_eq(rc, 0, "%s", where(rc));
	cr_assert_eq(box.count, 0);
	cr_assert_eq(box.added, EACH * N);
	cr_assert_eq(box.taken, EACH * N);
}

/* Tried: a wait that gives the mutex back before it has the queue's lock: a signal is lost, and the test times out. */
Test(condition, no_signal_is_lost_between_the_mutex_and_the_queue, .timeout = 60)
{
	pass_through(4, MAG_NEVER);
	pass_through(1, MAG_NEVER);
}

Test(condition, signals_and_deadlines_at_once_lose_nothing, .timeout = 60)
{
	pass_through(4, 20 * MAG_MICROSECOND);
}

/* One, all, in the order of coming; none is kept. */

struct in_turn {
	mag_frame frame;
	MAG_ARGS(in_turn, struct box *box; uint32_t *mine;);
	int64_t rc;
};

MAG_TASK(in_turn)
{
	MAG_BEGIN(in_turn);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->box->mutex);
	NEED(self->rc == 0);
	MAG_AWAIT(self->rc, mag_condition_wait, &self->box->filled, &self->box->mutex);
	NEED(self->rc == 0);
	*self->mine = ++self->box->count;
	NEED(mag_mutex_unlock(&self->box->mutex) == 0);
	MAG_RETURN(0);
	MAG_END;
}

enum { WAITERS = 5 };

struct in_turns {
	mag_frame frame;
	MAG_NO_ARGS(in_turns);
	struct box box;
	mag_group group;
	uint32_t mine[WAITERS], i;
	int64_t rc;
};

MAG_TASK(in_turns)
{
	MAG_BEGIN(in_turns);
	self->box = (struct box){ MAG_MUTEX_INIT, MAG_CONDITION_INIT, MAG_CONDITION_INIT, 0, 0, 0 };
	mag_condition_init(&self->box.filled);
	NEED(mag_condition_signal(&self->box.filled) == 0);
	NEED(mag_condition_broadcast(&self->box.filled) == 0);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < WAITERS; self->i++) {
		self->mine[self->i] = 0;
		MAG_SPAWN(self->rc, &self->group, in_turn, .box = &self->box, .mine = &self->mine[self->i]);
		UNTIL_WAITING(self->rc, &self->box.filled.waitq, self->i + 1);
	}
	for (self->i = 1; self->i <= 2; self->i++) {
		NEED(mag_condition_signal(&self->box.filled) == 1);
		do {
			MAG_AWAIT(self->rc, mag_mutex_lock, &self->box.mutex);
			NEED(self->box.count <= self->i);
			self->rc = self->box.count == self->i;
			mag_mutex_unlock(&self->box.mutex);
			MAG_YIELD(self->box.added);
		} while (!self->rc);
	}
	NEED(self->mine[0] == 1 && self->mine[1] == 2 && waiting(&self->box.filled.waitq) == WAITERS - 2);
	/* who holds the mutex is not disturbed by those who were let go */
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->box.mutex);
	NEED(mag_condition_broadcast(&self->box.filled) == WAITERS - 2);
	for (self->i = 0; self->i < 20; self->i++)
		MAG_YIELD(self->rc);
	NEED(self->box.count == 2);
	mag_mutex_unlock(&self->box.mutex);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0 && self->box.count == WAITERS);
	MAG_RETURN(0);
	MAG_END;
}

Test(condition, signal_lets_one_go_and_broadcast_all, .timeout = 20)
{
	int64_t rc = RUN(2, in_turns, );

	cr_assert_eq(rc, 0, "%s", where(rc));
	rc = RUN(1, in_turns, );
	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* A waiter that is cancelled while another has the mutex waits for it: it is held in any case. */

enum how { BY_CANCEL, BY_DEADLINE, SIGNALLED_FIRST };

struct patient {
	mag_frame frame;
	MAG_ARGS(patient, struct box *box; enum how how; uint32_t *back;);
	int64_t rc, after;
};

MAG_TASK(patient)
{
	MAG_BEGIN(patient);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->box->mutex);
	NEED(self->rc == 0);
	MAG_AWAIT(self->rc, mag_condition_wait_until, &self->box->filled, &self->box->mutex,
		  self->how == BY_DEADLINE ? mag_deadline_in(MAG_SECOND) : MAG_NEVER);
	raise_flag(self->back);
	NEED(self->box->count == 1); /* by who had the mutex meanwhile */
	NEED(self->rc == (self->how == SIGNALLED_FIRST ? 0 : self->how == BY_CANCEL ? MAG_ECANCELED : MAG_ETIMEDOUT));
	MAG_AWAIT(self->after, mag_sleep, 1); /* the shield is over */
	NEED(self->after == (self->how == BY_DEADLINE ? 0 : MAG_ECANCELED));
	NEED(mag_mutex_unlock(&self->box->mutex) == 0);
	MAG_RETURN(0);
	MAG_END;
}

struct patience {
	mag_frame frame;
	MAG_ARGS(patience, enum how how;);
	struct box box;
	mag_group group;
	mag_handle handle;
	uint32_t back, i;
	int64_t rc;
};

MAG_TASK(patience)
{
	MAG_BEGIN(patience);
	self->box = (struct box){ MAG_MUTEX_INIT, MAG_CONDITION_INIT, MAG_CONDITION_INIT, 0, 0, 0 };
	self->back = 0;
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN_AS(self->rc, &self->handle, &self->group, patient, .box = &self->box, .how = self->how,
		     .back = &self->back);
	NEED(self->rc == 0);
	UNTIL_WAITING(self->rc, &self->box.filled.waitq, 1);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->box.mutex);
	NEED(self->rc == 0);
	if (self->how == SIGNALLED_FIRST)
		NEED(mag_condition_signal(&self->box.filled) == 1);
	if (self->how == BY_DEADLINE)
		MAG_AWAIT(self->rc, mag_sleep, 2 * MAG_SECOND);
	else
		mag_handle_cancel(&self->handle);
	UNTIL_WAITING(self->rc, &self->box.mutex.waitq, 1);
	NEED(!is_raised(&self->back));
	self->box.count = 1;
	NEED(mag_mutex_unlock(&self->box.mutex) == 0);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0);
	NEED(mag_mutex_fini(&self->box.mutex) == 0);
	MAG_RETURN(0);
	MAG_END;
}

static void be_patient(enum how how)
{
	struct play p;
	int64_t rc;

	play_begin(&p, 2);
	play_run(&p, rc, patience, .how = how);
	play_end(&p);
	cr_assert_eq(rc, 0, "%s", where(rc));
}

Test(condition, cancelled_waiter_comes_back_with_the_mutex, .timeout = 20)
{
	be_patient(BY_CANCEL);
}

Test(condition, late_waiter_comes_back_with_the_mutex, .timeout = 20)
{
	be_patient(BY_DEADLINE);
}

Test(condition, signalled_waiter_is_not_cancelled_any_more, .timeout = 20)
{
	be_patient(SIGNALLED_FIRST);
}

/* Wrong use. */

struct misuse {
	mag_frame frame;
	MAG_ARGS(misuse, bool other;);
	struct box box;
	mag_mutex another;
	mag_group group;
	uint32_t mine;
	int64_t rc;
};

MAG_TASK(misuse)
{
	MAG_BEGIN(misuse);
	self->box = (struct box){ MAG_MUTEX_INIT, MAG_CONDITION_INIT, MAG_CONDITION_INIT, 0, 0, 0 };
	mag_mutex_init(&self->another);
	if (!self->other) {
		MAG_AWAIT(self->rc, mag_condition_wait, &self->box.filled, &self->box.mutex);
		NEED(self->rc == -EPERM);
		MAG_RETURN(0);
	}
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, in_turn, .box = &self->box, .mine = &self->mine);
	UNTIL_WAITING(self->rc, &self->box.filled.waitq, 1);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->another);
	MAG_AWAIT(self->rc, mag_condition_wait_until, &self->box.filled, &self->another, 0);
	NEED(self->rc == MAG_ETIMEDOUT);
	MAG_AWAIT(self->rc, mag_condition_wait, &self->box.filled, &self->another);
	NEED(self->rc == -EINVAL);
	NEED(mag_condition_fini(&self->box.filled) == -EBUSY);
	NEED(mag_mutex_unlock(&self->another) == 0);
	NEED(mag_condition_broadcast(&self->box.filled) == 1);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(condition, wants_the_mutex_held, MISUSE(.timeout = 20))
{
	int64_t rc = RUN(1, misuse, .other = false);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

Test(condition, wants_one_mutex, MISUSE(.timeout = 20))
{
	int64_t rc = RUN(1, misuse, .other = true);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* Cancellation: `given` is what is waited for. Who is cancelled must hold the mutex, to unlock it. */

struct condition_subject {
	struct subject s;
	mag_mutex mutex;
	mag_condition condition;
	uint32_t given; /* atomic: who gives does not wait for the mutex */
};

static struct condition_subject *of(struct subject *s)
{
	return (struct condition_subject *)s;
}

static bool take_given(struct condition_subject *c)
{
	uint32_t one = 1;

	return magi_cas_ar(&c->given, &one, 0u);
}

struct locked_wait {
	mag_frame frame;
	MAG_ARGS(locked_wait, struct condition_subject *c;);
	int64_t rc;
};

MAG_TASK(locked_wait)
{
	MAG_BEGIN(locked_wait);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->c->mutex);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	while (self->rc == 0 && !take_given(self->c))
		MAG_AWAIT(self->rc, mag_condition_wait, &self->c->condition, &self->c->mutex);
	NEED(mag_mutex_unlock(&self->c->mutex) == 0);
	MAG_RETURN(self->rc);
	MAG_END;
}

static mag_frame *subject_wait(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out)
{
	struct locked_wait *c = magi_frame_take(w, MAGI_CLASS(sizeof(*c)), sizeof(*c));

	(void)out;
	c->c = of(s);
	return magi_call(f, &c->frame, locked_wait_step, MAGI_CLASS(sizeof(*c)));
}

static void subject_give(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)w;
	(void)f;
	magi_xchg_ar(&of(s)->given, 1u);
	mag_condition_signal(&of(s)->condition);
}

static bool subject_reset(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)w;
	(void)f;
	return take_given(of(s));
}

static void make(struct condition_subject *m)
{
	*m = (struct condition_subject){ .s = { .wait = subject_wait, .give = subject_give, .reset = subject_reset,
						.waitq = &m->condition.waitq } };
}

Test(condition, signal_of_a_cancelled_waiter_is_the_next_ones, .timeout = 20)
{
	MATRIX_CASES(struct condition_subject, make);
}

Test(condition, signalled_and_cancelled_at_once_is_one_of_both, .timeout = 120)
{
	MATRIX_RACES(struct condition_subject, make);
}

/* A foreign thread signals. */

struct outside {
	mag_frame frame;
	MAG_ARGS(outside, struct box *box; uint32_t *ready;);
	int64_t rc;
};

MAG_TASK(outside)
{
	MAG_BEGIN(outside);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->box->mutex);
	MAG_AWAIT(self->rc, mag_condition_wait, &self->box->filled, &self->box->mutex);
	NEED(self->rc == 0);
	NEED(mag_mutex_unlock(&self->box->mutex) == 0);
	MAG_RETURN(0);
	MAG_END;
}

static void *signal_from_outside(void *arg)
{
	while (!mag_condition_signal(arg))
		sched_yield();
	return NULL;
}

Test(condition, any_thread_may_signal, .timeout = 20)
{
	struct box box = { MAG_MUTEX_INIT, MAG_CONDITION_INIT, MAG_CONDITION_INIT, 0, 0, 0 };
	pthread_t thread;
	int64_t rc;

	cr_assert_eq(pthread_create(&thread, NULL, signal_from_outside, &box.filled), 0);
	rc = RUN(1, outside, .box = &box);
	pthread_join(thread, NULL);
	cr_assert_eq(rc, 0, "%s", where(rc));
}
