/* SPDX-License-Identifier: MIT */
/* offload.c - awaiting a job; the lanes of a runtime.
 *
 * What:    a task parks, in the name of the lane's wait queue, and adds a job that names its frame. The hand that
 *          has run the job claims the task and sends it to the worker where it was.
 * Who:     await: tasks. punt: workers' backends. gone: whoever cancels, any thread. finish: hands.
 * Always:  op.wait.need of the waiting frame tells under the lock where its job is: a position in a queue (jobs.h),
 *          and whether it owns its argument; or one of the words below. Whoever claims a task resumes it, but a
 *          canceller that finds the job running leaves it to the hand (lent argument), and one that finds it ended
 *          gives its result: completion beats cancellation. No function of the user's runs under the lock: what a
 *          cancelled job owned is destroyed by its task as the first thing it does, in a step of its own.
 * Pairs:   the lane's lock; [state] task/wait.h; [users] the last user sees what the others did
 * Not:     linking the waiting frames: the queue of jobs has them in order already. */
#include "offload/offload.h"

#include <errno.h>
#include <magpie/options.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "offload/lane.h"
#include "sched/ready.h"
#include "task/wait.h"

enum { OWNED = 1 << 2, KIND = OWNED - 1 }; /* the user's bits of op.wait.need */

#define LEFT_TO_HAND UINT64_MAX /* cancelled while it ran: the hand resumes it */
#define ENDED (UINT64_MAX - 1)  /* it ended after it was claimed by a canceller; the result is in op.wait.prev */

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
	if (need >> MAGI_JOB_BITS >= magi_load_rlx(&l->jobs[need & KIND].head)) { /* [room] ours */
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

/* The door is held, and opened. Parks f and adds its job; false: cancelled. A canceller may find the job before it is
 * published: the entry and its place are there before f is parked. */
static bool park_with(struct magi_lane *l, mag_worker *w, mag_frame *f, const struct magi_job *job, uint32_t kind)
{
	struct magi_jobs *q = &l->jobs[kind];
	bool parked;

	f->home = (uint8_t)w->index; /* where it is sent back to; a pinned leader's home is this worker, too */
	f->op.wait.on = &l->waits;
	f->op.wait.next = f; /* as if it had been taken out of the queue */
	magi_jobs_write(q, job, kind | (job->destroy ? OWNED : 0));
	parked = magi_park(f->leader, MAGI_PARKED, (uintptr_t)f);
	if (MAGI_LIKELY(parked))
		magi_jobs_publish(q);
	magi_lock_release(&l->door);
	return parked;
}

/* A job was added: somebody is to look at it. */
static void call_for(struct magi_lane *l)
{
	struct magi_help help;

	magi_fence_seq(&l->attentive); /* [attentive] */
	if (MAGI_LIKELY(magi_load_acq(&l->attentive))) /* [attentive] */
		return;
	magi_lock_acquire(magi_lane_lock(l));
	help = magi_lane_help(l);
	magi_lock_release(magi_lane_lock(l));
	magi_hand_call(l, help);
}

static mag_frame *offload(mag_worker *w, mag_frame *f, struct magi_lane *l, uint32_t kind, const struct magi_job *job)
{
	int rc = magi_wait_begin(w, f);

	if (rc == 0) {
		magi_lock_acquire(&l->door);
		rc = magi_lane_prepare(l, kind);
		if (MAGI_UNLIKELY(rc < 0)) {
			magi_lock_release(&l->door);
		} else if (MAGI_LIKELY(park_with(l, w, f, job, kind))) {
			call_for(l);
			return NULL;
		} else {
			rc = MAG_ECANCELED;
		}
	}
	if (job->destroy)
		job->destroy(job->arg);
	return magi_wait_done(w, f, rc);
}

int magi_offload_punt(void *runtime, int64_t (*fn)(void *arg), void *arg)
{
	struct magi_lane *l = &((mag_runtime *)runtime)->offload->lane[MAG_BLOCKING];
	const struct magi_job job = { .fn = fn, .arg = arg, .frame = &l->nobody };
	uint32_t kind = MAG_KIND_FILE >> 8;
	int rc;

	magi_lock_acquire(&l->door);
	rc = magi_lane_prepare(l, kind);
	if (rc == 0) {
		magi_jobs_write(&l->jobs[kind], &job, kind);
		magi_jobs_publish(&l->jobs[kind]);
	}
	magi_lock_release(&l->door);
	if (rc == 0)
		call_for(l);
	return rc;
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
	mag_lane_stats s = { 0 };
	uint32_t kind;
	struct magi_lane *l = lane_of(rt, lane, &kind);
	int32_t alive;

	if (!l)
		return -EINVAL;
	magi_lock_acquire(magi_lane_lock(l));
	s.jobs = l->done;
	s.running = l->running;
	alive = magi_load_rlx(&l->alive); /* [lock] */
	s.threads = alive > 0 ? (uint32_t)alive : 0;
	for (int k = 0; k < MAGI_KINDS; k++)
		s.queued += magi_jobs_live(&l->jobs[k]);
	magi_lock_release(magi_lane_lock(l));
	return mag_options_give(out, &s, sizeof(s));
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

uint32_t magi_offload_end(mag_runtime *rt, uint64_t deadline)
{
	uint32_t left = 0;

	for (int i = 0; i < MAGI_LANES; i++)
		left += magi_hand_end_all(&rt->offload->lane[i], deadline);
	return left;
}

void magi_offload_destroy(mag_runtime *rt)
{
	if (rt->offload)
		magi_offload_unuse(rt->offload);
	rt->offload = NULL;
}
