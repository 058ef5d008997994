/* SPDX-License-Identifier: MIT */
/* worker.h - what a worker does: picks work, runs it, looks around, sleeps. */
#ifndef MAGI_SCHED_WORKER_H
#define MAGI_SCHED_WORKER_H

#include "sched/types.h"

/* Takes up one piece of ready work and runs it until it parks, ends or has used its budget; never blocks. False: there
 * was none. */
bool magi_worker_tick(struct magi_worker *w);

/* Looks at inbox, mail, timers and the backend, without blocking. True: inbox or backend had something. */
bool magi_worker_look(struct magi_worker *w);

/* Whether it has work left, or is to wait for more. */
bool magi_worker_goes_on(const struct magi_worker *w);

/* It has found no work: looks for some on its own ring and elsewhere, without blocking. */
bool magi_worker_seek(struct magi_worker *w);

/* The same: looks for some elsewhere, then sleeps until there is some, or the deadline. */
void magi_worker_idle(struct magi_worker *w, uint64_t deadline);

/* The same for one whose thread waits elsewhere: a descriptor that is readable when it must be woken, and *until, when at
 * the latest. -EAGAIN: there is something already. */
int magi_worker_doze(struct magi_worker *w, uint64_t *until);
void magi_worker_wake(struct magi_worker *w);

#endif
