/* SPDX-License-Identifier: MIT */
/* meet.h - where the workers of a runtime wait for one another. */
#ifndef MAGI_SCHED_MEET_H
#define MAGI_SCHED_MEET_H

#include "sched/types.h"

/* A worker has tried to open its io; waits for the others. False: one failed, go home. */
bool magi_runtime_opened(mag_runtime *rt, int rc);

/* A worker has left its loop, or the stopping thread has woken them all; waits until all have. */
void magi_runtime_stopped(mag_runtime *rt);

/* The last background task has ended. */
void magi_runtime_drained(mag_runtime *rt);

#endif
