/* SPDX-License-Identifier: MIT */
/* wait.h - how a task parks and who may wake it: the waiter core under every primitive, timer and operation.
 *
 * Who:     begin, park: the task itself, on its worker. take, claim: whoever grants, any thread. cancel: any thread.
 * Always:  a parked task is resumed by exactly one party: the one whose CAS clears PARKED in the leader's state word,
 *          granting or cancelling. A grant that finds its waiter claimed by a canceller goes to the next one.
 *          A parked operation on a ring (PARKED_IO) is resumed by its terminal completion only; cancelling it asks.
 * Pairs:   [state] parking, claiming and marking are read-modify-writes of one word: no Dekker race between park and
 *          cancel. A park releases, a mark acquires that; a mark releases, and a park that it makes fail acquires that:
 *          who is told that he is cancelled finds his scope's flag set, and sees what the canceller wrote before. A
 *          claim is relaxed: who grants has the lock under which the task has parked, or was given the job after it,
 *          and what the granter wrote comes to the task by the queue that resumes it. A canceller reads q.token before
 *          its CAS on the state word, whose park count makes it fail if that has changed since, and q.leaf after it; so
 *          every write of q is an atomic one, relaxed, though only its owner writes it.
 * Not:     a lock per task; a flag checked before parking (a cancel between check and park was lost). */
#ifndef MAGI_TASK_WAIT_H
#define MAGI_TASK_WAIT_H

#include <magpie/impl/waitq.h>
#include <magpie/scope.h>

#include "sched/types.h"

static inline magi_lock *magi_waitq_lock(struct magi_waitq *q)
{
	return (magi_lock *)(void *)&q->lock;
}

void magi_waitq_init(struct magi_waitq *q, bool (*gone)(struct magi_waitq *q, mag_frame *f, mag_frame **granted));

/* Before anything else in an await that may park: 0, or MAG_ECANCELED. Lets a parent go that waits under an inline child,
 * and links the task to its birth scope, the first time. Locks nothing on return. */
int magi_wait_begin(mag_worker *w, mag_frame *f);

/* Notes when the task begins to wait, for who looks at what hangs: in ms since the runtime's start, about, and 1. It is the
 * time of the worker's last look: a clock is not read. A simulation has another use for the word. */
static inline void magi_wait_stamp(mag_worker *w, mag_frame *leader)
{
	if (MAGI_LIKELY(!magi_worker_of(w)->watched))
		leader->id = magi_worker_of(w)->stamp;
}

/* Ends an await that did not park with this result. */
mag_frame *magi_wait_done(mag_worker *w, mag_frame *f, int64_t result);

/* Into a queue, out of it, and whether it is in one; its lock is held. */
void magi_waitq_add(struct magi_waitq *q, mag_frame *f, uint64_t need);
void magi_waitq_remove(struct magi_waitq *q, mag_frame *f);
static inline bool magi_waitq_has(const mag_frame *f)
{
	return f->op.wait.next != f; /* as its removal says */
}

/* The one that came last goes to the front: it had been there, and was woken in vain. The lock is held. */
void magi_waitq_last_to_front(struct magi_waitq *q);

/* Queues and parks f; q's lock is held, and stays so. False: cancelled, f is not queued. After true and the release of
 * the lock f is not to be touched. */
bool magi_wait_park(mag_frame *f, struct magi_waitq *q, uint64_t need);

/* One CAS from running to parked; what: the leaf, or a token. False: cancelled, or its timer has fired already. */
bool magi_park(mag_frame *leader, uint32_t how, uint64_t what);

/* The same as magi_wait_park for an operation on a ring. */
bool magi_wait_park_io(mag_frame *f, uint64_t token);
void magi_wait_end_io(mag_frame *f);

/* The lock is held. The first waiter, not yet claimed by the caller, or NULL. */
static inline mag_frame *magi_wait_first(const struct magi_waitq *q)
{
	return q->head;
}

/* Takes f out of q and claims it: true, and the caller must resume it; false, a canceller has it. The lock is held. */
bool magi_wait_take(struct magi_waitq *q, mag_frame *f);

/* Takes and claims waiters until one is won: it, with its result set, or NULL when the queue is empty. */
mag_frame *magi_wait_grant(struct magi_waitq *q, int64_t result);

/* The same for all waiters, as a list linked by q.next in their order. */
mag_frame *magi_wait_grant_all(struct magi_waitq *q, int64_t result);

/* Adds a granted frame to a list that is resumed after the lock is released. */
void magi_wait_list(mag_frame **list, mag_frame *f);

/* Resumes a list of granted frames from any thread. The runtime is found from the frames. */
void magi_wait_resume(mag_frame *list);

/* Owner of a claim: true when the state said PARKED and no longer does. The caller must see what the task did before it
 * parked, by a lock or else; this orders nothing. */
bool magi_claim(mag_frame *leader);

/* Takes a claimed frame out of its queue after a cancellation; says whether it is to be resumed now. */
bool magi_waitq_cancel(mag_frame *f, mag_frame **granted);

/* The `gone` of primitives that somebody holds, for who looks at what hangs: nothing is held up by a waiter, and the word
 * so many bytes before the queue is the address of the holder's first frame, and some bits. */
bool magi_waitq_held(struct magi_waitq *q, mag_frame *f, mag_frame **granted);
enum { MAGI_HOLDER_BEFORE = 16, MAGI_HOLDER_BITS = 15 };

/* The same where waiters do hold up others: calls the `gone` that lies so many bytes before the queue. With the bit HOLDERS
 * the holder's word is no address: there may be several. */
bool magi_waitq_held_served(struct magi_waitq *q, mag_frame *f, mag_frame **granted);
enum { MAGI_GONE_BEFORE = 8, MAGI_HOLDERS = 2 };

/* Unlinks a leader from its birth scope, at its end. */
void magi_unlink(mag_frame *leader);

/* Takes a parent that waits under an inline child into the open. */
void magi_inline_release(mag_worker *w, mag_frame *leader);

/* Whether the current scope of the frame is cancelled. */
static inline bool magi_cancelled(const mag_frame *f)
{
	return magi_load_acq(&f->scope->cancelled) != 0; /* [cancelled] */
}

#endif
