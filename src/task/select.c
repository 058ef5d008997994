/* SPDX-License-Identifier: MIT */
/* select.c - one task in the queues of several primitives at once.
 *
 * What:    each case has a node, a frame of its own that stands in its queue with the task's leader as its leader: who
 *          grants to it claims the task as with any waiter, so only one of them does, and resumes the node. Its step
 *          takes the other nodes out of their queues, and then is the task again. A deadline is a sleep of its node.
 * Who:     select: the task. The step of a node: whoever resumes the task, on a worker.
 * Always:  all queues are locked while cases are tried, and until the task has parked: what can happen at once is seen, and
 *          nobody grants to a task that has not parked. Locks are taken in the order of their addresses.
 *          A node that was passed over because the task is claimed already has been taken out of its queue by who did.
 *          After the park nothing of the cases or the frame is touched but locks, whose addresses are kept on the stack:
 *          the task goes on only after its nodes are out of all queues, for which it needs those locks.
 *          A timer that fires after the task was claimed leaves FIRED, which is taken back with it.
 *          A cancelled task is resumed as itself: what it waits in for the canceller is `apart`, a queue without others.
 * Pairs:   [state] task/wait.h
 * Not:     a child task for each case, of which the losers are cancelled: two of them could have taken something by then.
 *          Parking in one queue after the other: a grant that comes between finds nobody, and is lost. */
#include "task/select.h"

#include <errno.h>

#include "base/clock.h"
#include "base/random.h"
#include "sched/ready.h"
#include "task/timer.h"

struct locks {
	magi_lock *lock[MAG_SELECT_MAX];
	uint32_t n;
};

/* Cases of one queue have one lock. */
static void lock_all(struct locks *all, mag_case *cases, uint32_t n)
{
	all->n = 0;
	for (uint32_t i = 0; i < n; i++) {
		magi_lock *lock;
		uint32_t at = all->n;

		if (!cases[i].kind->queue)
			continue;
		lock = magi_waitq_lock(cases[i].kind->queue(&cases[i]));
		while (at > 0 && (uintptr_t)all->lock[at - 1] > (uintptr_t)lock)
			at--;
		if (at > 0 && all->lock[at - 1] == lock)
			continue;
		for (uint32_t k = all->n++; k > at; k--)
			all->lock[k] = all->lock[k - 1];
		all->lock[at] = lock;
	}
	for (uint32_t i = 0; i < all->n; i++)
		magi_lock_acquire(all->lock[i]);
}

static void unlock_all(const struct locks *all)
{
	for (uint32_t i = 0; i < all->n; i++)
		magi_lock_release(all->lock[i]);
}

static void leave(mag_case *c, mag_frame **granted)
{
	if (c->kind->leave)
		c->kind->leave(c, granted);
}

/* Tries the queues from the `first` on: the index of what happened; n: nothing did, all are about to wait. The locks are
 * held. */
static uint32_t try_all(mag_case *cases, uint32_t n, uint32_t first, mag_frame **granted)
{
	for (uint32_t k = 0; k < n; k++) {
		uint32_t i = first + k < n ? first + k : first + k - n;

		if (!cases[i].kind->queue || !cases[i].kind->take(&cases[i], &cases[i].node.op.wait.need, granted))
			continue;
		while (k-- > 0) {
			uint32_t before = first + k < n ? first + k : first + k - n;

			leave(&cases[before], granted);
		}
		return i;
	}
	return n;
}

/* A deadline that has passed, or n. */
static uint32_t over(mag_worker *w, const mag_case *cases, uint32_t n)
{
	uint64_t now = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (cases[i].kind->queue)
			continue;
		now = now ? now : magi_now(magi_worker_of(w));
		if (cases[i].with <= now)
			return i;
	}
	return n;
}

static mag_frame *step_of_node(mag_worker *w, mag_frame *node);
static mag_frame *step_of_cancelled(mag_worker *w, mag_frame *f);

static void make_node(mag_case *c, mag_frame *f, uint32_t index)
{
	mag_frame *node = &c->node;

	node->step = step_of_node;
	node->parent = f->parent;
	node->scope = f->scope;
	node->leader = f->leader;
	node->at = f->at;
	node->flags = f->flags;
	node->id = 0; /* a simulation names it anew */
	node->home = f->home;
	c->waits = f;
	c->index = index;
}

static void arm(mag_worker *w, mag_case *cases, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		mag_frame *node = &cases[i].node;

		if (cases[i].kind->queue)
			continue;
		node->home = (uint8_t)w->index;
		node->op.timer.kind = MAGI_TIMER_SLEEP;
		magi_wheel_add(&magi_worker_of(w)->wheel, &node->op.timer, cases[i].with);
	}
}

/* All deadlines but `won`; the index of one that fired meanwhile, or n. */
static uint32_t disarm(mag_runtime *rt, mag_case *cases, uint32_t n, uint32_t won)
{
	uint32_t fired = n;
	bool any = false;

	for (uint32_t i = 0; i < n; i++) {
		mag_frame *node = &cases[i].node;

		if (cases[i].kind->queue)
			continue;
		any = true;
		if (i != won && !magi_wheel_remove(&rt->workers[node->home]->wheel, &node->op.timer))
			fired = i;
	}
	if (any)
		magi_and_ar(&cases[0].waits->leader->state, ~(uint32_t)MAGI_FIRED); /* [state] */
	return fired;
}

static void enqueue(mag_case *cases, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (cases[i].kind->queue)
			magi_waitq_add(cases[i].kind->queue(&cases[i]), &cases[i].node, cases[i].node.op.wait.need);
}

static void dequeue(mag_case *c, mag_frame **granted)
{
	struct magi_waitq *q = c->kind->queue(c);

	if (magi_waitq_has(&c->node))
		magi_waitq_remove(q, &c->node);
	leave(c, granted);
}

/* The task is claimed, or has not parked. */
static void dequeue_but(mag_case *cases, uint32_t n, uint32_t won, mag_frame **granted)
{
	for (uint32_t i = 0; i < n; i++) {
		magi_lock *lock;

		if (i == won || !cases[i].kind->queue)
			continue;
		lock = magi_waitq_lock(cases[i].kind->queue(&cases[i]));
		magi_lock_acquire(lock);
		dequeue(&cases[i], granted);
		magi_lock_release(lock);
	}
}

/* Parked: true, and nothing may be touched any more. The locks are held, and are released. */
static bool park(mag_frame *f, mag_case *cases, uint32_t n, const struct locks *all, mag_frame **granted)
{
	enqueue(cases, n);
	cases[0].apart = (struct magi_waitq){ 0 };
	f->op.wait.on = &cases[0].apart;
	f->op.wait.next = f;
	f->op.wait.need = (uint64_t)(uintptr_t)f->step;
	f->step = step_of_cancelled;
	if (magi_park(f->leader, MAGI_PARKED, (uintptr_t)f)) {
		unlock_all(all);
		return true;
	}
	f->step = (mag_step_fn)(uintptr_t)f->op.wait.need;
	for (uint32_t i = 0; i < n; i++)
		if (cases[i].kind->queue)
			dequeue(&cases[i], granted);
	unlock_all(all);
	return false;
}

/* What happens at once, n: nothing does, and f has parked; above n: it is cancelled. */
static uint32_t happen_or_park(mag_worker *w, mag_frame *f, mag_case *cases, uint32_t n, uint32_t first,
			       mag_frame **granted)
{
	struct locks all;
	uint32_t won;

	lock_all(&all, cases, n);
	won = try_all(cases, n, first, granted);
	if (won < n) {
		unlock_all(&all);
		return won;
	}
	won = over(w, cases, n);
	if (won < n) {
		for (uint32_t i = 0; i < n; i++)
			leave(&cases[i], granted);
		unlock_all(&all);
		cases[won].result = 0;
		return won;
	}
	arm(w, cases, n);
	if (park(f, cases, n, &all, granted))
		return n;
	won = disarm(magi_runtime_of(w), cases, n, n);
	if (won == n)
		return n + 1;
	cases[won].result = 0;
	return won;
}

static mag_frame *await(mag_worker *w, mag_frame *f, mag_case *cases, uint32_t n, uint32_t first)
{
	mag_frame *granted = NULL;
	int rc = magi_wait_begin(w, f);
	uint32_t won;

	if (rc < 0)
		return magi_wait_done(w, f, rc);
	for (uint32_t i = 0; i < n; i++)
		make_node(&cases[i], f, i);
	cases[0].count = n;
	won = happen_or_park(w, f, cases, n, first, &granted);
	magi_wait_resume(granted);
	if (won == n)
		return NULL;
	return magi_wait_done(w, f, won < n ? (int64_t)won : MAG_ECANCELED);
}

/* Goes on as the task, with its result in place. won: n when it was cancelled. */
static mag_frame *go_on(mag_worker *w, mag_case *cases, uint32_t won)
{
	mag_frame *f = cases[0].waits, *granted = NULL;
	uint32_t n = cases[0].count;

	f->step = (mag_step_fn)(uintptr_t)f->op.wait.need;
	disarm(magi_runtime_of(w), cases, n, won);
	dequeue_but(cases, n, won, &granted);
	magi_wait_resume(granted);
	f->op.result = won < n ? (int64_t)won : MAG_ECANCELED;
	return f;
}

static mag_frame *step_of_node(mag_worker *w, mag_frame *node)
{
	mag_case *c = (mag_case *)(void *)node;

	c->result = node->op.result;
	return go_on(w, c - c->index, c->index);
}

static mag_frame *step_of_cancelled(mag_worker *w, mag_frame *f)
{
	mag_case *cases = (mag_case *)(void *)((char *)f->op.wait.on - offsetof(mag_case, apart));

	return go_on(w, cases, cases[0].count);
}

static bool is_possible(const mag_case *cases, uint32_t n)
{
	if (n == 0 || n > MAG_SELECT_MAX)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		if (!cases[i].kind->clashes)
			continue;
		for (uint32_t k = 0; k < n; k++)
			if (cases[i].kind->clashes(&cases[i], &cases[k]))
				return false;
	}
	return true;
}

mag_frame *mag_select(mag_worker *w, mag_frame *f, mag_case *cases, uint32_t n)
{
	if (!is_possible(cases, n))
		return magi_wait_done(w, f, -EINVAL);
	return await(w, f, cases, n, n > 1 ? magi_random_below(&magi_worker_of(w)->random, n) : 0);
}

mag_frame *mag_select_first(mag_worker *w, mag_frame *f, mag_case *cases, uint32_t n)
{
	if (!is_possible(cases, n))
		return magi_wait_done(w, f, -EINVAL);
	return await(w, f, cases, n, 0);
}

/* The kind without a queue. */
const struct magi_case_kind magi_case_until = { 0 };
