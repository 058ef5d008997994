/* SPDX-License-Identifier: MIT */
/* semaphore.c - the slow ways of a semaphore: somebody waits, or must.
 *
 * What:    one word holds the free permits and whether somebody waits. While nobody waits it is changed by whoever comes;
 *          while somebody does, under the lock of `waitq` alone. Permits that do not suffice for the first waiter gather
 *          in the word.
 *          One that lets newcomers barge: a release wakes the first waiter, when there is enough for it, to try for itself,
 *          and who comes meanwhile takes permits under the lock although others wait; a woken one that was too late goes
 *          back to the front. Once the queue has been overtaken for long it is served as in a fair one.
 * Who:     acquire: tasks. release: any thread. gone: whoever cancels.
 * Always:  WAITERS <=> the queue is not empty, seen under its lock. The first waiter needs more than there is, or another one
 *          was woken: that is at most one at a time, which takes what it needs or queues again, and then the first one
 *          is looked at.
 *          A permit is in the word, or belongs to a task whose wait was won by the CAS of magi_wait_take: a cancelled
 *          waiter has none, and those behind it are looked at when it goes.
 *          After the lock is released nothing of the semaphore is touched: a task that was granted may free it.
 * Pairs:   [permit] taken (acquire) and given (release) by read-modify-write; those in between, relaxed ones too, hand
 *          on what was released. Waiters are ordered by the lock
 * Not:     letting a newcomer overtake: who needs many permits would never get them. Giving by an addition instead of a
 *          CAS, 4 ns less: who then finds that somebody waits comes to the lock after a third may have granted that one,
 *          and it may have freed the semaphore. */
#include <errno.h>
#include <magpie/semaphore.h>

#include "base/clock.h"
#include "sync/busy.h"
#include "task/select.h"
#include "task/until.h"

enum { WAITERS = MAGI_SEMAPHORE_WAITERS };

static mag_semaphore *semaphore_of(struct magi_waitq *q)
{
	return (mag_semaphore *)(void *)((char *)q - offsetof(mag_semaphore, waitq));
}

static magi_lock *lock_of(mag_semaphore *s)
{
	return magi_waitq_lock(&s->waitq);
}

int mag_semaphore_init(mag_semaphore *s, uint32_t permits, uint32_t max)
{
	if (permits > max || max == 0 || max > MAG_SEMAPHORE_MAX)
		return -EINVAL;
	*s = (mag_semaphore)MAG_SEMAPHORE_INIT(permits, max);
	return 0;
}

int mag_semaphore_init_as(mag_semaphore *s, uint32_t permits, uint32_t max, enum mag_fairness fairness)
{
	int rc = mag_semaphore_init(s, permits, max);

	if (rc == 0)
		s->barging = fairness == MAG_BARGING;
	return rc;
}

int mag_semaphore_fini(mag_semaphore *s)
{
	bool waited_for = (magi_load_rlx(&s->state) & WAITERS) || s->woken; /* [permit] */

	return magi_sync_busy(&s->waitq, waited_for, "mag_semaphore_fini");
}

uint32_t mag_semaphore_permits(const mag_semaphore *s)
{
	return magi_load_rlx(&s->state) / 2; /* [permit] a snapshot */
}

/* Barging. The lock is held. */

/* Who waits for other things as well cannot come back to wait for this alone: it is given its permits at once. */
#define CASE (UINT64_C(1) << 32)

static mag_frame *try_again(mag_worker *w, mag_frame *f);

static bool overdue(const mag_semaphore *s)
{
	return (int64_t)(magi_ticks() - s->fair_at) >= 0;
}

static void overtaken_from_now(mag_semaphore *s, const mag_runtime *rt)
{
	s->fair_at = magi_ticks() + MAG_FAIR_US * rt->ticks_per_us;
}

/* What serve is to one that lets newcomers barge: the first waiter is let go, to try, or with its permits. */
static mag_frame *serve_barging(mag_semaphore *s, uint32_t permits, mag_frame *list)
{
	mag_frame *first;

	while (!s->woken && (first = magi_wait_first(&s->waitq)) && (uint32_t)first->op.wait.need <= permits) {
		uint32_t need = (uint32_t)first->op.wait.need;
		bool is_case = first->op.wait.need & CASE;

		if (!magi_wait_take(&s->waitq, first))
			continue;
		if (is_case || overdue(s)) {
			overtaken_from_now(s, first->scope->rt);
			permits -= need;
			first->op.result = 0;
		} else {
			s->woken = 1;
			first->op.word[1] = (uint64_t)(uintptr_t)first->step; /* op.wait.on and need stay what they are */
			first->step = try_again;
		}
		magi_wait_list(&list, first);
	}
	magi_store_rel(&s->state, permits * 2 | (magi_wait_first(&s->waitq) ? WAITERS : 0)); /* [permit] */
	return list;
}

/* Takes n permits (0), or says that f is about to wait (1). again: f has waited already. */
static int barge(mag_semaphore *s, uint32_t n, bool again)
{
	uint32_t was = magi_load_rlx(&s->state), after; /* [permit] */
	bool enough;

	do {
		enough = was / 2 >= n && (again || !(was & WAITERS) || !overdue(s));
		after = enough ? was - 2 * n : was | WAITERS;
	} while (was != after && !magi_cas_acq(&s->state, &was, after)); /* [permit] */
	return enough ? 0 : 1;
}

/* Serves waiters in their order with what is free plus n; the lock is held, and somebody waits or did. */
static mag_frame *serve(mag_semaphore *s, uint32_t n, mag_frame *list)
{
	uint32_t permits = magi_load_rlx(&s->state) / 2 + n; /* [permit] under the lock */
	mag_frame *first, **tail = &list;

	if (s->barging)
		return serve_barging(s, permits, list);
	while (*tail)
		tail = &(*tail)->q.next;
	while ((first = magi_wait_first(&s->waitq)) && first->op.wait.need <= permits) {
		uint32_t need = (uint32_t)first->op.wait.need;

		if (!magi_wait_take(&s->waitq, first))
			continue;
		permits -= need;
		first->op.result = 0;
		magi_store_rlx(&first->q.next, NULL); /* [state] */
		magi_store_rlx(tail, first);          /* [state] */
		tail = &first->q.next;
	}
	magi_store_rel(&s->state, permits * 2 | (first ? WAITERS : 0)); /* [permit] */
	return list;
}

/* A cancelled waiter was taken out: it may have been all that those behind it waited for. */
static bool gone(struct magi_waitq *q, mag_frame *f, mag_frame **granted)
{
	mag_semaphore *s = semaphore_of(q);

	(void)f;
	/* without the bit others change the word, and nobody waits any more */
	if (magi_load_rlx(&s->state) & WAITERS) /* [permit] */
		*granted = serve(s, 0, *granted);
	return true;
}

/* Takes n permits (0), or says that f is about to wait (1); the lock is held. */
static int take_or_wait(mag_semaphore *s, uint32_t n)
{
	uint32_t was = magi_load_rlx(&s->state); /* [permit] */
	bool enough;

	do {
		if (was & WAITERS)
			return 1;
		enough = was / 2 >= n;
	} while (!magi_cas_acq(&s->state, &was, enough ? was - 2 * n : was | WAITERS)); /* [permit] */
	return enough ? 0 : 1;
}

bool magi_semaphore_take_again(mag_semaphore *s, uint32_t n)
{
	uint32_t was;

	do {
		magi_back_off();
		was = magi_load_rlx(&s->state); /* [permit] */
		if ((was & WAITERS) || n - 1 >= was / 2)
			return false;
	} while (!magi_cas_acq(&s->state, &was, was - 2 * n)); /* [permit] */
	return true;
}

/* The step of a woken frame. */
static mag_frame *try_again(mag_worker *w, mag_frame *f)
{
	mag_semaphore *s = semaphore_of(f->op.wait.on);
	uint32_t n = (uint32_t)f->op.wait.need;
	mag_frame *list = NULL;
	bool parked = false;
	int rc;

	f->step = (mag_step_fn)(uintptr_t)f->op.word[1];
	magi_lock_acquire(lock_of(s));
	s->woken = 0;
	rc = barge(s, n, true);
	if (rc == 1) {
		parked = magi_wait_park(f, &s->waitq, n);
		if (parked)
			magi_waitq_last_to_front(&s->waitq);
		rc = MAG_ECANCELED;
	}
	/* while it was woken nobody else was, whatever was released */
	if (magi_load_rlx(&s->state) & WAITERS) /* [permit] */
		list = serve(s, 0, NULL);
	magi_lock_release(lock_of(s));
	magi_wait_resume(list);
	return parked ? NULL : magi_wait_done(w, f, rc);
}

/* As take_or_wait, for either kind. */
static int take_or_will_wait(mag_semaphore *s, const mag_frame *f, uint32_t n)
{
	int rc = s->barging ? barge(s, n, false) : take_or_wait(s, n);

	if (rc == 0)
		return 0;
	s->waitq.gone = gone;
	if (s->barging && !magi_wait_first(&s->waitq) && !s->woken)
		overtaken_from_now(s, f->scope->rt);
	return 1;
}

mag_frame *magi_semaphore_acquire(mag_worker *w, mag_frame *f, mag_semaphore *s, uint32_t n)
{
	bool parked = false;
	int rc;

	if (magi_cancelled(f))
		return magi_wait_done(w, f, MAG_ECANCELED);
	if (n == 0 || n > s->max)
		return magi_wait_done(w, f, -EINVAL);
	if (magi_semaphore_take(s, n))
		return magi_wait_done(w, f, 0);
	rc = magi_wait_begin(w, f);
	if (rc < 0)
		return magi_wait_done(w, f, rc);
	magi_lock_acquire(lock_of(s));
	rc = take_or_will_wait(s, f, n);
	if (rc == 1) {
		parked = magi_wait_park(f, &s->waitq, n);
		if (!parked && !magi_wait_first(&s->waitq))
			magi_and_rlx(&s->state, ~(uint32_t)WAITERS); /* [permit] hands on what its givers released */
		rc = MAG_ECANCELED;
	}
	magi_lock_release(lock_of(s));
	return parked ? NULL : magi_wait_done(w, f, rc);
}

static mag_frame *acquire_op(mag_worker *w, mag_frame *f, void *semaphore, uint64_t n)
{
	return magi_semaphore_acquire(w, f, semaphore, (uint32_t)n);
}

mag_frame *magi_semaphore_acquire_until(mag_worker *w, mag_frame *f, mag_semaphore *s, uint32_t n, uint64_t deadline)
{
	if (n == 0 || n > s->max)
		return magi_wait_done(w, f, magi_cancelled(f) ? MAG_ECANCELED : -EINVAL);
	if (!magi_cancelled(f) && magi_semaphore_take(s, n))
		return magi_wait_done(w, f, 0);
	return magi_until(w, f, acquire_op, s, n, deadline);
}

int magi_semaphore_release(mag_semaphore *s, uint32_t n, const char *where)
{
	mag_frame *list;
	uint32_t was;

	if (!(magi_load_rlx(&s->state) & WAITERS)) /* [permit] */
		magi_back_off(); /* somebody was faster */
	for (;;) {
		was = magi_load_rlx(&s->state); /* [permit] */
		if (n > s->max - was / 2) {
			magi_misuse("mag_semaphore_release at %s: %u more permits than %u are above the most, %u", where,
				    n, was / 2, s->max);
			(void)where;
			return -EOVERFLOW;
		}
		if (!(was & WAITERS)) {
			if (magi_cas_rel(&s->state, &was, was + 2 * n)) /* [permit] */
				return 0;
			magi_back_off();
			continue;
		}
		magi_lock_acquire(lock_of(s));
		was = magi_load_rlx(&s->state); /* [permit] */
		if ((was & WAITERS) && n <= s->max - was / 2)
			break;
		magi_lock_release(lock_of(s)); /* the last waiter went meanwhile, or others gave permits */
	}
	list = serve(s, n, NULL);
	magi_lock_release(lock_of(s));
	magi_wait_resume(list);
	return 0;
}

/* As a case of mag_select. */

static struct magi_waitq *queue_of_case(const mag_case *c)
{
	return &((mag_semaphore *)c->object)->waitq;
}

static bool take_case(mag_case *c, uint64_t *need, mag_frame **granted)
{
	mag_semaphore *s = c->object;
	bool possible = c->with > 0 && c->with <= s->max;

	(void)granted;
	*need = c->with | (s->barging ? CASE : 0);
	c->result = possible ? 0 : -EINVAL;
	return !possible || take_or_will_wait(s, &c->node, (uint32_t)c->with) == 0;
}

/* It may have been all that those behind it waited for, or what WAITERS was set for. */
static void leave_case(mag_case *c, mag_frame **granted)
{
	gone(queue_of_case(c), &c->node, granted);
}

/* The first would stand in the way of the second. */
static bool clashes(const mag_case *c, const mag_case *other)
{
	return c != other && c->kind == other->kind && c->object == other->object;
}

const struct magi_case_kind magi_case_acquire = {
	.queue = queue_of_case, .take = take_case, .leave = leave_case, .clashes = clashes
};
