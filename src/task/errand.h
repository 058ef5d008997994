/* SPDX-License-Identifier: MIT */
/* errand.h - a function that runs on a certain worker, between tasks: for what only the owner of a ring may do.
 *
 * Who:     send: any worker. Then run, on the other one.
 * Always:  one sending is under way at a time; the memory stays until run is called, which may free it.
 * Not:     a kind of mail of its own: a frame that is pinned goes the way that pinned tasks go. */
#ifndef MAGI_TASK_ERRAND_H
#define MAGI_TASK_ERRAND_H

#include "sched/types.h"

struct magi_errand {
	mag_frame frame;
	void (*run)(struct magi_worker *w, struct magi_errand *errand);
};

void magi_errand_send(struct magi_worker *from, struct magi_worker *to, struct magi_errand *errand,
		      void (*run)(struct magi_worker *w, struct magi_errand *errand));

#endif
