/* SPDX-License-Identifier: MIT */
/* buffer.h - receive buffers: plain memory that is given to a ring, filled there, handed to a task, and given to the
 * ring of whichever worker lets go of it.
 *
 * Who:     feed: the owner of the ring. new, free: any thread.
 * Always:  a buffer is a ring's, an object's queue's, or a task's.
 * Not:     a cache of free buffers: the ring is one, and what it does not take goes back to the system's malloc. */
#ifndef MAGI_TASK_BUFFER_H
#define MAGI_TASK_BUFFER_H

#include "sched/types.h"

/* Stands behind the MAGI_BUFFER_BYTES of each, for whoever queues it. */
struct magi_buffer {
	struct magi_buffer *next;
	uint32_t len;
};

static inline struct magi_buffer *magi_buffer_of(void *data)
{
	return (struct magi_buffer *)(void *)((char *)data + MAGI_BUFFER_BYTES);
}

static inline void *magi_buffer_data(struct magi_buffer *b)
{
	return (char *)(void *)b - MAGI_BUFFER_BYTES;
}

/* Gives the ring buffers while it is hungry. False: it is, and there is no memory. */
bool magi_buffers_feed(struct magi_worker *w);

/* Gives a buffer to the ring of this worker (NULL: no worker), or frees it. */
void magi_buffer_release(struct magi_worker *w, void *data);

#endif
