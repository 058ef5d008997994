/* SPDX-License-Identifier: MIT */
/* timer.h - what timers do when they fire: sleeping tasks resume, scopes are cancelled. */
#ifndef MAGI_TASK_TIMER_H
#define MAGI_TASK_TIMER_H

#include "sched/types.h"

enum magi_timer_kind { MAGI_TIMER_SLEEP, MAGI_TIMER_SCOPE, MAGI_TIMER_ALARM };

/* A timer that calls back, on whichever worker fires it, without locks. */
struct magi_alarm {
	magi_timer timer;
	struct magi_alarm *next; /* among those that a worker has just fired */
	struct magi_worker *on;  /* whose wheel it was armed in */
	void (*ring)(struct magi_worker *w, struct magi_alarm *alarm);
};

/* Owner: rings `ns` from now. It is not armed. */
void magi_alarm_set(struct magi_worker *w, struct magi_alarm *alarm, uint64_t ns);

/* Any thread. True: it will not ring. False: it was not armed, or ring is being called, or will be. */
bool magi_alarm_stop(struct magi_alarm *alarm);

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
