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
	SPAWNED_MAX = 64,  /* spawned tasks taken at once, at most half */
	WATCH_NS = 100000, /* how soon a sleeper looks again at a worker whose woken tasks it may not take yet */
	SLOW_WATCH_NS = 1000000,      /* the same at one that is in a step and has none: it may come to have some */
	SLOWEST_WATCH_NS = 16000000
};

static bool is_busy(const struct magi_worker *v, uint64_t now)
{
	uint64_t since = magi_load_acq(&v->step_since); /* [busy] */

	if (since && (int64_t)(now - since) > (int64_t)(BUSY_US * v->rt->ticks_per_us))
		return true;
	return magi_ready_count(&v->ready) > LONG_QUEUE;
}

static mag_frame *take_oldest(struct magi_worker *v)
{
	mag_frame *f;
	bool lost;

	do
		f = magi_deque_steal(&v->pub.deque, &lost);
	while (lost);
	return f;
}

static void keep(struct magi_worker *w, mag_frame *f)
{
	if (f->at)
		f->taken++;
	f = magi_resume_here(&w->pub, f);
	if (f)
		magi_ready_push(&w->ready, f);
}

/* The oldest of a fork tree is the largest piece of work: one is enough. Spawned tasks are small and many: up to half of
 * them, since each trip costs two cache misses on both sides. */
static bool take_from_deque(struct magi_worker *w, struct magi_worker *v)
{
	mag_frame *f = take_oldest(v);
	int64_t n;

	if (!f)
		return false;
	n = f->at ? 0 : magi_deque_count(&v->pub.deque) / 2;
	keep(w, f);
	for (int64_t i = 0; i < n && i < SPAWNED_MAX && (f = take_oldest(v)); i++) {
		bool started = f->at;

		__builtin_prefetch(f, 1);
		keep(w, f);
		if (started)
			break;
	}
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
	if (take_from_deque(w, v))
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
			w->slow_watch = SLOW_WATCH_NS;
			return true;
		}
	}
	return false;
}

/* A worker in a step may wake tasks and go on, and may be busy when its next timer is due. */
static uint64_t watch_step(const struct magi_worker *w, const struct magi_worker *v)
{
	uint64_t next = magi_wheel_next(&v->wheel), now, left;

	if (next == MAGI_NEVER)
		return w->slow_watch;
	now = magi_now(w);
	left = next > now + WATCH_NS ? next - now : WATCH_NS;
	return left < w->slow_watch ? left : w->slow_watch;
}

uint64_t magi_steal_watch(struct magi_worker *w)
{
	uint64_t watch = MAGI_NEVER, now = magi_ticks(), one;

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
		one = woken ? WATCH_NS : watch_step(w, v);
		watch = one < watch ? one : watch;
	}
	w->slow_watch = w->slow_watch < SLOWEST_WATCH_NS ? 2 * w->slow_watch : SLOWEST_WATCH_NS;
	return watch;
}
