/* SPDX-License-Identifier: MIT */
/* select.h - waiting for the first of several things: exactly one of them happens to the task, the others are as if it had
 * never waited for them.
 *
 *	mag_case_event(&self->cases[0], &server->stopping);
 *	mag_case_pop(&self->cases[1], &server->jobs, &self->job);
 *	mag_case_until(&self->cases[2], mag_deadline_in(5 * MAG_SECOND));
 *	…
 *	MAG_AWAIT(self->rc, mag_select, self->cases, 3);
 *	switch (self->rc) {
 *	case 0: …                                        // the event is set; no job was taken
 *	case 1: if (self->cases[1].result == 0) …        // self->job; MAG_ECLOSED when the queue has ended
 *	case 2: …                                        // five seconds are over
 *	default: …                                       // MAG_ECANCELED: none of them
 *	}
 *
 * A case that was not chosen has had no effect: no element was taken or added, no permit is held. So nothing must be put
 * back, and nothing can be lost. A signal is a case, too (magpie/signal.h). What is not one of these goes into a group with
 * a handle, which is a case; the group then cancels and joins it: an operation on a file, a whole function, and what needs
 * one: an item of a pool, which may have to be made or checked first, and the tokens of a limiter, for which one waits for
 * its turn, then for a place, then for the clock, one after the other.
 *
 * Cases are the caller's memory, in the frame or as long-lived; they stay as they are and may be used again. What they
 * wait for must be there until the select has returned, also when somebody else was given it meanwhile: a future that was
 * awaited elsewhere, a handle that mag_group_next gave to its owner. */
#ifndef MAGPIE_SELECT_H
#define MAGPIE_SELECT_H

#include <magpie/event.h>
#include <magpie/future.h>
#include <magpie/group.h>
#include <magpie/queue.h>
#include <magpie/semaphore.h>

MAGI_C_BEGIN

enum { MAG_SELECT_MAX = 16 }; /* cases of one select: the locks of what they wait for are held together, for a moment */

struct magi_case_kind;

/* One thing to wait for; made by the functions below. */
typedef struct mag_case {
	mag_frame node; /* stands in the queue of what it waits for; magpie's own, as all but `result` and `user` */
	const struct magi_case_kind *kind;
	void *object;
	uint64_t with;  /* where the element is, how many permits, until when */
	int64_t result; /* of the case that happened: what the await by itself would have given */
	void *user;     /* the caller's */
	mag_frame *waits;
	struct magi_waitq apart;
	uint32_t index, count;
} mag_case;

MAG_API extern const struct magi_case_kind magi_case_event, magi_case_future, magi_case_handle, magi_case_acquire,
	magi_case_push, magi_case_pop, magi_case_until;

MAGI_FAST void magi_case_make(mag_case *c, const struct magi_case_kind *kind, void *object, uint64_t with)
{
	c->kind = kind;
	c->object = object;
	c->with = with;
}

/* The event is set: 0. */
MAGI_FAST void mag_case_event(mag_case *c, mag_event *event)
{
	magi_case_make(c, &magi_case_event, event, 0);
}

/* The future is complete: its result. */
MAGI_FAST void mag_case_future(mag_case *c, mag_future *future)
{
	magi_case_make(c, &magi_case_future, future, 0);
}

/* The task has ended: its result, as mag_handle_wait; the handle is the caller's again when this case happened. */
MAGI_FAST void mag_case_handle(mag_case *c, mag_handle *handle)
{
	magi_case_make(c, &magi_case_handle, handle, 0);
}

/* n permits are taken: 0, as mag_semaphore_acquire. */
MAGI_FAST void mag_case_acquire(mag_case *c, mag_semaphore *semaphore, uint32_t n)
{
	magi_case_make(c, &magi_case_acquire, semaphore, n);
}

/* A copy of the element is added: 0, or MAG_ECLOSED, as mag_queue_push. */
MAGI_FAST void mag_case_push(mag_case *c, mag_queue *queue, const void *element)
{
	magi_case_make(c, &magi_case_push, queue, (uint64_t)(uintptr_t)element);
}

/* The next element is taken: 0, or MAG_ECLOSED, as mag_queue_pop. */
MAGI_FAST void mag_case_pop(mag_case *c, mag_queue *queue, void *element)
{
	magi_case_make(c, &magi_case_pop, queue, (uint64_t)(uintptr_t)element);
}

/* It is `deadline` (mag_now): 0. With 0 it is what happens when nothing else can at once. */
MAGI_FAST void mag_case_until(mag_case *c, uint64_t deadline)
{
	magi_case_make(c, &magi_case_until, NULL, deadline);
}

/* MAG_AWAIT(rc, mag_select, cases, n): waits for the first of n cases. When several can happen at once, one of them does,
 * at random; a deadline only if none of the others can. What several tasks wait for goes to them in the order in which
 * they came, whether they select or not.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  the index of the case that happened, and its `result`; MAG_ECANCELED: none has;
 *           -EINVAL when n is 0 or above MAG_SELECT_MAX, or among them are both ends of one queue of capacity 0, or one
 *           semaphore twice
 * Since:    0.2 */
MAG_API MAG_OP mag_select(MAG_OP_ARGS, mag_case *cases, uint32_t n);

/* The same, but of several the one with the lowest index happens.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  as mag_select
 * Since:    0.2 */
MAG_API MAG_OP mag_select_first(MAG_OP_ARGS, mag_case *cases, uint32_t n);

MAGI_C_END

#endif
