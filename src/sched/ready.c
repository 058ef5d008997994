/* SPDX-License-Identifier: MIT */
/* ready.c - the ways of a woken task to a worker.
 *
 * What:    ready: first in first out, the owner adds, all take. inbox: a stack that any thread pushes to and that is
 *          taken whole, so that there is no ABA; reversed by the taker.
 * Always:  once something has spilled, later ones spill too until the spill is empty: order is kept.
 *          Owner and thieves take at the same end, so the CAS on top alone decides; the ring's split only grows.
 * Pairs:   [hint]  whether something has spilled: stored under the lock, which takers pass before they read it. The
 *          owner alone adds, so it never sees less than there is.
 *          [inbox] pushed (seq) -> taken (acquire). The push is a full barrier: it is followed by a look at who
 *          sleeps, and a sleeper looks at its inbox after its announcement (idle.c [sleep]). */
#include "sched/ready.h"

#include "sched/deque.h"
#include "sched/idle.h"
#include "sched/meet.h"

enum { NEAR = 4, FAR = 12 }; /* how many tasks ahead; picked, a fetch takes as long as a few tasks */

void magi_ready_push(struct magi_ready *q, mag_frame *f)
{
	if (MAGI_LIKELY(!magi_load_rlx(&q->spilled)) && MAGI_LIKELY(magi_deque_push(&q->ring, f))) { /* [hint] */
		magi_deque_share_all(&q->ring);
		return;
	}
	magi_lock_acquire(&q->lock);
	magi_store_rlx(&f->q.next, NULL); /* [state] */
	if (q->tail)
		magi_store_rlx(&q->tail->q.next, f); /* [state] */
	else
		q->head = f;
	q->tail = f;
	magi_store_rlx(&q->spilled, q->spilled + 1); /* [hint] */
	magi_lock_release(&q->lock);
}

static mag_frame *take_spilled(struct magi_ready *q)
{
	mag_frame *f;

	magi_lock_acquire(&q->lock);
	f = q->head;
	if (f) {
		q->head = f->q.next;
		if (!q->head)
			q->tail = NULL;
		magi_store_rlx(&q->spilled, q->spilled - 1); /* [hint] */
	}
	magi_lock_release(&q->lock);
	return f;
}

/* Woken tasks are often cold: what comes soon is fetched ahead. Where nobody else can take them, also their neighbours in
 * the member list, which their end touches. */
static inline void fetch_ahead(struct magi_ready *q)
{
	int64_t top = magi_load_rlx(&q->ring.top); /* [last] */
	int64_t n = magi_load_rlx(&q->ring.bottom) - top; /* [publish] */
	char *f;

	if (n > FAR) {
		f = (char *)magi_load_rlx(magi_deque_slot(&q->ring, top + FAR)); /* [publish] */
		__builtin_prefetch(f, 1);
		__builtin_prefetch(f + 64, 1);
		__builtin_prefetch(f + 128, 1);
	}
	if (q->ring.alone && n > NEAR) {
		mag_frame *g = magi_load_rlx(magi_deque_slot(&q->ring, top + NEAR)); /* [publish] */

		__builtin_prefetch(g->link.next, 1);
		__builtin_prefetch(g->link.pprev, 1);
	}
}

mag_frame *magi_ready_take(struct magi_ready *q)
{
	mag_frame *f;
	bool lost;

	do {
		f = magi_deque_steal(&q->ring, &lost);
		if (f)
			return f;
	} while (lost);
	return magi_load_rlx(&q->spilled) ? take_spilled(q) : NULL; /* [hint] */
}

/* Like a steal, but the owner knows bottom, and needs no barrier to read it; alone, not even a CAS. */
mag_frame *magi_ready_pop(struct magi_ready *q)
{
	struct magi_deque *d = &q->ring;
	int64_t b = magi_load_rlx(&d->bottom); /* [publish] own store */
	int64_t t = magi_load_rlx(&d->top); /* [last] */

	fetch_ahead(q);
	while (t < b) {
		mag_frame *f = magi_load_rlx(magi_deque_slot(d, t)); /* [publish] own store */

		if (d->alone) {
			magi_store_rlx(&d->top, t + 1); /* [last] no thieves */
			return f;
		}
		if (magi_cas_rlx(&d->top, &t, t + 1)) /* [last] */
			return f;
	}
	return magi_load_rlx(&q->spilled) ? take_spilled(q) : NULL; /* [hint] */
}

int64_t magi_ready_count(const struct magi_ready *q)
{
	return magi_deque_count(&q->ring) + magi_load_rlx(&q->spilled); /* [hint] */
}

bool magi_ready_is_long(const struct magi_worker *w)
{
	uint64_t ticks = (uint64_t)magi_ready_count(&w->ready) * magi_load_rlx(&w->pick_ticks); /* [hint] */

	return ticks > MAGI_LONG_US * w->rt->ticks_per_us;
}

static void push_inbox(mag_frame **inbox, mag_frame *f)
{
	mag_frame *head = magi_load_rlx(inbox); /* [inbox] */

	magi_point(MAGI_POINT_ATOMIC, NULL);
	do
		magi_store_rlx(&f->q.next, head); /* [state] */
	while (!magi_cas_seq(inbox, &head, f)); /* [inbox] */
}

void magi_inbox_send(mag_worker *from, struct magi_worker *to, mag_frame *f, bool pinned)
{
	push_inbox(pinned ? &to->pinned_inbox : &to->inbox, f);
	magi_wake_worker(to, from);
}

static bool is_pinned(const mag_frame *f)
{
	return f->leader->flags & MAGI_PINNED;
}

static void append_pinned(struct magi_worker *w, mag_frame *f)
{
	magi_store_rlx(&f->q.next, NULL); /* [state] */
	if (w->pinned_tail)
		magi_store_rlx(&w->pinned_tail->q.next, f); /* [state] */
	else
		w->pinned_head = f;
	w->pinned_tail = f;
}

/* One that its user turns, by and by, comes into question only where there is no other. */
static struct magi_worker *next_worker(mag_runtime *rt)
{
	uint32_t first = rt->hosted && rt->n > 1 ? 1 : 0;

	return rt->workers[first + magi_add_rlx(&rt->next_worker, 1u) % (rt->n - first)]; /* [stat] round robin */
}

/* Once f is in the inbox it may run, end, and let the runtime end, while this thread still rings the doorbell. */
static void resume_from_outside(mag_runtime *rt, mag_frame *f)
{
	magi_visit_begin(rt);
	magi_inbox_send(NULL, magi_idle_worker(rt, next_worker(rt)), f, false);
	magi_visit_end(rt);
}

static bool migrates(const mag_runtime *rt, mag_worker *w)
{
#ifdef MAGI_FORCED_MIGRATION
	(void)w;
	return rt->n > 1;
#else
	return w && magi_worker_of(w)->watched && rt->n > 1 && magi_chance(MAGI_CHANCE_MIGRATE);
#endif
}

static void resume_elsewhere(mag_runtime *rt, mag_worker *w, mag_frame *f)
{
	struct magi_worker *to = next_worker(rt);

	if (w == &to->pub)
		to = next_worker(rt);
	magi_visit_begin(rt);
	magi_inbox_send(w, to, f, false);
	magi_visit_end(rt);
}

void magi_resume_later(mag_runtime *rt, mag_worker *w, mag_frame *f)
{
	if (MAGI_UNLIKELY(is_pinned(f))) {
		struct magi_worker *home = rt->workers[f->leader->home];

		if (w == &home->pub) {
			append_pinned(home, f);
			return;
		}
		magi_visit_begin(rt);
		magi_inbox_send(w, home, f, true);
		magi_visit_end(rt);
		return;
	}
	if (MAGI_UNLIKELY(migrates(rt, w))) {
		resume_elsewhere(rt, w, f);
		return;
	}
	if (MAGI_LIKELY(w != NULL)) {
		magi_ready_push(&magi_worker_of(w)->ready, f);
		magi_offer_woken(w);
	} else {
		resume_from_outside(rt, f);
	}
}

void magi_resume_list(mag_runtime *rt, mag_worker *w, mag_frame *list)
{
	while (list) {
		mag_frame *f = list;

		list = f->q.next;
		magi_resume_later(rt, w, f);
	}
}

mag_frame *magi_resume_here(mag_worker *w, mag_frame *f)
{
	if (MAGI_LIKELY(!f) || MAGI_LIKELY(!is_pinned(f)) || f->leader->home == w->index)
		return f;
	magi_inbox_send(w, magi_runtime_of(w)->workers[f->leader->home], f, true);
	return NULL;
}

/* Takes the whole stack, oldest first. */
static mag_frame *take_inbox(mag_frame **inbox)
{
	mag_frame *f, *list = NULL;

	if (!magi_load_rlx(inbox)) /* [inbox] */
		return NULL;
	f = magi_xchg_acq(inbox, NULL); /* [inbox] */
	while (f) {
		mag_frame *next = f->q.next;

		magi_store_rlx(&f->q.next, list); /* [state] */
		list = f;
		f = next;
	}
	return list;
}

bool magi_inbox_collect(struct magi_worker *w)
{
	mag_frame *list = take_inbox(&w->inbox);
	mag_frame *pinned = take_inbox(&w->pinned_inbox);
	bool any = list || pinned;

	while (list) {
		mag_frame *f = list;

		list = f->q.next;
		magi_ready_push(&w->ready, f);
	}
	while (pinned) {
		mag_frame *f = pinned;

		pinned = f->q.next;
		append_pinned(w, f);
	}
	return any;
}

bool magi_inbox_steal(struct magi_worker *w, struct magi_worker *victim)
{
	mag_frame *list = take_inbox(&victim->inbox);

	if (!list)
		return false;
	while (list) {
		mag_frame *f = list;

		list = f->q.next;
		magi_ready_push(&w->ready, f);
	}
	return true;
}
