/* SPDX-License-Identifier: MIT */
/* slab.h - the workers' free lists of frames. */
#ifndef MAGI_SCHED_SLAB_H
#define MAGI_SCHED_SLAB_H

#include "sched/types.h"

/* Bytes of a class. */
size_t magi_class_bytes(unsigned cls);

/* Sets up a worker's free lists. */
void magi_slab_init(struct magi_worker *w);

/* Any thread without a worker: one frame from the depot, or NULL; it may be freed on any worker. */
void *magi_slab_take_foreign(mag_runtime *rt, unsigned cls);
void magi_slab_give_foreign(mag_runtime *rt, unsigned cls, void *p);

/* Owner: tells statistics how long its free lists are; the lists themselves are not for other threads to read. */
void magi_slab_publish(struct magi_worker *w);

/* As of each worker's last word on it: frames that are in use, of those that this worker has taken from the depot, less those it freed for others: only the
 * sum over all workers (and foreign takers) means something. */
int64_t magi_slab_in_use(const struct magi_worker *w);

/* Hands back all free frames of a worker that has stopped. */
void magi_slab_drain(struct magi_worker *w);

#endif
