/* SPDX-License-Identifier: MIT */
/* mutex.c - the slow ways of a mutex: it is held, or somebody waits.
 *
 * What:    one word says who holds it and whether somebody waits; waiters queue under the lock of `waitq`. An unlock that
 *          finds waiters lets the first out of the queue to try for itself (woken), while others may be faster. A woken one
 *          that was too late goes back to the front. When the queue has been overtaken for long, unlock makes the first
 *          waiter the holder instead; in a fair mutex always, so that it is never free while somebody waits.
 * Who:     lock, try_lock, unlock: tasks.
 * Always:  the queue is not empty => WAITERS; the other way round it may be late: the next unlock looks.
 *          At most one waiter is woken at a time; while one is, an unlock wakes nobody: the woken one either becomes the
 *          holder or takes WOKEN back while another holds the mutex, and in both cases an unlock is to come.
 *          The step that lets others have the mutex is the last that unlock makes on it, unless there is a waiter, which
 *          it resumes later: who locks it, and knows of no other that waits, may free it.
 *          Only tasks change the word, so that on the only worker of a runtime plain loads and stores do.
 * Pairs:   [mutex] taken by read-modify-write (acquire), given back (release); [state] task/wait.h
 * Not:     handing over at each unlock by default: each lock would then cost a change of tasks (a convoy). Spinning before
 *          parking: a worker has other tasks to run. */
#include <errno.h>
#include <magpie/mutex.h>

#include "base/clock.h"
#include "sync/busy.h"
#include "sync/mutex.h"
#include "task/until.h"

MAGI_ASSERT_STATIC(offsetof(mag_mutex, waitq) - offsetof(mag_mutex, state) == MAGI_HOLDER_BEFORE &&
			   (int)MAGI_MUTEX_BITS == (int)MAGI_HOLDER_BITS,
		   "who looks at what hangs finds the holder");

#define HOLDER(state) ((state) & ~(uint64_t)MAGI_MUTEX_BITS)

static uint64_t name_of(const mag_frame *f)
{
	return (uint64_t)(uintptr_t)f->leader;
}

static mag_mutex *mutex_of(struct magi_waitq *q)
{
	return (mag_mutex *)(void *)((char *)q - offsetof(mag_mutex, waitq));
}

void mag_mutex_init(mag_mutex *m)
{
	*m = (mag_mutex)MAG_MUTEX_INIT;
}

void mag_mutex_init_as(mag_mutex *m, enum mag_fairness fairness)
{
	mag_mutex_init(m);
	m->fair_at = fairness == MAG_FAIR ? MAGI_MUTEX_ALWAYS : 0;
}

int mag_mutex_fini(mag_mutex *m)
{
	return magi_sync_busy(&m->waitq, magi_load_acq(&m->state) != 0, "mag_mutex_fini"); /* [mutex] */
}

bool mag_mutex_is_locked(const mag_mutex *m)
{
	return HOLDER(magi_load_acq(&m->state)); /* [mutex] */
}

/* Takes it if nobody holds it, and with it those of `bits` that are set away. */
static bool take(mag_mutex *m, const mag_frame *f, uint64_t bits)
{
	uint64_t s = magi_load_rlx(&m->state); /* [mutex] */

	while (!HOLDER(s)) {
		if (magi_cas_acq(&m->state, &s, (s & ~bits) | name_of(f))) /* [mutex] */
			return true;
	}
	return false;
}

/* Takes the mutex (0), or says that f is about to wait (1), and takes `bits` away; the lock is held. */
static int take_or_wait(mag_mutex *m, const mag_frame *f, uint64_t bits)
{
	uint64_t s = magi_load_rlx(&m->state); /* [mutex] */
	uint64_t after;

	do {
		if (HOLDER(s) == name_of(f))
			return MAG_EDEADLK;
		after = (s & ~bits) | (HOLDER(s) ? (uint64_t)MAGI_MUTEX_WAITERS : name_of(f));
	} while (s != after && !magi_cas_acq(&m->state, &s, after)); /* [mutex] */
	return HOLDER(s) ? 1 : 0;
}

/* bits: WOKEN when f was woken, and goes back to the front. */
static mag_frame *queue_up(mag_worker *w, mag_frame *f, mag_mutex *m, uint64_t bits)
{
	struct magi_waitq *q = &m->waitq;
	bool parked = false;
	int rc;

	magi_lock_acquire(magi_waitq_lock(q));
	rc = take_or_wait(m, f, bits);
	if (rc == 1) {
		/* while one is woken it is the first, though the queue is empty: its time goes on */
		if (!q->head && m->fair_at != MAGI_MUTEX_ALWAYS && !bits &&
		    !(magi_load_rlx(&m->state) & MAGI_MUTEX_WOKEN)) /* [mutex] */
			m->fair_at = magi_ticks() + MAG_MUTEX_FAIR_US * f->scope->rt->ticks_per_us;
		q->gone = magi_waitq_held; /* all zero is a mutex, too: before now nobody has asked */
		parked = magi_wait_park(f, q, 0);
		if (parked && bits)
			magi_waitq_last_to_front(q);
		rc = MAG_ECANCELED;
	}
	magi_lock_release(magi_waitq_lock(q));
	return parked ? NULL : magi_wait_done(w, f, rc);
}

mag_frame *magi_mutex_lock(mag_worker *w, mag_frame *f, mag_mutex *m)
{
	int rc;

	if (magi_cancelled(f))
		return magi_wait_done(w, f, MAG_ECANCELED);
	if (take(m, f, 0))
		return magi_wait_done(w, f, 0);
	rc = magi_wait_begin(w, f);
	return rc < 0 ? magi_wait_done(w, f, rc) : queue_up(w, f, m, 0);
}

static mag_frame *lock_op(mag_worker *w, mag_frame *f, void *mutex, uint64_t arg)
{
	(void)arg;
	return magi_mutex_lock(w, f, mutex);
}

mag_frame *magi_mutex_lock_until(mag_worker *w, mag_frame *f, mag_mutex *m, uint64_t deadline)
{
	if (!magi_cancelled(f)) {
		if (take(m, f, 0))
			return magi_wait_done(w, f, 0);
		if (HOLDER(magi_load_rlx(&m->state)) == name_of(f)) /* [mutex] */
			return magi_wait_done(w, f, MAG_EDEADLK);
	}
	return magi_until(w, f, lock_op, m, 0, deadline);
}

/* The step of a woken frame; need: its own. */
static mag_frame *try_again(mag_worker *w, mag_frame *f)
{
	mag_mutex *m = mutex_of(f->op.wait.on);

	f->step = (mag_step_fn)(uintptr_t)f->op.wait.need;
	if (!take(m, f, MAGI_MUTEX_WOKEN))
		return queue_up(w, f, m, MAGI_MUTEX_WOKEN);
	f->op.result = 0;
	return f;
}

int magi_mutex_try_lock(mag_frame *f, mag_mutex *m)
{
	return take(m, f, 0) ? 0 : -EAGAIN;
}

/* The first waiter that can be had becomes the holder, or is woken. If there is none the caller remains the holder, and
 * WAITERS goes. The lock is held. */
static mag_frame *pass_on(mag_mutex *m, const mag_frame *holder)
{
	struct magi_waitq *q = &m->waitq;
	uint64_t now = magi_ticks(), after;
	mag_frame *next = magi_wait_grant(q, 0);

	after = q->head ? MAGI_MUTEX_WAITERS : 0;
	if (!next) {
		after = name_of(holder);
	} else if (m->fair_at == MAGI_MUTEX_ALWAYS) {
		after |= name_of(next);
	} else if ((int64_t)(now - m->fair_at) >= 0) {
		m->fair_at = now + MAG_MUTEX_FAIR_US * holder->scope->rt->ticks_per_us;
		after |= name_of(next);
	} else {
		after |= MAGI_MUTEX_WOKEN;
		next->op.wait.need = (uint64_t)(uintptr_t)next->step;
		next->step = try_again;
	}
	if (next)
		magi_store_rlx(&next->q.next, NULL); /* [state] */
	magi_store_rel(&m->state, after); /* [mutex] with a holder and under the lock nobody else changes it */
	return next;
}

static int not_held(const mag_frame *f, uint64_t s)
{
	magi_misuse("mag_mutex_unlock in %s, which last waited at %s:%d: %s", f->at ? f->at->func : "a task",
		    f->at ? f->at->file : "-", f->at ? f->at->line : 0,
		    HOLDER(s) ? "another task holds the mutex" : "nobody holds the mutex");
	(void)f;
	(void)s;
	return -EPERM;
}

bool magi_mutex_is_held(const mag_frame *f, const mag_mutex *m)
{
	return HOLDER(magi_load_rlx(&m->state)) == name_of(f); /* [mutex] if it is, nobody else changes that */
}

mag_frame *magi_mutex_let_go(mag_frame *f, mag_mutex *m)
{
	uint64_t s = magi_load_rlx(&m->state); /* [mutex] */
	mag_frame *next;

	for (;;) {
		if ((s & MAGI_MUTEX_BITS) != MAGI_MUTEX_WAITERS) {
			if (magi_cas_rel(&m->state, &s, s & MAGI_MUTEX_BITS)) /* [mutex] */
				return NULL;
			continue;
		}
		magi_lock_acquire(magi_waitq_lock(&m->waitq));
		next = pass_on(m, f);
		magi_lock_release(magi_waitq_lock(&m->waitq));
		if (next)
			return next;
		s = magi_load_rlx(&m->state); /* [mutex] another may wait by now: it must be asked for again */
	}
}

int magi_mutex_unlock(mag_frame *f, mag_mutex *m)
{
	uint64_t s = magi_load_rlx(&m->state); /* [mutex] */

	if (HOLDER(s) != name_of(f))
		return not_held(f, s);
	magi_wait_resume(magi_mutex_let_go(f, m));
	return 0;
}
