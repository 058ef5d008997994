/* SPDX-License-Identifier: MIT */
/* offload.c - awaiting a job; the lanes of a runtime.
 *
 * What:    a task parks, in the name of the lane's wait queue, and adds a job that names its frame. The hand that has run
 *          the job claims the task and sends it to the worker where it was.
 * Who:     await: tasks. gone: whoever cancels, any thread. finish: hands.
 * Always:  op.wait.need of the waiting frame tells under the lock where its job is: a position in a queue (jobs.h), and
 *          whether it owns its argument; or one of the words below.
 *          Whoever claims a task resumes it, but a canceller that finds the job running leaves it to the hand (lent
 *          argument), and one that finds it ended gives its result: completion beats cancellation.
 *          No function of the user's runs under the lock: what a cancelled job owned is destroyed by its task as the
 *          first thing it does, in a step of its own.
 * Pairs:   the lane's lock; [state] task/wait.h; [users] the last user sees what the others did
 * Not:     linking the waiting frames: the queue of jobs has them in order already. */
#include "offload/offload.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "offload/lane.h"
#include "sched/ready.h"
#include "task/wait.h"

enum { OWNED = 1 << 2, KIND = OWNED - 1 }; /* the user's bits of op.wait.need */

#define LEFT_TO_HAND UINT64_MAX     /* cancelled while it ran: the hand resumes it */
#define ENDED (UINT64_MAX - 1)      /* it ended after it was claimed by a canceller; the result is in op.wait.prev */

_Static_assert(MAGI_KINDS <= KIND + 1 && (OWNED | KIND) >> MAGI_JOB_BITS == 0, "kind and ownership fit in need");

/* The step of a task whose job was taken back: word 1 destroy, word 2 its argument, word 3 the task's own step. */
static mag_frame *destroy_step(mag_worker *w, mag_frame *f)
{
	void (*destroy)(void *) = (void (*)(void *))(uintptr_t)f->op.word[1];

	(void)w;
	f->step = (mag_step_fn)(uintptr_t)f->op.word[3];
	destroy((void *)(uintptr_t)f->op.word[2]);
	return f;
}

static void take_back(struct magi_lane *l, mag_frame *f)
{
	uint64_t need = f->op.wait.need;
	struct magi_jobs *q = &l->jobs[need & KIND];
	struct magi_job job;

	magi_jobs_remove(q, need >> MAGI_JOB_BITS, &job);
	l->taken++;
	if (!q->live)
		l->waiting &= ~(1u << (need & KIND));
	if (job.destroy) {
		f->op.word[1] = (uintptr_t)job.destroy;
		f->op.word[2] = (uintptr_t)job.arg;
		f->op.word[3] = (uintptr_t)f->step;
		f->step = destroy_step;
	}
}

bool magi_offload_gone(struct magi_waitq *waits, mag_frame *f, mag_frame **granted)
{
	struct magi_lane *l = (struct magi_lane *)(void *)waits;
	uint64_t need = f->op.wait.need;

	if (need == ENDED) {
		f->op.result = (intptr_t)f->op.wait.prev;
		magi_wait_list(granted, f);
		return false;
	}
	if (need >> MAGI_JOB_BITS >= l->jobs[need & KIND].head) {
		take_back(l, f);
		return true;
	}
	if (!(need & OWNED)) {
		f->op.wait.need = LEFT_TO_HAND;
		return false;
	}
	((struct magi_hand *)(void *)f->op.wait.prev)->frame = NULL;
	return true;
}

void magi_offload_send_home(struct magi_lane *l, mag_frame *f)
{
#ifndef MAGI_FORCED_MIGRATION
	if (MAGI_LIKELY(!(f->leader->flags & MAGI_PINNED))) {
		magi_inbox_send(NULL, l->rt->workers[f->home], f, false);
		return;
	}
#endif
	magi_resume_later(l->rt, NULL, f);
}

/* The lock is held. A canceller has claimed f: true when it has been here already. */
static bool was_left(mag_frame *f, int64_t result)
{
	if (f->op.wait.need == LEFT_TO_HAND)
		return true;
	f->op.wait.need = ENDED;
	f->op.wait.prev = (mag_frame *)(intptr_t)result;
	return false;
}

void magi_offload_finish(struct magi_lane *l, mag_frame *f, int64_t result)
{
	bool mine = magi_claim(f->leader);

	if (MAGI_UNLIKELY(!mine)) {
		magi_lock_acquire(magi_lane_lock(l));
		mine = was_left(f, result);
		magi_lock_release(magi_lane_lock(l));
	}
	if (mine) {
		f->op.result = result;
		magi_offload_send_home(l, f);
	}
}

bool magi_offload_finish_owned(struct magi_hand *h, int64_t result)
{
	mag_frame *f = h->frame;

	if (!f)
		return false;
	if (!magi_claim(f->leader)) {
		was_left(f, result);
		h->frame = NULL;
		return false;
	}
	f->op.result = result;
	return true;
}

/* The lock is held. Parks f and adds its job; false: cancelled. */
static bool park_with(struct magi_lane *l, mag_worker *w, mag_frame *f, const struct magi_job *job, uint32_t kind)
{
	f->home = (uint8_t)w->index; /* where it is sent back to; a pinned leader's home is this worker, too */
	f->op.wait.on = &l->waits;
	f->op.wait.next = f; /* as if it had been taken out of the queue */
	if (!magi_park(f->leader, MAGI_PARKED, (uintptr_t)f))
		return false;
	magi_jobs_push(&l->jobs[kind], job, kind | (job->destroy ? OWNED : 0));
	l->waiting |= 1u << kind;
	l->added++;
	return true;
}

static mag_frame *offload(mag_worker *w, mag_frame *f, struct magi_lane *l, uint32_t kind, const struct magi_job *job)
{
	int rc = magi_wait_begin(w, f);

	if (rc == 0) {
		magi_lock_acquire(magi_lane_lock(l));
		rc = magi_lane_prepare(l, kind);
		if (MAGI_LIKELY(rc == 0) && MAGI_LIKELY(park_with(l, w, f, job, kind))) {
			struct magi_help help = magi_lane_help(l);

			magi_lock_release(magi_lane_lock(l));
			magi_hand_call(l, help);
			return NULL;
		}
		magi_lock_release(magi_lane_lock(l));
		rc = rc ? rc : MAG_ECANCELED;
	}
	if (job->destroy)
		job->destroy(job->arg);
	return magi_wait_done(w, f, rc);
}

/* The lane, and the kind of job, or NULL. */
static struct magi_lane *lane_of(mag_runtime *rt, uint32_t lane, uint32_t *kind)
{
	*kind = lane >> 8;
	lane &= 255;
	return lane < MAGI_LANES && *kind < (lane == MAG_BLOCKING ? MAGI_KINDS : 1u) ? &rt->offload->lane[lane] : NULL;
}

mag_frame *mag_offload(mag_worker *w, mag_frame *f, uint32_t lane, int64_t (*fn)(void *arg), void *arg)
{
	const struct magi_job job = { .fn = fn, .arg = arg, .frame = f };
	uint32_t kind;
	struct magi_lane *l = lane_of(magi_runtime_of(w), lane, &kind);

	if (!l || !fn)
		return magi_wait_done(w, f, -EINVAL);
	return offload(w, f, l, kind, &job);
}

mag_frame *mag_offload_owned(mag_worker *w, mag_frame *f, uint32_t lane, int64_t (*fn)(void *arg), void *arg,
			     void (*destroy)(void *arg))
{
	const struct magi_job job = { .fn = fn, .arg = arg, .destroy = destroy, .frame = f };
	uint32_t kind;
	struct magi_lane *l = lane_of(magi_runtime_of(w), lane, &kind);

	if (!l || !fn || !destroy)
		return magi_wait_done(w, f, -EINVAL);
	return offload(w, f, l, kind, &job);
}

int mag_offload_stats(mag_runtime *rt, uint32_t lane, mag_lane_stats *out)
{
	mag_lane_stats s = { .size = out->size };
	uint32_t kind;
	struct magi_lane *l = lane_of(rt, lane, &kind);

	if (!l || out->size < sizeof(size_t) || out->size > sizeof(s))
		return -EINVAL;
	magi_lock_acquire(magi_lane_lock(l));
	s.jobs = l->done;
	s.running = l->running;
	s.threads = l->alive > 0 ? (uint32_t)l->alive : 0;
	for (int k = 0; k < MAGI_KINDS; k++)
		s.queued += l->jobs[k].live;
	magi_lock_release(magi_lane_lock(l));
	memcpy(out, &s, out->size);
	return 0;
}

int magi_offload_create(mag_runtime *rt, uint32_t cpus)
{
	struct magi_offload *o = magi_alloc_aligned(MAGI_CACHE_LINE, sizeof(*o));

	if (!o)
		return -ENOMEM;
	magi_lane_init(&o->lane[MAG_BLOCKING], o, rt, cpus, MAG_BLOCKING);
	magi_lane_init(&o->lane[MAG_COMPUTE], o, rt, cpus, MAG_COMPUTE);
	o->users = 1;
	rt->offload = o;
	return 0;
}

void magi_offload_unuse(struct magi_offload *o)
{
	if (magi_sub_ar(&o->users, 1u) > 1) /* [users] */
		return;
	for (int i = 0; i < MAGI_LANES; i++) {
		for (int k = 0; k < MAGI_KINDS; k++)
			magi_free(o->lane[i].jobs[k].at);
	}
	magi_free(o);
}

uint32_t magi_offload_destroy(mag_runtime *rt, uint64_t deadline)
{
	struct magi_offload *o = rt->offload;
	uint32_t left = 0;

	if (!o)
		return 0;
	rt->offload = NULL;
	for (int i = 0; i < MAGI_LANES; i++)
		left += magi_hand_end_all(&o->lane[i], deadline);
	magi_offload_unuse(o);
	return left;
}
