/* SPDX-License-Identifier: MIT */
/* life.h - a worker's life on its thread, from the first use of its io to the last. */
#ifndef MAGI_RUN_LIFE_H
#define MAGI_RUN_LIFE_H

#include "sched/types.h"

/* Opens the io, for this thread, and waits until all workers have tried. False: some could not, and it has ended. */
bool magi_worker_begin(struct magi_worker *w);

/* Works off what is left, waits for the other workers, drains and closes. */
void magi_worker_end(struct magi_worker *w);

/* A thread's function: all of it, with the work between. */
void *magi_worker_main(void *worker);

#endif
