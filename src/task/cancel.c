/* SPDX-License-Identifier: MIT */
/* cancel.c - cancelling a scope and all that lies in it.
 *
 * What:    the tree of scopes is walked from the cancelled one down, under the locks of the member lists, and every task
 *          is marked; what those marks set free is finished afterwards, without locks.
 * Who:     any thread; timers that fire do it under their wheel's lock.
 * Always:  locks are taken wheel -> scope -> scope inside it -> (finishing, none held) wait queue or wheel.
 *          Shields are not entered; the depth in a task's state word tells whether it is inside one.
 *          A scope's flag is set before its members are marked, and the flags of the scopes inside before those of their
 *          owners: a task that is marked finds its current scope's flag set. A member that links later sees the flag.
 * Pairs:   [cancelled] set (release) -> loaded (acquire) by awaits; by who links or opens after it has had the lock,
 *          which comes before the walk's, and then the walk finds it, or after, and then the flag is seen
 *          [state]: task/wait.h. The mark is one compare and swap.
 *          PARKED: q.leaf is read after it: it has claimed the task, so nobody writes the field any more, and its
 *          acquire shows what that park has stored. Read before it, the leaf could be an earlier park's, whose frame
 *          has ended: when the task ran at the look at it, or when the count of parks has come round.
 *          PARKED_IO: the task stays its ring's, which uses the field for something else once the operation is over, so
 *          q.token is read before it, in each round after a look at the state: that (acquire) shows the token of the
 *          park it sees, or of a later one, and then the count of parks makes the swap fail. Who ends the park reads
 *          the mark (release) before it writes the field. After exactly 65,536 parks in between the mail would name
 *          an operation that is over, and is dropped.
 * Not:     recursion without bound: scopes nest at most MAG_SCOPE_DEPTH_MAX deep. */
#include "task/cancel.h"

#include "sched/idle.h"
#include "sched/meet.h"
#include "task/iop.h"
#include "sched/ready.h"
#include "task/timer.h"
#include "task/wait.h"

static magi_lock *lock_of(struct magi_shard *s)
{
	return (magi_lock *)(void *)&s->lock;
}

/* Marks a task as cancelled at this shield depth; claims it if it is parked. Its memory is held by a lock. */
static void mark(struct magi_cancel *c, mag_frame *leader, unsigned depth)
{
	uint32_t s, after;
	uint64_t token;
	bool outside;

	magi_point(MAGI_POINT_ATOMIC, NULL);
	do {
		s = magi_load_acq(&leader->state); /* [state] each time: the token is to be as new */
		token = s & MAGI_PARKED_IO ? magi_load_rlx(&leader->q.token) : 0; /* [state] */
		outside = (s & MAGI_DEPTH_MASK) / MAGI_DEPTH != depth;
		after = outside ? s : s | MAGI_CANCEL;
		if (!outside && (s & MAGI_PARKED))
			after &= ~(uint32_t)MAGI_PARKED;
		/* also when nothing changes: leaving the shield is a read-modify-write too, and then looks at the flag */
	} while (!magi_cas_ar(&leader->state, &s, after)); /* [state] */
	if (outside)
		return;
	if (s & MAGI_PARKED) {
		mag_frame *leaf = magi_load_rlx(&leader->q.leaf); /* [state] ours, since we claimed it */

		magi_store_rlx(&leaf->q.next, c->claimed); /* [state] */
		c->claimed = leaf;
	} else if ((s & MAGI_PARKED_IO) && !(s & MAGI_CANCEL)) {
		uint32_t worker = magi_token_worker(token);

		magi_slot_mail(&c->rt->workers[worker]->slots, token);
		c->mailed |= UINT64_C(1) << worker;
	}
}

static void walk(struct magi_cancel *c, mag_scope *scope);

static void walk_shard(struct magi_cancel *c, struct magi_shard *shard)
{
	magi_lock_acquire(lock_of(shard));
	for (mag_scope *s = shard->scopes; s; s = s->link.next) {
		int32_t none = 0;

		if (s->flags & MAGI_SCOPE_SHIELD)
			continue;
		if (magi_cas_rel(&s->cancelled, &none, MAG_ECANCELED)) /* [cancelled] */
			walk(c, s);
	}
	for (mag_frame *f = shard->tasks; f; f = f->link.next)
		mark(c, f, 0);
	magi_lock_release(lock_of(shard));
}

/* The scope's flag is set. */
static void walk(struct magi_cancel *c, mag_scope *scope)
{
	walk_shard(c, &scope->shard);
	if (scope->flags & MAGI_SCOPE_GROUP) {
		mag_group *g = (mag_group *)(void *)scope;

		for (int i = 0; i < MAGI_SHARDS - 1; i++)
			walk_shard(c, &g->more[i]);
	}
	if (scope->owner)
		mark(c, scope->owner, scope->depth);
}

void magi_cancel_mark(struct magi_cancel *c, mag_scope *scope, int why)
{
	int32_t none = 0;

	if (magi_cas_rel(&scope->cancelled, &none, why)) /* [cancelled] */
		walk(c, scope);
}

/* Ends the wait of a claimed leaf; resumes it unless its queue keeps it. */
static void finish_one(mag_runtime *rt, mag_worker *w, mag_frame *leaf, mag_frame **granted)
{
	mag_frame *leader = leaf->leader;
	bool resume = true;

	if (magi_load_rlx(&leader->state) & MAGI_TIMED) { /* [state] ours: we claimed it */
		magi_sleep_cancel(rt, leaf);
	} else {
		resume = magi_waitq_cancel(leaf, granted);
	}
	if (resume) {
		leaf->op.result = MAG_ECANCELED;
		magi_resume_later(rt, w, leaf);
	}
}

void magi_cancel_finish(struct magi_cancel *c, mag_worker *w)
{
	mag_frame *granted = NULL;
	mag_runtime *rt = c->rt;

	while (c->claimed) {
		mag_frame *leaf = c->claimed;

		c->claimed = leaf->q.next;
		finish_one(rt, w, leaf, &granted);
	}
	magi_wait_resume(granted); /* they may belong to several runtimes */
	for (; c->mailed; c->mailed &= c->mailed - 1)
		magi_wake_worker(rt->workers[__builtin_ctzll(c->mailed)], w);
}

void mag_scope_cancel(mag_scope *scope)
{
	struct magi_cancel c = { scope->rt, NULL, 0 };

	magi_visit_begin(c.rt);
	magi_cancel_mark(&c, scope, MAG_ECANCELED);
	magi_cancel_finish(&c, magi_self_in(c.rt));
	magi_visit_end(c.rt);
}

int mag_scope_cancelled(const mag_scope *scope)
{
	return magi_load_acq(&scope->cancelled); /* [cancelled] */
}
