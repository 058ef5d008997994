/* SPDX-License-Identifier: MIT */
/* idle.c - the eventcount: no worker sleeps while there is work it could take, and no more are woken than needed.
 *
 * What:    a set of sleepers (a bit a worker) and a count of searchers.
 * Who:     sleep, search: the worker itself. wake: any thread.
 * Always:  whoever clears a sleeper's bit rings its doorbell, the sleeper itself excepted.
 *          A sleeper announces itself, passes a full barrier, looks at every source once more, and only then blocks.
 * Pairs:   [sleep] announce, barrier, look at all vs. those who add work, pass a barrier, and look who sleeps: they
 *          either see the sleeper, or it sees the work. The barriers order; the announcement itself is relaxed. Those
 *          who add by a read-modify-write (inbox, mail, stop) have their barrier: it and their look are seq. Owners
 *          that push to deque or ready queue have none: the sleeper makes it for them, by membarrier(2), which passes a
 *          full barrier on every running thread of the process; it is left out when every other worker sleeps. Where
 *          there is no membarrier, owners are shown a set that is never empty, and pay for the barrier in the slow
 *          path. A bit is cleared (acquire, release), and its sleeper sees that (acquire): with it comes a grant to
 *          search, which is relaxed itself.
 *          [search] a searcher leaves, passes a barrier, and looks: at all sources before it sleeps, at what others
 *          could take when it has found something, at who sleeps when it has left in the name of a sleeper that had
 *          woken up by itself. Whoever skipped a wake because of it had added its work before, with a full barrier
 *          between: so either the one or the other sees it. A grant raises the count from 0 (acquire), and who has
 *          taken it lowers it (release): so one grant is over before the next is given.
 *          [watch] while some worker takes up work and another sleeps, one or two of those who sleep watch: they look
 *          again soon. The worker that a loop turns does so besides: who knows when.
 *          Who takes up work says so, passes a barrier, and looks whether somebody watches. Who has watched ends that,
 *          announces its next sleep as above, and then looks at who takes up work ([busy], run/worker.c). All relaxed,
 *          but the barriers
 * Not:     a time-out as a safety net: it hides lost wakeups. A wake per push: it costs the waker 8 us. */
#include "sched/idle.h"

#include "base/barrier.h"
#include "sched/deque.h"
#include "sched/ready.h"

enum {
	OFFER_EVERY_US = 1000,
	WATCHERS = 2, /* with one, two workers that sleep by turns would wake each other each time */
	AWAY = 1 << 16 /* among the watchers, the one without a thread, who looks when its loop lets it */
};

int magi_idle_init(mag_runtime *rt)
{
	rt->idle.everyone = UINT64_MAX;
	rt->idle.fenced = rt->n > 1 && !magi_barrier_works();
	return 0;
}

static bool unset(struct magi_idle *idle, uint32_t index)
{
	uint64_t bit = UINT64_C(1) << index;

	return magi_and_ar(&idle->sleepers, ~bit) & bit; /* [sleep] */
}

static void ring(struct magi_worker *to, mag_worker *from)
{
	struct magi_worker *w = from ? magi_worker_of(from) : NULL;

	if (w)
		magi_store_rlx(&w->wakes, w->wakes + 1); /* [stat] */
	to->ops->wake(to->io, w ? w->io : NULL);
}

void magi_wake_worker(struct magi_worker *to, mag_worker *from)
{
	struct magi_idle *idle = &to->rt->idle;

	magi_point(MAGI_POINT_ATOMIC, NULL);
	if ((magi_load_seq(&idle->sleepers) >> to->pub.index & 1) && unset(idle, to->pub.index)) /* [sleep] */
		ring(to, from);
}

/* Those of a set that wake up when they are rung at: when the next turn of one comes that its user turns, nobody knows. */
static uint64_t with_threads(const mag_runtime *rt, uint64_t set)
{
	return rt->hosted ? set & ~(UINT64_C(1) << rt->here->pub.index) : set;
}

static bool is_away(const struct magi_worker *w)
{
	return w->rt->hosted && w == w->rt->here;
}

/* Whether somebody looks again soon. The one whose loop may be away counts where there is nobody else to wake. */
static bool is_watched(const mag_runtime *rt)
{
	uint32_t watchers = magi_load_rlx(&rt->idle.watchers); /* [watch] */

	if (watchers % AWAY)
		return true;
	return watchers && !with_threads(rt, magi_load_rlx(&rt->idle.sleepers)); /* [sleep] */
}

/* Gives the grant to search to one who sleeps, and rings; false when all of them woke up by themselves meanwhile, or the
 * one without a thread alone sleeps: that is rung at, and the others need not wait for its search. */
static bool grant(mag_runtime *rt, uint64_t sleepers, mag_worker *from)
{
	struct magi_idle *idle = &rt->idle;

	while (sleepers) {
		uint64_t set = with_threads(rt, sleepers);
		struct magi_worker *to;

		if (!set) {
			magi_wake_worker(rt->here, from);
			return false;
		}
		to = rt->workers[__builtin_ctzll(set)];
		/* before the bit goes: whoever is found awake afterwards has seen the grant, or it is taken back */
		magi_store_rlx(&to->search_granted, 1u); /* [sleep] */
		if (unset(idle, to->pub.index)) {
			ring(to, from);
			return true;
		}
		if (!magi_xchg_rlx(&to->search_granted, 0u)) /* [sleep] */
			return true;
		sleepers = magi_load_rlx(&idle->sleepers); /* [sleep] */
	}
	return false;
}

/* Wakes one sleeper to search, if nobody does. */
static void wake_searcher(mag_runtime *rt, mag_worker *from)
{
	struct magi_idle *idle = &rt->idle;
	uint64_t sleepers = magi_load_rlx(&idle->sleepers); /* [sleep] */

	while (sleepers && !magi_load_rlx(&idle->searching)) { /* [search] */
		uint32_t none = 0;

		if (!magi_cas_acq(&idle->searching, &none, 1u)) /* [search] in the name of the one to be woken */
			return;
		if (grant(rt, sleepers, from))
			return;
		magi_sub_rel(&idle->searching, 1u); /* [search] */
		/* Others may have skipped a wake because of this: their work is seen by who sleeps from now on, or they
		 * are seen here. */
		magi_fence_seq(&idle->searching);          /* [search] */
		sleepers = magi_load_rlx(&idle->sleepers); /* [sleep] */
	}
}

static void wake_for_work(mag_worker *pub)
{
	mag_runtime *rt = magi_runtime_of(pub);

	magi_fence_seq(&rt->idle.searching); /* [search] between the work that was added and the look at who searches */
	wake_searcher(rt, pub);
}

void magi_wake_for_work(mag_worker *pub)
{
	magi_deque_share(&pub->deque);
	wake_for_work(pub);
}

void magi_offer_woken(mag_worker *pub)
{
	struct magi_worker *w = magi_worker_of(pub);

	if (MAGI_LIKELY(magi_load_rlx(pub->sleepers) == 0)) /* [sleep] */
		return;
	/* One is taken up by its waker next. A few are in most cases as well, before a thief is there: so often is enough.
	 * Should a step go on for long, the watcher comes for them. */
	if (magi_ready_count(&w->ready) <= 1)
		return;
	if (w->polled_at - w->offered_at < OFFER_EVERY_US * w->rt->ticks_per_us && !magi_ready_is_long(w))
		return;
	w->offered_at = w->polled_at;
	wake_for_work(pub);
}

void magi_wake_all(mag_runtime *rt)
{
	for (uint32_t i = 0; i < rt->n; i++)
		magi_wake_worker(rt->workers[i], NULL);
}

struct magi_worker *magi_idle_worker(mag_runtime *rt, struct magi_worker *otherwise)
{
	uint64_t sleepers = magi_load_rlx(&rt->idle.sleepers); /* [sleep] a hint */

	if (sleepers >> otherwise->pub.index & 1)
		return otherwise;
	sleepers = with_threads(rt, sleepers);
	return sleepers ? rt->workers[__builtin_ctzll(sleepers)] : otherwise;
}

bool magi_search_begin(struct magi_worker *w)
{
	struct magi_idle *idle = &w->rt->idle;
	uint32_t most = w->rt->n / 2 ? w->rt->n / 2 : 1;

	if (w->searching)
		return true;
	if (magi_load_rlx(&idle->searching) >= most) /* [search] */
		return false;
	magi_add_rlx(&idle->searching, 1u); /* [search] */
	w->searching = true;
	return true;
}

/* Whether there is something that one more searcher could take. */
static bool work_in_sight(const mag_runtime *rt)
{
	for (uint32_t i = 0; i < rt->n; i++) {
		const struct magi_worker *v = rt->workers[i];

		if (magi_deque_count(&v->pub.deque) || magi_ready_is_long(v))
			return true;
	}
	return false;
}

/* Whether it was the last one. */
static bool leave(struct magi_worker *w)
{
	bool searched = w->searching;

	w->searching = false;
	return searched && magi_sub_rel(&w->rt->idle.searching, 1u) == 1; /* [search] */
}

void magi_search_end(struct magi_worker *w)
{
	leave(w);
}

void magi_search_found(struct magi_worker *w)
{
	bool last = leave(w);

	if (w->rt->n == 1)
		return;
	magi_fence_seq(&w->rt->idle.watchers); /* [search] [watch] [busy] */
	/* Others may have skipped a wake because this one searched; and somebody must be there to see when a step of it
	 * takes long. */
	if (!is_watched(w->rt) || (last && work_in_sight(w->rt)))
		wake_searcher(w->rt, &w->pub);
}

void magi_sleep_begin(struct magi_worker *w)
{
	struct magi_idle *idle = &w->rt->idle;
	uint64_t bit = UINT64_C(1) << w->pub.index;
	uint64_t all = w->rt->n == 64 ? UINT64_MAX : (UINT64_C(1) << w->rt->n) - 1;
	uint64_t before = magi_or_rlx(&idle->sleepers, bit); /* [sleep] */

	if ((before | bit) != all && !idle->fenced)
		magi_barrier_all();
	else
		magi_fence_seq(&idle->sleepers); /* [sleep] [busy] the announcement alone orders no look */
}

bool magi_watch_begin(struct magi_worker *w)
{
	struct magi_idle *idle = &w->rt->idle;

	/* one too many does no harm */
	w->watching = is_away(w) || magi_load_rlx(&idle->watchers) % AWAY < WATCHERS; /* [watch] */
	if (w->watching)
		magi_add_rlx(&idle->watchers, is_away(w) ? (uint32_t)AWAY : 1u); /* [watch] */
	return w->watching;
}

void magi_sleep_end(struct magi_worker *w)
{
	struct magi_idle *idle = &w->rt->idle;

	if (w->watching) {
		w->watching = false;
		magi_sub_rlx(&idle->watchers, is_away(w) ? (uint32_t)AWAY : 1u); /* [watch] the next announcement is fenced */
	}
	if (magi_load_acq(&idle->sleepers) >> w->pub.index & 1) /* [sleep] */
		unset(idle, w->pub.index);
	/* a grant that came while it woke for another reason is a searcher's duty all the same */
	if (magi_load_rlx(&w->search_granted) && magi_xchg_rlx(&w->search_granted, 0u)) /* [sleep] */
		w->searching = true;
}
