/* SPDX-License-Identifier: MIT */
/* test_wait.c - src/task/wait.c: a bare queue of waiters, granted and cancelled by hand.
 *
 * The tests hold the queue's lock while another thread cancels: it then has claimed the waiter and waits for the lock,
 * which is the moment that the rules are about. */
#include "task/wait.h"

#include <criterion/criterion.h>
#include <magpie/time.h>
#include <pthread.h>

#include "support/matrix.h"

struct gate {
	struct magi_waitq q;
	bool cancel_first; /* the task cancels itself between magi_wait_begin and the park */
	/* under the lock */
	uint32_t gone;
	bool keep;       /* gone does not let the waiter be resumed */
	bool pass;       /* gone grants the first of those behind */
	mag_frame *kept;
};

static bool gate_gone(struct magi_waitq *q, mag_frame *f, mag_frame **granted)
{
	struct gate *g = (struct gate *)q;
	mag_frame *next;

	cr_expect_not(magi_lock_try(magi_waitq_lock(q)), "gone is called with the lock held");
	g->gone++;
	if (g->pass && (next = magi_wait_grant(q, 5)))
		magi_wait_list(granted, next);
	if (g->keep)
		g->kept = f;
	return !g->keep;
}

static void gate_init(struct gate *g)
{
	*g = (struct gate){ 0 };
	magi_waitq_init(&g->q, gate_gone);
}

static mag_frame *gate_wait(mag_worker *w, mag_frame *f, struct gate *g)
{
	magi_lock *lock = magi_waitq_lock(&g->q);
	int rc = magi_wait_begin(w, f);

	if (g->cancel_first)
		mag_scope_cancel(f->scope);
	magi_lock_acquire(lock);
	if (rc == 0 && magi_wait_park(f, &g->q, 0)) {
		magi_lock_release(lock);
		return NULL;
	}
	magi_lock_release(lock);
	return magi_wait_done(w, f, MAG_ECANCELED);
}

struct visitor {
	mag_frame frame;
	MAG_ARGS(visitor, struct gate *g; mag_scope **scope;);
	mag_scope own;
	int64_t rc, why;
};

MAG_TASK(visitor)
{
	MAG_BEGIN(visitor);
	MAG_SCOPE_BEGIN(&self->own);
	if (self->scope)
		magi_store_rel(self->scope, &self->own);
	MAG_AWAIT(self->rc, gate_wait, self->g);
	MAG_SCOPE_END(self->why, &self->own);
	MAG_RETURN(self->rc);
	MAG_END;
}

enum { VISITORS = 4 };

/* So many tasks that wait at the gate in this order. */
struct party {
	mag_runtime *rt;
	struct gate gate;
	mag_future done[VISITORS];
	mag_scope *scope[VISITORS];
	pthread_t canceller;
	int cancelled;
};

static void invite(struct party *p, uint32_t n)
{
	const mag_runtime_options options = { .size = sizeof(options), .workers = 2 };

	*p = (struct party){ 0 };
	gate_init(&p->gate);
	cr_assert_eq(mag_runtime_create(&options, &p->rt), 0);
	for (uint32_t i = 0; i < n; i++) {
		mag_future_init(&p->done[i]);
		cr_assert_eq(mag_spawn_from(p->rt, &p->done[i], visitor, .g = &p->gate, .scope = &p->scope[i]), 0);
		while (waiting(&p->gate.q) <= i)
			sched_yield();
	}
}

static int64_t result(struct party *p, int i)
{
	int64_t rc = 0;

	cr_assert_eq(mag_future_wait(&p->done[i], &rc, MAG_NEVER), 0);
	return rc;
}

static void go_home(struct party *p)
{
	cr_assert_eq(waiting(&p->gate.q), 0);
	ledger_closes(p->rt);
	cr_assert_eq(mag_runtime_destroy(p->rt, mag_deadline_in(5 * MAG_SECOND)), 0);
}

static void *cancel_one(void *arg)
{
	struct party *p = arg;

	mag_scope_cancel(magi_load_acq(&p->scope[p->cancelled]));
	return NULL;
}

/* The lock is held. On return a thread has claimed visitor i and waits for the lock. */
static void claim_by_cancel(struct party *p, int i)
{
	mag_frame *f = p->gate.q.head;

	for (int k = 0; k < i; k++)
		f = f->op.wait.next;
	p->cancelled = i;
	cr_assert_eq(pthread_create(&p->canceller, NULL, cancel_one, p), 0);
	while (magi_load_acq(&f->leader->state) & MAGI_PARKED)
		sched_yield();
}

static void enter(struct party *p)
{
	magi_lock_acquire(magi_waitq_lock(&p->gate.q));
}

static void leave(struct party *p)
{
	magi_lock_release(magi_waitq_lock(&p->gate.q));
}

Test(wait, grants_go_to_the_first, .timeout = 20)
{
	struct party p;

	invite(&p, 3);
	for (int i = 0; i < 3; i++) {
		mag_frame *f;

		enter(&p);
		f = magi_wait_grant(&p.gate.q, 10 + i);
		leave(&p);
		cr_assert_not_null(f);
		magi_store_rlx(&f->q.next, NULL);
		magi_wait_resume(f);
		cr_assert_eq(result(&p, i), 10 + i);
	}
	enter(&p);
	cr_assert_null(magi_wait_grant(&p.gate.q, 0));
	leave(&p);
	go_home(&p);
}

Test(wait, all_can_be_granted_at_once, .timeout = 20)
{
	struct party p;
	mag_frame *list;

	invite(&p, VISITORS);
	enter(&p);
	list = magi_wait_grant_all(&p.gate.q, 3);
	leave(&p);
	magi_wait_resume(list);
	for (int i = 0; i < VISITORS; i++)
		cr_assert_eq(result(&p, i), 3);
	cr_assert_eq(p.gate.gone, 0);
	go_home(&p);
}

Test(wait, nothing_is_granted_to_who_was_cancelled_first, .timeout = 20)
{
	struct party p;
	mag_frame *f;

	invite(&p, 3);
	enter(&p);
	claim_by_cancel(&p, 0);
	f = magi_wait_grant(&p.gate.q, 7); /* the first in the queue is claimed: the second gets it */
	leave(&p);
	cr_assert_not_null(f);
	magi_store_rlx(&f->q.next, NULL);
	magi_wait_resume(f);
	cr_assert_eq(result(&p, 0), MAG_ECANCELED);
	cr_assert_eq(result(&p, 1), 7);
	pthread_join(p.canceller, NULL);
	cr_assert_eq(p.gate.gone, 1, "also when the grant had taken it out of the queue");
	cr_assert_eq(waiting(&p.gate.q), 1);
	mag_scope_cancel(p.scope[2]);
	cr_assert_eq(result(&p, 2), MAG_ECANCELED);
	go_home(&p);
}

Test(wait, who_was_granted_first_is_not_cancelled, .timeout = 20)
{
	struct party p;
	mag_frame *f;

	invite(&p, 1);
	enter(&p);
	f = magi_wait_grant(&p.gate.q, 7);
	leave(&p);
	cr_assert_not_null(f);
	mag_scope_cancel(p.scope[0]);
	cr_assert_eq(p.gate.gone, 0);
	magi_store_rlx(&f->q.next, NULL);
	magi_wait_resume(f);
	cr_assert_eq(result(&p, 0), 7);
	go_home(&p);
}

Test(wait, cancelled_waiter_leaves_the_queue_from_any_place, .timeout = 20)
{
	struct party p;

	invite(&p, 4);
	mag_scope_cancel(p.scope[1]);
	cr_assert_eq(result(&p, 1), MAG_ECANCELED);
	mag_scope_cancel(p.scope[3]);
	cr_assert_eq(result(&p, 3), MAG_ECANCELED);
	mag_scope_cancel(p.scope[0]);
	cr_assert_eq(result(&p, 0), MAG_ECANCELED);
	cr_assert_eq(waiting(&p.gate.q), 1);
	mag_scope_cancel(p.scope[2]);
	cr_assert_eq(result(&p, 2), MAG_ECANCELED);
	cr_assert_eq(p.gate.gone, 4);
	go_home(&p);
}

Test(wait, who_goes_can_pass_on_what_it_held_up, .timeout = 20)
{
	struct party p;

	invite(&p, 2);
	enter(&p);
	p.gate.pass = true;
	leave(&p);
	mag_scope_cancel(p.scope[0]);
	cr_assert_eq(result(&p, 0), MAG_ECANCELED);
	cr_assert_eq(result(&p, 1), 5);
	go_home(&p);
}

Test(wait, who_goes_can_be_kept_and_resumed_later, .timeout = 20)
{
	struct party p;

	invite(&p, 1);
	enter(&p);
	p.gate.keep = true;
	leave(&p);
	mag_scope_cancel(p.scope[0]);
	cr_assert_not(mag_future_poll(&p.done[0], NULL));
	cr_assert_not_null(p.gate.kept);
	p.gate.kept->op.result = 8;
	magi_store_rlx(&p.gate.kept->q.next, NULL);
	magi_wait_resume(p.gate.kept);
	cr_assert_eq(result(&p, 0), 8);
	go_home(&p);
}

/* Cancelled after it had looked and before it parks (tried: a park that does not look at CANCEL; the task then waits
 * for ever and the test times out). */
Test(wait, cancel_between_begin_and_park_is_not_lost, .timeout = 20)
{
	struct gate g;

	gate_init(&g);
	g.cancel_first = true;
	for (uint32_t workers = 1; workers <= 4; workers *= 2) {
		cr_assert_eq(RUN(workers, visitor, .g = &g), MAG_ECANCELED);
		cr_assert_eq(waiting(&g.q), 0);
		cr_assert_eq(g.gone, 0);
	}
}
