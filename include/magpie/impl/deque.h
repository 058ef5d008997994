/* SPDX-License-Identifier: MIT */
/* deque.h - a worker's own tasks: the owner pushes and pops the newest, other workers steal the oldest.
 *
 * What:    the Chase-Lev deque [Chase, Lev: Dynamic Circular Work-Stealing Deque, SPAA 2005; orders as in Le et al.,
 *          PPoPP 2013], on a bounded ring.
 * Who:     push, pop, take_back: the owner only.   steal: any thread, the owner too.
 * Always:  a frame leaves exactly once, by pop or by one winning steal. top only grows. bottom - top <= capacity.
 * Pairs:   [publish] push stores bottom (release) -> steal loads bottom (acquire): the frame's contents are visible.
 *                    Every store of bottom is a release: a thief may read any of them and needs the last push before it.
 *          [last]    pop exchanges bottom, then loads top (both seq: the exchange alone is no fence); steal loads top, full barrier, loads bottom: of the last frame
 *                    only one of owner and thief sees it as safe without the CAS on top, which decides.
 *          [publish] the slots, relaxed: the slot is ordered by bottom; a torn race is settled by the CAS on top, which discards
 *                    what was read when the slot had been reused.
 * Not:     growing (published implementations lost frames there): when it is full the caller runs the child in place.
 *          mfence in pop: slower than an exchange, and ThreadSanitizer does not see it. */
#ifndef MAGPIE_IMPL_DEQUE_H
#define MAGPIE_IMPL_DEQUE_H

#include <magpie/impl/atomic.h>
#include <magpie/impl/frame.h>

#ifndef MAGI_DEQUE_CAPACITY
#define MAGI_DEQUE_CAPACITY 1024 /* a power of two; deep enough for any balanced fork tree */
#endif

/* A full one fails this part of its capacity more pushes before its owner looks again: each look takes the line of top
 * away from a thief, and a child that runs in place costs less. Measured with 10^6 spawned tasks on two workers: 36 ns a
 * task when it looks each time, 27 with 1/64, 19 with 1/16, 19 with 1/4. */
#define MAGI_DEQUE_FULL 16

struct magi_deque {
	int64_t bottom MAGI_ALIGNED(MAGI_CACHE_LINE); /* written by the owner */
	/* the owner's alone, and in a line that no thief reads */
	int64_t top_seen MAGI_ALIGNED(MAGI_CACHE_LINE); /* its last view of top: it is never ahead */
	uint32_t full;                                  /* so many pushes more fail without a look at top */
	bool alone;                                     /* constant: nobody else ever steals, so pop needs no barrier */
	int64_t top MAGI_ALIGNED(MAGI_CACHE_LINE);      /* thieves, by CAS */
	mag_frame *slot[MAGI_DEQUE_CAPACITY] MAGI_ALIGNED(MAGI_CACHE_LINE);
};

MAGI_FAST mag_frame **magi_deque_slot(struct magi_deque *d, int64_t i)
{
	return &d->slot[(uint64_t)i & (MAGI_DEQUE_CAPACITY - 1)];
}

/* Owner: false when it is full. */
MAGI_FAST bool magi_deque_push(struct magi_deque *d, mag_frame *f)
{
	int64_t b = magi_load_rlx(&d->bottom); /* [publish] own store */

	if (MAGI_UNLIKELY(b - d->top_seen >= MAGI_DEQUE_CAPACITY)) {
		if (d->full) {
			d->full--;
			return false;
		}
		d->top_seen = magi_load_acq(&d->top); /* [last] a slot is reused only after its thief is done with it */
		if (b - d->top_seen >= MAGI_DEQUE_CAPACITY) {
			d->full = d->alone ? 0 : MAGI_DEQUE_CAPACITY / MAGI_DEQUE_FULL;
			return false;
		}
	}
	magi_store_rlx(magi_deque_slot(d, b), f); /* [publish] */
	magi_store_rel(&d->bottom, b + 1);        /* [publish] */
	return true;
}

/* Owner: the newest frame, or NULL. */
MAGI_FAST mag_frame *magi_deque_pop(struct magi_deque *d)
{
	int64_t b = magi_load_rlx(&d->bottom) - 1; /* [publish] own store */
	int64_t t;
	mag_frame *f;

	if (d->alone)
		magi_store_rel(&d->bottom, b); /* [publish] */
	else
		(void)magi_xchg_seq(&d->bottom, b); /* [last] the barrier between this store and the load of top */
	t = magi_load_seq(&d->top); /* [last] */
	if (MAGI_LIKELY(t < b))
		return magi_load_rlx(magi_deque_slot(d, b)); /* [publish] */
	f = NULL;
	if (t == b && magi_cas_seq(&d->top, &t, t + 1)) /* [last] the only frame: whoever moves top has it */
		f = magi_load_rlx(magi_deque_slot(d, b)); /* [publish] */
	magi_store_rel(&d->bottom, b + 1); /* [publish] */
	return f;
}

/* Owner: takes f back if it is the newest entry: true, and nobody else has it. Looking first costs no barrier when it is
 * not; a stale slot of an empty deque is settled as in pop. */
MAGI_FAST bool magi_deque_take_back(struct magi_deque *d, const mag_frame *f)
{
	int64_t b = magi_load_rlx(&d->bottom) - 1; /* [publish] own store */
	int64_t t;
	bool won;

	if (MAGI_UNLIKELY(magi_load_rlx(magi_deque_slot(d, b)) != f)) /* [publish] */
		return false;
	if (d->alone)
		magi_store_rel(&d->bottom, b); /* [publish] */
	else
		(void)magi_xchg_seq(&d->bottom, b); /* [last] */
	t = magi_load_seq(&d->top); /* [last] */
	if (MAGI_LIKELY(t < b))
		return true;
	won = t == b && magi_cas_seq(&d->top, &t, t + 1); /* [last] */
	magi_store_rel(&d->bottom, b + 1); /* [publish] */
	return won;
}

/* Any thread: the oldest frame, or NULL when it is empty; *lost says that somebody else was faster. */
MAGI_FAST mag_frame *magi_deque_steal(struct magi_deque *d, bool *lost)
{
	int64_t t = magi_load_acq(&d->top); /* [last] */
	int64_t b;
	mag_frame *f;

	*lost = false;
	magi_fence_seq(&d->top);       /* [last] between the loads of top and bottom; only thieves pay */
	b = magi_load_acq(&d->bottom); /* [publish] */
	if (b - t <= 0)
		return NULL;
	f = magi_load_rlx(magi_deque_slot(d, t)); /* [publish] */
	if (!magi_cas_seq(&d->top, &t, t + 1)) { /* [last] */
		*lost = true;
		return NULL;
	}
	return f;
}

/* Any thread: how many there seem to be. */
MAGI_FAST int64_t magi_deque_count(const struct magi_deque *d)
{
	int64_t t = magi_load_acq(&d->top);    /* [last] */
	int64_t b = magi_load_acq(&d->bottom); /* [publish] */

	return b - t > 0 ? b - t : 0;
}

#endif
