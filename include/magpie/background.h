/* SPDX-License-Identifier: MIT */
/* background.h - tasks that outlive whoever starts them: known by name, counted, started again when they fail, and asked
 * to end with the program.
 *
 *	mag_background_init(&service->background, NULL, &(struct mag_background_options){
 *		.size = sizeof(struct mag_background_options), .shutdown = &service->down, .stage = MAG_SHUTDOWN_LAST });
 *	…
 *	rc = mag_background_start(&service->background,
 *				  &(struct mag_background_task){ .size = sizeof(struct mag_background_task),
 *								 .name = "cache", .restart = MAG_RESTART_ON_FAILURE },
 *				  refresh_cache, .service = service);
 *	…
 *	mag_background_stop(&service->background);                    // or the shutdown does it
 *	MAG_AWAIT(self->rc, mag_background_wait, &service->background);
 *
 * A function that fails is told of: name, code, and where it waited last. It is started again, with the arguments of the
 * start, when its policy says so: after a delay that doubles each time, from `delay_ns` up to `delay_max_ns`. When it fails
 * more than `restarts_max` times within `window_ns` it is given up, since something is wrong that starting it again does
 * not mend; after `window_ns` without a failure the delay begins anew.
 *
 * The name mag_background is that of a function already, so this is `struct mag_background`. The memory is the caller's, and
 * lives until all its tasks have ended. The tasks are in the background group of the runtime (magpie/runtime.h), whose end
 * cancels them, too. */
#ifndef MAGPIE_BACKGROUND_H
#define MAGPIE_BACKGROUND_H

#include <magpie/runtime.h>
#include <magpie/shutdown.h>

MAGI_C_BEGIN

enum {
	MAG_BACKGROUND_NAME_MAX = 47, /* bytes of a name; it is cut there */
	MAG_BACKGROUND_LIMIT = 1000   /* tasks at once, unless set */
};

enum mag_restart {
	MAG_RESTART_NEVER = 0,
	MAG_RESTART_ON_FAILURE = 1, /* when it returns an error */
	MAG_RESTART_ALWAYS = 2      /* whatever it returns */
};

enum mag_background_state {
	MAG_BACKGROUND_RUNS,   /* or is about to */
	MAG_BACKGROUND_WAITS,  /* to be started again */
	MAG_BACKGROUND_ENDING  /* was cancelled */
};

/* A task has failed. */
struct mag_background_failure {
	const char *name;
	uint64_t id;
	int64_t code;         /* what it returned; >= 0: nothing wrong, but it ends too often (MAG_RESTART_ALWAYS) */
	const mag_site *site; /* where it last waited, or returned; NULL: not known */
	uint32_t restarts;    /* so far */
	bool again;           /* it is started once more, `delay_ns` from now */
	bool given_up;        /* it would be, but has failed too often */
	uint64_t delay_ns;
};

struct mag_background_options {
	size_t size;                    /* sizeof(struct mag_background_options) */
	uint32_t limit;                 /* tasks at once; 0: MAG_BACKGROUND_LIMIT */
	struct mag_shutdown *shutdown;  /* each task takes part in it, by its name; NULL: none does */
	enum mag_shutdown_stage stage;  /* as what */
	/* Called on a worker, in the failed task's place, on several at once when several fail; it must not wait. NULL: a
	 * line on stderr says it. */
	void (*failed)(void *ctx, const struct mag_background_failure *failure);
	void *ctx;
};

/* What is started; all 0 but the size is fine. */
struct mag_background_task {
	size_t size;           /* sizeof(struct mag_background_task) */
	const char *name;      /* is copied; NULL: the function's */
	enum mag_restart restart;
	uint64_t delay_ns;     /* before the first restart; 0: 100 ms */
	uint64_t delay_max_ns; /* 0: 30 s */
	uint64_t window_ns;    /* 0: 10 s */
	uint32_t restarts_max; /* within the window, counted from the first of them; 0: 5, UINT32_MAX: any number */
};

struct mag_background_info {
	uint64_t id;
	char name[MAG_BACKGROUND_NAME_MAX + 1];
	enum mag_background_state state;
	uint64_t since; /* mag_now: when it began to be in that state */
	uint32_t restarts;
	int64_t code;   /* of its last failure, 0: none yet */
};

struct mag_background_stats {
	uint64_t started;  /* by mag_background_start */
	uint64_t ended;    /* of these; the others are still there */
	uint64_t failures; /* each time that a function returned an error */
	uint64_t restarts;
	uint64_t given_up;
};

struct magi_background_entry;

struct mag_background {
	struct magi_waitq waitq; /* of who waits until none is left; its lock guards all */
	mag_runtime *rt;
	struct magi_background_entry *first, **tail;
	uint32_t count;
	uint32_t closed;
	uint64_t last_id;
	struct mag_background_options options;
	struct mag_background_stats stats;
};

/* Makes the memory a background without tasks. rt: NULL for the caller's own; options: NULL for the defaults.
 *
 * Threads:  any
 * Returns:  0, -EINVAL
 * Since:    0.2 */
MAG_API int mag_background_init(struct mag_background *background, mag_runtime *rt,
				const struct mag_background_options *options);

/* Ends it. None of its tasks is left.
 *
 * Threads:  any
 * Returns:  0, -EBUSY when there are tasks, or somebody waits (ends the program in debug builds)
 * Since:    0.2 */
MAG_API int mag_background_fini(struct mag_background *background);

/* mag_background_start(&background, &task, fn, .a = …): starts async function `fn`. It runs from its beginning in any case,
 * also when it is cancelled first. What its arguments name must be good for each restart. task: NULL for the defaults.
 *
 * Threads:  any
 * Returns:  its id, above 0; MAG_ECLOSED (stopped, or the runtime ends), -EBUSY (the limit), -EINVAL, -ENOMEM: not started
 * Since:    0.2 */
#define mag_background_start(background, task, fn, ...)                                                        \
	magi_background_start((background), (task), #fn, fn##_step, MAGI_CLASS(sizeof(struct fn)), sizeof(struct fn), \
			      offsetof(struct fn, args_), &(struct fn##_args){ __VA_ARGS__ }, sizeof(struct fn##_args))

MAG_API int64_t magi_background_start(struct mag_background *background, const struct mag_background_task *task,
				      const char *fn, mag_step_fn step, int cls, size_t size, size_t at,
				      const void *args, size_t args_size);

/* Cancels one task, or all of a name: they are not started again. Never waits.
 *
 * Threads:  any
 * Returns:  how many were cancelled that had not been
 * Since:    0.2 */
MAG_API uint32_t mag_background_cancel(struct mag_background *background, uint64_t id);
MAG_API uint32_t mag_background_cancel_name(struct mag_background *background, const char *name);

/* Takes no more tasks and cancels those that are there. Never waits.
 *
 * Threads:  any
 * Returns:  as mag_background_cancel
 * Since:    0.2 */
MAG_API uint32_t mag_background_stop(struct mag_background *background);

/* MAG_AWAIT(rc, mag_background_wait, &background): waits until none of its tasks is left.
 *
 * Await:    yes, a cancellation point: cleanup does it in a MAG_SHIELD
 * Threads:  any worker
 * Returns:  0, MAG_ECANCELED
 * Since:    0.2 */
MAG_API MAG_OP mag_background_wait(MAG_OP_ARGS, struct mag_background *background);

/* MAG_AWAIT(rc, mag_background_wait_until, &background, deadline): the same, until `deadline` (mag_now; MAG_NEVER) at most.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  as mag_background_wait; MAG_ETIMEDOUT, -ENOMEM
 * Since:    0.2 */
MAG_API MAG_OP mag_background_wait_until(MAG_OP_ARGS, struct mag_background *background, uint64_t deadline);

/* How many there are, in any state; and what the first `most` are at, oldest first. infos may be NULL.
 *
 * Threads:  any
 * Since:    0.2 */
MAG_API size_t mag_background_list(struct mag_background *background, struct mag_background_info *infos, size_t most);

/* What happened so far.  Threads: any */
MAG_API void mag_background_stats(struct mag_background *background, struct mag_background_stats *stats);

MAGI_C_END

#endif
