/* SPDX-License-Identifier: MIT */
/* steal.c - taking work from other workers: the deque's oldest always; woken tasks, inbox and due timers only from a
 * worker that is busy, so that connections do not bounce.
 *
 * Who:     a searching worker.
 * Always:  what is stolen goes through the thief's ready queue or its own next pick, never through its deque.
 * Pairs:   [busy] run/worker.c
 *          [hint] relaxed: how often v has picked, and when some thief first saw it in the step it is in. A stale one
 *          says that a step is new when it is not, or, once in 65,536, old when it is new: a woken task moves, or stays
 *          a little longer
 * Not:     a time stamp at each pick for thieves to read: the clock costs the owner as much as a short step. */
#include "run/steal.h"

#include "base/clock.h"
#include "sched/deque.h"
#include "sched/ready.h"
#include "task/timer.h"

enum {
	BUSY_US = 50,      /* in one step for longer: its woken tasks may be taken */
	BATCH_MAX = 16,    /* woken tasks taken at once, at most half */
	SPAWNED_MAX = 128,  /* spawned tasks taken at once, at most half */
	WATCH_NS = 100000, /* how soon a sleeper looks again at a worker whose woken tasks it may not take yet */
	SLOW_WATCH_NS = 1000000, /* the same at one that has none, or goes on with them: that may change */
	SLOWEST_WATCH_NS = 16000000
};

enum step { ASLEEP, NEW_STEP, OLD_STEP, LONG_STEP };

/* Whether v is in the step that some thief saw it in before, and since when. */
static enum step step_of(struct magi_worker *v)
{
	uint64_t noted, pick, now;

	if (!magi_load_rlx(&v->awake)) /* [busy] */
		return ASLEEP;
	noted = magi_load_rlx(&v->noted); /* [hint] */
	pick = magi_load_rlx(&v->picks) & 0xffff; /* [hint] */
	now = magi_ticks() << 16;
	if ((noted & 0xffff) != pick) {
		magi_store_rlx(&v->noted, now | pick); /* [hint] */
		return NEW_STEP;
	}
	return (int64_t)(now - noted) > (int64_t)(BUSY_US * v->rt->ticks_per_us << 16) ? LONG_STEP : OLD_STEP;
}

static bool is_busy(struct magi_worker *v)
{
	return step_of(v) == LONG_STEP || magi_ready_is_long(v);
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
static bool take_shared(struct magi_worker *w, struct magi_worker *v)
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

/* What is private is asked for. The owner answers at its next push or pick; if it is in a long step, some is taken
 * without it. */
static bool take_from_deque(struct magi_worker *w, struct magi_worker *v)
{
	struct magi_deque *d = &v->pub.deque;

	while (!take_shared(w, v)) {
		if (!magi_deque_count(d))
			return false;
		if (magi_deque_ask(d) > BUSY_US * v->rt->ticks_per_us)
			return !w->rt->idle.fenced && magi_deque_revoke(d) && take_shared(w, v);
		magi_spin();
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
	if (!is_busy(v))
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

/* How soon to look again at a worker that is awake: it may have woken tasks, or timers that are due, and be in one step
 * for long. */
static uint64_t watch_one(const struct magi_worker *w, struct magi_worker *v)
{
	bool woken = magi_ready_count(&v->ready) || magi_load_rlx(&v->inbox); /* [inbox] */
	enum step step = step_of(v);
	uint64_t next, now, left;

	if (woken && step >= OLD_STEP)
		return step == LONG_STEP ? 0 : WATCH_NS;
	next = magi_wheel_next(&v->wheel);
	if (next == MAGI_NEVER)
		return w->slow_watch;
	now = magi_now(w);
	left = next > now + WATCH_NS ? next - now : WATCH_NS;
	return left < w->slow_watch ? left : w->slow_watch;
}

/* Whether others have taken something up since the last time: then they soon may again. */
static bool others_moved(struct magi_worker *w)
{
	uint64_t picks = 0;
	bool moved;

	for (uint32_t i = 0; i < w->rt->n; i++) {
		if (w->rt->workers[i] != w)
			picks += magi_load_rlx(&w->rt->workers[i]->picks); /* [hint] */
	}
	moved = picks != w->others;
	w->others = picks;
	return moved;
}

uint64_t magi_steal_watch(struct magi_worker *w)
{
	uint64_t watch = others_moved(w) ? w->slow_watch : MAGI_NEVER, one;

	for (uint32_t i = 0; i < w->rt->n; i++) {
		struct magi_worker *v = w->rt->workers[i];

		if (v == w)
			continue;
		if (magi_deque_count(&v->pub.deque))
			return 0;
		if (!magi_load_rlx(&v->awake)) /* [busy] it sleeps or searches, and looks itself */
			continue;
		one = watch_one(w, v);
		watch = one < watch ? one : watch;
	}
	w->slow_watch = w->slow_watch < SLOWEST_WATCH_NS ? 2 * w->slow_watch : SLOWEST_WATCH_NS;
	return watch;
}
