/* SPDX-License-Identifier: MIT */
/* worker.h - a worker's life. */
#ifndef MAGI_SCHED_WORKER_H
#define MAGI_SCHED_WORKER_H

#include "sched/types.h"

/* Takes up one piece of ready work and runs it until it parks, ends or has used its budget; never blocks. False: there
 * was none. */
bool magi_worker_tick(struct magi_worker *w);

/* Looks at inbox, mail, timers and the backend, without blocking. True: inbox or backend had something. */
bool magi_worker_look(struct magi_worker *w);

/* The thread's function: opens the io, works until the runtime stops, drains. */
void *magi_worker_main(void *worker);

#endif
