/* SPDX-License-Identifier: MIT */
/* test_sync_shutdown.c - src/sync: who waits when the runtime ends is cancelled, and leaves nothing behind. */
#include <magpie/magpie.h>

#include "play.h"
#include "support/matrix.h"

enum { READ, WRITE, MUTEX, PERMIT, EVENT, CONDITION, BARRIER, ONCE, FUTURE, WAYS };

struct all {
	mag_rwlock read, written;
	mag_mutex mutex, of_condition;
	mag_semaphore permits;
	mag_event event;
	mag_condition condition;
	mag_barrier barrier;
	mag_once once;
	mag_future future;
	uint32_t waits; /* atomic: how many are about to */
};

static mag_frame *wait_in(mag_worker *w, mag_frame *f, struct all *a, int how, uint64_t deadline)
{
	switch (how) {
	case READ:
		return mag_rwlock_lock_read_until(w, f, &a->written, deadline);
	case WRITE:
		return mag_rwlock_lock_write_until(w, f, &a->read, deadline);
	case MUTEX:
		return mag_mutex_lock_until(w, f, &a->mutex, deadline);
	case PERMIT:
		return mag_semaphore_acquire_until(w, f, &a->permits, 1, deadline);
	case EVENT:
		return mag_event_wait_until(w, f, &a->event, deadline);
	case CONDITION:
		return mag_condition_wait_until(w, f, &a->condition, &a->of_condition, deadline);
	case BARRIER:
		return mag_barrier_wait_until(w, f, &a->barrier, deadline);
	case ONCE:
		return mag_once_begin_until(w, f, &a->once, deadline);
	default:
		return mag_future_await_until(w, f, &a->future, deadline);
	}
}

struct one {
	mag_frame frame;
	MAG_ARGS(one, struct all *a; int how; uint64_t deadline;);
	int64_t rc;
};

MAG_TASK(one)
{
	MAG_BEGIN(one);
	if (self->how == CONDITION) {
		MAG_AWAIT(self->rc, mag_mutex_lock, &self->a->of_condition);
		NEED(self->rc == 0);
	}
	magi_add_ar(&self->a->waits, 1u);
	MAG_AWAIT(self->rc, wait_in, self->a, self->how, self->deadline);
	if (self->how == CONDITION)
		NEED(mag_mutex_unlock(&self->a->of_condition) == 0);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Has what the others wait for, until it is cancelled as they are. */
struct holder {
	mag_frame frame;
	MAG_ARGS(holder, struct all *a; uint32_t *holds;);
	int64_t rc;
};

MAG_TASK(holder)
{
	MAG_BEGIN(holder);
	NEED(mag_rwlock_try_lock_read(&self->a->read) == 0);
	NEED(mag_rwlock_try_lock_write(&self->a->written) == 0);
	NEED(mag_mutex_try_lock(&self->a->mutex) == 0);
	NEED(mag_once_try_begin(&self->a->once) == 1);
	raise_flag(self->holds);
	MAG_AWAIT(self->rc, mag_sleep_until, MAG_NEVER);
	NEED(self->rc == MAG_ECANCELED);
	while (waiting(&self->a->written.waitq) || waiting(&self->a->once.waitq) || waiting(&self->a->read.waitq) ||
	       waiting(&self->a->mutex.waitq))
		sched_yield(); /* they go first, so that none of them is granted */
	NEED(mag_rwlock_unlock_read(&self->a->read) == 0);
	NEED(mag_rwlock_unlock_write(&self->a->written) == 0);
	NEED(mag_mutex_unlock(&self->a->mutex) == 0);
	NEED(mag_once_done(&self->a->once, self->rc) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(sync_shutdown, all_who_wait_are_cancelled_and_leave_nothing, .timeout = 20)
{
	static struct all a = { .permits = MAG_SEMAPHORE_BARGING_INIT(0, 1), .barrier = MAG_BARRIER_INIT(9) };
	mag_future done[2 * WAYS], held;
	struct magi_waitq *const queues[] = { &a.read.waitq,      &a.written.waitq, &a.mutex.waitq,
					      &a.permits.waitq,   &a.event.waitq,   &a.condition.waitq,
					      &a.barrier.waitq,   &a.once.waitq,    &a.future.waiters };
	uint32_t holds = 0;
	struct play p;
	int64_t rc;

	mag_future_init(&a.future);
	mag_future_init(&held);
	play_begin(&p, 2);
	magi_world_auto_advance(p.world, false);
	cr_assert_eq(mag_spawn_from(p.rt, &held, holder, .a = &a, .holds = &holds), 0);
	while (!is_raised(&holds))
		sched_yield();
	for (int i = 0; i < 2 * WAYS; i++) {
		mag_future_init(&done[i]);
		cr_assert_eq(mag_spawn_from(p.rt, &done[i], one, .a = &a, .how = i % WAYS,
					    .deadline = i < WAYS ? MAG_NEVER : MAG_NEVER - 1), 0);
	}
	for (int i = 0; i < WAYS; i++) {
		while (waiting(queues[i]) < 2)
			sched_yield();
	}
	cr_assert_eq(mag_runtime_destroy(p.rt, mag_deadline_in(10 * MAG_SECOND)), 0);
	magi_world_destroy(p.world);
	for (int i = 0; i < 2 * WAYS; i++) {
		cr_assert(mag_future_poll(&done[i], &rc));
		cr_expect_eq(rc, MAG_ECANCELED, "%d: %s", i, where(rc));
	}
	cr_assert(mag_future_poll(&held, &rc));
	cr_assert_eq(rc, 0, "%s", where(rc));
	for (int i = 0; i < WAYS; i++)
		cr_expect_eq(waiting(queues[i]), 0);
	cr_assert_eq(mag_rwlock_fini(&a.read), 0);
	cr_assert_eq(mag_rwlock_fini(&a.written), 0);
	cr_assert_eq(mag_mutex_fini(&a.of_condition), 0);
	cr_assert_eq(mag_once_fini(&a.once), 0);
	cr_assert_eq(mag_semaphore_fini(&a.permits), 0);
}
