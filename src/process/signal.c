/* SPDX-License-Identifier: MIT */
/* signal.c - receivers of signals: who wants which, and what has come for them.
 *
 * What:    a receiver is a set of signals that have come and a queue of tasks. The thread of trap.c tells all receivers
 *          of what its handlers have seen; in a simulation the program does.
 * Who:     open, close, raise, tell: any thread. next: tasks.
 * Always:  a receiver is in its list from the opening to the closing; who tells has that list's monitor: after the
 *          closing nobody comes to it any more. A signal is given to one waiting task or kept, under the receiver's lock:
 *          who was cancelled is not in the queue, and it stays for the next.
 * Pairs:   the monitor, the lock. [state] task/wait.h
 * Not:     a list for all simulations of a process: a run that fails leaves its receivers where they are, in memory that
 *          is used again. So it belongs to the simulation (base/host.h). */
#include "process/signal.h"

#include <errno.h>
#include <magpie/sim.h>

#include "base/alloc.h"
#include "base/host.h"
#include "task/select.h"
#include "task/until.h"
#include "task/wait.h"

static magi_lock *lock_of(mag_signal *s)
{
	return magi_waitq_lock(&s->waitq);
}

/* Telling. */

/* One signal for one receiver, whose lock is held. */
static void give(mag_signal *s, int number, mag_frame **granted)
{
	mag_frame *f;

	s->came++;
	f = magi_wait_grant(&s->waitq, number);
	if (f)
		magi_wait_list(granted, f);
	else
		s->pending |= UINT64_C(1) << (number - 1);
}

/* Those that it wants; returns what it wants no longer: it has had as many as it takes. The monitor is entered. */
static uint64_t give_all(mag_signal *s, uint64_t signals, mag_frame **granted)
{
	uint64_t wanted = s->wanted;

	magi_lock_acquire(lock_of(s));
	for (signals &= wanted; signals && s->left; signals &= signals - 1) {
		give(s, __builtin_ctzll(signals) + 1, granted);
		if (s->left != UINT32_MAX)
			s->left--;
	}
	magi_lock_release(lock_of(s));
	if (s->left)
		return 0;
	s->wanted = 0;
	return wanted;
}

/* False: nobody wants them. The monitor is entered. */
static bool tell(struct magi_receivers *all, uint64_t signals, mag_frame **granted)
{
	bool any = false;

	for (mag_signal *s = all->first; s; s = s->next) {
		uint64_t over;

		any |= (s->wanted & signals) != 0;
		over = give_all(s, signals, granted);
		if (over && all == magi_trap_receivers())
			magi_trap_drop(over);
	}
	return any;
}

bool magi_signal_tell(struct magi_receivers *all, uint64_t signals)
{
	mag_frame *granted = NULL;
	bool any;

	magi_monitor_enter(&all->monitor);
	if (all == magi_trap_receivers())
		signals |= magi_trap_came();
	any = tell(all, signals, &granted);
	magi_monitor_leave(&all->monitor);
	magi_wait_resume(granted);
	return any;
}

/* Opening and closing. */

/* Those of the simulation that runs here, which are freed with it, or of the process. NULL: there is no memory. */
static struct magi_receivers *receivers_here(void)
{
	struct magi_host *h = magi_host();

	if (!h || !h->alone)
		return magi_trap_receivers();
	if (!h->receivers) {
		h->receivers = magi_zalloc(sizeof(*h->receivers));
		if (h->receivers)
			magi_monitor_init(&h->receivers->monitor);
	}
	return h->receivers;
}

static bool can_be_taken(int number)
{
	switch (number) {
	case SIGKILL:
	case SIGSTOP:
	case SIGSEGV:
	case SIGBUS:
	case SIGFPE:
	case SIGILL:
	case SIGTRAP:
	case SIGSYS:
	case SIGABRT:
		return false;
	default:
		return number > 0 && number <= 64; /* two of them are the C library's own: sigaction says so */
	}
}

static void link_in(mag_signal *s, struct magi_receivers *all)
{
	s->among = all;
	s->next = all->first;
	s->pprev = &all->first;
	if (s->next)
		s->next->pprev = &s->next;
	all->first = s;
}

/* In one piece: what comes right after the handlers are in place finds the receiver; what came before, and is not told
 * yet, is told to the others. */
static int enlist(mag_signal *s, struct magi_receivers *all, bool real)
{
	mag_frame *granted = NULL;
	int rc = 0;

	magi_monitor_enter(&all->monitor);
	if (real) {
		tell(all, magi_trap_came(), &granted);
		rc = magi_trap_take(s->wanted);
	}
	if (rc == 0)
		link_in(s, all);
	magi_monitor_leave(&all->monitor);
	magi_wait_resume(granted);
	return rc;
}

int magi_signal_open(mag_signal *s, const int *set, size_t n, uint32_t most)
{
	struct magi_receivers *all;
	bool real;
	int rc = n && most ? 0 : -EINVAL;

	*s = (mag_signal){ .closed = 1, .left = most };
	for (size_t i = 0; i < n; i++) {
		if (can_be_taken(set[i]))
			s->wanted |= UINT64_C(1) << (set[i] - 1);
		else
			rc = -EINVAL;
	}
	if (rc < 0)
		return rc;
	all = receivers_here();
	if (!all)
		return -ENOMEM;
	real = all == magi_trap_receivers();
	rc = real ? magi_trap_enter() : 0;
	if (rc < 0)
		return rc;
	s->closed = 0;
	rc = enlist(s, all, real);
	if (rc < 0) {
		s->closed = 1;
		magi_trap_leave();
	}
	return rc;
}

int mag_signal_close(mag_signal *s)
{
	struct magi_receivers *all = s->among;
	mag_frame *granted;
	bool first;

	magi_lock_acquire(lock_of(s));
	first = !s->closed;
	s->closed = 1;
	magi_lock_release(lock_of(s));
	if (!first)
		return 0;
	magi_monitor_enter(&all->monitor);
	*s->pprev = s->next;
	if (s->next)
		s->next->pprev = s->pprev;
	if (all == magi_trap_receivers())
		magi_trap_drop(s->wanted);
	magi_monitor_leave(&all->monitor);
	magi_lock_acquire(lock_of(s));
	s->pending = 0;
	granted = magi_wait_grant_all(&s->waitq, MAG_ECLOSED);
	magi_lock_release(lock_of(s));
	magi_wait_resume(granted);
	if (all == magi_trap_receivers())
		magi_trap_leave();
	return 1;
}

/* Taking. */

/* The lock is held. */
static int take(mag_signal *s)
{
	int number;

	if (s->closed)
		return MAG_ECLOSED;
	if (!s->pending)
		return -EAGAIN;
	number = __builtin_ctzll(s->pending) + 1;
	s->pending &= s->pending - 1;
	return number;
}

int mag_signal_try_next(mag_signal *s)
{
	int rc;

	magi_lock_acquire(lock_of(s));
	rc = take(s);
	magi_lock_release(lock_of(s));
	return rc;
}

mag_frame *mag_signal_next(mag_worker *w, mag_frame *f, mag_signal *s)
{
	int rc;

	if (magi_cancelled(f))
		return magi_wait_done(w, f, MAG_ECANCELED);
	rc = mag_signal_try_next(s);
	if (rc != -EAGAIN)
		return magi_wait_done(w, f, rc);
	rc = magi_wait_begin(w, f);
	if (rc < 0)
		return magi_wait_done(w, f, rc);
	magi_lock_acquire(lock_of(s));
	rc = take(s);
	if (rc == -EAGAIN) {
		if (magi_wait_park(f, &s->waitq, 0)) {
			magi_lock_release(lock_of(s));
			return NULL;
		}
		rc = MAG_ECANCELED;
	}
	magi_lock_release(lock_of(s));
	return magi_wait_done(w, f, rc);
}

static mag_frame *next_op(mag_worker *w, mag_frame *f, void *signal, uint64_t arg)
{
	(void)arg;
	return mag_signal_next(w, f, signal);
}

mag_frame *mag_signal_next_until(mag_worker *w, mag_frame *f, mag_signal *s, uint64_t deadline)
{
	int rc = magi_cancelled(f) ? MAG_ECANCELED : mag_signal_try_next(s);

	if (rc != -EAGAIN)
		return magi_wait_done(w, f, rc);
	return magi_until(w, f, next_op, s, 0, deadline);
}

/* As a case of mag_select. */

static struct magi_waitq *queue_of_case(const mag_case *c)
{
	return &((mag_signal *)c->object)->waitq;
}

static bool take_case(mag_case *c, uint64_t *need, mag_frame **granted)
{
	(void)granted;
	*need = 0;
	c->result = take(c->object);
	return c->result != -EAGAIN;
}

const struct magi_case_kind magi_case_signal = { .queue = queue_of_case, .take = take_case };

/* The simulation's. */

int mag_sim_raise(int number)
{
	struct magi_host *h = magi_host();

	if (number < 1 || number > 64)
		return -EINVAL;
	if (!h || !h->alone || !h->receivers)
		return 0;
	return magi_signal_tell(h->receivers, UINT64_C(1) << (number - 1));
}
