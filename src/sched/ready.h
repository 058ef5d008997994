/* SPDX-License-Identifier: MIT */
/* ready.h - woken tasks of a worker, and how a task gets there from anywhere. */
#ifndef MAGI_SCHED_READY_H
#define MAGI_SCHED_READY_H

#include "sched/types.h"

enum { MAGI_LONG_US = 200 }; /* a queue whose last task has to wait for longer is shared */

/* Owner: adds at the end. */
void magi_ready_push(struct magi_ready *q, mag_frame *f);

/* Owner: the oldest, or NULL. */
mag_frame *magi_ready_pop(struct magi_ready *q);

/* Any thread: the same. */
mag_frame *magi_ready_take(struct magi_ready *q);

/* Any thread: how many there seem to be. */
int64_t magi_ready_count(const struct magi_ready *q);

/* Any thread: whether the last of w's woken tasks would have to wait for long. */
bool magi_ready_is_long(const struct magi_worker *w);

/* Makes a frame run soon: on this worker (w may be NULL: whichever), or on its home if it is pinned. As the last act:
 * the frame may run before this returns. */
void magi_resume_later(mag_runtime *rt, mag_worker *w, mag_frame *f);

/* The same for a list linked by q.next, in its order. */
void magi_resume_list(mag_runtime *rt, mag_worker *w, mag_frame *list);

/* f if this worker may run it now, else it is sent home and NULL. */
mag_frame *magi_resume_here(mag_worker *w, mag_frame *f);

/* Owner: moves what other threads sent into its own queues; says whether there was anything. */
bool magi_inbox_collect(struct magi_worker *w);

/* Thief: moves the stealable inbox of a busy victim into its own ready queue. */
bool magi_inbox_steal(struct magi_worker *w, struct magi_worker *victim);

/* Sends to a certain worker: run there only if `pinned`. */
void magi_inbox_send(mag_worker *from, struct magi_worker *to, mag_frame *f, bool pinned);

#endif
