/* SPDX-License-Identifier: MIT */
/* pool.h - what the parts of a pool share: places, and the stack of what is idle.
 *
 * What:    a permit of `places` is the right to one item: to have it, to make it, to destroy it. Items that are idle lie on
 *          a stack; who has a permit takes the top one, and makes a new one only when there is none. So the semaphore's
 *          queue is the pool's, in the order of coming, with all that it does about those that are cancelled.
 * Who:     take, give, tend, close: tasks. stats: any thread.
 * Always:  all = idle + lent + those that are being made or destroyed, each of which is a task's with a permit: all <= max.
 *          An item is on the stack before its permit is given back, and that is the last thing that is done with the pool.
 *          Nothing comes onto the stack, and nothing is made, once the pool is closed, but what there was no memory to
 *          destroy: who closes destroys what is idle without a permit.
 *          The user's functions are called without the lock.
 * Pairs:   the lock; [stat] the count of timeouts; [hint] closed, for who only asks: it is looked at again under the lock
 * Not:     giving an item from task to task: it would need a queue of its own, to save one look at the stack.
 *          A task of the pool's own that tends it: it would have to end with it. */
#ifndef MAGI_RESILIENCE_POOL_H
#define MAGI_RESILIENCE_POOL_H

#include <magpie/pool.h>

#include "base/lock.h"
#include "task/timer.h"
#include "task/wait.h"

static inline magi_lock *magi_pool_lock(mag_pool *p)
{
	return (magi_lock *)(void *)&p->lock;
}

static inline bool magi_pool_is_closed(const mag_pool *p)
{
	return magi_load_rlx(&p->closed) != 0; /* [hint] */
}

static inline uint64_t magi_pool_now(mag_worker *w)
{
	return magi_now(magi_worker_of(w));
}

/* What to do with the permit that one has. */
enum magi_pool_turn {
	MAGI_POOL_READY, /* an item that is good */
	MAGI_POOL_CHECK, /* one that may be */
	MAGI_POOL_OLD,   /* one that is to be destroyed */
	MAGI_POOL_NONE,  /* one is to be made; it is counted already */
	MAGI_POOL_CLOSED /* nothing is lent any more */
};

/* Takes the top of the stack; a READY one is lent. only_ready: anything else stays where it is. */
enum magi_pool_turn magi_pool_pop(mag_pool *p, uint64_t now, bool only_ready, struct magi_pool_idle *item);

/* One that was taken, or made, is lent. */
void magi_pool_lend(mag_pool *p, bool made);

/* One that was lent is not any more. */
void magi_pool_unlend(mag_pool *p);

/* A new one, or one that is lent, lies idle from now on. False: the pool is closed, and it is to be destroyed. */
bool magi_pool_push(mag_pool *p, const struct magi_pool_idle *item, bool was_lent);

/* Any of those that are idle; the first one that is too old. False: there is none. */
bool magi_pool_any(mag_pool *p, struct magi_pool_idle *item);
bool magi_pool_stale(mag_pool *p, uint64_t now, struct magi_pool_idle *item);

/* Whether one is to be made to have the least number; it is counted then. */
bool magi_pool_wants(mag_pool *p);

/* It could not be destroyed: it stays, and will not be lent. */
void magi_pool_keep_broken(mag_pool *p, const struct magi_pool_idle *item);

/* It is no longer, or was never made. */
void magi_pool_forget(mag_pool *p, bool dropped);

/* Calls a function of the user's as an await; *started: it has been called. item: an item, or where one goes. */
mag_frame *magi_pool_call(mag_worker *w, mag_frame *f, const mag_pool_fn *fn, void *ctx, void *item, bool *started);

/* Destroys an item, for one that has a permit: 0, or -ENOMEM, and it is kept as a broken one. */
struct magi_pool_drop {
	mag_frame frame;
	MAG_ARGS(magi_pool_drop, mag_pool *pool; struct magi_pool_idle item;);
	mag_scope shield;
	int64_t rc;
	bool started;
};
MAG_DECLARE_TASK(magi_pool_drop);

/* MAG_CALL of it, which keeps the item when there is no memory for the call either. */
#define MAGI_POOL_DROP(dst, pool_, item_)                                         \
	do {                                                                      \
		MAG_CALL(dst, magi_pool_drop, .pool = (pool_), .item = *(item_)); \
		if ((dst) == -ENOMEM)                                             \
			magi_pool_keep_broken((pool_), (item_));                  \
	} while (0)

#endif
