/* SPDX-License-Identifier: MIT */
/* meet.c - where the workers of a runtime wait for one another: at the start, and at the end.
 *
 * Who:     workers, and the thread that starts or stops the runtime.
 * Pairs:   the mutex
 *          [visit] counted down (acquire, release) -> loaded (acquire) by who stops the runtime */
#include "sched/meet.h"

#include <sched.h>

bool magi_runtime_opened(mag_runtime *rt, int rc)
{
	bool all;

	pthread_mutex_lock(&rt->mutex);
	rt->opened++;
	if (rc < 0)
		rt->closing = true;
	pthread_cond_broadcast(&rt->changed);
	while (rt->opened < rt->n)
		pthread_cond_wait(&rt->changed, &rt->mutex);
	all = !rt->closing || rt->open_ok;
	if (all)
		rt->open_ok = true; /* from here on `closing` means something else */
	pthread_mutex_unlock(&rt->mutex);
	return all;
}

void magi_runtime_stopped(mag_runtime *rt)
{
	pthread_mutex_lock(&rt->mutex);
	rt->stopped++;
	pthread_cond_broadcast(&rt->changed);
	while (rt->stopped < rt->n + 1) /* and whoever stops the runtime: he rings doorbells until then */
		pthread_cond_wait(&rt->changed, &rt->mutex);
	pthread_mutex_unlock(&rt->mutex);
}

void magi_runtime_drained(mag_runtime *rt)
{
	pthread_mutex_lock(&rt->mutex);
	rt->drained = true;
	pthread_cond_broadcast(&rt->changed);
	pthread_mutex_unlock(&rt->mutex);
}

void magi_visitors_gone(mag_runtime *rt)
{
	while (magi_load_acq(&rt->visitors)) /* [visit] */
		sched_yield(); /* a few instructions of theirs are left */
}
