/* SPDX-License-Identifier: MIT */
/* here.c - a worker that has no thread of its own: its user's turns it.
 *
 * What:    mag_run with one worker works on the thread that calls it. mag_hosted_…: an event loop of somebody else's turns
 *          the first worker now and then; between, that sleeps as one that blocks does, only that its thread is away.
 * Who:     one and the same thread, all of it: rings belong to a thread.
 * Always:  magi_self is the worker within a turn, and no worker outside.
 *          Between turns it has announced its sleep and looked at all; who wakes it makes the descriptor readable.
 * Pairs:   [stop] the end of the background: as that of the runtime in run/worker.c
 *          [hint] relaxed: whether the main task has ended, asked at each pick; it has completed its future on this worker
 * Not:     turns that spin: the loop has other things to do. A thread that waits in the loop's stead, and a pipe: two
 *          changes of thread for each event. */
#include "run/here.h"

#include <errno.h>
#include <magpie/hosted.h>
#include <magpie/time.h>

#include "base/clock.h"
#include "run/life.h"
#include "run/worker.h"
#include "sched/meet.h"

enum {
	TURN_NS = 1000000, /* the loop gets its turn at least so often, if steps are short */
	CLOCK_EVERY = 16   /* picks */
};

bool magi_here_fits(const mag_runtime *rt, enum magi_where where)
{
	if (where == MAGI_OF_LOOP)
		return true;
	/* a stack of its own was asked for; a simulation has its own ways with threads */
	return where == MAGI_OF_CALLER && rt->n == 1 && !rt->options.stack_bytes && !magi_host();
}

void magi_here_init(mag_runtime *rt, enum magi_where where)
{
	rt->here = rt->workers[0];
	rt->here_thread = magi_thread_self();
	rt->hosted = where == MAGI_OF_LOOP;
}

bool magi_here_is_mine(const mag_runtime *rt)
{
	return pthread_equal(rt->here_thread.system, magi_thread_self().system);
}

void magi_here_begin(mag_runtime *rt)
{
	if (magi_worker_begin(rt->here))
		magi_self_set(NULL);
}

void magi_here_wait(mag_runtime *rt, mag_future *future, int64_t *result)
{
	struct magi_worker *w = rt->here;

	magi_self_set(&w->pub);
	while (!magi_load_rlx(&future->done)) { /* [hint] */
		if (!magi_worker_tick(w))
			magi_worker_idle(w, MAGI_NEVER);
	}
	(void)mag_future_poll(future, result);
	magi_self_set(NULL);
}

static void get_up(mag_runtime *rt)
{
	if (rt->dozes) {
		rt->dozes = false;
		magi_worker_wake(rt->here);
	}
}

bool magi_here_drain(mag_runtime *rt, uint64_t deadline)
{
	struct magi_worker *w = rt->here;
	uint64_t n = 0;

	magi_self_set(&w->pub);
	get_up(rt);
	w->ends = true;
	while (!magi_load_rlx(&rt->drained)) { /* [stop] */
		bool busy = magi_worker_tick(w);

		if (deadline != MAGI_NEVER && (!busy || ++n % CLOCK_EVERY == 0) && magi_clock_ns() >= deadline)
			break;
		if (!busy)
			magi_worker_idle(w, deadline);
	}
	w->ends = false;
	magi_self_set(NULL);
	return magi_load_rlx(&rt->drained); /* [stop] */
}

void magi_here_end(mag_runtime *rt)
{
	magi_self_set(&rt->here->pub);
	magi_runtime_stops(rt);
	magi_worker_end(rt->here);
}

/* By turns. */

int magi_hosted_create(const mag_runtime_options *options, uint32_t abi, mag_runtime **out)
{
	int rc;

	*out = NULL;
	if (magi_self() || magi_host())
		return MAG_EDEADLK;
	rc = magi_runtime_start(options, abi, MAGI_OF_LOOP, out);
	if (rc < 0)
		return rc;
	(*out)->here->spin_ns = 0;
	do
		rc = mag_hosted_turn(*out);
	while (rc > 0);
	if (rc < 0) {
		mag_runtime_destroy(*out, MAG_NEVER);
		*out = NULL;
	}
	return rc;
}

int mag_hosted_fd(const mag_runtime *rt)
{
	return rt->hosted ? rt->doze_fd : -EINVAL;
}

uint64_t mag_hosted_deadline(const mag_runtime *rt)
{
	return rt->dozes ? rt->doze_until : 0;
}

/* Works until nothing is left, and falls asleep (0), or the turn is over (1). */
static int work(mag_runtime *rt)
{
	struct magi_worker *w = rt->here;
	uint64_t until = magi_clock_ns() + TURN_NS, n = 0;

	for (;;) {
		int fd;

		if (magi_worker_tick(w)) {
			if (++n % CLOCK_EVERY == 0 && magi_clock_ns() >= until)
				return 1;
			continue;
		}
		if (magi_worker_seek(w))
			continue;
		fd = magi_worker_doze(w, &rt->doze_until);
		if (fd >= 0) {
			rt->doze_fd = fd;
			return 0;
		}
		if (fd != -EAGAIN)
			return fd;
		if (magi_clock_ns() >= until)
			return 1;
	}
}

int mag_hosted_turn(mag_runtime *rt)
{
	int rc;

	if (!rt->hosted)
		return -EINVAL;
	if (!magi_here_is_mine(rt))
		return -EPERM;
	if (magi_self())
		return MAG_EDEADLK;
	magi_self_set(&rt->here->pub);
	get_up(rt);
	rc = work(rt);
	rt->dozes = rc == 0;
	magi_self_set(NULL);
	return rc;
}
