/* SPDX-License-Identifier: MIT */
/* timer.h - what timers do when they fire: sleeping tasks resume, scopes are cancelled. */
#ifndef MAGI_TASK_TIMER_H
#define MAGI_TASK_TIMER_H

#include "sched/types.h"

enum magi_timer_kind { MAGI_TIMER_SLEEP, MAGI_TIMER_SCOPE };

/* The runtime's time as this worker's backend tells it. */
static inline uint64_t magi_now(const struct magi_worker *w)
{
	return w->ops->now(w->io);
}

/* Fires what is due on the wheel of worker `of`; on worker w. Says how many. */
size_t magi_timers_expire(struct magi_worker *w, struct magi_worker *of, uint64_t now);

/* Disarms the timer of a claimed sleep. */
void magi_sleep_cancel(mag_runtime *rt, mag_frame *leaf);

/* Arms and disarms a scope's deadline. */
void magi_scope_arm(struct magi_worker *w, mag_scope *scope, uint64_t deadline);
void magi_scope_disarm(mag_scope *scope);

#endif
