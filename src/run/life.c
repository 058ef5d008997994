/* SPDX-License-Identifier: MIT */
/* life.c - a worker's life on its thread, from the first use of its io to the last.
 *
 * Who:     the worker's own thread: one that the runtime has started, or, for one that is turned by its user, his
 *          (run/here.c).
 * Always:  workers begin together, after all have opened their io, and end together, before any closes it. */
#include "run/life.h"

#include <signal.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "offload/offload.h"
#include "run/worker.h"
#include "sched/meet.h"
#include "sched/slab.h"
#include "task/group.h"
#include "task/iop.h"
#include "task/timer.h"

static int open_io(struct magi_worker *w)
{
	struct magi_io_params params = {
		.entries = w->rt->options.ring_entries,
		.world = w->rt->options.world,
		.dozes = w->rt->hosted && w == w->rt->here,
		.why = w->why,
		.why_size = sizeof(w->why),
		.punt = magi_offload_punt,
		.punt_ctx = w->rt,
	};

	return w->ops->open(&w->io, &params);
}

static void give_back(void *buffer, void *ctx)
{
	(void)ctx;
	magi_free(buffer);
}

/* A loop may turn several workers, which end in any order. */
static __thread uint32_t workers_here;
static __thread bool was_blocked; /* before the first of them */

/* sendfile(2) has no flag against it; for this thread only, whose system calls raise it. */
static void block_sigpipe(void)
{
	sigset_t set, before;

	if (workers_here++)
		return;
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &set, &before);
	was_blocked = sigismember(&before, SIGPIPE);
}

/* The thread may be the user's. One that came meanwhile was ours. */
static void unblock_sigpipe(void)
{
	const struct timespec now = { 0, 0 };
	sigset_t set;

	if (--workers_here || was_blocked)
		return;
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	while (sigtimedwait(&set, NULL, &now) >= 0)
		;
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void close_io(struct magi_worker *w)
{
	if (w->open_rc == 0)
		w->ops->close(w->io, give_back, w);
	magi_slab_drain(w);
	magi_self_set(NULL);
	unblock_sigpipe();
}

bool magi_worker_begin(struct magi_worker *w)
{
	block_sigpipe();
	magi_self_set(&w->pub);
	w->watched = magi_host() != NULL;
	w->stepwise = w->watched || w->rt->debug;
	w->open_rc = open_io(w);
	if (w->open_rc == 0)
		magi_wheel_init(&w->wheel, (uint16_t)(w->pub.index + 1), magi_now(w));
	if (magi_runtime_opened(w->rt, w->open_rc))
		return true;
	close_io(w);
	return false;
}

void magi_worker_end(struct magi_worker *w)
{
	while (magi_worker_goes_on(w)) {
		if (!magi_worker_tick(w))
			magi_worker_idle(w, MAGI_NEVER);
	}
	magi_group_settle(w, NULL);
	magi_runtime_stopped(w->rt);
	magi_io_drain(w);
	close_io(w);
}

void *magi_worker_main(void *arg)
{
	struct magi_worker *w = arg;

	if (magi_worker_begin(w))
		magi_worker_end(w);
	return NULL;
}
