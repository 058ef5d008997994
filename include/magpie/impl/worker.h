/* SPDX-License-Identifier: MIT */
/* worker.h - the part of a worker that inlined code touches: deque, free lists.
 *
 * The rest of it lies behind (src/sched/types.h). Its layout is part of the binary interface: MAGI_ABI names it, and
 * mag_run and mag_runtime_create refuse a program that was built with another. */
#ifndef MAGPIE_IMPL_WORKER_H
#define MAGPIE_IMPL_WORKER_H

#include <errno.h>
#include <magpie/impl/deque.h>
#include <magpie/impl/slab.h>

/* Both have to be built with MAGPIE_DEBUG, or neither: what one notes of a lock the other would not take back. */
#define MAGI_ABI_DEBUG (1u << 31)
#ifdef MAGPIE_DEBUG
#define MAGI_ABI (MAGI_ABI_DEBUG | 2u << 16 | MAGI_DEQUE_CAPACITY)
#else
#define MAGI_ABI (2u << 16 | MAGI_DEQUE_CAPACITY)
#endif

struct mag_worker {
	const uint64_t *sleepers; /* the runtime's set of sleeping workers */
	const char *inside;       /* debug builds: the step function that runs */
	uint32_t index;
	struct magi_free_node none; /* ends every free list */
	struct magi_free_list free[MAGI_CLASSES];
	struct magi_deque deque;
};

MAGI_C_BEGIN
/* The slow ways; each returns the frame to run next. They are called last, so that a step function needs to keep no
 * register over a call. */
MAG_API mag_frame *magi_fork_full(mag_worker *w, mag_frame *parent, mag_frame *child);
MAG_API mag_frame *magi_fork_offer(mag_worker *w, mag_frame *child);
MAG_API mag_frame *magi_fork_end(mag_worker *w, mag_frame *f, int64_t rc);
MAG_API mag_frame *magi_fork_surplus(mag_worker *w, unsigned cls, mag_frame *parent);
MAG_API mag_frame *magi_call_surplus(mag_worker *w, unsigned cls, mag_frame *parent);
MAG_API mag_frame *magi_spawn_end(mag_worker *w, mag_frame *f, int64_t rc);
MAG_API mag_frame *magi_gen_end(mag_worker *w, mag_frame *f, int64_t rc);
MAG_API mag_frame *magi_arrive(mag_worker *w, mag_frame *parent);
MAG_API mag_frame *magi_join_wait(mag_worker *w, mag_frame *f);
MAG_API mag_frame *magi_leave(mag_worker *w, mag_frame *f, int64_t rc);
MAG_API void magi_wake_for_work(mag_worker *w);

/* What starts a child whose free list is empty. */
struct magi_start {
	mag_step_fn step;
	const void *args;
	size_t args_at, args_size;
	int cls;       /* below 0: it is refused */
	unsigned kind; /* MAGI_CALL or MAGI_FORK */
};
MAG_API mag_frame *magi_start_slow(mag_worker *w, mag_frame *parent, const struct magi_start *start);
MAGI_C_END

/* Debug builds: what locks a task has, so that it can be told which it still holds at its end. See src/task/held.c. */
enum magi_held { MAGI_HELD_MUTEX, MAGI_HELD_WRITE, MAGI_HELD_READ };
enum { MAGI_HELD_BITS = 15, MAGI_HELD_READERS = 2 };
MAGI_C_BEGIN
MAG_API void magi_held_put(mag_frame *f, const uint64_t *word, enum magi_held how);
MAG_API void magi_held_drop(mag_frame *f, const uint64_t *word, enum magi_held how);
MAG_API void magi_task_ended(mag_frame *f);
MAGI_C_END
#ifdef MAGPIE_DEBUG
#define MAGI_HELD_PUT(f, word, how) magi_held_put((f), (word), (how))
#define MAGI_HELD_DROP(f, word, how) magi_held_drop((f), (word), (how))
#define MAGI_TASK_ENDED(f)                                            \
	do {                                                          \
		if ((f)->leader == (f) && !((f)->flags & MAGI_OPENED)) \
			magi_task_ended(f);                           \
	} while (0)
#else
#define MAGI_HELD_PUT(f, word, how) ((void)0)
#define MAGI_HELD_DROP(f, word, how) ((void)0)
#define MAGI_TASK_ENDED(f) ((void)0)
#endif

/* A frame for a child: the header is not yet set. NULL when memory is out. */
MAGI_FAST void *magi_frame_take(mag_worker *w, int cls, size_t size)
{
	return magi_slab_take(w, &w->free[cls], (unsigned)cls, size);
}

MAGI_FAST void magi_frame_give(mag_worker *w, mag_frame *f, int cls)
{
	if (MAGI_UNLIKELY(magi_slab_put(&w->free[cls], f, sizeof(*f))))
		magi_slab_surplus(w, (unsigned)cls);
}

MAGI_FAST void magi_frame_init(mag_frame *f, mag_step_fn step, mag_frame *parent, mag_frame *leader, mag_scope *scope,
				 int cls, unsigned flags)
{
	f->step = step;
	f->parent = parent;
	f->scope = scope;
	f->leader = leader;
	f->at = NULL;
	f->state = 0;
	f->arrived = 0;
	f->taken = 0;
	f->join_err = 0;
	f->flags = (uint8_t)flags;
	f->class_ = (uint8_t)cls;
	f->home = 0;
	f->shard = 0;
	f->id = 0;
}

MAGI_FAST mag_frame *magi_call(mag_frame *parent, mag_frame *child, mag_step_fn step, int cls)
{
	magi_frame_init(child, step, parent, parent->leader, parent->scope, cls, MAGI_CALL);
	return child;
}

/* Tells a sleeping worker that there is something to steal. No barrier here: see src/sched/idle.c. */
MAGI_FAST void magi_offer(mag_worker *w)
{
	if (MAGI_UNLIKELY((magi_load_rlx(w->sleepers) | magi_load_rlx(&w->deque.asked)) != 0)) /* [sleep] [hint] */
		magi_wake_for_work(w);
}

/* The parent becomes stealable as the last act: nothing may touch it afterwards. */
MAGI_FAST mag_frame *magi_fork(mag_worker *w, mag_frame *parent, mag_frame *child, mag_step_fn step, int cls)
{
	magi_frame_init(child, step, parent, child, parent->scope, cls, MAGI_FORK);
	if (MAGI_UNLIKELY(!magi_deque_push(&w->deque, parent)))
		return magi_fork_full(w, parent, child);
	if (MAGI_UNLIKELY((magi_load_rlx(w->sleepers) | magi_load_rlx(&w->deque.asked)) != 0)) /* [sleep] [hint] */
		return magi_fork_offer(w, child);
	return child;
}

/* Ends a frame that has no forked child outstanding; f must be of this size class. */
MAGI_FAST mag_frame *magi_end(mag_worker *w, mag_frame *f, int64_t rc, int cls)
{
	mag_frame *parent = f->parent;
	unsigned flags = f->flags;

	if (flags == MAGI_CALL) {
		bool surplus = magi_slab_put(&w->free[cls], f, sizeof(*f));

		parent->op.result = rc;
		return MAGI_UNLIKELY(surplus) ? magi_call_surplus(w, (unsigned)cls, parent) : parent;
	}
	if (flags == MAGI_FORK && MAGI_LIKELY(rc >= 0)) {
		if (MAGI_UNLIKELY(magi_slab_put(&w->free[cls], f, sizeof(*f))))
			return magi_fork_surplus(w, (unsigned)cls, parent);
		return MAGI_LIKELY(magi_deque_take_back(&w->deque, parent)) ? parent : magi_arrive(w, parent);
	}
	if (flags & MAGI_OPENED)
		return magi_leave(w, f, rc);
	switch (flags & MAGI_KIND) {
	case MAGI_FORK:
		return magi_fork_end(w, f, rc);
	case MAGI_SPAWN:
		return magi_spawn_end(w, f, rc);
	default:
		return magi_gen_end(w, f, rc);
	}
}

/* Whether no child is outstanding and none has failed: taken and join_err in one load. While children are outstanding
 * taken is not 0, whatever they write beside it; when it is 0 nobody writes join_err. */
typedef uint64_t magi_pair __attribute__((may_alias));

MAGI_FAST bool magi_joined_clean(const mag_frame *f)
{
	return magi_load_rlx((const magi_pair *)(const void *)&f->taken) == 0; /* [join] */
}

/* The join of a frame whose children are all back: its first error, which is taken. */
MAGI_FAST int64_t magi_join_result(mag_frame *f)
{
	int64_t rc = f->join_err;

	f->taken = 0;
	f->join_err = 0;
	return rc;
}

#endif
