/* SPDX-License-Identifier: MIT */
/* acceptor_look.h - an acceptor as its tests see it from inside. */
#ifndef MAGPIE_TESTS_ACCEPTOR_LOOK_H
#define MAGPIE_TESTS_ACCEPTOR_LOOK_H

#include <magpie/acceptor.h>

#include "task/source.h"
#include "task/wait.h"

/* A look at the core as it is now; not at its lock. */
struct look {
	enum magi_source_state state;
	const struct magi_worker *on;
	uint32_t count;   /* connections in the queue */
	uint32_t waiters; /* tasks in mag_acceptor_next */
};

static inline struct look source(const mag_acceptor *acceptor)
{
	struct magi_source *s = (struct magi_source *)(void *)acceptor->core;
	struct look look;

	magi_lock_acquire(magi_waitq_lock(&s->q));
	look = (struct look){ s->state, s->on, s->count, s->q.count };
	magi_lock_release(magi_waitq_lock(&s->q));
	return look;
}

static inline uint32_t queued(const mag_acceptor *acceptor)
{
	return source(acceptor).count;
}

static inline uint32_t waiters(const mag_acceptor *acceptor)
{
	return source(acceptor).waiters;
}

static inline bool idle(const mag_acceptor *acceptor)
{
	return source(acceptor).state == MAGI_SOURCE_IDLE;
}

#endif
