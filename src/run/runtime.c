/* SPDX-License-Identifier: MIT */
/* runtime.c - starting and stopping a runtime.
 *
 * Who:     any thread that is not one of its workers.
 * Always:  workers enter their loops together, after all have opened their io, and leave together, before any closes it:
 *          a worker may wake or steal from any other at any time between.
 * Pairs:   the monitor; [stop] run/worker.c */

#include <errno.h>
#include <magpie/offload.h>
#include <magpie/options.h>
#include <magpie/time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "offload/offload.h"
#include "task/file.h"
#include "sched/idle.h"
#include "sched/meet.h"
#include "sched/depot.h"
#include "sched/slab.h"
#include "run/here.h"
#include "run/left.h"
#include "run/life.h"
#include "run/quit.h"
#include "run/stall.h"
#include "sched/cpus.h"
#include "task/group.h"

enum { STACK_BYTES = 256 * 1024, SPIN_US = 50, SHUTDOWN_S = 10, FILES_AHEAD = 1024 /* what a process may have, usually */ };

static __thread char why[320];

const char *mag_runtime_why(void)
{
	return why;
}

static int choose_backend(mag_runtime *rt)
{
	const char *name = rt->options.backend ? rt->options.backend : getenv("MAGPIE_BACKEND");

	rt->backend_given = name && *name;
	if (!rt->backend_given || !strcmp(name, magi_uring_ops.name))
		rt->ops = &magi_uring_ops;
	else if (!strcmp(name, magi_epoll_ops.name))
		rt->ops = &magi_epoll_ops;
	else if (!strcmp(name, magi_sim_ops.name) && rt->options.world)
		rt->ops = &magi_sim_ops;
	else {
		snprintf(why, sizeof(why), "there is no I/O backend named '%s' here; known: uring, epoll", name);
		return -EINVAL;
	}
	return 0;
}

static int take_options(mag_runtime *rt, const mag_runtime_options *given)
{
	mag_runtime_options *o = &rt->options;

	if (mag_options_take(o, sizeof(*o), given) < 0) {
		snprintf(why, sizeof(why), "mag_runtime_options.size is %zu, this library knows %zu", given->size,
			 sizeof(*o));
		return -EINVAL;
	}
	if (o->workers > MAG_WORKERS_MAX) {
		snprintf(why, sizeof(why), "%u workers, the most is %d", o->workers, MAG_WORKERS_MAX);
		return -EINVAL;
	}
	if (o->blocking_max > MAG_LANE_THREADS_MAX || o->compute_threads > MAG_LANE_THREADS_MAX) {
		snprintf(why, sizeof(why), "%u blocking_max, %u compute_threads, the most is %d", o->blocking_max,
			 o->compute_threads, MAG_LANE_THREADS_MAX);
		return -EINVAL;
	}
	rt->n = o->workers ? o->workers : magi_cpus_allowed();
	if (rt->n > MAG_WORKERS_MAX)
		rt->n = MAG_WORKERS_MAX;
	rt->spin_us = o->spin_us ? o->spin_us : SPIN_US;
	if (o->spin_us == UINT32_MAX || magi_cpus_allowed() < 2)
		rt->spin_us = 0; /* who spins on the only CPU keeps away what it waits for */
	if (!o->shutdown_ns)
		o->shutdown_ns = SHUTDOWN_S * MAG_SECOND;
	return choose_backend(rt);
}

static struct magi_worker *worker_create(mag_runtime *rt, uint32_t index)
{
	struct magi_worker *w = magi_alloc_aligned(MAGI_CACHE_LINE, sizeof(*w));

	if (!w)
		return NULL;
	w->pub.index = index;
	w->pub.sleepers = rt->idle.fenced ? &rt->idle.everyone : &rt->idle.sleepers;
	w->rt = rt;
	w->ops = rt->ops;
	w->spin_ns = rt->spin_us * 1000;
	w->slow_watch = MAGI_NS_PER_MS;
	magi_random_seed(&w->random, index + 1 + (magi_host() ? (uint64_t)magi_host()->ops->random(magi_host(), UINT32_MAX) << 8 : 0));
	w->pub.deque.alone = w->ready.ring.alone = rt->n == 1;
	magi_slab_init(w);
	return w;
}

static void free_all(mag_runtime *rt)
{
	magi_offload_destroy(rt);
	for (uint32_t i = 0; i < rt->n && rt->workers; i++) {
		if (rt->workers[i])
			magi_slots_fini(&rt->workers[i]->slots);
		magi_free(rt->workers[i]);
	}
	mag_group_clear(&rt->background);
	magi_fds_fini(&rt->fds);
	magi_depot_fini(&rt->depot);
	magi_monitor_fini(&rt->monitor);
	magi_free(rt->workers);
	magi_debug_destroy(rt->debug);
	magi_free(rt);
}

static int start_thread(struct magi_worker *w)
{
	size_t stack = w->rt->options.stack_bytes ? w->rt->options.stack_bytes : STACK_BYTES;
	struct magi_thread_start start = { .fn = magi_worker_main, .arg = w, .stack = stack };

	return magi_thread_start(&w->thread, &start);
}

/* Starts the threads and waits until all have opened their io; the first error, with its words. */
static int start_threads(mag_runtime *rt)
{
	uint32_t first = rt->here ? 1 : 0, started = first;
	int rc = 0;

	while (started < rt->n && rc == 0) {
		rc = start_thread(rt->workers[started]);
		if (rc == 0)
			started++;
	}
	if (rc == 0 && first)
		magi_here_begin(rt);
	magi_monitor_enter(&rt->monitor);
	if (rc < 0) {
		snprintf(why, sizeof(why), "thread %u of %u could not be started: %s", started + 1, rt->n, strerror(-rc));
		rt->closing = true;
		rt->opened += rt->n - started + first; /* those that will never come */
		magi_monitor_broadcast(&rt->monitor);
	}
	while (rt->opened < rt->n)
		magi_monitor_wait(&rt->monitor, MAGI_NEVER);
	magi_monitor_leave(&rt->monitor);
	for (uint32_t i = 0; i < started && rc == 0; i++) {
		rc = rt->workers[i]->open_rc;
		if (rc < 0)
			snprintf(why, sizeof(why), "%s", rt->workers[i]->why);
	}
	for (uint32_t i = first; i < started && rc < 0; i++)
		magi_thread_join(&rt->workers[i]->thread);
	return rc;
}

/* Where io_uring cannot be had, and nobody has asked for it by name, epoll does its work: the workers start once more.
 * Not for want of memory or descriptors: that would be found out later, under load, by being slower. */
static int start_workers(mag_runtime *rt)
{
	int rc = start_threads(rt);

	if (rc != MAG_EBACKEND || rt->backend_given)
		return rc;
	fprintf(stderr, "magpie: using epoll: %s\n", why);
	rt->ops = &magi_epoll_ops;
	rt->opened = 0;
	rt->closing = false;
	why[0] = 0;
	for (uint32_t i = 0; i < rt->n; i++) {
		rt->workers[i]->ops = rt->ops;
		rt->workers[i]->why[0] = 0;
	}
	return start_threads(rt);
}

/* A failure that nobody has put into words says at least its name. */
static int explained(int rc)
{
	if (!why[0])
		snprintf(why, sizeof(why), "%s", mag_strerror(rc));
	return rc;
}

static int other_layout(uint32_t abi)
{
	const char *with[] = { "without", "with" };

	if ((abi ^ MAGI_ABI) == MAGI_ABI_DEBUG)
		snprintf(why, sizeof(why), "the program was built %s -DMAGPIE_DEBUG=1, this library %s: they have to agree",
			 with[!!(abi & MAGI_ABI_DEBUG)], with[!!(MAGI_ABI & MAGI_ABI_DEBUG)]);
	else
		snprintf(why, sizeof(why), "the program was built for layout %#x, this library has %#x", abi, MAGI_ABI);
	return MAG_EABI;
}

int magi_runtime_start(const mag_runtime_options *options, uint32_t abi, enum magi_where where, mag_runtime **out)
{
	mag_runtime *rt;
	int rc;

	*out = NULL;
	why[0] = 0;
	if (abi != MAGI_ABI)
		return other_layout(abi);
	rt = magi_alloc_aligned(MAGI_CACHE_LINE, sizeof(*rt));
	if (!rt)
		return explained(-ENOMEM);
	magi_monitor_init(&rt->monitor);
	rt->fds.gone = magi_file_gone;
	magi_group_root(&rt->background, rt);
	rc = take_options(rt, options);
	if (rc < 0)
		goto fail;
	if (where == MAGI_OF_LOOP && !rt->ops->doze) {
		snprintf(why, sizeof(why), "the backend '%s' has no descriptor that a loop could watch", rt->ops->name);
		rc = MAG_EDEADLK;
		goto fail;
	}
	if (where == MAGI_OF_LOOP && !rt->options.workers)
		rt->n = 1;
	rc = magi_debug_create(&rt->debug, rt->options.debug);
	if (rc < 0)
		goto fail;
	magi_group_watch(&rt->background, rt);
	rt->ticks_per_us = magi_ticks_per_us();
	rt->began = magi_clock_ns();
	magi_idle_init(rt);
	rc = magi_offload_create(rt, magi_cpus_allowed());
	if (rc < 0)
		goto fail;
	rc = -ENOMEM;
	rt->workers = magi_zalloc(rt->n * sizeof(struct magi_worker *));
	if (!rt->workers)
		goto fail;
	for (uint32_t i = 0; i < rt->n; i++) {
		rt->workers[i] = worker_create(rt, i);
		if (!rt->workers[i])
			goto fail;
	}
	mag_fd_reserve(FILES_AHEAD); /* if it cannot be now, it will be when they are needed */
	if (magi_here_fits(rt, where))
		magi_here_init(rt, where);
	rc = start_workers(rt);
	if (rc < 0)
		goto fail;
	magi_stall_watch(rt); /* before: who says what hangs counts the threads */
	magi_quit_enter(rt);
	*out = rt;
	return 0;

fail:
	free_all(rt);
	return explained(rc);
}

int magi_runtime_create(const mag_runtime_options *options, uint32_t abi, mag_runtime **out)
{
	return magi_runtime_start(options, abi, MAGI_OF_THREADS, out);
}

/* Waits for the end of the background; false at the deadline. */
static bool wait_drained(mag_runtime *rt, uint64_t deadline)
{
	bool drained;

	if (rt->here)
		return magi_here_drain(rt, deadline);
	magi_add_rlx(&rt->entered, 1u); /* [hint] */
	magi_monitor_enter(&rt->monitor);
	while (!magi_load_rlx(&rt->drained) && magi_monitor_wait(&rt->monitor, deadline)) /* [stop] */
		;
	drained = magi_load_rlx(&rt->drained); /* [stop] */
	magi_monitor_leave(&rt->monitor);
	if (!drained)
		magi_add_rlx(&rt->entered, -1u); /* [hint] */
	return drained;
}

/* Nothing more is taken in; marks the background as being joined. */
static void close_background(mag_runtime *rt)
{
	bool first;

	magi_monitor_enter(&rt->monitor);
	first = !rt->closing;
	rt->closing = true;
	if (first && magi_add_ar(&rt->background.balance, (int64_t)1) == 0) /* [balance] */
		(void)magi_xchg_seq(&rt->drained, 1u); /* [stop] */
	magi_monitor_leave(&rt->monitor);
}

int64_t mag_runtime_destroy(mag_runtime *rt, uint64_t deadline)
{
	uint32_t jobs;

	if (!rt)
		return 0;
	if (magi_self_in(rt))
		return MAG_EDEADLK;
	if (rt->here && !magi_here_is_mine(rt))
		return -EPERM;
	magi_left_waiting(rt);
	mag_group_cancel(&rt->background);
	close_background(rt);
	if (!wait_drained(rt, deadline)) {
		int64_t left = magi_load_acq(&rt->background.balance) / 2; /* [balance] */

		fprintf(stderr, "magpie: %lld background task(s) did not end in time; the runtime stays\n", (long long)left);
		if (!rt->options.world) /* a simulation reports in its own way */
			mag_runtime_dump(rt, STDERR_FILENO);
		return left ? left : 1;
	}
	magi_quit_leave(rt);
	magi_stall_unwatch(rt);
	jobs = magi_offload_end(rt, deadline);
	if (jobs)
		fprintf(stderr, "magpie: %u abandoned job(s) did not end in time; their threads stay\n", jobs);
	magi_visitors_gone(rt);
	(void)magi_xchg_seq(&rt->stop, 1u); /* [stop] */
	magi_wake_all(rt);
	if (rt->here)
		magi_here_end(rt);
	else
		magi_runtime_stopped(rt);
	for (uint32_t i = rt->here ? 1 : 0; i < rt->n; i++)
		magi_thread_join(&rt->workers[i]->thread);
	magi_left_over(rt);
	free_all(rt);
	return jobs;
}

mag_group *mag_background(mag_runtime *rt)
{
	return &rt->background;
}

uint32_t mag_runtime_workers(const mag_runtime *rt)
{
	return rt->n;
}

const char *mag_runtime_backend(const mag_runtime *rt)
{
	return rt->ops->name;
}
