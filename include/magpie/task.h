/* SPDX-License-Identifier: MIT */
/* task.h - async functions: the verbs they are written in.
 *
 * An async function is a struct whose first member is `mag_frame frame` and a step function, MAG_TASK. What outlives an
 * await lives in the struct; plain locals are lost at every verb in upper case. Each verb has a result.
 *
 *	struct greet {
 *		mag_frame frame;
 *		MAG_ARGS(greet, uint64_t delay_ns;);
 *		int64_t rc;
 *	};
 *
 *	MAG_TASK(greet)
 *	{
 *		MAG_BEGIN(greet);
 *		MAG_AWAIT(self->rc, mag_sleep, self->delay_ns);
 *		MAG_RETURN(self->rc);
 *		MAG_END;
 *	}
 *
 * Inside a step function `self` is the frame's struct and `w` the worker that runs it now. One verb a line: the resume
 * point is named by it. A plain `return` is an error (tools/check-locals finds it). */
#ifndef MAGPIE_TASK_H
#define MAGPIE_TASK_H

#include <magpie/error.h>
#include <magpie/impl/verbs.h>

MAGI_C_BEGIN

/* What a leaf operation is to the compiler; in the docs and at the call it is MAG_AWAIT(dst, op, arguments…). */
#define MAG_OP __attribute__((warn_unused_result)) mag_frame *
#define MAG_OP_ARGS mag_worker *w, mag_frame *f

/* An operation of one's own, over others: a plain function
 *
 *	mag_frame *greet_in(mag_worker *w, mag_frame *f, unsigned seconds)
 *	{
 *		if (!seconds)
 *			MAG_OP_DONE(0);
 *		MAG_OP_CALL(greet, .delay_ns = seconds * MAG_SECOND);
 *	}
 *
 * that is awaited as MAG_AWAIT(rc, greet_in, 3). Both end it: the await's result is `rc`, without waiting; or what async
 * function `name` returns, -ENOMEM if it could not be started. A call of another operation ends it as well: `return
 * mag_sleep(w, f, ns);`. */
#define MAG_OP_DONE(rc) MAGI_OP_DONE(rc)
#define MAG_OP_CALL(...) MAGI_OP_CALL_(__VA_ARGS__)

/* Declares the arguments of async function `name`: they are members of its struct, and are given by name at the start. */
#ifdef __cplusplus
/* No types inside an anonymous union there; the layout is the same. */
#define MAG_ARGS(name, ...)                    \
	struct name##_args {                   \
		__VA_ARGS__                    \
	};                                     \
	__extension__ union {                  \
		__extension__ struct {         \
			__VA_ARGS__            \
		};                             \
		struct name##_args args_;      \
	}
#else
#define MAG_ARGS(name, ...)                                        \
	__extension__ union {                                      \
		__extension__ struct {                             \
			__VA_ARGS__                                \
		};                                                 \
		struct name##_args {                               \
			__VA_ARGS__                                \
		} args_;                                           \
	}
#endif

/* The same for a function without arguments. */
#define MAG_NO_ARGS(name) MAG_ARGS(name, char none_[0];)

/* Opens the definition of async function `name`; also declares it, so that it can start itself. `static` may precede. */
#define MAG_TASK(name)                                                                       \
	mag_frame *name##_step(mag_worker *w, mag_frame *magi_f);                            \
	MAGI_STEP_ATTR mag_frame *name##_step(mag_worker *w __attribute__((unused)), mag_frame *magi_f)

/* Declares an async function that is defined elsewhere or further down. */
#define MAG_DECLARE_TASK(name) mag_frame *name##_step(mag_worker *w, mag_frame *magi_f)

/* First statement of a step function. */
#define MAG_BEGIN(name) MAGI_BEGIN(name)
/* Last statement of a step function. */
#define MAG_END MAGI_END

/* Waits for a leaf operation, with positional arguments. dst: any integer lvalue in the frame. */
#define MAG_AWAIT(dst, operation, ...) MAGI_AWAIT(dst, #operation, operation(w, &self->frame, ##__VA_ARGS__))

/* Runs another async function to its end; dst gets what it returned, or -ENOMEM when it was not started. */
#define MAG_CALL(dst, ...) MAGI_CALL_(dst, __VA_ARGS__)

/* Runs a child at once, here; this frame becomes stealable and may go on elsewhere at the same time. The child gives
 * values through pointers into this frame. What could not be started counts as the child's error. */
#define MAG_FORK(...) MAGI_FORK_(__VA_ARGS__)

/* Waits for all forked children; dst gets the first error, or 0. Never cut short by cancellation. */
#define MAG_JOIN(dst) MAGI_JOIN(dst)

/* Starts a task in a group: it becomes stealable, this one goes on. May wait (group limit).
 * dst: 0, or -ENOMEM, or MAG_ECANCELED when the group or this task was cancelled, by the end of the runtime, too: not
 * started, what the arguments name is still the caller's. */
#define MAG_SPAWN(dst, group, ...) MAGI_SPAWN_(dst, NULL, 0, group, __VA_ARGS__)

/* The same, with a handle in the caller's memory, which outlives the task: struct mag_handle in magpie/group.h says until
 * when. */
#define MAG_SPAWN_AS(dst, handle, group, ...) MAGI_SPAWN_(dst, handle, 0, group, __VA_ARGS__)

/* The same, for a task that runs on worker `worker` only. dst: also -EINVAL when there is no such worker. */
#define MAG_SPAWN_ON(dst, worker, group, ...) MAGI_SPAWN_(dst, NULL, MAGI_ON(worker), group, __VA_ARGS__)

/* Both: with a handle, on one worker. */
#define MAG_SPAWN_AS_ON(dst, handle, worker, group, ...) MAGI_SPAWN_(dst, handle, MAGI_ON(worker), group, __VA_ARGS__)

/* Lets other ready work run. dst: 0, or MAG_ECANCELED. */
#define MAG_YIELD(dst) MAGI_AWAIT(dst, "MAG_YIELD", mag_yield(w, &self->frame))

/* Ends the function: >= 0, or a negative error. Joins forked children and closes what is still open first. */
#define MAG_RETURN(rc) MAGI_RETURN(rc)

/* See MAG_YIELD. */
MAG_API MAG_OP mag_yield(MAG_OP_ARGS);

MAGI_C_END

#endif
