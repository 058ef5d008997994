/* SPDX-License-Identifier: MIT */
/* offload.h - plain functions on threads that are no workers: what blocks, and what computes for long.
 *
 *	MAG_AWAIT(self->rc, mag_offload, MAG_BLOCKING | MAG_KIND_FILE, sync_directory, &self->path);
 *	if (self->rc < 0)
 *		MAG_RETURN(self->rc);
 *
 * Two lanes, each with threads of its own, which are started when they are needed and end when they are idle. A foreign
 * thread offloads by way of a task: mag_spawn_from (magpie/runtime.h), then mag_future_wait. */
#ifndef MAGPIE_OFFLOAD_H
#define MAGPIE_OFFLOAD_H

#include <magpie/runtime.h>

MAGI_C_BEGIN

enum mag_lane {
	MAG_BLOCKING = 0, /* waits for something: up to mag_runtime_options.blocking_max threads */
	MAG_COMPUTE = 1   /* needs a CPU: as many threads as there are CPUs, or compute_threads */
};

/* What a blocking job waits for, added to the lane: MAG_BLOCKING | MAG_KIND_FILE. However many jobs of one kind hang,
 * an eighth of the threads is left for each of the others (none below 4 threads); names get a quarter at most. */
enum mag_kind {
	MAG_KIND_GENERAL = 0,
	MAG_KIND_RESOLVE = 1 << 8, /* a name server */
	MAG_KIND_FILE = 2 << 8     /* a disk */
};

enum { MAG_LANE_THREADS_MAX = 4096 };

/* MAG_AWAIT(rc, mag_offload, lane, fn, arg): runs fn(arg) on a thread of the lane. fn may not use the verbs.
 *
 * Await:    yes, a cancellation point: a job that still waits for a thread is taken back, and fn does not run; one that
 *           runs is waited for, since it uses arg, and its result is delivered
 * Threads:  any worker
 * Owns:     arg is lent until the await returns
 * Returns:  what fn returned; MAG_ECANCELED, -EINVAL (no such lane), -ENOMEM, -EAGAIN (no thread): fn did not run
 * Since:    0.1 */
MAG_API MAG_OP mag_offload(MAG_OP_ARGS, uint32_t lane, int64_t (*fn)(void *arg), void *arg);

/* MAG_AWAIT(rc, mag_offload_owned, lane, fn, arg, destroy): the same for a job that owns arg, so that it can be
 * abandoned: cancelled while it runs, the await returns at once and fn's result is lost.
 *
 * destroy(arg) runs exactly once, whatever the await returns (but -EINVAL): after fn on its thread, and before the
 * await returns unless that was cut short; on a worker when fn never ran. The end of the runtime waits for abandoned
 * jobs.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Owns:     takes arg
 * Returns:  what fn returned; MAG_ECANCELED: fn runs to its end, or did not run; -ENOMEM, -EAGAIN: it did not run;
 *           -EINVAL (no such lane, or a function is NULL): arg stays the caller's
 * Since:    0.1 */
MAG_API MAG_OP mag_offload_owned(MAG_OP_ARGS, uint32_t lane, int64_t (*fn)(void *arg), void *arg,
				 void (*destroy)(void *arg));

/* A lane at one moment. */
typedef struct mag_lane_stats {
	size_t size;      /* sizeof(mag_lane_stats), set by the caller */
	uint64_t jobs;    /* run to their end so far */
	uint64_t queued;  /* that wait for a thread */
	uint32_t running; /* abandoned ones too */
	uint32_t threads;
} mag_lane_stats;

/* Fills *stats, up to the size it says.
 *
 * Threads:  any
 * Returns:  0, -EINVAL
 * Since:    0.1 */
MAG_API int mag_offload_stats(mag_runtime *rt, uint32_t lane, mag_lane_stats *stats);

MAGI_C_END

#endif
