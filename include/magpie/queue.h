/* SPDX-License-Identifier: MIT */
/* queue.h - a bounded queue of elements of one size, copied in and out: many tasks push, many pop, first in first out.
 *
 *	mag_queue_init(&self->jobs, 64, sizeof(struct job));
 *	…
 *	MAG_AWAIT(self->rc, mag_queue_push, &self->jobs, &self->job);    // in the producers
 *	mag_queue_close(&self->jobs);                                    // when there are no more
 *	…
 *	for (;;) {                                                       // in the consumers
 *		MAG_AWAIT(self->rc, mag_queue_pop, &self->jobs, &self->job);
 *		if (self->rc < 0)
 *			break;                                           // MAG_ECLOSED: closed and empty
 *		…
 *	}
 *
 * The struct is the caller's memory. Its tasks belong to one runtime; any thread may use what does not await. */
#ifndef MAGPIE_QUEUE_H
#define MAGPIE_QUEUE_H

#include <magpie/impl/waitq.h>
#include <magpie/task.h>

MAGI_C_BEGIN

enum { MAG_QUEUE_ELEMENT_MAX = 1024 }; /* bytes: they are copied under a spin lock. Larger things go by pointer */

typedef struct mag_queue {
	struct magi_waitq waitq; /* its lock guards all; pushers wait in it when the queue is full, poppers when empty */
	unsigned char *items;
	uint32_t capacity;
	uint32_t size;    /* of an element */
	uint32_t first;   /* index of the oldest */
	uint32_t length;  /* atomic: written under the lock */
	uint32_t closed;
	uint32_t on_heap; /* items is freed at the end */
} mag_queue;

/* A static initialiser, with an array as the room for elements: `static uint64_t room[64];`
 * `static mag_queue queue = MAG_QUEUE_INIT(room);` */
#define MAG_QUEUE_INIT(array)                                                                                     \
	{                                                                                                         \
		{ 0, 0, NULL, NULL, NULL }, (unsigned char *)(array), sizeof(array) / sizeof((array)[0]),          \
			sizeof((array)[0]), 0, 0, 0, 0                                                             \
	}

/* Makes the memory a queue for `capacity` elements of `size` bytes. With queue=1 in the environment variable MAGPIE_DEBUG
 * each queue gets capacity 1, which shows deadlocks between queues that otherwise wait for a burst.
 *
 * Threads:  any
 * Owns:     the room for the elements: mag_queue_fini
 * Returns:  0, -ENOMEM, -EINVAL when capacity or size is 0 or size is above MAG_QUEUE_ELEMENT_MAX
 * Since:    0.1 */
MAG_API int mag_queue_init(mag_queue *queue, uint32_t capacity, size_t size);

/* Ends it; elements that are left are forgotten. Nobody may wait in it.
 *
 * Threads:  any
 * Returns:  0, -EBUSY when somebody waits: nothing is freed (ends the program in debug builds)
 * Since:    0.1 */
MAG_API int mag_queue_fini(mag_queue *queue);

/* MAG_AWAIT(rc, mag_queue_push, &queue, &element): adds a copy, waiting while the queue is full. `element` is in the
 * frame, or lives as long, and stays as it is until then.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  0, MAG_ECLOSED, MAG_ECANCELED: not added
 * Since:    0.1 */
MAG_API MAG_OP mag_queue_push(MAG_OP_ARGS, mag_queue *queue, const void *element);

/* The same without waiting.
 *
 * Threads:  any
 * Returns:  0, -EAGAIN when it is full, MAG_ECLOSED
 * Since:    0.1 */
MAG_API int mag_queue_try_push(mag_queue *queue, const void *element);

/* MAG_AWAIT(rc, mag_queue_pop, &queue, &element): takes the oldest element, waiting while the queue is empty. `element`
 * is in the frame, or lives as long.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  0, MAG_ECLOSED when it is closed and empty, MAG_ECANCELED: nothing was taken
 * Since:    0.1 */
MAG_API MAG_OP mag_queue_pop(MAG_OP_ARGS, mag_queue *queue, void *element);

/* The same without waiting.
 *
 * Threads:  any
 * Returns:  0, -EAGAIN when it is empty, MAG_ECLOSED when it is closed as well
 * Since:    0.1 */
MAG_API int mag_queue_try_pop(mag_queue *queue, void *element);

/* Takes no more elements: pushes fail with MAG_ECLOSED, also those that wait; pops get what is left, then MAG_ECLOSED.
 * Never cut short.
 *
 * Threads:  any
 * Returns:  1, or 0 when it was closed already
 * Since:    0.1 */
MAG_API int mag_queue_close(mag_queue *queue);

/* Whether it is closed.  Threads: any */
MAG_API bool mag_queue_is_closed(mag_queue *queue);

/* How many elements are in it. A snapshot.  Threads: any */
MAG_API uint32_t mag_queue_length(const mag_queue *queue);

/* How many elements it has room for.  Threads: any */
MAG_API uint32_t mag_queue_capacity(const mag_queue *queue);

MAGI_C_END

#endif
