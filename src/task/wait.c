/* SPDX-License-Identifier: MIT */
/* wait.c - the waiter core; wait.h has the rules. */
#include "task/wait.h"

#include <string.h>

#include "base/assert.h"
#include "sched/ready.h"

void magi_waitq_init(struct magi_waitq *q, bool (*gone)(struct magi_waitq *q, mag_frame *f, mag_frame **granted))
{
	*q = (struct magi_waitq){ .gone = gone };
}

/* Parking. */

static mag_scope *birth_scope(const mag_frame *f)
{
	mag_scope *s = f->scope;

	while (s->owner == f->leader)
		s = s->parent;
	return s;
}

static struct magi_shard *shard_of(mag_scope *scope, unsigned i)
{
	if (i == 0)
		return &scope->shard;
	return &((mag_group *)(void *)scope)->more[i - 1];
}

static void link_to_birth(mag_worker *w, mag_frame *f)
{
	mag_frame *leader = f->leader;
	mag_scope *birth = birth_scope(f);
	struct magi_shard *shard;

	leader->shard = birth->flags & MAGI_SCOPE_GROUP ? w->index % MAGI_SHARDS : 0;
	shard = shard_of(birth, leader->shard);
	magi_lock_acquire((magi_lock *)(void *)&shard->lock);
	leader->link.next = shard->tasks;
	leader->link.pprev = &shard->tasks;
	if (shard->tasks)
		shard->tasks->link.pprev = &leader->link.next;
	shard->tasks = leader;
	leader->flags |= MAGI_LINKED;
	magi_lock_release((magi_lock *)(void *)&shard->lock);
}

void magi_unlink(mag_frame *leader)
{
	struct magi_shard *shard = shard_of(leader->scope, leader->shard);

	magi_lock_acquire((magi_lock *)(void *)&shard->lock);
	*leader->link.pprev = leader->link.next;
	if (leader->link.next)
		leader->link.next->link.pprev = leader->link.pprev;
	magi_lock_release((magi_lock *)(void *)&shard->lock);
	leader->flags &= ~MAGI_LINKED;
}

void magi_inline_release(mag_worker *w, mag_frame *leader)
{
	mag_frame *parent = leader->parent;

	leader->flags &= ~MAGI_INLINE;
	if ((leader->flags & MAGI_KIND) == MAGI_FORK)
		parent->taken++;
	else
		leader->parent = NULL;
	magi_resume_later(magi_runtime_of(w), w, parent);
}

int magi_wait_begin(mag_worker *w, mag_frame *f)
{
	mag_frame *leader = f->leader;

	magi_point(MAGI_POINT_ATOMIC, NULL);
	if (MAGI_UNLIKELY(leader->flags & MAGI_INLINE))
		magi_inline_release(w, leader);
	magi_wait_stamp(w, leader);
	if (MAGI_UNLIKELY(!(leader->flags & MAGI_LINKED)))
		link_to_birth(w, f);
	return magi_cancelled(f) ? MAG_ECANCELED : 0;
}

mag_frame *magi_wait_done(mag_worker *w, mag_frame *f, int64_t result)
{
	f->op.result = result;
#ifdef MAGI_FORCED_MIGRATION
	if (magi_runtime_of(w)->n > 1) {
		if (f->leader->flags & MAGI_INLINE)
			magi_inline_release(w, f->leader);
		magi_resume_later(magi_runtime_of(w), w, f);
		return NULL;
	}
#else
	(void)w;
#endif
	return f;
}

/* One CAS from running to parked, which fails when the task was cancelled. */
bool magi_park(mag_frame *leader, uint32_t how, uint64_t what)
{
	uint32_t s = magi_load_rlx(&leader->state); /* [state] */
	uint32_t after;

	magi_point(MAGI_POINT_ATOMIC, NULL);
	magi_store_rlx(&leader->q.token, what); /* [state] */
	do {
		if (s & (MAGI_CANCEL | MAGI_FIRED)) {
			(void)magi_load_acq(&leader->state); /* [state] with what came before the mark */
			return false;
		}
		after = ((s + MAGI_SEQ) & ~(uint32_t)MAGI_TIMED) | how;
	} while (!magi_cas_rel(&leader->state, &s, after)); /* [state] */
	return true;
}

void magi_waitq_add(struct magi_waitq *q, mag_frame *f, uint64_t need)
{
	f->op.wait.on = q;
	f->op.wait.need = need;
	f->op.wait.next = NULL;
	f->op.wait.prev = q->tail;
	if (q->tail)
		q->tail->op.wait.next = f;
	else
		q->head = f;
	q->tail = f;
	q->count++;
}

void magi_waitq_remove(struct magi_waitq *q, mag_frame *f)
{
	if (f->op.wait.prev)
		f->op.wait.prev->op.wait.next = f->op.wait.next;
	else
		q->head = f->op.wait.next;
	if (f->op.wait.next)
		f->op.wait.next->op.wait.prev = f->op.wait.prev;
	else
		q->tail = f->op.wait.prev;
	f->op.wait.next = f;
	q->count--;
}

void magi_waitq_last_to_front(struct magi_waitq *q)
{
	mag_frame *f = q->tail, *before = f->op.wait.prev;

	if (!before)
		return;
	before->op.wait.next = NULL;
	q->tail = before;
	f->op.wait.prev = NULL;
	f->op.wait.next = q->head;
	q->head->op.wait.prev = f;
	q->head = f;
}

bool magi_wait_park(mag_frame *f, struct magi_waitq *q, uint64_t need)
{
	magi_waitq_add(q, f, need);
	if (MAGI_LIKELY(magi_park(f->leader, MAGI_PARKED, (uintptr_t)f)))
		return true;
	magi_waitq_remove(q, f);
	return false;
}

bool magi_wait_park_io(mag_frame *f, uint64_t token)
{
	return magi_park(f->leader, MAGI_PARKED_IO, token);
}

void magi_wait_end_io(mag_frame *f)
{
	magi_and_acq(&f->leader->state, ~(uint32_t)MAGI_PARKED_IO); /* [state] a mark's token has been read */
}

/* Waking. */

bool magi_claim(mag_frame *leader)
{
	uint32_t s = magi_load_rlx(&leader->state); /* [state] */

	magi_point(MAGI_POINT_ATOMIC, NULL);
	do {
		if (!(s & MAGI_PARKED))
			return false;
	} while (!magi_cas_rlx(&leader->state, &s, s & ~(uint32_t)MAGI_PARKED)); /* [state] the caller's lock orders */
	return true;
}

bool magi_wait_take(struct magi_waitq *q, mag_frame *f)
{
	mag_frame *leader = f->leader;

	magi_waitq_remove(q, f);
	return magi_claim(leader);
}

mag_frame *magi_wait_grant(struct magi_waitq *q, int64_t result)
{
	mag_frame *f;

	while ((f = q->head)) {
		if (magi_wait_take(q, f)) {
			f->op.result = result;
			return f;
		}
	}
	return NULL;
}

void magi_wait_list(mag_frame **list, mag_frame *f)
{
	while (*list)
		list = &(*list)->q.next;
	magi_store_rlx(&f->q.next, NULL); /* [state] */
	magi_store_rlx(list, f); /* [state] */
}

mag_frame *magi_wait_grant_all(struct magi_waitq *q, int64_t result)
{
	mag_frame *list = NULL, **tail = &list, *f;

	while ((f = magi_wait_grant(q, result))) {
		magi_store_rlx(&f->q.next, NULL); /* [state] */
		magi_store_rlx(tail, f); /* [state] */
		tail = &f->q.next;
	}
	return list;
}

void magi_wait_resume(mag_frame *list)
{
	while (list) {
		mag_frame *f = list;
		mag_runtime *rt = f->scope->rt; /* waiters of one future may belong to several */

		list = f->q.next;
		magi_resume_later(rt, magi_self_in(rt), f);
	}
}

bool magi_waitq_cancel(mag_frame *f, mag_frame **granted)
{
	struct magi_waitq *q = f->op.wait.on; /* stays as long as f has not been resumed, and only we may do that */
	bool resume = true;

	magi_lock_acquire(magi_waitq_lock(q));
	if (magi_waitq_has(f))
		magi_waitq_remove(q, f);
	if (q->gone)
		resume = q->gone(q, f, granted);
	magi_lock_release(magi_waitq_lock(q));
	return resume;
}

bool magi_waitq_held(struct magi_waitq *q, mag_frame *f, mag_frame **granted)
{
	(void)q;
	(void)f;
	(void)granted;
	return true;
}

bool magi_waitq_held_served(struct magi_waitq *q, mag_frame *f, mag_frame **granted)
{
	bool (*gone)(struct magi_waitq *, mag_frame *, mag_frame **);

	memcpy(&gone, (const char *)q - MAGI_GONE_BEFORE, sizeof(gone));
	return gone(q, f, granted);
}
