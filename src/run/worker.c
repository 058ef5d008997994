/* SPDX-License-Identifier: MIT */
/* worker.c - the loop of a worker: pick, run, look around, steal, sleep.
 *
 * Who:     the worker's own thread.
 * Always:  newest of the deque first, woken tasks in order; pinned ones every other time; every 61st pick takes the
 *          oldest of the deque. At least every 61 picks or 100 us it looks at inbox, mail, timers and ring, and then all
 *          that is woken comes before the deque.
 *          Before it blocks it has announced its sleep and looked at every source once more (idle.c).
 * Pairs:   [busy] whether it takes up work: stored (relaxed), then a barrier, then a look at who watches; who thinks of
 *          sleeping announces that, passes a barrier, then loads it (relaxed): one of the two sees the other (idle.c)
 *          [hint] relaxed: a count; thieves see from it that the same step still runs
 *          [hint] also how long a pick lasts, for who asks whether a queue is long
 *          [stop] stored (seq) by who stops the runtime, who then wakes all; a worker loads it (relaxed) after the
 *          barrier of its sleep. Nothing is read through it: by then nothing runs, and the end passes the monitor.
 * Not:     looking at the ring after each step: an entry costs more than a batch of operations.
 *          Reading the clock at each pick: a short step takes no longer than that. */
#include "run/worker.h"

#include <errno.h>

#include "base/assert.h"
#include "base/clock.h"
#include "sched/deque.h"
#include "sched/idle.h"
#include "task/iop.h"
#include "sched/ready.h"
#include "sched/slab.h"
#include "run/quit.h"
#include "run/stall.h"
#include "run/steal.h"
#include "task/group.h"
#include "task/timer.h"

enum {
	BUDGET = 1024,       /* steps before others get their turn; a fork-join step takes some 5 ns, a server's 1 us */
	FAIR_EVERY = 61,     /* picks; a prime, so that it does not beat with periodic work (Go, Tokio use the same) */
	LOOK_EVERY_US = 100,
	CLOCK_EVERY = 8,     /* picks, while they are short: so many steps that are suddenly long go unnoticed */
	SPIN_MIN_NS = 1000,  /* below this, spinning is tried only now and then */
	MANY_TIMERS = 256,   /* from here on timers are served together */
	PACE_NS = 250000     /* at the most this late; libuv and Tokio count in milliseconds */
};

/* Running. */

/* Between two looks with enough picks between them it was not idle: each idling looks itself. */
static void measure_picks(struct magi_worker *w, uint64_t ticks)
{
	uint64_t n = w->picks - w->polled_pick;

	if (n >= CLOCK_EVERY)
		magi_store_rlx(&w->pick_ticks, (3 * w->pick_ticks + (ticks - w->polled_at) / n) / 4); /* [hint] */
	w->polled_at = ticks;
	w->polled_pick = w->picks;
}

/* A world of a test's own has a time of its own. */
static void stamp(struct magi_worker *w, uint64_t now)
{
	if (MAGI_LIKELY(!w->rt->options.world))
		w->stamp = (uint32_t)((now - w->rt->began) / MAGI_NS_PER_MS) + 1;
}

bool magi_worker_look(struct magi_worker *w)
{
	uint64_t now;
	bool any;

	measure_picks(w, magi_ticks());
	w->clock_pick = w->picks + 1;
	any = magi_inbox_collect(w);
	magi_io_read_mail(w);
	if (w->ops->due(w->io) && magi_io_poll(w, 0))
		any = true;
	now = magi_now(w);
	stamp(w, now);
	if (magi_timers_expire(w, w, now))
		w->served_at = now;
	magi_slab_publish(w);
	return any;
}

/* The clock is read at the first pick after a look, the second, the fourth, and so on, as long as they are short. */
static bool look_is_due(struct magi_worker *w)
{
	uint64_t n = w->picks - w->polled_pick, late = LOOK_EVERY_US * w->rt->ticks_per_us, passed;

	if (n >= FAIR_EVERY)
		return true;
	if (MAGI_LIKELY(w->picks < w->clock_pick))
		return false;
	passed = magi_ticks() - w->polled_at;
	w->clock_pick = w->picks + (passed > late / 4 || n < 1 ? 1 : n < CLOCK_EVERY ? n : CLOCK_EVERY);
	return passed > late;
}

static void count_pick(struct magi_worker *w)
{
	magi_store_rlx(&w->picks, w->picks + 1); /* [hint] */
}

/* The budget is used up. f goes on at once if nobody waits for the worker; else one round of woken tasks comes first,
 * f at its end. Its ancestors stay in the deque meanwhile: taking these up first would break the fork tree apart. */
static mag_frame *out_of_budget(struct magi_worker *w, mag_frame *f)
{
	count_pick(w);
	magi_group_settle(w, NULL);
	w->clock_pick = w->picks; /* so many steps may have taken long */
	if (look_is_due(w))
		magi_worker_look(w);
	w->round = magi_ready_count(&w->ready);
	if (!w->round && !w->pinned_head)
		return f;
	w->round++;
	magi_resume_later(w->rt, &w->pub, f);
	return NULL;
}

/* A step function ends with a verb: after a plain return its task is lost. Users' debug builds tell. */
static inline void check_left(mag_worker *pub)
{
#ifdef MAGPIE_DEBUG
	if (pub->inside)
		magi_panic("step function", 0, "%s was left by a plain return: MAG_RETURN ends it", pub->inside);
#else
	(void)pub;
#endif
}

/* A simulation may let another go first at each step; in debug mode it is known how long each takes. */
static void run_stepwise(struct magi_worker *w, mag_frame *f)
{
	mag_worker *pub = &w->pub;

	do {
		uint32_t budget = BUDGET;

		do {
			struct magi_step step;

			magi_point(MAGI_POINT_STEP, f);
			magi_step_begin(w, f, &step);
			f = f->step(pub, f);
			magi_step_end(w, &step);
			check_left(pub);
		} while (f && --budget);
		if (f)
			f = out_of_budget(w, f);
	} while (f);
}

static void run(struct magi_worker *w, mag_frame *f)
{
	mag_worker *pub = &w->pub;

	do {
		uint32_t budget = BUDGET;

		do {
			f = f->step(pub, f);
			check_left(pub);
		} while (f && --budget);
		if (f)
			f = out_of_budget(w, f);
	} while (f);
}

/* An entry of the deque was taken out by other than the child that ended: a parent counts that for its join. */
static mag_frame *from_deque(mag_frame *f)
{
	if (f && f->at)
		f->taken++;
	return f;
}

static mag_frame *pop_pinned(struct magi_worker *w)
{
	mag_frame *f = w->pinned_head;

	if (f) {
		w->pinned_head = f->q.next;
		if (!w->pinned_head)
			w->pinned_tail = NULL;
	}
	return f;
}

/* Woken and pinned tasks need none of this: each look begins a round of the first, every other pick is the others'. */
static mag_frame *pick_oldest(struct magi_worker *w)
{
	bool lost;
	mag_frame *f = from_deque(magi_deque_steal(&w->pub.deque, &lost));

	if (!f && magi_deque_count(&w->pub.deque)) { /* it is private */
		magi_deque_share(&w->pub.deque);
		f = from_deque(magi_deque_steal(&w->pub.deque, &lost));
	}
	return f ? magi_resume_here(&w->pub, f) : NULL;
}

static mag_frame *pick(struct magi_worker *w)
{
	mag_frame *f = NULL;

	if (MAGI_UNLIKELY(w->picks % FAIR_EVERY == FAIR_EVERY - 1))
		f = pick_oldest(w);
	if (!f && w->pinned_head && (w->picks & 1)) /* they run nowhere else: every other pick is theirs */
		f = pop_pinned(w);
	if (!f && w->round > 0) {
		w->round--;
		f = magi_ready_pop(&w->ready);
	}
	if (!f && magi_deque_count(&w->pub.deque))
		f = from_deque(magi_deque_pop(&w->pub.deque));
	if (!f)
		f = magi_ready_pop(&w->ready);
	if (!f)
		f = pop_pinned(w);
	return f;
}

/* It has found something. That it takes up work is said first: the last searcher that leaves may rely on it. */
static void wake_up(struct magi_worker *w)
{
	magi_store_rlx(&w->awake, 1u); /* [busy] */
	magi_search_found(w);
}

bool magi_worker_tick(struct magi_worker *w)
{
	mag_frame *f;

	if (MAGI_UNLIKELY(look_is_due(w))) {
		magi_worker_look(w);
		if (w->round <= 0) /* a deque that is never empty must not keep woken tasks waiting */
			w->round = magi_ready_count(&w->ready);
	}
	if (MAGI_UNLIKELY(magi_load_rlx(&w->pub.deque.asked))) /* [hint] */
		magi_deque_share(&w->pub.deque);
	f = pick(w);
	magi_group_settle(w, f);
	if (!f)
		return false;
	count_pick(w);
	if (MAGI_UNLIKELY(!w->awake))
		wake_up(w);
	if (MAGI_UNLIKELY(w->stepwise))
		run_stepwise(w, f);
	else
		run(w, f);
	return true;
}

/* Idling. */

/* The end of the background is the end, too, for who turns the worker to that end. */
static bool stopping(const struct magi_worker *w)
{
	return magi_load_rlx(&w->rt->stop) || (w->ends && magi_load_rlx(&w->rt->drained)); /* [stop] */
}

static bool anything_here(const struct magi_worker *w)
{
	return magi_deque_count(&w->pub.deque) || magi_ready_count(&w->ready) || w->pinned_head;
}

bool magi_worker_goes_on(const struct magi_worker *w)
{
	return !stopping(w) || anything_here(w);
}

/* Until when to sleep for its own timers. Many timers close to one another are served together: a wake of the thread
 * costs as much as a hundred of them. A few timers are served on time. */
static uint64_t timers_deadline(const struct magi_worker *w)
{
	uint64_t next = magi_wheel_next(&w->wheel);

	if (next == MAGI_NEVER || magi_wheel_armed(&w->wheel) < MANY_TIMERS)
		return next;
	return next < w->served_at + PACE_NS ? w->served_at + PACE_NS : next;
}

/* Announces its sleep and looks everywhere once more. False: there is something. */
static bool fall_asleep(struct magi_worker *w, uint64_t *deadline)
{
	uint64_t now = magi_now(w);
	uint64_t timers = timers_deadline(w);
	uint64_t watch;

	magi_search_end(w);
	magi_sleep_begin(w);
	magi_point(MAGI_POINT_ATOMIC, NULL);
	magi_inbox_collect(w);
	magi_io_read_mail(w);
	watch = magi_steal_watch(w);
	if (anything_here(w) || !watch || stopping(w))
		return false;
	magi_store_rlx(&w->parks, w->parks + 1); /* [stat] */
	if (timers < *deadline)
		*deadline = timers;
	if (watch != MAGI_NEVER && magi_watch_begin(w))
		*deadline = now + watch < *deadline ? now + watch : *deadline;
	return true;
}

/* Blocks if there is really nothing. */
static void sleep_until_work(struct magi_worker *w, uint64_t deadline)
{
	if (fall_asleep(w, &deadline)) {
		if (deadline == MAGI_NEVER)
			magi_quit_sleeps(w);
		magi_io_poll(w, deadline);
		stamp(w, magi_now(w));
	}
	magi_sleep_end(w);
}

int magi_worker_doze(struct magi_worker *w, uint64_t *until)
{
	int fd = -EAGAIN;

	*until = MAGI_NEVER;
	if (fall_asleep(w, until))
		fd = w->ops->doze(w->io, until);
	if (fd < 0)
		magi_sleep_end(w);
	return fd;
}

void magi_worker_wake(struct magi_worker *w)
{
	magi_sleep_end(w);
	magi_io_poll(w, 0);
	stamp(w, magi_now(w));
}

enum found { NOTHING, TIMERS, WORK };

static enum found look_once(struct magi_worker *w, bool may_steal)
{
	if (may_steal && magi_steal(w))
		return WORK;
	if (magi_worker_look(w))
		return WORK;
	return anything_here(w) ? TIMERS : NOTHING;
}

/* Looks for work on other workers, and on its own ring, for a while. */
static enum found search(struct magi_worker *w)
{
	bool may_steal = w->rt->n > 1 && magi_search_begin(w);
	enum found found = look_once(w, may_steal);
	uint64_t until;

	if (found || !w->spin_ns || stopping(w))
		return found;
	until = magi_clock_ns() + w->spin_ns;
	do {
		magi_spin();
		found = look_once(w, may_steal);
	} while (!found && !stopping(w) && magi_clock_ns() < until);
	return found;
}

bool magi_worker_seek(struct magi_worker *w)
{
	magi_store_rlx(&w->awake, 0u); /* [busy] */
	return search(w);
}

/* Spinning pays when work comes soon after it. When none comes, less of it is tried, then none but now and then; timers
 * are no reason to spin: sleep ends on time, too. */
static void adapt_spin(struct magi_worker *w, enum found found)
{
	uint32_t most = w->rt->spin_us * 1000;

	if (!most)
		return;
	w->searches++;
	if (found == WORK)
		w->spin_ns = most;
	else if (w->spin_ns > SPIN_MIN_NS)
		w->spin_ns /= 2;
	else
		w->spin_ns = w->searches % 16 ? 0 : most;
}

void magi_worker_idle(struct magi_worker *w, uint64_t deadline)
{
	enum found found;

	magi_store_rlx(&w->awake, 0u); /* [busy] */
	found = search(w);
	adapt_spin(w, found);
	if (!found)
		sleep_until_work(w, deadline);
}
