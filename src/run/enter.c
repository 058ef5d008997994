/* SPDX-License-Identifier: MIT */
/* enter.c - ways into a runtime from threads that are no workers: mag_run and mag_spawn_from.
 *
 * What:    the user's function runs as the callee of a small task of ours, which completes the future at its end. */
#include <errno.h>
#include <magpie/time.h>
#include <string.h>

#include "sched/types.h"
#include "sched/slab.h"
#include "task/group.h"
#include "task/tree.h"
#include "task/unread.h"
#include "run/here.h"

struct entrance {
	mag_frame frame;
	MAG_ARGS(entrance, mag_frame *callee; mag_future *future;);
	int64_t rc;
};

MAGI_ASSERT_STATIC(offsetof(struct entrance, callee) == sizeof(mag_frame), "who looks at what hangs finds the callee");

static mag_frame *entrance_step(mag_worker *w, mag_frame *f)
{
	struct entrance *self = (struct entrance *)(void *)f;
	mag_future *future = self->future;

	if (!f->at) {
		f->at = &magi_tree_entrance;
		self->callee->parent = f;
		return self->callee;
	}
	if (future)
		mag_future_complete(future, f->op.result);
	else if (f->op.result < 0 && magi_debug(f->scope->rt) &&
		 !(f->op.result == MAG_ECANCELED && mag_scope_cancelled(f->scope)))
		magi_unread_note_unnamed((mag_group *)(void *)f->scope, f->at, f->op.result);
	MAGI_TASK_ENDED(f);
	return magi_end(w, f, f->op.result, MAGI_CLASS(sizeof(struct entrance)));
}

int magi_spawn_from(mag_runtime *rt, mag_future *future, mag_step_fn step, int cls, size_t size, size_t at,
		    const void *args, size_t args_size)
{
	unsigned outer_cls = MAGI_CLASS(sizeof(struct entrance));
	struct entrance *outer = magi_slab_take_foreign(rt, outer_cls);
	mag_frame *inner = outer ? magi_slab_take_foreign(rt, (unsigned)cls) : NULL;
	bool closing;

	(void)size;
	if (!inner) {
		if (outer)
			magi_slab_give_foreign(rt, outer_cls, outer);
		return -ENOMEM;
	}
	memcpy((char *)inner + at, args, args_size);
	magi_frame_init(&outer->frame, entrance_step, NULL, &outer->frame, &rt->background.scope, (int)outer_cls,
			MAGI_SPAWN);
	magi_frame_init(inner, step, &outer->frame, &outer->frame, &rt->background.scope, cls, MAGI_CALL);
	outer->callee = inner;
	outer->future = future;
	magi_monitor_enter(&rt->monitor);
	closing = rt->closing;
	if (!closing)
		magi_group_adopt(&rt->background, &outer->frame);
	magi_monitor_leave(&rt->monitor);
	if (!closing)
		return 0;
	magi_slab_give_foreign(rt, (unsigned)cls, inner);
	magi_slab_give_foreign(rt, outer_cls, outer);
	return MAG_ECLOSED;
}

static void wait_for(mag_runtime *rt, mag_future *done, int64_t *result)
{
	if (rt->here) {
		magi_here_wait(rt, done, result);
		return;
	}
	magi_add_rlx(&rt->entered, 1u); /* [hint] */
	mag_future_wait(done, result, MAG_NEVER);
	magi_add_rlx(&rt->entered, -1u); /* [hint] */
}

int64_t magi_run(const mag_runtime_options *options, uint32_t abi, mag_step_fn step, int cls, size_t size, size_t at,
		 const void *args, size_t args_size)
{
	mag_future done;
	mag_runtime *rt;
	int64_t rc, left;

	if (magi_self())
		return MAG_EDEADLK;
	rc = magi_runtime_start(options, abi, MAGI_OF_CALLER, &rt);
	if (rc < 0)
		return rc;
	mag_future_init(&done);
	rc = magi_spawn_from(rt, &done, step, cls, size, at, args, args_size);
	if (rc == 0)
		wait_for(rt, &done, &rc);
	mag_future_fini(&done);
	left = mag_runtime_destroy(rt, mag_deadline_in(rt->options.shutdown_ns));
	return left && rc >= 0 ? MAG_ESHUTDOWN : rc;
}
