/* SPDX-License-Identifier: MIT */
/* crew.c - starting, calling and ending the hands of a lane.
 *
 * Who:     start, call: any thread, without a lock. end: who stops the runtime, when no task waits for a job any more.
 * Always:  a hand is counted as starting until its starter has let go of the lane, even if it has ended by then.
 * Pairs:   [call] hand.c
 *          [news] stored (release) under the lock -> loaded (acquire) by who ends the lane */
#include "base/alloc.h"
#include "base/clock.h"
#include "offload/lane.h"

enum { STACK_BYTES = 1 << 20 }; /* for resolvers and plug-ins of the C library; only what is used is taken */

void magi_lane_release(struct magi_lane *l)
{
	bool closing = l->closing;

	if (closing)
		magi_store_rel(&l->news, l->news + 1); /* [news] */
	magi_lock_release(magi_lane_lock(l));
	if (closing)
		magi_futex_wake(&l->news, 1);
}

static int create_thread(struct magi_hand *h)
{
	struct magi_thread_start start = { .fn = magi_hand_main, .arg = h, .stack = STACK_BYTES, .quiet = true };

	return magi_thread_start(NULL, &start); /* it may have ended, and be freed, by now */
}

static int start(struct magi_lane *l, bool watches)
{
	struct magi_hand *h = magi_alloc_aligned(MAGI_CACHE_LINE, sizeof(*h));
	int rc = -ENOMEM;

	if (h) {
		h->lane = l;
		h->watches = watches;
		rc = create_thread(h);
	}
	if (rc < 0)
		magi_free(h);
	magi_lock_acquire(magi_lane_lock(l));
	l->starting--;
	if (rc == 0) {
		magi_lane_count(l, 1);
	} else {
		l->called--;
		/* Whoever adds the next job tries again. Not this thread, not even for what was added meanwhile: in the same
		 * shortage it would go on trying. */
		magi_lane_settle(l);
	}
	magi_lane_release(l);
	return rc;
}

int magi_hand_call(struct magi_lane *l, struct magi_help help)
{
	if (MAGI_UNLIKELY(help.start))
		return start(l, help.watch);
	if (help.hand && magi_xchg_ar(&help.hand->call, (uint32_t)MAGI_CALLED) == MAGI_ASLEEP) /* [call] */
		magi_futex_wake(&help.hand->call, 1);
	return 0;
}

/* The lock is held, and let go of in between: all that rest come, and end. */
static void call_all(struct magi_lane *l)
{
	struct magi_hand *h;

	while ((h = l->idle ? l->idle : l->watcher)) {
		if (h == l->watcher)
			l->watcher = NULL;
		else
			magi_lane_unrest(l, h);
		h->watches = false;
		l->called++;
		magi_lock_release(magi_lane_lock(l));
		magi_hand_call(l, (struct magi_help){ .hand = h });
		magi_lock_acquire(magi_lane_lock(l));
	}
}

/* The lock is held, and let go of in between. Waits until no hand is left but those in abandoned jobs, and for
 * these until the deadline. */
static void wait_for_end(struct magi_lane *l, uint64_t deadline)
{
	for (;;) {
		uint64_t now = magi_clock_ns();
		uint32_t news = magi_load_acq(&l->news); /* [news] */
		int32_t alive = magi_load_rlx(&l->alive); /* [lock] */
		bool late = now >= deadline;

		/* who starts a hand touches the lane after it, even when the hand has ended by then */
		if (!l->starting && (alive == 0 || (alive == (int32_t)l->owned && late)))
			return;
		magi_lock_release(magi_lane_lock(l));
		magi_futex_wait(&l->news, news, late || deadline == MAGI_NEVER ? MAGI_NEVER : deadline - now);
		magi_lock_acquire(magi_lane_lock(l));
	}
}

uint32_t magi_hand_end_all(struct magi_lane *l, uint64_t deadline)
{
	struct magi_hand *last;
	uint32_t left;

	magi_lock_acquire(magi_lane_lock(l));
	l->closing = true;
	call_all(l);
	wait_for_end(l, deadline);
	left = (uint32_t)magi_load_rlx(&l->alive); /* [lock] */
	last = l->ended;
	l->ended = NULL;
	l->orphaned = left > 0;
	if (left)
		magi_add_rlx(&l->offload->users, left); /* [users] they cannot give back before the lock is free */
	magi_lock_release(magi_lane_lock(l));
	if (last) {
		magi_thread_join(&last->thread);
		magi_free(last);
	}
	return left;
}
