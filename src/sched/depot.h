/* SPDX-License-Identifier: MIT */
/* depot.h - where free frames change hands between workers. */
#ifndef MAGI_SCHED_DEPOT_H
#define MAGI_SCHED_DEPOT_H

#include "sched/types.h"

/* A free frame that names others of its class. Whoever takes it can fetch all of them at once; a list would have to be
 * walked, one cache miss after the other. */
struct magi_bundle {
	struct magi_bundle *next; /* in the depot */
	struct magi_bundle *more; /* of the same load */
	uint64_t n;
	void *frame[];
};

/* How many frames are a load, the most that one trip to the depot moves. */
uint32_t magi_depot_load(unsigned cls);

/* How many frames one frame of the class can name. */
uint32_t magi_depot_room(unsigned cls);

/* Any thread: a load that was given, or NULL. */
struct magi_bundle *magi_depot_take(struct magi_depot *d, unsigned cls);
void magi_depot_give(struct magi_depot *d, unsigned cls, struct magi_bundle *load);

/* Any thread: up to *n frames that nobody has had yet, one after the other; how many. NULL: memory is out. */
char *magi_depot_carve(struct magi_depot *d, unsigned cls, uint32_t *n);

/* Frees all memory of the depot, in use or not. */
void magi_depot_fini(struct magi_depot *d);

#endif
