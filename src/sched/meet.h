/* SPDX-License-Identifier: MIT */
/* meet.h - where the workers of a runtime wait for one another. */
#ifndef MAGI_SCHED_MEET_H
#define MAGI_SCHED_MEET_H

#include "sched/types.h"

/* A worker has tried to open its io; waits for the others. False: one failed, go home. */
bool magi_runtime_opened(mag_runtime *rt, int rc);

/* A worker has left its loop, or the stopping thread has woken them all; waits until all have. */
void magi_runtime_stopped(mag_runtime *rt);

/* The same for the thread that stops it when a worker of its own is yet to come there: does not wait. */
void magi_runtime_stops(mag_runtime *rt);

/* The last background task has ended. */
void magi_runtime_drained(mag_runtime *rt);

/* A thread that may be no worker wakes somebody: begun while a task of the runtime is in its hand, ended after the last
 * touch. */
static inline void magi_visit_begin(mag_runtime *rt)
{
	magi_add_rlx(&rt->visitors, 1u); /* [visit] seen with what is released next: a task, a mark, a lock */
}

static inline void magi_visit_end(mag_runtime *rt)
{
	magi_sub_rel(&rt->visitors, 1u); /* [visit] */
}

/* Waits until no visitor is left; nothing runs any more that could bring new ones. */
void magi_visitors_gone(mag_runtime *rt);

#endif
