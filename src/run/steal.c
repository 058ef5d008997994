/* SPDX-License-Identifier: MIT */
/* steal.c - taking work from other workers: the deque's oldest always; woken tasks, inbox and due timers only from a
 * worker that is busy, so that connections do not bounce.
 *
 * Who:     a searching worker.
 * Always:  what is stolen goes through the thief's ready queue or its own next pick, never through its deque.
 * Pairs:   [busy] run/worker.c */
#include "run/steal.h"

#include "base/clock.h"
#include "sched/ready.h"
#include "task/timer.h"

enum {
	BUSY_US = 50,      /* in one step for longer: its woken tasks may be taken */
	LONG_QUEUE = 32,   /* woken tasks beyond which it counts as busy, too */
	BATCH_MAX = 16,    /* woken tasks taken at once, at most half */
	WATCH_NS = 100000  /* how soon a sleeper looks again at a worker whose woken tasks it may not take yet */
};

static bool is_busy(const struct magi_worker *v, uint64_t now)
{
	uint64_t since = magi_load_acq(&v->step_since); /* [busy] */

	if (since && (int64_t)(now - since) > (int64_t)(BUSY_US * v->rt->ticks_per_us))
		return true;
	return magi_ready_count(&v->ready) > LONG_QUEUE;
}

static bool take_parent(struct magi_worker *w, struct magi_worker *v)
{
	mag_frame *f;
	bool lost;

	do
		f = magi_deque_steal(&v->pub.deque, &lost);
	while (lost);
	if (!f)
		return false;
	if (f->at)
		f->taken++;
	if (magi_resume_here(&w->pub, f))
		magi_ready_push(&w->ready, f);
	return true;
}

static bool take_woken(struct magi_worker *w, struct magi_worker *v)
{
	int64_t n = (magi_ready_count(&v->ready) + 1) / 2;
	bool any = false;

	for (int64_t i = 0; i < n && i < BATCH_MAX; i++) {
		mag_frame *f = magi_ready_take(&v->ready);

		if (!f)
			break;
		magi_ready_push(&w->ready, f);
		any = true;
	}
	return any || magi_inbox_steal(w, v);
}

static bool from_victim(struct magi_worker *w, struct magi_worker *v)
{
	if (take_parent(w, v))
		return true;
	if (!is_busy(v, magi_ticks()))
		return false;
	if (take_woken(w, v))
		return true;
	return magi_wheel_next(&v->wheel) <= magi_now(w) && magi_timers_expire(w, v, magi_now(w));
}

bool magi_steal(struct magi_worker *w)
{
	uint32_t n = w->rt->n;
	uint32_t first = magi_random_below(&w->random, n);

	for (uint32_t i = 0; i < n; i++) {
		struct magi_worker *v = w->rt->workers[(first + i) % n];

		if (v != w && from_victim(w, v)) {
			magi_store_rlx(&w->steals, w->steals + 1); /* [stat] */
			return true;
		}
	}
	return false;
}

/* A worker in a step may be busy when its next timer is due. */
static uint64_t until_timers(const struct magi_worker *w, const struct magi_worker *v, uint64_t watch)
{
	uint64_t next = magi_wheel_next(&v->wheel), now = magi_now(w), left;

	if (next == MAGI_NEVER)
		return watch;
	left = next > now + WATCH_NS ? next - now : WATCH_NS;
	return left < watch ? left : watch;
}

uint64_t magi_steal_watch(struct magi_worker *w)
{
	uint64_t watch = MAGI_NEVER, now = magi_ticks();

	for (uint32_t i = 0; i < w->rt->n; i++) {
		struct magi_worker *v = w->rt->workers[i];
		bool woken;

		if (v == w)
			continue;
		if (magi_deque_count(&v->pub.deque))
			return 0;
		if (!magi_load_acq(&v->step_since)) /* [busy] it sleeps or searches, and looks itself */
			continue;
		woken = magi_ready_count(&v->ready) || magi_load_acq(&v->inbox); /* [inbox] */
		if (woken && is_busy(v, now))
			return 0;
		if (woken)
			watch = WATCH_NS;
		else
			watch = until_timers(w, v, watch);
	}
	return watch;
}
