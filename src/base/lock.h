/* SPDX-License-Identifier: MIT */
/* lock.h - a spin lock of one word, for sections of a few stores.
 *
 * Who:     any thread. A section never blocks, never makes a syscall and takes no second lock of the same kind of
 *          object.
 * Always:  held is 1 while some thread is in the section, else 0. All zero is a free lock.
 * Pairs:   [lock] release stores held (release) -> acquire and try exchange it (acquire): what the last holder wrote
 *          is visible to the next
 * Not:     a futex (a wait is shorter than the syscall), a ticket (a holder that lost its CPU would hold up a whole
 *          queue of them) */
#ifndef MAGI_BASE_LOCK_H
#define MAGI_BASE_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/futex.h"
#include "base/host.h"
#include "magpie/impl/atomic.h"

/* Spins before the CPU is offered to others, in case the holder wants this one. Picked, not measured. */
#define MAGI_LOCK_SPINS 100

/* One turn of a loop that waits for another thread. */
static inline void magi_spin(void)
{
	if (__builtin_expect(magi_host() != NULL, 0))
		magi_thread_yield();
	else
		magi_pause();
}

/* Pauses after a lost race for a word that many change: some 0.7 us, in which the other makes a dozen changes while it
 * has the line, instead of one. Measured with two workers at one semaphore: 16 pauses 46 ns a round, none 98. */
#define MAGI_BACK_OFF_PAUSES 16

static inline void magi_back_off(void)
{
	for (int i = 0; i < MAGI_BACK_OFF_PAUSES; i++)
		magi_pause();
}

typedef struct magi_lock {
	uint32_t held;
} magi_lock;

static inline bool magi_lock_try(magi_lock *l)
{
	return !magi_xchg_acq(&l->held, 1u); /* [lock] */
}

static inline void magi_lock_acquire(magi_lock *l)
{
	while (!magi_lock_try(l)) {
		/* in a simulation the holder cannot go on before it is let */
		unsigned spins = 0, patience = magi_host() ? 1 : MAGI_LOCK_SPINS;

		/* wait on a plain load: an exchange would take the line away from the holder at each turn */
		while (magi_load_rlx(&l->held)) { /* [lock] the exchange that follows orders */
			if (++spins < patience) {
				magi_pause();
			} else {
				spins = 0;
				magi_thread_yield();
			}
		}
	}
}

static inline void magi_lock_release(magi_lock *l)
{
	magi_store_rel(&l->held, 0u); /* [lock] */
#ifdef MAGI_POINTS
	magi_atomic_point(); /* what comes next may be a relaxed load, before which nobody else goes */
#endif
}

#endif
