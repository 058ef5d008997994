/* SPDX-License-Identifier: MIT */
/* hand.c - the life of a lane's thread: works, searches, rests, watches, ends.
 *
 * Who:     its own thread; called by any.
 * Always:  who is called comes and looks at the queue. A hand that rests can be called once; it is out of the list of
 *          the idle ones by then, and waits for the call to arrive before it does anything else.
 *          A hand that ends joins the one that ended before it; the last is joined by the runtime.
 * Pairs:   [call] the caller exchanges the word (acquire, release) -> the hand loads or swaps it (acquire)
 * Not:     more than one that searches: the others cost a CPU that a worker or a job could use. */
#include "base/alloc.h"
#include "base/clock.h"
#include "offload/lane.h"

enum {
	WATCH_NS = 500000,  /* how long jobs may stand still before a hand that watches takes one; picked */
	SPIN_MIN_NS = 1000, /* below this, searching is tried only now and then */
	SPIN_AGAIN = 16,
	/* between two looks: 1000 jobs outstanding take 470 ns each with 100 here, 360 with 1000; one alone 1.1 us
	 * and 1.6 */
	LOOK_NS = 1000
};

/* Searching. */

/* As many may spin as there are CPUs that no worker and no job needs, but one of a lane. */
static bool may_search(struct magi_lane *l)
{
	uint64_t sleepers;

	if (l->closing || l->searcher || !l->spin_most)
		return false;
	if (!l->spin_ns && ++l->spins % SPIN_AGAIN == 0)
		l->spin_ns = l->spin_most;
	sleepers = magi_load_rlx(&l->rt->idle.sleepers); /* [hint] */
	return l->spin_ns && l->rt->n - (uint32_t)__builtin_popcountll(sleepers) + l->running < l->cpus;
}

/* No lock. Looks for a job that was added. Not all the time: while it does not look, several may be added. */
static void look_out(const struct magi_lane *l, uint64_t ns)
{
	uint64_t ticks = l->ticks_per_us * LOOK_NS / 1000;
	uint64_t now = magi_ticks(), until = now + l->ticks_per_us * ns / 1000;

	while (!magi_lane_shows(l) && (int64_t)(until - now) > 0) {
		uint64_t next = now + ticks;

		do
			magi_spin();
		while ((int64_t)(next - (now = magi_ticks())) > 0);
	}
}

/* The lock is held, and let go of in between. Waits awake for a job, if that is worth it; whether it was. */
static bool search(struct magi_lane *l)
{
	if (!may_search(l) || magi_lane_any(l))
		return false;
	l->searcher = true;
	magi_lane_settle(l);
	magi_lock_release(magi_lane_lock(l));
	look_out(l, l->spin_ns);
	magi_lock_acquire(magi_lane_lock(l));
	l->searcher = false;
	if (magi_lane_any(l))
		l->spin_ns = l->spin_most;
	else
		l->spin_ns = l->spin_ns > SPIN_MIN_NS ? l->spin_ns / 2 : 0;
	return true;
}

/* Resting. */

static bool is_called(const struct magi_hand *h)
{
	return magi_load_acq(&h->call) == MAGI_CALLED; /* [call] */
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
		magi_thread_yield();
}

/* The lock is held, and let go of in between. It was idle for long: false when it has left the lane. A called one,
 * or the one that some job may need, stays. */
static bool stays(struct magi_lane *l, struct magi_hand *h)
{
	bool leaves, called;

	magi_lock_release(magi_lane_lock(l));
	magi_lock_acquire(&l->door);
	magi_lock_acquire(magi_lane_lock(l));
	called = !h->idle;
	leaves = !called && !magi_lane_any(l);
	if (!called)
		magi_lane_unrest(l, h);
	if (leaves)
		magi_lane_count(l, -1);
	magi_lock_release(&l->door);
	if (called) {
		magi_lock_release(magi_lane_lock(l));
		wait_for_call(h);
		magi_lock_acquire(magi_lane_lock(l));
		l->called--;
	}
	return !leaves;
}

/* The lock is held. Waits to be called; false: it has left the lane. */
static bool rest(struct magi_lane *l, struct magi_hand *h)
{
	bool called;

	if (l->closing) {
		magi_lane_count(l, -1);
		return false;
	}
	magi_store_rlx(&h->call, (uint32_t)MAGI_UNCALLED); /* [call] nobody knows it as idle yet */
	magi_lane_rest(l, h);
	magi_lock_release(magi_lane_lock(l));
	called = sleep_for(h, l->idle_ns);
	magi_lock_acquire(magi_lane_lock(l));
	if (!called)
		return stays(l, h);
	l->called--;
	return true;
}

/* Watching. */

/* The lock is held. Sleeps for a while as the lane's watcher; whether it was called. */
static bool sleep_watching(struct magi_lane *l, struct magi_hand *h)
{
	bool called;

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

static void note_ends(const struct magi_lane *l, uint64_t *ends)
{
	for (int k = 0; k < MAGI_KINDS; k++)
		ends[k] = magi_load_acq(&l->jobs[k].tail); /* [job] */
}

/* Whether a job still waits that did so when the ends were noted. */
static bool lags(const struct magi_lane *l, const uint64_t *ends)
{
	for (int k = 0; k < MAGI_KINDS; k++) {
		if ((int64_t)(ends[k] - magi_load_rlx(&l->jobs[k].head)) > 0) /* [room] ours */
			return true;
	}
	return false;
}

/* The lock is held. One round of watching; it is over when `watches` no longer holds. */
static void watch(struct magi_lane *l, struct magi_hand *h)
{
	uint64_t ends[MAGI_KINDS], taken = l->taken;

	h->watches = !l->closing && !l->watcher;
	if (!h->watches)
		return;
	magi_store_rlx(&h->call, (uint32_t)MAGI_UNCALLED); /* [call] nobody knows it as the watcher yet */
	l->watcher = h;
	magi_lane_settle(l);
	if (magi_lane_urgent(l)) {
		l->watcher = NULL;
		h->watches = false;
		return;
	}
	note_ends(l, ends);
	if (sleep_watching(l, h))
		return;
	if (l->taken == taken) {
		h->watches = false;
		if (magi_lane_ready(l))
			magi_lane_stuck(l);
	} else if (lags(l, ends) && l->running < l->cpus) {
		h->watches = false; /* they move on, but too slowly */
	}
}

/* Working. */

/* The lock is held. Takes a job, if there is one; when there is none, whoever adds one knows that it must call. */
static int take(struct magi_lane *l, struct magi_hand *h, struct magi_job *job)
{
	int kind = magi_lane_take(l, h, job);

	if (MAGI_LIKELY(kind >= 0))
		return kind;
	magi_lane_settle(l);
	return magi_lane_take(l, h, job);
}

/* The lock is held. Runs one job, if there is one. */
static bool work(struct magi_lane *l, struct magi_hand *h)
{
	struct magi_job job;
	struct magi_help help;
	uint64_t began;
	int64_t result;
	bool home;
	int kind = take(l, h, &job);

	if (kind < 0)
		return false;
	help = magi_lane_help(l);
	magi_lock_release(magi_lane_lock(l));
	magi_hand_call(l, help);
	magi_point(MAGI_POINT_JOB, NULL);
	began = magi_ticks();
	result = job.fn(job.arg);
	if (job.destroy)
		job.destroy(job.arg);
	began = magi_ticks() - began;
	if (!job.destroy && MAGI_LIKELY(job.frame != &l->nobody))
		magi_offload_finish(l, job.frame, result);
	magi_lock_acquire(magi_lane_lock(l));
	magi_lane_done(l, &job, kind, began);
	home = job.destroy && magi_offload_finish_owned(h, result);
	if (home || MAGI_UNLIKELY(l->closing)) {
		magi_lane_release(l);
		if (home)
			magi_offload_send_home(l, job.frame);
		magi_lock_acquire(magi_lane_lock(l));
	}
	return true;
}

/* The lock is held, and is not afterwards; it is not counted as alive any more. */
static void end(struct magi_lane *l, struct magi_hand *h)
{
	struct magi_offload *orphaned = l->orphaned ? l->offload : NULL;
	struct magi_hand *before = orphaned ? NULL : l->ended;

	if (!orphaned)
		l->ended = h;
	magi_lane_release(l);
	if (before) {
		magi_thread_join(&before->thread);
		magi_free(before);
	}
	if (orphaned) {
		magi_thread_detach_self();
		magi_free(h);
		magi_offload_unuse(orphaned);
	}
}

void *magi_hand_main(void *arg)
{
	struct magi_hand *h = arg;
	struct magi_lane *l = h->lane;
	bool on = true, searched = false;

	h->thread = magi_thread_self();
	magi_thread_name(l->name);
	magi_lock_acquire(magi_lane_lock(l));
	l->called--;
	while (on) {
		if (h->watches)
			watch(l, h);
		else if (work(l, h))
			searched = false;
		else if (!searched && search(l))
			searched = true; /* it must look once more before it rests */
		else
			on = rest(l, h);
	}
	end(l, h);
	return NULL;
}
