/* SPDX-License-Identifier: MIT */
/* test_visit.c - a thread from outside that has made a task ready and is about to ring the doorbell, while that task
 * and its runtime come to their end [libuv#2231].
 *
 * The runtime has one worker. It is woken by somebody else's doorbell, and then finds that task too. */
#include "gates.h"

#include <pthread.h>

#include "base/futex.h"
#include "sched/idle.h"
#include "sched/meet.h"
#include "sched/ready.h"
#include "task/cancel.h"
#include "task/iop.h"
#include "task/timer.h"
#include "task/wait.h"

static __thread bool visits; /* this thread is held before its next doorbell */
static uint32_t there;       /* atomic: it is */
static uint32_t awaited;     /* atomic: who destroys the runtime waits for visitors */
static uint32_t gone;        /* atomic: the runtime is */

static void held_wake(struct magi_worker *to, mag_worker *from)
{
	if (visits) {
		visits = false;
		raise_flag(&there);
		while (!is_raised(&awaited) && !is_raised(&gone))
			sched_yield();
		CHECK(!is_raised(&gone));
	}
	magi_wake_worker(to, from);
}

static void yield_seen(void)
{
	raise_flag(&awaited);
	magi_thread_yield();
}

#define magi_wake_worker held_wake
#include "sched/ready.c"
#include "task/cancel.c"
#undef magi_wake_worker
#define magi_thread_yield yield_seen
#include "sched/meet.c"
#undef magi_thread_yield

struct visited {
	struct play play;
	mag_future gate, done;
	mag_scope scope;
	int fds[2];
	uint32_t waits; /* atomic: leader is set */
	mag_frame *leader;
};

static MAG_OP read_byte(MAG_OP_ARGS, int fd, char *byte)
{
	struct magi_req req = { .code = MAGI_IO_READ, .fd = fd, .addr = byte, .len = 1, .offset = UINT64_MAX };

	return magi_io_await(w, f, &req, NULL, 0, NULL, NULL);
}

/* Waits for the visitor. */
struct host {
	mag_frame frame;
	MAG_ARGS(host, struct visited *visited; bool io;);
	int64_t rc, end;
	char byte;
};

MAG_TASK(host)
{
	MAG_BEGIN(host);
	MAG_SCOPE_BEGIN(&self->visited->scope);
	self->visited->leader = self->frame.leader;
	raise_flag(&self->visited->waits);
	if (self->io)
		MAG_AWAIT(self->rc, read_byte, self->visited->fds[0], &self->byte);
	else
		MAG_AWAIT(self->rc, mag_future_await, &self->visited->gate);
	MAG_SCOPE_END(self->end, &self->visited->scope);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* The same with a member that may run on its worker only. */
struct pinned_host {
	mag_frame frame;
	MAG_ARGS(pinned_host, struct visited *visited;);
	mag_group group;
	int64_t rc;
};

MAG_TASK(pinned_host)
{
	MAG_BEGIN(pinned_host);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN_ON(self->rc, 0u, &self->group, host, .visited = self->visited);
	CHECK(self->rc == 0);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

static void *complete(void *arg)
{
	struct visited *v = arg;

	visits = true;
	mag_future_complete(&v->gate, 0);
	return NULL;
}

static void *cancel(void *arg)
{
	struct visited *v = arg;

	visits = true;
	mag_scope_cancel(&v->scope);
	return NULL;
}

static void open_house(struct visited *v)
{
	*v = (struct visited){ 0 };
	play_begin(&v->play, 1);
	cr_assert_eq(magi_world_pipe(v->play.world, v->fds), 0);
	mag_future_init(&v->gate);
	mag_future_init(&v->done);
}

static void until_parked(const struct visited *v)
{
	while (!is_raised(&v->waits))
		sched_yield();
	while (!(magi_load_acq(&v->leader->state) & (MAGI_PARKED | MAGI_PARKED_IO))) /* [state] */
		sched_yield();
}

/* The host runs to its end while its visitor is held, and the runtime is destroyed. */
static void visit(struct visited *v, void *(*visitor)(void *), int64_t want)
{
	pthread_t thread;
	int64_t rc;

	until_parked(v);
	cr_assert_eq(pthread_create(&thread, NULL, visitor, v), 0);
	while (!is_raised(&there))
		sched_yield();
	play_run(&v->play, rc, idler, .result = 3); /* its doorbell wakes the worker */
	cr_assert_eq(rc, 3);
	cr_assert_eq(play_wait(&v->done), want);
	for (int i = 0; i < 2; i++)
		cr_assert_eq(magi_world_close(v->play.world, v->fds[i]), 0);
	cr_assert_eq(mag_runtime_destroy(v->play.rt, MAG_NEVER), 0);
	raise_flag(&gone);
	pthread_join(thread, NULL);
	magi_world_destroy(v->play.world);
}

/* Tried, each fails its test: no visit in resume_from_outside, in magi_resume_later for pinned tasks, in
 * mag_scope_cancel. All three: visits that count nothing, destroying without magi_visitors_gone. */
Test(visit, runtime_stays_until_who_completed_a_future_has_rung, .timeout = 20)
{
	struct visited v;

	open_house(&v);
	cr_assert_eq(mag_spawn_from(v.play.rt, &v.done, host, .visited = &v), 0);
	visit(&v, complete, 0);
}

Test(visit, runtime_stays_until_who_woke_a_pinned_task_has_rung, .timeout = 20)
{
	struct visited v;

	open_house(&v);
	cr_assert_eq(mag_spawn_from(v.play.rt, &v.done, pinned_host, .visited = &v), 0);
	visit(&v, complete, 0);
}

Test(visit, runtime_stays_until_who_cancelled_an_operation_has_rung, .timeout = 20)
{
	struct visited v;

	open_house(&v);
	cr_assert_eq(mag_spawn_from(v.play.rt, &v.done, host, .visited = &v, .io = true), 0);
	visit(&v, cancel, MAG_ECANCELED);
}
