/* SPDX-License-Identifier: MIT */
/* future.c - a result that any thread completes once.
 *
 * Who:     complete, poll, fini: any thread. await: tasks. wait: threads that are no workers.
 * Always:  the result and `done` change once, under the lock. Whoever learns that it is done and may then free it passes
 *          through the lock, so that the completer has let go of it.
 * Pairs:   [lock] base/lock.h. `done` is relaxed: stored under the lock, and who sees it outside passes the lock before
 *          it reads the result. That pass cannot come before the completer's: it would have seen no `done` then. */
#include <errno.h>
#include <magpie/time.h>

#include "base/clock.h"
#include "base/futex.h"
#include "task/select.h"
#include "task/tell.h"
#include "task/until.h"
#include "task/wait.h"

void(mag_future_init)(mag_future *future)
{
	magi_future_init_at(future, NULL);
}

void magi_future_init_at(mag_future *future, const mag_site *made)
{
	*future = (mag_future){ .result = -EINPROGRESS, .made = made };
}

/* Somebody asks for the result. */
static void hear(mag_future *future)
{
	if (magi_load_rlx(&future->made)) /* [hint] */
		magi_store_rlx(&future->made, NULL); /* [hint] */
}

static void pass_lock(mag_future *future)
{
	magi_lock_acquire(magi_waitq_lock(&future->waiters));
	magi_lock_release(magi_waitq_lock(&future->waiters));
}

void mag_future_fini(mag_future *future)
{
	const mag_site *made;

	pass_lock(future);
	made = magi_load_rlx(&future->made); /* [hint] */
	if (MAGI_UNLIKELY(made != NULL) && magi_load_rlx(&future->done)) /* [lock] */
		magi_tell_unheard(future, made);
}

int mag_future_complete(mag_future *future, int64_t result)
{
	magi_lock *lock = magi_waitq_lock(&future->waiters);
	mag_frame *list;
	uint32_t foreign;

	magi_lock_acquire(lock);
	if (magi_load_rlx(&future->done)) { /* [lock] */
		magi_lock_release(lock);
		return -EALREADY;
	}
	future->result = result;
	magi_store_rlx(&future->done, 1u); /* [lock] */
	foreign = future->foreign;
	list = magi_wait_grant_all(&future->waiters, result);
	magi_lock_release(lock);
	/* From here on the future may be gone; its address still serves to wake, which at worst wakes nobody. */
	if (foreign)
		magi_futex_wake(&future->done, UINT32_MAX);
	for (mag_frame *f = list; f; f = f->q.next)
		magi_until_given(f);
	magi_wait_resume(list);
	return 0;
}

bool mag_future_poll(mag_future *future, int64_t *result)
{
	if (!magi_load_rlx(&future->done)) /* [lock] passed below */
		return false;
	pass_lock(future);
	if (result)
		*result = future->result;
	hear(future);
	return true;
}

mag_frame *mag_future_await(mag_worker *w, mag_frame *f, mag_future *future)
{
	magi_lock *lock = magi_waitq_lock(&future->waiters);
	int64_t rc;

	hear(future);
	if (mag_future_poll(future, &rc)) {
		magi_until_given(f);
		return magi_wait_done(w, f, rc);
	}
	rc = magi_wait_begin(w, f);
	magi_lock_acquire(lock);
	if (magi_load_rlx(&future->done)) { /* [lock] */
		rc = future->result;
		magi_until_given(f);
	} else if (rc == 0 && magi_wait_park(f, &future->waiters, 0)) {
		magi_lock_release(lock);
		return NULL;
	} else {
		rc = MAG_ECANCELED;
	}
	magi_lock_release(lock);
	return magi_wait_done(w, f, rc);
}

static mag_frame *await_op(mag_worker *w, mag_frame *f, void *future, uint64_t arg)
{
	(void)arg;
	return mag_future_await(w, f, future);
}

mag_frame *mag_future_await_until(mag_worker *w, mag_frame *f, mag_future *future, uint64_t deadline)
{
	int64_t rc;

	if (mag_future_poll(future, &rc))
		return magi_wait_done(w, f, rc);
	return magi_until(w, f, await_op, future, 0, deadline);
}

int mag_future_wait(mag_future *future, int64_t *result, uint64_t deadline)
{
	magi_lock *lock = magi_waitq_lock(&future->waiters);

	if (magi_self())
		return MAG_EDEADLK;
	hear(future);
	magi_lock_acquire(lock);
	future->foreign++;
	magi_lock_release(lock);
	while (!magi_load_rlx(&future->done)) { /* [lock] passed below */
		uint64_t now = magi_clock_ns();
		uint64_t left = deadline > now ? deadline - now : 0;

		if (!left)
			break;
		magi_futex_wait(&future->done, 0, deadline == MAGI_NEVER ? MAGI_NEVER : left);
	}
	magi_lock_acquire(lock);
	future->foreign--;
	magi_lock_release(lock);
	return mag_future_poll(future, result) ? 0 : MAG_ETIMEDOUT;
}

/* As a case of mag_select. */

static struct magi_waitq *queue_of_case(const mag_case *c)
{
	hear(c->object);
	return &((mag_future *)c->object)->waiters;
}

static bool take_case(mag_case *c, uint64_t *need, mag_frame **granted)
{
	const mag_future *future = c->object;

	(void)granted;
	*need = 0;
	if (!magi_load_rlx(&future->done)) /* [lock] */
		return false;
	c->result = future->result;
	return true;
}

const struct magi_case_kind magi_case_future = { .queue = queue_of_case, .take = take_case };
