/* SPDX-License-Identifier: MIT */
/* deque.h - what thieves may do with a deque besides stealing; the rest: magpie/impl/deque.h. */
#ifndef MAGI_SCHED_DEQUE_H
#define MAGI_SCHED_DEQUE_H

#include <magpie/impl/deque.h>

/* Thief: asks the owner to share some, at its next push or pick. Returns how long ago somebody first did, in ticks. */
uint64_t magi_deque_ask(struct magi_deque *d);

/* Thief: shares some without the owner, which is in a long step. False: there was nothing, or somebody else does it. Not
 * without magi_barrier_works(). */
bool magi_deque_revoke(struct magi_deque *d);

/* Owner: all is shared, as in a queue whose owner takes at the same end as thieves. */
static inline void magi_deque_share_all(struct magi_deque *d)
{
	magi_store_rel(&d->split, magi_load_rlx(&d->bottom)); /* [publish] */
}

#endif
