/* SPDX-License-Identifier: MIT */
/* broadcast.h - each element goes to each who listens: the last `capacity` of them are kept, and who is slower than
 * that is told how many it has missed, and goes on with the oldest that is left.
 *
 *	mag_broadcast_init(&self->ticks, 256, sizeof(struct tick));
 *	…
 *	mag_broadcast_send(self->ticks, &tick);                      // never waits
 *	mag_broadcast_close(self->ticks);                            // when there are no more
 *	…
 *	mag_broadcast_subscribe(self->ticks, &self->mine);           // in each listener: from the next element on
 *	for (;;) {
 *		MAG_AWAIT(self->rc, mag_broadcast_recv, &self->mine, &self->tick);
 *		if (self->rc > 0)
 *			continue;                                    // so many were missed
 *		if (self->rc < 0)
 *			break;                                       // MAG_ECLOSED: all that is left has been seen
 *		…
 *	}
 *	mag_broadcast_unsubscribe(&self->mine);
 *
 * The structs are the caller's memory. Its tasks belong to one runtime; any thread may do what does not await, and a
 * receiver is used by one at a time. */
#ifndef MAGPIE_BROADCAST_H
#define MAGPIE_BROADCAST_H

#include <magpie/impl/waitq.h>
#include <magpie/task.h>

MAGI_C_BEGIN

enum {
	MAG_BROADCAST_ELEMENT_MAX = 1024,      /* bytes: they are copied under a spin lock. Larger things go by pointer */
	MAG_BROADCAST_CAPACITY_MAX = 1 << 24
};

typedef struct mag_broadcast {
	struct magi_waitq waitq; /* its lock guards all; receivers that have seen everything wait in it */
	unsigned char *items;    /* element n is at n modulo the capacity */
	uint64_t sent;           /* atomic: how many, and where the next one goes; written under the lock */
	uint32_t closed;         /* atomic: written under the lock */
	uint32_t mask;           /* the capacity - 1 */
	uint32_t size;           /* of an element */
	uint32_t receivers;
} mag_broadcast;

typedef struct mag_broadcast_receiver {
	mag_broadcast *broadcast; /* NULL: not subscribed */
	uint64_t next;            /* the number of the element that it gets next */
	void *to;                 /* where that goes, while a task waits with it, else NULL */
} mag_broadcast_receiver;

/* Makes the memory a broadcast that keeps the last `capacity` elements, rounded up to a power of two, of `size` bytes.
 *
 * Threads:  any
 * Owns:     the room for the elements: mag_broadcast_fini
 * Returns:  0, -ENOMEM, -EINVAL when capacity or size is 0 or above its limit
 * Since:    0.2 */
MAG_API int mag_broadcast_init(mag_broadcast *broadcast, uint32_t capacity, size_t size);

/* Ends it: all have unsubscribed.
 *
 * Threads:  any
 * Returns:  0, -EBUSY when there are receivers: nothing is freed (ends the program in debug builds)
 * Since:    0.2 */
MAG_API int mag_broadcast_fini(mag_broadcast *broadcast);

/* Adds a copy, in the place of the oldest element when there are `capacity` of them. Never waits.
 *
 * Threads:  any
 * Returns:  how many receivers there are, which may be 0; MAG_ECLOSED
 * Since:    0.2 */
MAG_API int mag_broadcast_send(mag_broadcast *broadcast, const void *element);

/* Makes the memory a receiver of all that is sent from now on.
 *
 * Threads:  any
 * Returns:  0, MAG_ECLOSED: it is none then
 * Since:    0.2 */
MAG_API int mag_broadcast_subscribe(mag_broadcast *broadcast, mag_broadcast_receiver *receiver);

/* Ends a receiver.
 *
 * Threads:  any
 * Returns:  1; 0 when it is none, or no more; -EBUSY when a task waits with it: it stays (ends the program in debug
 *           builds)
 * Since:    0.2 */
MAG_API int mag_broadcast_unsubscribe(mag_broadcast_receiver *receiver);

/* MAG_AWAIT(rc, mag_broadcast_recv, &receiver, &element): copies the next element, waiting until there is one.
 * `element` is in the frame, or lives as long.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  0; how many elements were missed, being overwritten: the next call gives the oldest that is left;
 *           MAG_ECLOSED when it is closed and all has been seen, or not subscribed; MAG_ECANCELED: nothing was taken;
 *           -EBUSY when another task waits with this receiver (ends the program in debug builds)
 * Since:    0.2 */
MAG_API MAG_OP mag_broadcast_recv(MAG_OP_ARGS, mag_broadcast_receiver *receiver, void *element);

/* MAG_AWAIT(rc, mag_broadcast_recv_until, &receiver, &element, deadline): the same, until `deadline` (mag_now;
 * MAG_NEVER) at most.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  as mag_broadcast_recv; MAG_ETIMEDOUT, -ENOMEM: nothing was taken
 * Since:    0.2 */
MAG_API MAG_OP mag_broadcast_recv_until(MAG_OP_ARGS, mag_broadcast_receiver *receiver, void *element,
					uint64_t deadline);

/* The same without waiting.
 *
 * Threads:  any
 * Returns:  0, how many were missed, -EAGAIN when all has been seen, MAG_ECLOSED when it is closed as well
 * Since:    0.2 */
MAG_API int64_t mag_broadcast_try_recv(mag_broadcast_receiver *receiver, void *element);

/* Takes no more elements: receivers get what is left, then MAG_ECLOSED. Never cut short.
 *
 * Threads:  any
 * Returns:  1, or 0 when it was closed already
 * Since:    0.2 */
MAG_API int mag_broadcast_close(mag_broadcast *broadcast);

/* Whether it is closed.  Threads: any */
MAG_API bool mag_broadcast_is_closed(const mag_broadcast *broadcast);

/* How many elements the receiver could have now. A snapshot.  Threads: any */
MAG_API uint32_t mag_broadcast_length(const mag_broadcast_receiver *receiver);

/* How many receivers there are. A snapshot.  Threads: any */
MAG_API uint32_t mag_broadcast_receivers(mag_broadcast *broadcast);

/* How many elements are kept.  Threads: any */
MAG_API uint32_t mag_broadcast_capacity(const mag_broadcast *broadcast);

MAGI_C_END

#endif
