/* SPDX-License-Identifier: MIT */
/* here.h - a worker that has no thread of its own: its user's turns it. */
#ifndef MAGI_RUN_HERE_H
#define MAGI_RUN_HERE_H

#include <magpie/future.h>

#include "sched/types.h"

enum magi_where {
	MAGI_OF_THREADS, /* each worker has a thread */
	MAGI_OF_CALLER,  /* the only worker is the calling thread's, for as long as that waits in mag_run */
	MAGI_OF_LOOP     /* the first one is, by turns */
};

/* As magi_runtime_create. */
int magi_runtime_start(const mag_runtime_options *options, uint32_t abi, enum magi_where where, mag_runtime **out);

/* Whether a runtime that is being started is to have such a worker. */
bool magi_here_fits(const mag_runtime *rt, enum magi_where where);
void magi_here_init(mag_runtime *rt, enum magi_where where);

/* Whether this thread turns it. */
bool magi_here_is_mine(const mag_runtime *rt);

/* The worker opens its io, and waits for the others. */
void magi_here_begin(mag_runtime *rt);

/* Works until the future is complete: nobody but this worker completes it. */
void magi_here_wait(mag_runtime *rt, mag_future *future, int64_t *result);

/* Works until the background has ended; false: at the deadline it had not. */
bool magi_here_drain(mag_runtime *rt, uint64_t deadline);

/* The runtime stops: so does the worker, together with the others. */
void magi_here_end(mag_runtime *rt);

#endif
