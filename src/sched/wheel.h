/* SPDX-License-Identifier: MIT */
/* wheel.h - a worker's timers: a hierarchical wheel with exact deadlines.
 *
 * A tick is 2^16 ns. Level 0 has 256 slots of a tick each, seven levels above it have 64 slots each, a slot being as
 * long as the whole level below. Together they span more than the 2^48 ticks of the clock: no deadline is out of range
 * and nothing wraps. A timer lies at the level of the highest digit in which its deadline's tick differs from the
 * wheel's tick, in the slot that this digit names; at level 0, in the slot of the wheel's tick, when nothing differs or
 * the deadline has passed. When the wheel's tick enters a slot of a higher level, that slot's timers move down.
 *
 * Who:     any thread, everything but init. In practice the owner adds, and any worker removes or expires. An add from
 *          another thread does not wake the owner: that is the caller's.
 * Always:  a timer fires at the first expire with now >= its deadline, and not before.
 *          What a late expire fires comes in the order of ticks; equal deadlines fire in the order of adding, unless
 *          others were removed from their slot.
 *          All timers of a level are due before all timers of the next, and slots of a level are in order: the first
 *          occupied slot has the earliest timer.
 *          A slot's `earliest` is not later than any of its deadlines (removing the earliest leaves it as it is).
 * Pairs:   [lock]  the fields of the second part
 *          [next]  next and stale are stored (release) under the lock -> loaded (acquire) without it
 *          [armed] a timer's `wheel`, and the count of armed timers, likewise
 *          [own]   loaded under the lock that all writers hold
 * Not:     a heap (a timer that is removed costs log n, and most are removed);
 *          rounded deadlines without moving down, as in Linux (they fire late);
 *          one list a slot (following it is one cache miss after the other: 405 ns a timer with a million of them in
 *          random order, 93 with six rings, whose misses overlap);
 *          64 slots at level 0 (93 ns instead of 68, and 10 ms in one expire, instead of 1, to move a slot down) */
#ifndef MAGI_SCHED_WHEEL_H
#define MAGI_SCHED_WHEEL_H

#include <magpie/impl/timer.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/lock.h"

enum {
	MAGI_WHEEL_TICK_BITS = 16, /* 65.5 us: about as often as a busy worker looks */
	MAGI_WHEEL_LOW_BITS = 8,   /* level 0; with level 1 a second, so that most sleeps move down once */
	MAGI_WHEEL_HIGH_BITS = 6,  /* the levels above */
	MAGI_WHEEL_LEVELS = 8,
	MAGI_WHEEL_SLOTS = (1 << MAGI_WHEEL_LOW_BITS) + ((MAGI_WHEEL_LEVELS - 1) << MAGI_WHEEL_HIGH_BITS),
	MAGI_WHEEL_NEVER = MAGI_WHEEL_SLOTS,          /* one slot more, behind all others */
	MAGI_WHEEL_WORDS = MAGI_WHEEL_SLOTS / 64 + 1, /* of the bitmap of slots */
	MAGI_WHEEL_RINGS = 6,                         /* what fits a cache line */
};

struct magi_wheel_slot {
	magi_timer *ring[MAGI_WHEEL_RINGS]; /* timers are dealt out to them in turn; NULL: empty */
	uint64_t earliest;                  /* ns; means nothing when the slot is empty */
	uint32_t count;
	uint32_t turn; /* the ring that gets the next timer */
} __attribute__((aligned(64)));

struct magi_wheel {
	/* any thread, without the lock; on a line of their own, since idle workers look at them */
	uint64_t next __attribute__((aligned(64))); /* ns: no timer is due before */
	uint64_t stale;                             /* ns: from here on expire moves `tick` though nothing is due */

	/* under the lock */
	magi_lock lock __attribute__((aligned(64)));
	uint16_t id;                         /* worker index + 1 */
	uint16_t words;                      /* bit W: word W of `occupied` is not 0 */
	uint64_t tick;                       /* where the levels are seen from; does not go back */
	size_t armed;                        /* timers in all slots; loaded without the lock too */
	uint64_t occupied[MAGI_WHEEL_WORDS]; /* a bit a slot */
	struct magi_wheel_slot slots[MAGI_WHEEL_SLOTS + 1];
};

/* An empty wheel. id: worker index + 1; now: ns. */
void magi_wheel_init(struct magi_wheel *wh, uint16_t id, uint64_t now);

/* Arms t, which is not armed anywhere; what its memory holds does not matter, and `kind` is kept. deadline: ns,
 * absolute; one that has passed fires at the next expire, UINT64_MAX does not fire and can be removed. */
void magi_wheel_add(struct magi_wheel *wh, magi_timer *t, uint64_t deadline);

/* True: t was armed here and no longer is; its callback will not run. False: it was not (fired, removed, or another
 * wheel's). Either way no expire of this wheel is in t's callback any more, and t is free memory. */
bool magi_wheel_remove(struct magi_wheel *wh, magi_timer *t);

/* Fires each timer with deadline <= now (ns) and returns how many. fire is called under the lock, for a timer that is
 * unlinked and not armed, and which the wheel does not touch again: fire may give its memory away. fire does not call
 * this wheel. With nothing to do it costs two loads, so call it at each turn instead of asking magi_wheel_next first:
 * the wheel learns the time from it, and finds better places for new timers. */
size_t magi_wheel_expire(struct magi_wheel *wh, uint64_t now, void (*fire)(magi_timer *t, void *ctx), void *ctx);

/* A time (ns) not later than the earliest deadline, UINT64_MAX when no timer will fire. It is the earliest deadline,
 * unless the earliest timer of its slot was removed: then an expire at that time makes it exact. */
static inline uint64_t magi_wheel_next(const struct magi_wheel *wh)
{
	return magi_load_acq(&wh->next); /* [next] */
}

/* The number of armed timers, those that never fire too. */
static inline size_t magi_wheel_armed(const struct magi_wheel *wh)
{
	return magi_load_acq(&wh->armed); /* [armed] */
}

#endif
