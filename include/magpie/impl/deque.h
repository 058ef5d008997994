/* SPDX-License-Identifier: MIT */
/* deque.h - a worker's own tasks: the owner pushes and pops the newest, other workers steal the oldest.
 *
 * What:    a Chase-Lev deque [Chase, Lev: Dynamic Circular Work-Stealing Deque, SPAA 2005; orders as in Le et al., PPoPP
 *          2013] on a bounded ring, whose newest part is private: [top, split) is shared, [split, bottom) only the
 *          owner takes, without a barrier. As in Lace [van Dijk, van de Pol, 2014] it shares some when a thief asks.
 * Who:     push, pop, take_back: the owner only.   steal, ask, revoke: any thread, the owner too.
 * Always:  a frame leaves exactly once, by pop or by one winning steal. top only grows. top <= split <= bottom, but for
 *          moments of a pop. bottom - top <= capacity.
 *          split and limit change under the lock; they differ only while somebody revokes.
 * Pairs:   [publish] push stores bottom (release) -> whoever raises split loads it (acquire, or is the owner) and stores
 *                    split (release) -> steal loads split (acquire): the frame's contents are visible. Slots are
 *                    relaxed: a torn race is settled by the CAS on top, which discards what was read.
 *          [last]    pop_shared exchanges split, then loads top (both seq: the exchange alone is no fence); steal loads
 *                    top, full barrier, loads split: of the last frame only one of owner and thief sees it as safe
 *                    without the CAS on top, which decides. That CAS releases: a thief that sees its top sees no older
 *                    split than who made it; an owner that sees it (acquire) may use the slot again.
 *          [limit]   the owner lowers bottom, then loads limit, without a barrier; who revokes raises limit, passes a
 *                    barrier on every running thread by membarrier(2), then loads bottom: either the owner sees the new
 *                    limit, and comes to the lock, or its bottom is seen, and split stays below it. limit is relaxed:
 *                    nothing is read through it, the owner has itself stored what it takes above. bottom is not: who
 *                    lowers it may push there again before it is seen (release -> acquire).
 *          [hint]    a request is a hint; who sets it looks again
 * Not:     growing (published implementations lost frames there): when it is full the caller runs the child in place.
 *          A barrier in each pop: 4.4 ns a call instead of 3.2 on two workers (docs/decisions).
 *          A membarrier for each stolen frame: it costs the thief 10 us, and holds up the victim. */
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
	/* the owner reads these at each push and pop, and others write them rarely */
	int64_t limit MAGI_ALIGNED(MAGI_CACHE_LINE); /* from here on entries are private */
	uint64_t asked;                              /* when a thief asked for some, in ticks; 0: none has */
	int64_t top_seen;                            /* the owner's alone: its last view of top: it is never ahead */
	uint32_t full;                               /* the owner's: so many pushes more fail without a look at top */
	bool alone;                                  /* constant: nobody else ever steals */
	int64_t top MAGI_ALIGNED(MAGI_CACHE_LINE);   /* thieves, by CAS */
	int64_t split;                               /* thieves take below it */
	uint32_t lock;                               /* a magi_lock */
	mag_frame *slot[MAGI_DEQUE_CAPACITY] MAGI_ALIGNED(MAGI_CACHE_LINE);
};

MAGI_C_BEGIN
/* The owner's slow ways. bottom has been lowered to below limit: the frame there, or NULL; then the deque is empty. */
MAG_API mag_frame *magi_deque_pop_shared(struct magi_deque *d);
/* Shares the older half of what is private, one at least, and answers the request. */
MAG_API void magi_deque_share(struct magi_deque *d);
MAGI_C_END

MAGI_FAST mag_frame **magi_deque_slot(struct magi_deque *d, int64_t i)
{
	return &d->slot[(uint64_t)i & (MAGI_DEQUE_CAPACITY - 1)];
}

/* Whether there is no room; then a request for some is answered here, since no push will. */
MAGI_FAST bool magi_deque_full(struct magi_deque *d, int64_t b)
{
	if (!d->full) {
		d->top_seen = magi_load_acq(&d->top); /* [last] a slot is reused only after its thief is done with it */
		if (b - d->top_seen < MAGI_DEQUE_CAPACITY)
			return false;
		d->full = d->alone ? 1 : MAGI_DEQUE_CAPACITY / MAGI_DEQUE_FULL + 1;
	}
	d->full--;
	if (magi_load_rlx(&d->asked)) /* [hint] */
		magi_deque_share(d);
	return true;
}

/* Owner: false when it is full. */
MAGI_FAST bool magi_deque_push(struct magi_deque *d, mag_frame *f)
{
	int64_t b = magi_load_rlx(&d->bottom); /* [publish] own store */

	if (MAGI_UNLIKELY(b - d->top_seen >= MAGI_DEQUE_CAPACITY) && magi_deque_full(d, b))
		return false;
	magi_store_rlx(magi_deque_slot(d, b), f); /* [publish] */
	magi_store_rel(&d->bottom, b + 1);        /* [publish] */
	return true;
}

/* Owner: the newest frame, or NULL. */
MAGI_FAST mag_frame *magi_deque_pop(struct magi_deque *d)
{
	int64_t b = magi_load_rlx(&d->bottom) - 1; /* [publish] own store */

	magi_store_rel(&d->bottom, b); /* [limit] */
	magi_fence_compiler();
	if (MAGI_LIKELY(magi_load_rlx(&d->limit) <= b)) /* [limit] */
		return magi_load_rlx(magi_deque_slot(d, b)); /* [publish] */
	return magi_deque_pop_shared(d);
}

/* Owner: takes f back if it is the newest entry: true, and nobody else has it. A stale slot of an empty deque is settled
 * as in pop. */
MAGI_FAST bool magi_deque_take_back(struct magi_deque *d, const mag_frame *f)
{
	int64_t b = magi_load_rlx(&d->bottom) - 1; /* [publish] own store */

	if (MAGI_UNLIKELY(magi_load_rlx(magi_deque_slot(d, b)) != f)) /* [publish] */
		return false;
	magi_store_rel(&d->bottom, b); /* [limit] */
	magi_fence_compiler();
	if (MAGI_LIKELY(magi_load_rlx(&d->limit) <= b)) /* [limit] */
		return true;
	return magi_deque_pop_shared(d) != NULL;
}

/* Any thread: the oldest frame that is shared, or NULL; *lost says that somebody else was faster. */
MAGI_FAST mag_frame *magi_deque_steal(struct magi_deque *d, bool *lost)
{
	int64_t t = magi_load_rlx(&d->top); /* [last] acquired by the fence */
	int64_t s;
	mag_frame *f;

	*lost = false;
	magi_fence_seq(&d->top);      /* [last] between the loads of top and split; only thieves pay */
	s = magi_load_acq(&d->split); /* [publish] */
	if (s - t <= 0)
		return NULL;
	f = magi_load_rlx(magi_deque_slot(d, t)); /* [publish] */
	if (!magi_cas_rel(&d->top, &t, t + 1)) { /* [last] the slot has been read */
		*lost = true;
		return NULL;
	}
	return f;
}

/* Any thread: how many there seem to be, private ones too. An estimate that orders nothing: what lay here before a
 * barrier that the caller has passed is counted, or has been taken. */
MAGI_FAST int64_t magi_deque_count(const struct magi_deque *d)
{
	int64_t t = magi_load_rlx(&d->top);    /* [last] */
	int64_t b = magi_load_rlx(&d->bottom); /* [publish] */

	return b - t > 0 ? b - t : 0;
}

#endif
