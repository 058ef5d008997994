/* SPDX-License-Identifier: MIT */
/* hand.c - the life of a lane's thread: works, rests, watches, ends.
 *
 * Who:     its own thread; called by any.
 * Always:  who is called comes and looks at the queue. A hand that rests can be called once; it is out of the list of
 *          the idle ones by then, and waits for the call to arrive before it does anything else.
 *          A hand that ends joins the one that ended before it; the last is joined by the runtime.
 * Pairs:   [call] the caller exchanges the word (acquire, release) -> the hand loads or swaps it (acquire)
 *          [news] stored (release) under the lock -> loaded (acquire) by who ends the lane
 * Not:     more than one that spins: the others cost a CPU that a worker or a job could use. */
#include <sched.h>
#include <signal.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "offload/futex.h"
#include "offload/lane.h"

enum {
	STACK_BYTES = 1 << 20, /* what resolvers and plug-ins of the C library need, and some; only what is used is taken */
	WATCH_NS = 500000,     /* how long jobs may stand still before a hand that watches takes one; picked */
	SPIN_MIN_NS = 1000,    /* below this, spinning is tried only now and then */
	SPIN_AGAIN = 16
};

/* Lets go of the lock; who ends the lane hears of what has changed. */
static void release_and_tell(struct magi_lane *l)
{
	bool closing = l->closing;

	if (closing)
		magi_store_rel(&l->news, l->news + 1); /* [news] */
	magi_lock_release(magi_lane_lock(l));
	if (closing)
		magi_futex_wake(&l->news);
}

/* Resting. */

static bool is_called(const struct magi_hand *h)
{
	return magi_load_acq(&h->call) == MAGI_CALLED; /* [call] */
}

/* Whether it was called in that time. */
static bool spin(const struct magi_hand *h, uint64_t ns)
{
	uint64_t until = magi_clock_ns() + ns;

	do {
		for (int i = 0; i < 16; i++) {
			if (is_called(h))
				return true;
			magi_pause();
		}
	} while (magi_clock_ns() < until);
	return false;
}

static bool sleep_for(struct magi_hand *h, uint64_t ns)
{
	uint64_t now = magi_clock_ns(), until = magi_saturate_add(now, ns);
	uint32_t call = MAGI_UNCALLED;

	if (!magi_cas_ar(&h->call, &call, (uint32_t)MAGI_ASLEEP)) /* [call] */
		return true;
	while (!is_called(h) && now < until) {
		magi_futex_wait(&h->call, MAGI_ASLEEP, until - now);
		now = magi_clock_ns();
	}
	return is_called(h);
}

/* The call is on its way. */
static void wait_for_call(const struct magi_hand *h)
{
	while (!is_called(h))
		sched_yield();
}

/* As many may spin as there are CPUs that no worker and no job needs, but one of a lane. */
static bool may_spin(struct magi_lane *l)
{
	uint64_t sleepers = magi_load_rlx(&l->rt->idle.sleepers); /* [hint] */
	uint32_t awake = l->rt->n - (uint32_t)__builtin_popcountll(sleepers);

	if (!l->spin_ns && l->rt->spin_us && ++l->spins % SPIN_AGAIN == 0)
		l->spin_ns = l->rt->spin_us * 1000;
	return l->spin_ns && !l->spinner && awake + l->running < l->cpus;
}

/* Spins for that long; then it is to be woken as a sleeper. */
static bool spin_first(struct magi_lane *l, struct magi_hand *h, uint32_t ns)
{
	if (spin(h, ns))
		return true;
	magi_lock_acquire(magi_lane_lock(l));
	l->spin_ns = l->spin_ns > SPIN_MIN_NS ? l->spin_ns / 2 : 0;
	if (l->spinner == h)
		l->spinner = NULL;
	magi_lock_release(magi_lane_lock(l));
	return false;
}

/* The lock is held. Waits to be called; false: it is to end. */
static bool rest(struct magi_lane *l, struct magi_hand *h)
{
	uint32_t spin_ns = 0;
	bool spun = false, called;

	if (l->closing)
		return false;
	magi_store_rlx(&h->call, (uint32_t)MAGI_UNCALLED); /* [call] nobody knows it as idle yet */
	magi_lane_rest(l, h);
	if (may_spin(l)) {
		l->spinner = h;
		spin_ns = l->spin_ns;
	}
	magi_lock_release(magi_lane_lock(l));
	if (spin_ns)
		spun = spin_first(l, h, spin_ns);
	called = spun || sleep_for(h, l->idle_ns);
	magi_lock_acquire(magi_lane_lock(l));
	if (!called && h->idle) {
		magi_lane_unrest(l, h);
		return false;
	}
	if (!called) {
		magi_lock_release(magi_lane_lock(l));
		wait_for_call(h);
		magi_lock_acquire(magi_lane_lock(l));
	}
	if (spun)
		l->spin_ns = l->rt->spin_us * 1000;
	l->called--;
	return true;
}

/* Watching. */

/* The lock is held. Sleeps for a while as the lane's watcher; whether it was called. */
static bool sleep_watching(struct magi_lane *l, struct magi_hand *h)
{
	bool called;

	magi_store_rlx(&h->call, (uint32_t)MAGI_UNCALLED); /* [call] nobody knows it as the watcher yet */
	l->watcher = h;
	magi_lock_release(magi_lane_lock(l));
	called = sleep_for(h, WATCH_NS);
	magi_lock_acquire(magi_lane_lock(l));
	if (!called && l->watcher != h) {
		magi_lock_release(magi_lane_lock(l));
		wait_for_call(h);
		magi_lock_acquire(magi_lane_lock(l));
		called = true;
	}
	if (called)
		l->called--;
	else
		l->watcher = NULL;
	return called;
}

/* The lock is held. One round of watching; it is over when `watches` no longer holds. */
static void watch(struct magi_lane *l, struct magi_hand *h)
{
	uint64_t added = l->added, taken = l->taken;

	if (l->closing || l->watcher || magi_lane_urgent(l)) {
		h->watches = false;
		return;
	}
	if (sleep_watching(l, h))
		return;
	if (l->taken == taken) {
		h->watches = false;
		if (magi_lane_ready(l))
			magi_lane_stuck(l);
	} else if (l->taken < added && l->running < l->cpus) {
		h->watches = false; /* they move on, but one that was there before still waits */
	}
}

/* Working. */

/* The lock is held. Runs one job, if there is one. */
static bool work(struct magi_lane *l, struct magi_hand *h)
{
	struct magi_job job;
	struct magi_help help;
	uint64_t began;
	int64_t result;
	bool home;
	int kind = magi_lane_take(l, h, &job);

	if (kind < 0)
		return false;
	help = magi_lane_help(l);
	magi_lock_release(magi_lane_lock(l));
	magi_hand_call(l, help);
	began = magi_ticks();
	result = job.fn(job.arg);
	if (job.destroy)
		job.destroy(job.arg);
	began = magi_ticks() - began;
	if (!job.destroy)
		magi_offload_finish(l, job.frame, result);
	magi_lock_acquire(magi_lane_lock(l));
	magi_lane_done(l, &job, kind, began);
	home = job.destroy && magi_offload_finish_owned(h, result);
	if (home || MAGI_UNLIKELY(l->closing)) {
		release_and_tell(l);
		if (home)
			magi_offload_send_home(l, job.frame);
		magi_lock_acquire(magi_lane_lock(l));
	}
	return true;
}

/* The lock is held, and is not afterwards. */
static void end(struct magi_lane *l, struct magi_hand *h)
{
	struct magi_offload *orphaned = l->orphaned ? l->offload : NULL;
	struct magi_hand *before = orphaned ? NULL : l->ended;

	l->alive--;
	if (!orphaned)
		l->ended = h;
	release_and_tell(l);
	if (before) {
		pthread_join(before->thread, NULL);
		magi_free(before);
	}
	if (orphaned) {
		pthread_detach(pthread_self());
		magi_free(h);
		magi_offload_unuse(orphaned);
	}
}

static void *hand_main(void *arg)
{
	struct magi_hand *h = arg;
	struct magi_lane *l = h->lane;
	bool on = true;

	h->thread = pthread_self();
	pthread_setname_np(h->thread, l->name);
	magi_lock_acquire(magi_lane_lock(l));
	l->called--;
	while (on) {
		if (h->watches)
			watch(l, h);
		else if (!work(l, h))
			on = rest(l, h);
	}
	end(l, h);
	return NULL;
}

/* Starting and ending. */

static int create_thread(struct magi_hand *h)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	int rc = magi_fault() ? EAGAIN : pthread_attr_init(&attr);

	if (rc)
		return -rc;
	sigfillset(&all); /* the program's handlers run on its own threads */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_attr_setstacksize(&attr, STACK_BYTES);
	if (!rc)
		rc = pthread_create(&thread, &attr, hand_main, h);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return -rc;
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
	if (rc == 0)
		l->alive++;
	else
		l->called--;
	release_and_tell(l);
	return rc;
}

int magi_hand_call(struct magi_lane *l, struct magi_help help)
{
	if (MAGI_UNLIKELY(help.start))
		return start(l, help.watch);
	if (help.hand && magi_xchg_ar(&help.hand->call, (uint32_t)MAGI_CALLED) == MAGI_ASLEEP) /* [call] */
		magi_futex_wake(&help.hand->call);
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

/* The lock is held, and let go of in between. Waits until no hand is left but those in abandoned jobs, and for these until
 * the deadline. */
static void wait_for_end(struct magi_lane *l, uint64_t deadline)
{
	for (;;) {
		uint64_t now = magi_clock_ns();
		uint32_t news = magi_load_acq(&l->news); /* [news] */
		int32_t left = l->alive + l->starting;

		if (left == 0 || (left == (int32_t)l->owned && now >= deadline))
			return;
		magi_lock_release(magi_lane_lock(l));
		magi_futex_wait(&l->news, news, now < deadline && deadline != MAGI_NEVER ? deadline - now : MAGI_NEVER);
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
	left = (uint32_t)l->alive;
	last = l->ended;
	l->ended = NULL;
	l->orphaned = left > 0;
	if (left)
		magi_add_rlx(&l->offload->users, left); /* [users] they cannot give back before the lock is free */
	magi_lock_release(magi_lane_lock(l));
	if (last) {
		pthread_join(last->thread, NULL);
		magi_free(last);
	}
	return left;
}
