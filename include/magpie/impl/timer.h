/* SPDX-License-Identifier: MIT */
/* timer.h - the node of the timer wheel, embedded in frames (src/sched/wheel.h has the operations).
 *
 * Who:     its wheel, under the wheel's lock, while it is armed; whoever holds its memory otherwise. Any thread that
 *          may look at the memory may read `wheel`.
 * Always:  armed <=> wheel != 0 <=> linked into one slot of that wheel.
 * Pairs:   [armed] the wheel stores `wheel` (release) -> magi_timer_wheel loads it (acquire)
 * Not:     a flag apart from the index: one load tells whether and where */
#ifndef MAGPIE_IMPL_TIMER_H
#define MAGPIE_IMPL_TIMER_H

#include <magpie/impl/api.h>
#include <magpie/impl/atomic.h>

typedef struct magi_timer {
	struct magi_timer *next, *prev; /* a ring of timers of one slot */
	uint64_t deadline;              /* ns, absolute; UINT64_MAX: does not fire */
	uint16_t wheel;                 /* atomic: worker index + 1, 0: not armed */
	uint16_t slot;
	uint32_t kind; /* the user's: not touched by the wheel */
} magi_timer;

MAGI_ASSERT_STATIC(sizeof(magi_timer) == 32, "the timer node is part of every frame's layout");

/* Makes memory a timer that is not armed. Adding does not need it; asking and removing before an add do. */
static inline void magi_timer_init(magi_timer *t)
{
	t->wheel = 0;
}

/* Worker index + 1 of the wheel where t is armed, 0 for none. A 0 does not say that t's callback has returned: only
 * magi_wheel_remove says that. */
static inline uint16_t magi_timer_wheel(const magi_timer *t)
{
	return magi_load_acq(&t->wheel); /* [armed] */
}

#endif
