/* SPDX-License-Identifier: MIT */
/* receiver_look.h - what a receiver is at, for tests that wait until it is. */
#ifndef MAGPIE_TESTS_RECEIVER_LOOK_H
#define MAGPIE_TESTS_RECEIVER_LOOK_H

#include <magpie/receiver.h>

#include "task/source.h"
#include "task/wait.h"

/* A look at the core as it is now; not at its lock. */
struct look {
	enum magi_source_state state;
	const struct magi_worker *on;
	uint32_t count;
	bool ended;
};

static inline struct look source(const mag_receiver *receiver)
{
	struct magi_source *s = (struct magi_source *)(void *)receiver->core;
	struct look look;

	magi_lock_acquire(magi_waitq_lock(&s->q));
	look = (struct look){ s->state, s->on, s->count, s->ended };
	magi_lock_release(magi_waitq_lock(&s->q));
	return look;
}

#endif
