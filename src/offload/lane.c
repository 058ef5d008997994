/* SPDX-License-Identifier: MIT */
/* lane.c - which job may run next, and when a lane gets one more hand.
 *
 * What:    a job that waits while no hand is on its way is a reason to call one, but not at once in any case: a
 *          call costs the caller 8 us and the called hand 25, during which one hand runs a hundred short jobs. So
 *          as long as recent jobs were short, a hand that watches is enough: it looks twice a millisecond whether
 *          the jobs move on.
 * Who:     whoever holds the lane's lock; prepare: the door.
 * Always:  each kind can be sure of its reserved hands: others take one only if enough are left for it. */
#include "offload/lane.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "task/wait.h"

enum {
	BLOCKING_MAX = 64,
	IDLE_S = 10,
	LONG_US = 20, /* from here on one more hand is worth its call; picked */
	PACE_CAP = 4, /* one job that was held up counts as so many long ones at most */
	PACE_KEEP = 8 /* how many jobs the pace remembers, about */
};

static void set_shares(struct magi_lane *l, enum mag_lane which)
{
	for (int k = 0; k < MAGI_KINDS; k++)
		l->share[k] = l->max;
	if (which == MAG_COMPUTE)
		return;
	if (l->max >= 4)
		l->reserved = l->max / 8 ? l->max / 8 : 1;
	l->share[MAG_KIND_RESOLVE >> 8] = (l->max + 3) / 4;
}

void magi_lane_init(struct magi_lane *l, struct magi_offload *o, mag_runtime *rt, uint32_t cpus, enum mag_lane which)
{
	const mag_runtime_options *options = &rt->options;

	magi_waitq_init(&l->waits, magi_offload_gone);
	l->offload = o;
	l->rt = rt;
	l->cpus = cpus;
	if (which == MAG_BLOCKING) {
		l->name = "mag-blocking";
		l->max = options->blocking_max ? options->blocking_max : BLOCKING_MAX;
	} else {
		l->name = "mag-compute";
		l->max = options->compute_threads ? options->compute_threads : cpus;
	}
	l->idle_ns = options->lane_idle_ns ? options->lane_idle_ns : IDLE_S * MAGI_NS_PER_S;
	l->ticks_per_us = rt->ticks_per_us;
	l->long_ticks = LONG_US * rt->ticks_per_us;
	l->pace = l->long_ticks; /* nothing is known: as if they were long */
	l->spin_ns = l->spin_most = rt->spin_us * 1000;
	set_shares(l, which);
}

static bool may_run(const struct magi_lane *l, int kind)
{
	uint32_t promised = 0;

	if (l->running_kind[kind] >= l->share[kind])
		return false;
	if (l->running + MAGI_KINDS * l->reserved < l->max)
		return true;
	for (int k = 0; k < MAGI_KINDS; k++) {
		if (k != kind && l->running_kind[k] < l->reserved)
			promised += l->reserved - l->running_kind[k];
	}
	return l->running + promised < l->max;
}

bool magi_lane_ready(struct magi_lane *l)
{
	for (int k = 0; k < MAGI_KINDS; k++) {
		if (magi_jobs_any(&l->jobs[k]) && may_run(l, k))
			return true;
	}
	return false;
}

bool magi_lane_shows(const struct magi_lane *l)
{
	for (int k = 0; k < MAGI_KINDS; k++) {
		const struct magi_jobs *q = &l->jobs[k];

		if (magi_load_acq(&q->tail) != magi_load_rlx(&q->head)) /* [job] */
			return true;
	}
	return false;
}

bool magi_lane_any(struct magi_lane *l)
{
	bool any = false;

	for (int k = 0; k < MAGI_KINDS; k++)
		any |= magi_jobs_any(&l->jobs[k]);
	return any;
}

static void take_of(struct magi_lane *l, int kind, struct magi_hand *h, struct magi_job *job)
{
	magi_jobs_pop(&l->jobs[kind], job);
	l->taken++;
	l->running++;
	l->running_kind[kind]++;
	l->turn = (uint32_t)(kind + 1) % MAGI_KINDS;
	if (job->destroy) {
		l->owned++;
		h->frame = job->frame;
		job->frame->op.wait.prev = (mag_frame *)(void *)h; /* for whoever abandons it: see offload.c */
	}
}

int magi_lane_take(struct magi_lane *l, struct magi_hand *h, struct magi_job *job)
{
	for (int i = 0; i < MAGI_KINDS; i++) {
		int kind = (int)(l->turn + (uint32_t)i) % MAGI_KINDS;

		if (magi_jobs_any(&l->jobs[kind]) && may_run(l, kind)) {
			take_of(l, kind, h, job);
			return kind;
		}
	}
	return -1;
}

void magi_lane_done(struct magi_lane *l, const struct magi_job *job, int kind, uint64_t ticks)
{
	uint64_t most = PACE_CAP * l->long_ticks;

	if (job->destroy)
		l->owned--;
	l->running--;
	l->running_kind[kind]--;
	l->done++;
	l->pace += ((ticks < most ? ticks : most) / PACE_KEEP) - l->pace / PACE_KEEP;
}

void magi_lane_stuck(struct magi_lane *l)
{
	l->pace = PACE_CAP * l->long_ticks;
}

void magi_lane_count(struct magi_lane *l, int32_t n)
{
	magi_store_rlx(&l->alive, magi_load_rlx(&l->alive) + n); /* [lock] */
}

void magi_lane_rest(struct magi_lane *l, struct magi_hand *h)
{
	h->idle = true;
	h->prev = NULL;
	h->next = l->idle;
	if (l->idle)
		l->idle->prev = h;
	l->idle = h;
}

void magi_lane_unrest(struct magi_lane *l, struct magi_hand *h)
{
	h->idle = false;
	if (h->prev)
		h->prev->next = h->next;
	else
		l->idle = h->next;
	if (h->next)
		h->next->prev = h->prev;
}

static bool is_eager(const struct magi_lane *l)
{
	return !l->running || l->pace >= l->long_ticks;
}

void magi_lane_settle(struct magi_lane *l)
{
	uint32_t attentive = l->called || l->searcher || (l->watcher && !is_eager(l));

	if (magi_load_rlx(&l->attentive) == attentive) /* [attentive] */
		return;
	magi_store_rel(&l->attentive, attentive); /* [attentive] */
	if (!attentive)
		magi_fence_seq(&l->attentive); /* [attentive] the look at the queues comes after it */
}

bool magi_lane_urgent(struct magi_lane *l)
{
	return is_eager(l) && magi_lane_ready(l);
}

struct magi_help magi_lane_help(struct magi_lane *l)
{
	bool eager = is_eager(l);
	struct magi_help help = { .watch = !eager };

	magi_lane_settle(l);
	if (l->called || l->searcher || (!eager && l->watcher) || !magi_lane_ready(l))
		return (struct magi_help){ 0 };
	if (l->idle) {
		help.hand = l->idle;
		magi_lane_unrest(l, help.hand);
		help.hand->watches = help.watch;
	} else if (l->watcher) {
		help.hand = l->watcher;
		help.hand->watches = false;
		l->watcher = NULL;
	} else if (magi_load_rlx(&l->alive) + l->starting < (int32_t)l->max) { /* [lock] */
		help.start = true;
		l->starting++;
	} else {
		return help;
	}
	l->called++;
	magi_lane_settle(l);
	return help;
}

/* Makes room in a queue that is full; no lock is held while memory is asked for. */
static int make_room(struct magi_lane *l, struct magi_jobs *q)
{
	struct magi_job *fresh = NULL, *old = NULL;
	uint32_t capacity;

	magi_lock_acquire(magi_lane_lock(l));
	capacity = magi_jobs_better(q);
	if (capacity == q->capacity)
		magi_jobs_repack(q, q->at, capacity);
	magi_lock_release(magi_lane_lock(l));
	if (capacity == q->capacity)
		return 0;
	magi_lock_release(&l->door);
	fresh = magi_alloc(capacity * sizeof(*fresh));
	magi_lock_acquire(&l->door);
	if (!fresh)
		return magi_jobs_full(q) ? -ENOMEM : 0;
	magi_lock_acquire(magi_lane_lock(l));
	old = q->capacity < capacity ? magi_jobs_repack(q, fresh, capacity) : fresh;
	magi_lock_release(magi_lane_lock(l));
	magi_lock_release(&l->door);
	magi_free(old);
	magi_lock_acquire(&l->door);
	return 0;
}

/* A first hand, so that a job that is let in will be run. */
static int first_hand(struct magi_lane *l)
{
	bool mine;
	int rc = 0;

	magi_lock_release(&l->door);
	magi_lock_acquire(magi_lane_lock(l));
	mine = !l->starting && magi_load_rlx(&l->alive) <= 0; /* [lock] */
	if (mine) {
		l->starting++;
		l->called++;
	}
	magi_lock_release(magi_lane_lock(l));
	if (mine)
		rc = magi_hand_call(l, (struct magi_help){ .start = true });
	else
		magi_thread_yield(); /* another worker is in the middle of it, for some 50 us */
	magi_lock_acquire(&l->door);
	return rc;
}

int magi_lane_prepare(struct magi_lane *l, uint32_t kind)
{
	int rc = 0;

	while (rc == 0) {
		if (MAGI_UNLIKELY(magi_load_rlx(&l->alive) <= 0)) /* [lock] the door keeps the last one from ending */
			rc = first_hand(l);
		else if (MAGI_UNLIKELY(magi_jobs_full(&l->jobs[kind])))
			rc = make_room(l, &l->jobs[kind]);
		else
			break;
	}
	return rc;
}
