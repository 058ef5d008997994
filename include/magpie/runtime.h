/* SPDX-License-Identifier: MIT */
/* runtime.h - starting and stopping: worker threads, each with a ring and a deque. Several runtimes can live in a
 * process.
 *
 *	int main(void)
 *	{
 *		return mag_run(NULL, hello, .name = "world") < 0;
 *	}
 */
#ifndef MAGPIE_RUNTIME_H
#define MAGPIE_RUNTIME_H

#include <magpie/debug.h>
#include <magpie/future.h>
#include <magpie/group.h>

MAGI_C_BEGIN

typedef struct mag_runtime mag_runtime;

enum { MAG_WORKERS_MAX = 64 };

typedef struct mag_runtime_options {
	size_t size;              /* sizeof(mag_runtime_options) */
	uint32_t workers;         /* threads; 0: the CPUs that affinity and the cgroup's quota allow */
	uint32_t spin_us;         /* how long an idle worker looks for work before it sleeps; UINT32_MAX: never spins */
	uint32_t ring_entries;    /* of each submission queue; 0: 256 */
	uint32_t blocking_max;    /* threads of the blocking lane; 0: 64 */
	uint32_t compute_threads; /* of the compute lane; 0: the CPUs */
	size_t stack_bytes;       /* of each worker; 0: 256 KiB */
	uint64_t shutdown_ns;     /* how long the end waits for tasks that were cancelled; 0: 10 s */
	uint64_t lane_idle_ns;    /* how long a thread of the lanes waits for work before it ends; 0: 10 s */
	const char *backend;      /* "uring", "epoll", "sim"; NULL: $MAGPIE_BACKEND, or the best that runs here */
	void *world;              /* the sim backend's */
	bool no_sigquit;          /* SIGQUIT is not handled for this runtime's sake: see mag_runtime_dump */
	const mag_debug_options *debug; /* debug mode, see magpie/debug.h; NULL: as $MAGPIE_DEBUG says */
} mag_runtime_options;

/* Runs async function `fn` with these arguments on a new runtime and waits for its end, and for the background's.
 * options: NULL for the defaults. A single worker needs no thread, and works on the calling one, unless stack_bytes asks
 * for another stack.
 *
 * Threads:  any but a worker (MAG_EDEADLK)
 * Returns:  what the function returned, or why the runtime could not start: -ENOMEM, -EAGAIN, MAG_EBACKEND, MAG_EABI
 * Since:    0.1 */
#define mag_run(options, fn, ...)                                                             \
	magi_run((options), MAGI_ABI, fn##_step, MAGI_CLASS(sizeof(struct fn)), sizeof(struct fn), \
		 offsetof(struct fn, args_), &(struct fn##_args){ __VA_ARGS__ }, sizeof(struct fn##_args))

MAG_API int64_t magi_run(const mag_runtime_options *options, uint32_t abi, mag_step_fn step, int cls, size_t size,
			 size_t at, const void *args, size_t args_size);

/* Starts worker threads.
 *
 * Threads:  any
 * Owns:     the caller owns *rt: mag_runtime_destroy
 * Returns:  0, or -ENOMEM, -EAGAIN (no thread), -EINVAL, MAG_EBACKEND, MAG_EABI; then *rt is NULL
 * Since:    0.1 */
#define mag_runtime_create(options, rt) magi_runtime_create((options), MAGI_ABI, (rt))
MAG_API int magi_runtime_create(const mag_runtime_options *options, uint32_t abi, mag_runtime **rt);

/* Cancels what runs, waits for it up to `deadline` (mag_now), stops the threads and frees all. When tasks are left at
 * the deadline, they are said on stderr and the memory and threads stay.
 *
 * Threads:  any but its workers (MAG_EDEADLK)
 * Returns:  the number of tasks that did not end in time; NULL: 0
 * Since:    0.1 */
MAG_API int64_t mag_runtime_destroy(mag_runtime *rt, uint64_t deadline);

/* Starts async function `fn` from any thread, in the runtime's background group. `future` is completed with what it
 * returns, and must live until then; NULL: nobody asks.
 *
 * Threads:  any
 * Returns:  0, or -ENOMEM, MAG_ECLOSED: not started
 * Since:    0.1 */
#define mag_spawn_from(rt, future, fn, ...)                                                                      \
	magi_spawn_from((rt), (future), fn##_step, MAGI_CLASS(sizeof(struct fn)), sizeof(struct fn),             \
			offsetof(struct fn, args_), &(struct fn##_args){ __VA_ARGS__ }, sizeof(struct fn##_args))

MAG_API int magi_spawn_from(mag_runtime *rt, mag_future *future, mag_step_fn step, int cls, size_t size, size_t at,
			    const void *args, size_t args_size);

/* The runtime of the calling worker, NULL on other threads. */
MAG_API mag_runtime *mag_runtime_current(void);

/* The group of what outlives the task that starts it: cancelled, waited for and reported at the runtime's end. */
MAG_API mag_group *mag_background(mag_runtime *rt);

/* How many workers it has.  Threads: any */
MAG_API uint32_t mag_runtime_workers(const mag_runtime *rt);

/* The name of the I/O backend in use. */
MAG_API const char *mag_runtime_backend(const mag_runtime *rt);

/* Which worker runs this thread: 0 … workers - 1, or -1. */
MAG_API int mag_worker_index(void);

/* Why the last mag_runtime_create or mag_run of this thread failed, in words; "" when it did not. */
MAG_API const char *mag_runtime_why(void);

/* What happened so far. A snapshot: the sums are taken while the workers run. */
typedef struct mag_stats {
	size_t size;      /* sizeof(mag_stats), set by the caller */
	uint64_t picks;   /* tasks taken up by workers */
	uint64_t steals;  /* tasks taken from other workers */
	uint64_t parks;   /* times a worker went to sleep */
	uint64_t wakes;   /* doorbells rung */
	uint64_t timers;  /* armed now */
	uint64_t io;      /* operations begun */
	uint64_t polls;   /* entries into the backend */
	uint64_t fds;     /* files open now */
	uint64_t frames;  /* frames in use now */
	uint64_t bytes;   /* memory taken for frames, in use or not */
	uint64_t io_pending;   /* operations under way */
	uint64_t asleep;       /* workers that sleep */
	uint64_t jobs;         /* offloaded, run to their end, in both lanes */
	uint64_t jobs_queued;  /* that wait for a thread */
	uint64_t jobs_running; /* abandoned ones too */
	uint64_t job_threads;  /* of the lanes */
	uint64_t reports;      /* in debug mode */
} mag_stats;

/* Fills *stats, up to the size it says.
 *
 * Threads:  any
 * Returns:  0, -EINVAL
 * Since:    0.1 */
MAG_API int mag_runtime_stats(mag_runtime *rt, mag_stats *stats);

/* Writes to a file descriptor what the runtime is at: each task that has ever waited, for what, where and since when,
 * under the group or the task that waits for it; then workers, lanes and counters. Nothing stops for it. SIGQUIT writes the
 * same of all runtimes to stderr: docs/debugging.md.
 *
 * Threads:  any; a worker writes while its tasks wait
 * Returns:  0, -ENOMEM, or what write(2) says
 * Since:    0.1 */
MAG_API int mag_runtime_dump(mag_runtime *rt, int fd);

MAGI_C_END

#endif
