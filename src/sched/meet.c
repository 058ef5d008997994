/* SPDX-License-Identifier: MIT */
/* meet.c - where the workers of a runtime wait for one another: at the start, and at the end.
 *
 * Who:     workers, and the thread that starts or stops the runtime.
 * Pairs:   the monitor
 *          [visit] counted down (release) -> loaded (acquire) by who stops the runtime */
#include "sched/meet.h"

#include "base/clock.h"
#include "base/futex.h"
#include "sched/idle.h"

bool magi_runtime_opened(mag_runtime *rt, int rc)
{
	bool all;

	magi_monitor_enter(&rt->monitor);
	rt->opened++;
	if (rc < 0)
		rt->closing = true;
	magi_monitor_broadcast(&rt->monitor);
	while (rt->opened < rt->n)
		magi_monitor_wait(&rt->monitor, MAGI_NEVER);
	all = !rt->closing || rt->open_ok;
	if (all)
		rt->open_ok = true; /* from here on `closing` means something else */
	magi_monitor_leave(&rt->monitor);
	return all;
}

void magi_runtime_stopped(mag_runtime *rt)
{
	magi_monitor_enter(&rt->monitor);
	rt->stopped++;
	magi_monitor_broadcast(&rt->monitor);
	while (rt->stopped < rt->n + 1) /* and whoever stops the runtime: he rings doorbells until then */
		magi_monitor_wait(&rt->monitor, MAGI_NEVER);
	magi_monitor_leave(&rt->monitor);
}

void magi_runtime_stops(mag_runtime *rt)
{
	magi_monitor_enter(&rt->monitor);
	rt->stopped++;
	magi_monitor_leave(&rt->monitor);
}

void magi_runtime_drained(mag_runtime *rt)
{
	magi_monitor_enter(&rt->monitor);
	(void)magi_xchg_seq(&rt->drained, 1u); /* [stop] */
	magi_monitor_broadcast(&rt->monitor);
	magi_monitor_leave(&rt->monitor);
	if (rt->here)
		magi_wake_worker(rt->here, NULL);
}

void magi_visitors_gone(mag_runtime *rt)
{
	while (magi_load_acq(&rt->visitors)) /* [visit] */
		magi_thread_yield(); /* a few instructions of theirs are left */
}
