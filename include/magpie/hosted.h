/* SPDX-License-Identifier: MIT */
/* hosted.h - a runtime within somebody else's event loop: its first worker has no thread of its own, the loop turns it.
 *
 *	mag_hosted_create(NULL, &rt);
 *	loop_watch(mag_hosted_fd(rt), LOOP_READABLE, on_magpie);
 *
 *	static void on_magpie(void)        when it is readable, at the deadline, and after mag_spawn_from
 *	{
 *		if (mag_hosted_turn(rt) > 0)
 *			loop_soon(on_magpie);
 *		else
 *			loop_timer(mag_hosted_deadline(rt), on_magpie);
 *	}
 *
 * Tasks then run on the loop's own thread, between its other events: they may use what only that thread may use, and no
 * event has to change threads. libuv offers as much for itself: uv_backend_fd, uv_backend_timeout. */
#ifndef MAGPIE_HOSTED_H
#define MAGPIE_HOSTED_H

#include <magpie/runtime.h>

MAGI_C_BEGIN

/* Starts a runtime whose first worker is the calling thread, whenever that calls mag_hosted_turn. workers: 0 for that
 * one alone; the others have threads, share the work, and are given first what is started or woken from outside: pin to
 * worker 0 what must run on the loop's thread. mag_runtime_destroy ends it, on the same thread; SIGPIPE is blocked for it
 * until then. In between that thread must not wait for a task in another way (mag_future_wait): nobody would turn.
 *
 * Threads:  any but a worker's (MAG_EDEADLK); not in a simulation (MAG_EDEADLK)
 * Owns:     the caller owns *rt
 * Returns:  as mag_runtime_create
 * Since:    0.2 */
#define mag_hosted_create(options, rt) magi_hosted_create((options), MAGI_ABI, (rt))
MAG_API int magi_hosted_create(const mag_runtime_options *options, uint32_t abi, mag_runtime **rt);

/* A descriptor that is readable while a turn would find something: to be watched for that, and nothing else. For
 * poll(2), epoll as long as it is readable (not for edges), or what a loop has above them: epoll_wait(2) may end with
 * EINTR when something comes, as it does for signals. It stays the same. What ends on another worker, a future say, does
 * not make it readable: a task that is pinned to worker 0 tells the loop.
 *
 * Threads:  any
 * Returns:  it stays the runtime's; -EINVAL: the runtime is not hosted
 * Since:    0.2 */
MAG_API int mag_hosted_fd(const mag_runtime *rt);

/* When the next turn is due though the descriptor is not readable: a timer of a task's. In ns of mag_now; MAG_NEVER:
 * there is none; 0: now, since the last turn left work.
 *
 * Threads:  the loop's
 * Since:    0.2 */
MAG_API uint64_t mag_hosted_deadline(const mag_runtime *rt);

/* Runs what can be run, and looks for what has come; never blocks. After about a millisecond it leaves the rest, so
 * that the loop gets to its other events.
 *
 * Threads:  the loop's (-EPERM on another, MAG_EDEADLK within a task)
 * Returns:  0: nothing is left; 1: something is, call again soon; -EINVAL: the runtime is not hosted
 * Since:    0.2 */
MAG_API int mag_hosted_turn(mag_runtime *rt);

MAGI_C_END

#endif
