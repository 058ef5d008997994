/* SPDX-License-Identifier: MIT */
/* deque.c - the slow ways of a deque: what is shared, and what is private again; magpie/impl/deque.h has the rules.
 *
 * Who:     pop_shared, share: the owner. ask, revoke: thieves.
 * Always:  whoever raises split does it under the lock, up to a bottom that the owner cannot have gone below unseen.
 * Pairs:   those of deque.h; [lock] base/lock.h */
#include "sched/deque.h"

#include "base/barrier.h"
#include "base/clock.h"
#include "base/lock.h"

static magi_lock *lock_of(struct magi_deque *d)
{
	return (magi_lock *)(void *)&d->lock;
}

/* The lock is held, or nobody else knows the deque. */
static void set_split(struct magi_deque *d, int64_t split)
{
	magi_store_rlx(&d->limit, split); /* [limit] */
	magi_store_rel(&d->split, split); /* [publish] */
}

/* All is shared: takes half of it back, in one exchange. Returns the frame at b, the newest, or NULL: it was stolen. */
static mag_frame *reclaim(struct magi_deque *d, int64_t b)
{
	int64_t split = b + 1, t = magi_load_rlx(&d->top); /* [last] a guess */
	int64_t half = (split - t) / 2;
	mag_frame *f = magi_load_rlx(magi_deque_slot(d, b)); /* [publish] own store */

	split -= half > 1 ? half : 1;
	magi_store_rlx(&d->limit, split); /* [limit] own load */
	(void)magi_xchg_seq(&d->split, split); /* [last] */
	t = magi_load_seq(&d->top); /* [last] */
	if (t < split)
		return f;
	/* thieves were here meanwhile: who saw the old split may still take the one at t, and no other */
	if (t < b) {
		set_split(d, t + 1);
		return f;
	}
	if (t > b || !magi_cas_rel(&d->top, &t, t + 1)) /* [last] */
		f = NULL;
	magi_store_rlx(&d->bottom, b + 1); /* [publish] who raises split comes to the lock first */
	set_split(d, b + 1);
	return f;
}

mag_frame *magi_deque_pop_shared(struct magi_deque *d)
{
	int64_t b = magi_load_rlx(&d->bottom); /* [publish] own store */
	mag_frame *f;

	magi_lock_acquire(lock_of(d)); /* whoever revokes has done so, or has not begun */
	if (magi_load_rlx(&d->limit) <= b) /* [limit] under the lock */
		f = magi_load_rlx(magi_deque_slot(d, b)); /* [publish] own store */
	else
		f = reclaim(d, b);
	magi_lock_release(lock_of(d));
	return f;
}

void magi_deque_share(struct magi_deque *d)
{
	int64_t split, n;

	magi_lock_acquire(lock_of(d));
	split = magi_load_rlx(&d->split); /* [publish] under the lock */
	n = magi_load_rlx(&d->bottom) - split; /* [publish] own store */
	if (n > 0)
		set_split(d, split + (n + 1) / 2);
	magi_store_rlx(&d->asked, (uint64_t)0); /* [hint] */
	magi_lock_release(lock_of(d));
}

uint64_t magi_deque_ask(struct magi_deque *d)
{
	uint64_t asked = magi_load_rlx(&d->asked), now = magi_ticks() | 1; /* [hint] */

	if (asked)
		return now - asked;
	magi_store_rlx(&d->asked, now); /* [hint] */
	return 0;
}

bool magi_deque_revoke(struct magi_deque *d)
{
	int64_t old, want, b;
	bool any = false;

	if (!magi_lock_try(lock_of(d)))
		return false;
	old = magi_load_rlx(&d->split); /* [publish] under the lock */
	b = magi_load_rlx(&d->bottom); /* [publish] a guess */
	if (b - old > 0) {
		want = old + (b - old + 1) / 2;
		magi_store_rlx(&d->limit, want); /* [limit] */
		magi_barrier_all();
		b = magi_load_acq(&d->bottom); /* [limit] */
		if (b < want)
			want = b > old ? b : old;
		set_split(d, want);
		any = want > old;
	}
	magi_store_rlx(&d->asked, (uint64_t)0); /* [hint] */
	magi_lock_release(lock_of(d));
	return any;
}
