/* SPDX-License-Identifier: MIT */
/* rwlock.c - the slow ways of a reader-writer lock: somebody waits, or must.
 *
 * What:    one word says who writes, or how many read, and whether somebody waits. While nobody waits it is changed by
 *          whoever comes; while somebody does, under the lock of `waitq` alone: as in semaphore.c.
 * Who:     lock, try_lock, unlock, downgrade: tasks. gone: whoever cancels.
 * Always:  WAITERS <=> the queue is not empty, seen under its lock. The first waiter is a writer and there are readers, or
 *          somebody writes.
 *          The lock belongs to a waiter when the CAS of magi_wait_take has won it: a cancelled waiter has nothing, and
 *          those behind it are looked at when it goes.
 *          The step that lets others have it is the last that unlock makes on it, unless there are waiters, which it
 *          resumes later: who gets it, and knows of no other that waits, may free it.
 *          Only tasks change the word while WAITERS is not set, so that on the only worker of a runtime plain loads and
 *          stores do.
 * Pairs:   [rwlock] taken (acquire) and given back (release) by read-modify-write: those of other readers between hand on
 *          what was released. Waiters are ordered by the lock
 * Not:     readers before all waiting writers, or all writers first: one of both starves. Readers from behind a waiting
 *          writer into the batch of those before it: more at once, but the writer's turn would depend on who comes.
 *          Names of readers, to catch one that waits for itself: a list of them for each lock. */
#include <errno.h>
#include <magpie/rwlock.h>
#include <magpie/time.h>

#include "sync/busy.h"
#include "task/until.h"

enum { WAITERS = MAGI_RWLOCK_WAITERS, READ = MAGI_RWLOCK_READ, READER = MAGI_RWLOCK_READER };

MAGI_ASSERT_STATIC(offsetof(mag_rwlock, waitq) - offsetof(mag_rwlock, state) == MAGI_HOLDER_BEFORE &&
			   offsetof(mag_rwlock, waitq) - offsetof(mag_rwlock, gone) == MAGI_GONE_BEFORE &&
			   (int)MAGI_RWLOCK_BITS == (int)MAGI_HOLDER_BITS && (int)MAGI_RWLOCK_READ == (int)MAGI_HOLDERS,
		   "who looks at what hangs finds the writer");

static uint64_t name_of(const mag_frame *f)
{
	return (uint64_t)(uintptr_t)f->leader;
}

static uint64_t writer_of(uint64_t s)
{
	return s & READ ? 0 : s & ~(uint64_t)MAGI_RWLOCK_BITS;
}

static mag_rwlock *rwlock_of(struct magi_waitq *q)
{
	return (mag_rwlock *)(void *)((char *)q - offsetof(mag_rwlock, waitq));
}

static magi_lock *lock_of(mag_rwlock *l)
{
	return magi_waitq_lock(&l->waitq);
}

void mag_rwlock_init(mag_rwlock *l)
{
	*l = (mag_rwlock)MAG_RWLOCK_INIT;
}

int mag_rwlock_fini(mag_rwlock *l)
{
	return magi_sync_busy(&l->waitq, magi_load_rlx(&l->state) != 0, "mag_rwlock_fini"); /* [rwlock] */
}

uint64_t mag_rwlock_readers(const mag_rwlock *l)
{
	uint64_t s = magi_load_rlx(&l->state); /* [rwlock] a snapshot */

	return s & READ ? s / READER : 0;
}

bool mag_rwlock_is_written(const mag_rwlock *l)
{
	return writer_of(magi_load_rlx(&l->state)); /* [rwlock] a snapshot */
}

/* What the word becomes when this one takes the lock; 0: it cannot. s has no WAITERS. */
static uint64_t with(uint64_t s, const mag_frame *f, bool write)
{
	if (write)
		return s ? 0 : name_of(f);
	return writer_of(s) ? 0 : (s | READ) + READER;
}

static void note_taken(mag_frame *f, const mag_rwlock *l, bool write)
{
	MAGI_HELD_PUT(f, &l->state, write ? MAGI_HELD_WRITE : MAGI_HELD_READ);
	(void)f;
	(void)l;
	(void)write;
}

static uint64_t without_reader(uint64_t s)
{
	return s < 2 * READER ? 0 : s - READER;
}

/* Serves waiters in their order, s being what the word is without them; the lock is held, and somebody waits or did. */
static mag_frame *serve(mag_rwlock *l, uint64_t s, mag_frame *list)
{
	mag_frame *first, **tail = &list;
	uint64_t after;

	while (*tail)
		tail = &(*tail)->q.next;
	while ((first = magi_wait_first(&l->waitq)) && (after = with(s, first, first->op.wait.need))) {
		if (!magi_wait_take(&l->waitq, first))
			continue;
		s = after;
		first->op.result = 0;
		note_taken(first, l, first->op.wait.need);
		magi_store_rlx(&first->q.next, NULL); /* [state] */
		magi_store_rlx(tail, first);          /* [state] */
		tail = &first->q.next;
	}
	magi_store_rel(&l->state, s | (first ? (uint64_t)WAITERS : 0)); /* [rwlock] */
	return list;
}

/* A cancelled waiter was taken out: it may have been all that those behind it waited for. */
static bool gone(struct magi_waitq *q, mag_frame *f, mag_frame **granted)
{
	mag_rwlock *l = rwlock_of(q);
	uint64_t s = magi_load_rlx(&l->state); /* [rwlock] */

	(void)f;
	/* without the bit others change the word, and nobody waits any more */
	if (s & WAITERS)
		*granted = serve(l, s & ~(uint64_t)WAITERS, *granted);
	return true;
}

/* Locking. */

/* lost: somebody else was faster a moment ago. */
static bool take(mag_rwlock *l, mag_frame *f, bool write, bool lost)
{
	uint64_t s = magi_load_rlx(&l->state), after; /* [rwlock] */

	while (!(s & WAITERS) && (after = with(s, f, write))) {
		if (!lost && magi_cas_acq(&l->state, &s, after)) { /* [rwlock] */
			note_taken(f, l, write);
			return true;
		}
		lost = false;
		magi_back_off();
		s = magi_load_rlx(&l->state); /* [rwlock] */
	}
	return false;
}

int magi_rwlock_try_lock(mag_frame *f, mag_rwlock *l, bool write)
{
	return take(l, f, write, false) ? 0 : -EAGAIN;
}

/* Takes the lock (0), or says that f is about to wait (1); the lock of the queue is held. */
static int take_or_wait(mag_rwlock *l, mag_frame *f, bool write)
{
	uint64_t s = magi_load_rlx(&l->state), after; /* [rwlock] */

	do {
		if (s & WAITERS)
			return 1;
		after = with(s, f, write);
	} while (!magi_cas_acq(&l->state, &s, after ? after : s | WAITERS)); /* [rwlock] */
	if (after)
		note_taken(f, l, write);
	return after ? 0 : 1;
}

static mag_frame *queue_up(mag_worker *w, mag_frame *f, void *object, uint64_t write)
{
	mag_rwlock *l = object;
	bool parked = false;
	int rc = magi_wait_begin(w, f);

	if (rc < 0)
		return magi_wait_done(w, f, rc);
	magi_lock_acquire(lock_of(l));
	rc = take_or_wait(l, f, write);
	if (rc == 1) {
		l->gone = gone;
		l->waitq.gone = magi_waitq_held_served;
		parked = magi_wait_park(f, &l->waitq, write);
		if (!parked && !magi_wait_first(&l->waitq))
			magi_and_rlx(&l->state, ~(uint64_t)WAITERS); /* [rwlock] hands on what others released */
		rc = MAG_ECANCELED;
	}
	magi_lock_release(lock_of(l));
	return parked ? NULL : magi_wait_done(w, f, rc);
}

mag_frame *magi_rwlock_lock(mag_worker *w, mag_frame *f, mag_rwlock *l, bool write, uint64_t deadline)
{
	if (!magi_cancelled(f)) {
		if (take(l, f, write, deadline == MAG_NEVER))
			return magi_wait_done(w, f, 0);
		if (writer_of(magi_load_rlx(&l->state)) == name_of(f)) /* [rwlock] */
			return magi_wait_done(w, f, MAG_EDEADLK);
	}
	return magi_until(w, f, queue_up, l, write, deadline);
}

/* Unlocking. */

static int not_held(const mag_frame *f, const char *what, const char *why)
{
	magi_misuse("%s in %s, which last waited at %s:%d: %s", what, f->at ? f->at->func : "a task",
		    f->at ? f->at->file : "-", f->at ? f->at->line : 0, why);
	(void)f;
	(void)what;
	(void)why;
	return -EPERM;
}

/* The word becomes `after`, without WAITERS, and who can go on does; somebody waits, so that until the lock is held only
 * those who hold that may change it. False: nobody waits any more. */
static bool pass_on(mag_rwlock *l, bool read)
{
	mag_frame *list;
	uint64_t s;

	magi_lock_acquire(lock_of(l));
	s = magi_load_rlx(&l->state); /* [rwlock] */
	if (!(s & WAITERS)) {
		magi_lock_release(lock_of(l)); /* the last waiter went meanwhile; we still hold it */
		return false;
	}
	s &= ~(uint64_t)WAITERS;
	list = serve(l, read ? without_reader(s) : 0, NULL);
	magi_lock_release(lock_of(l));
	magi_wait_resume(list);
	return true;
}

int magi_rwlock_unlock_read(mag_frame *f, mag_rwlock *l)
{
	uint64_t s;

	MAGI_HELD_DROP(f, &l->state, MAGI_HELD_READ);
	if (!(magi_load_rlx(&l->state) & WAITERS)) /* [rwlock] */
		magi_back_off(); /* somebody was faster */
	for (;;) {
		s = magi_load_rlx(&l->state); /* [rwlock] */
		if (!(s & READ))
			return not_held(f, "mag_rwlock_unlock_read", "nobody reads");
		if (s & WAITERS) {
			if (pass_on(l, true))
				return 0;
		} else if (magi_cas_rel(&l->state, &s, without_reader(s))) { /* [rwlock] */
			return 0;
		} else {
			magi_back_off();
		}
	}
}

static int downgrade(mag_rwlock *l)
{
	uint64_t s = magi_load_rlx(&l->state), after = READ + READER; /* [rwlock] */
	mag_frame *list = NULL;

	if (!(s & WAITERS) && magi_cas_rel(&l->state, &s, after)) /* [rwlock] */
		return 0;
	magi_lock_acquire(lock_of(l));
	/* we write, so that nobody changes the word but by adding WAITERS, under the lock */
	list = serve(l, after, NULL);
	magi_lock_release(lock_of(l));
	magi_wait_resume(list);
	return 0;
}

int magi_rwlock_unlock_write(mag_frame *f, mag_rwlock *l, bool keep)
{
	uint64_t s;

	for (;;) {
		s = magi_load_rlx(&l->state); /* [rwlock] */
		if (writer_of(s) != name_of(f))
			return not_held(f, keep ? "mag_rwlock_downgrade" : "mag_rwlock_unlock_write",
					writer_of(s) ? "another task writes" : "nobody writes");
		if (keep) {
			MAGI_HELD_PUT(f, &l->state, MAGI_HELD_READ); /* what is noted of writing is not so any more */
			return downgrade(l);
		}
		if (s & WAITERS) {
			if (pass_on(l, false))
				return 0;
		} else if (magi_cas_rel(&l->state, &s, (uint64_t)0)) { /* [rwlock] */
			return 0;
		}
	}
}
