/* SPDX-License-Identifier: MIT */
/* test_cancel_held.c - src/task/cancel.c: a canceller that is held between its look at a task and its mark, while the
 * task goes on and waits for something else. */
#include "gates.h"
#include "held.h"

#include <pthread.h>

#include "sched/idle.h"
#include "sched/meet.h"
#include "sched/ready.h"
#include "task/cancel.h"
#include "task/iop.h"
#include "task/timer.h"
#include "task/wait.h"

static __thread struct held *hold_at_mark; /* this thread is held there once */
static mag_frame *waits; /* who waits in the end */

static bool held_cas(uint32_t *word, uint32_t *expected, uint32_t value)
{
	struct held *h = hold_at_mark;

	hold_at_mark = NULL;
	if (h)
		hold_here(h);
	return magi_cas_ar(word, expected, value); /* [state] */
}

static bool checked_cancel(mag_frame *leaf, mag_frame **granted)
{
	CHECK(leaf == waits);
	return magi_waitq_cancel(leaf, granted);
}

#undef magi_cas_ar
#define magi_cas_ar held_cas
#define magi_waitq_cancel checked_cancel
#include "task/cancel.c"
#undef magi_waitq_cancel

struct stage {
	mag_future first, never;
	mag_scope scope;
	struct held mark;
	int fds[2];
	bool io[2];        /* the first wait, and the second */
	bool wrap;         /* the count of parks comes round in between */
	mag_frame *leader; /* atomic */
	uint32_t second;   /* atomic: the first wait is over */
};

/* These park without a look at the scope's flag, which is set before the marks, as who is woken by a mutex and finds it
 * taken does, and whose turn on a file has come. */
static MAG_OP wait_for(MAG_OP_ARGS, mag_future *future)
{
	magi_lock *lock = magi_waitq_lock(&future->waiters);
	bool parked;

	(void)magi_wait_begin(w, f);
	magi_lock_acquire(lock);
	parked = magi_wait_park(f, &future->waiters, 0);
	magi_lock_release(lock);
	return parked ? NULL : magi_wait_done(w, f, MAG_ECANCELED);
}

static MAG_OP read_byte(MAG_OP_ARGS, int fd, char *byte)
{
	struct magi_req req = { .code = MAGI_IO_READ, .fd = fd, .addr = byte, .len = 1, .offset = UINT64_MAX };
	int rc;

	(void)magi_wait_begin(w, f);
	rc = magi_io_submit(w, f, &req, NULL, 0, NULL, NULL);
	return rc ? magi_wait_done(w, f, rc) : NULL;
}

static MAG_OP write_byte(MAG_OP_ARGS, int fd, const char *byte)
{
	struct magi_req req = { .code = MAGI_IO_WRITE, .fd = fd, .addr = (void *)(uintptr_t)byte, .len = 1,
				.offset = UINT64_MAX };

	return magi_io_await(w, f, &req, NULL, 0, NULL, NULL);
}

/* The first wait; its frame is gone when it is over. */
struct callee {
	mag_frame frame;
	MAG_ARGS(callee, struct stage *stage;);
	int64_t rc;
	char byte;
};

MAG_TASK(callee)
{
	MAG_BEGIN(callee);
	if (self->stage->io[0])
		MAG_AWAIT(self->rc, read_byte, self->stage->fds[0], &self->byte);
	else
		MAG_AWAIT(self->rc, wait_for, &self->stage->first);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct waits_twice {
	mag_frame frame;
	MAG_ARGS(waits_twice, struct stage *stage;);
	int64_t rc;
	char byte;
};

MAG_TASK(waits_twice)
{
	MAG_BEGIN(waits_twice);
	MAG_SCOPE_BEGIN(&self->stage->scope);
	magi_store_rel(&self->stage->leader, self->frame.leader); /* [stage] */
	MAG_CALL(self->rc, callee, .stage = self->stage);
	CHECK(self->rc == 1);
	if (self->stage->wrap) /* the next park is the 65,536th, as it were */
		magi_sub_ar(&self->frame.leader->state, MAGI_SEQ); /* [state] */
	waits = &self->frame;
	raise_flag(&self->stage->second);
	if (self->stage->io[1])
		MAG_AWAIT(self->rc, read_byte, self->stage->fds[0], &self->byte);
	else
		MAG_AWAIT(self->rc, wait_for, &self->stage->never);
	CHECK(self->rc == MAG_ECANCELED);
	MAG_SCOPE_END(self->rc, &self->stage->scope);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Ends the first wait. */
struct ender {
	mag_frame frame;
	MAG_ARGS(ender, struct stage *stage;);
	int64_t rc;
};

MAG_TASK(ender)
{
	MAG_BEGIN(ender);
	if (self->stage->io[0]) {
		MAG_AWAIT(self->rc, write_byte, self->stage->fds[1], "x");
		CHECK(self->rc == 1);
	} else {
		mag_future_complete(&self->stage->first, 1);
	}
	MAG_RETURN(0);
	MAG_END;
}

static void *cancel_held(void *arg)
{
	struct stage *stage = arg;

	hold_at_mark = &stage->mark;
	mag_scope_cancel(&stage->scope);
	return NULL;
}

static void until_parked(struct stage *stage)
{
	const mag_frame *leader;

	while (!(leader = magi_load_acq(&stage->leader))) /* [stage] */
		sched_yield();
	while (!(magi_load_acq(&leader->state) & (MAGI_PARKED | MAGI_PARKED_IO))) /* [state] */
		sched_yield();
}

static void cancel_between_two_waits(uint32_t workers, bool io_first, bool io_then, bool wrap)
{
	struct stage stage = { .io = { io_first, io_then }, .wrap = wrap };
	pthread_t canceller;
	struct play p;
	mag_future done;
	int64_t rc;

	play_begin(&p, workers);
	cr_assert_eq(magi_world_pipe(p.world, stage.fds), 0);
	mag_future_init(&stage.first);
	mag_future_init(&stage.never);
	mag_future_init(&done);
	cr_assert_eq(mag_spawn_from(p.rt, &done, waits_twice, .stage = &stage), 0);
	until_parked(&stage);
	cr_assert_eq(pthread_create(&canceller, NULL, cancel_held, &stage), 0);
	hold_await(&stage.mark);
	play_run(&p, rc, ender, .stage = &stage);
	cr_assert_eq(rc, 0);
	while (!is_raised(&stage.second))
		sched_yield();
	until_parked(&stage);
	hold_end(&stage.mark);
	cr_assert_eq(play_wait(&done), MAG_ECANCELED);
	pthread_join(canceller, NULL);
	mag_future_fini(&stage.never);
	for (int i = 0; i < 2; i++)
		cr_assert_eq(magi_world_close(p.world, stage.fds[i]), 0);
	play_end(&p);
}

/* Tried: q.leaf read before the mark; the callee's frame, which is free by then, is claimed. */
Test(cancel_held, the_leaf_is_the_one_that_waits_also_when_the_count_of_parks_has_come_round, .timeout = 20)
{
	EACH_WORKERS(n)
		cancel_between_two_waits(n, false, false, true);
}

/* Tried: MAGI_SEQ not counted by magi_park, and q.token read before the loop only: the mail then names an operation
 * that is over, and the one that is under way is never cancelled. */
Test(cancel_held, who_has_gone_on_to_another_wait_is_cancelled_there, .timeout = 20)
{
	EACH_WORKERS(n) {
		for (int kinds = 0; kinds < 4; kinds++)
			cancel_between_two_waits(n, kinds & 1, kinds & 2, false);
	}
}
