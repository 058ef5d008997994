/* SPDX-License-Identifier: MIT */
/* idle.h - sleeping, waking and searching. */
#ifndef MAGI_SCHED_IDLE_H
#define MAGI_SCHED_IDLE_H

#include "sched/types.h"

int magi_idle_init(mag_runtime *rt);

/* Wakes this worker if it sleeps; something was put where only it looks, by a read-modify-write. */
void magi_wake_worker(struct magi_worker *to, mag_worker *from);

/* Woken work was added to w's ready queue: wakes a thief if there is more than the owner takes up next. */
void magi_offer_woken(mag_worker *w);

/* Wakes every worker: the runtime stops. */
void magi_wake_all(mag_runtime *rt);

/* A worker that sleeps, or else `otherwise`. */
struct magi_worker *magi_idle_worker(mag_runtime *rt, struct magi_worker *otherwise);

/* Becomes a searcher, unless enough search already. */
bool magi_search_begin(struct magi_worker *w);
/* Ends the search, if it did, and is about to sleep. */
void magi_search_end(struct magi_worker *w);
/* The same, but it takes up work, and has said so: it wakes another one when there is more work that nobody looks for, or
 * when nobody would see that one step of it takes long. */
void magi_search_found(struct magi_worker *w);

/* Announces that the worker is about to block: any work added from now on wakes it. It must then re-check all sources,
 * block or not, and call magi_sleep_end. */
void magi_sleep_begin(struct magi_worker *w);
void magi_sleep_end(struct magi_worker *w);

/* Between the two: whether it is to look at the others again soon; others may do that already. */
bool magi_watch_begin(struct magi_worker *w);

#endif
