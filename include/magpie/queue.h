/* SPDX-License-Identifier: MIT */
/* queue.h - a bounded queue of elements of one size, copied in and out: many tasks push, many pop, first in first out,
 * or in another order.
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
 * With a capacity of 0 it is a rendezvous: it holds nothing, and a push ends when a pop has taken the element.
 * The struct is the caller's memory. Its tasks belong to one runtime; any thread may use what does not await. */
#ifndef MAGPIE_QUEUE_H
#define MAGPIE_QUEUE_H

#include <magpie/impl/waitq.h>
#include <magpie/task.h>

MAGI_C_BEGIN

enum { MAG_QUEUE_ELEMENT_MAX = 1024 }; /* bytes: they are copied under a spin lock. Larger things go by pointer */

/* Which element is popped first. */
typedef enum mag_queue_order {
	MAG_QUEUE_FIFO,    /* the oldest */
	MAG_QUEUE_LIFO,    /* the newest */
	MAG_QUEUE_PRIORITY /* the one that `before` puts first; of equal ones the oldest */
} mag_queue_order;

/* See mag_queue_init_as. */
typedef int (*mag_queue_compare)(const void *a, const void *b);

/* How elements are kept. */
enum magi_queue_kind {
	MAGI_QUEUE_WORDS, /* a ring of words */
	MAGI_QUEUE_RING,  /* a ring of something else */
	MAGI_QUEUE_STACK,
	MAGI_QUEUE_HEAP
};

enum magi_queue_bit {
	MAGI_QUEUE_CLOSED = 1,
	MAGI_QUEUE_PUSHERS = 2 /* at a rendezvous: who waits wants to push, not to pop */
};

typedef struct mag_queue {
	struct magi_waitq waitq; /* its lock guards all; pushers wait in it when the queue is full, poppers when empty */
	void *items;             /* what the kind says */
	uint32_t capacity;
	uint32_t first;          /* of a ring: index of the oldest */
	uint32_t length;         /* atomic: written under the lock */
	uint16_t size;           /* of an element */
	uint8_t state;           /* bits */
	uint8_t kind;
	uint64_t unfinished;     /* pushed, less what mag_queue_task_done was called for */
	struct magi_waitq joiners;
	uint32_t on_heap;        /* items is freed at the end */
	uint32_t unused;
	const mag_site *made;    /* where; NULL: by MAG_QUEUE_INIT */
} mag_queue;

/* A static initialiser, with an array as the room for elements: `static uint64_t room[64];`
 * `static mag_queue queue = MAG_QUEUE_INIT(room);` First in, first out. */
#define MAG_QUEUE_INIT(array)                                                                                     \
	{                                                                                                         \
		{ 0, 0, NULL, NULL, NULL }, (array), MAGI_ARRAY_LENGTH(array), 0, 0,                               \
			MAGI_SIZE_WITHIN((array)[0], MAG_QUEUE_ELEMENT_MAX), 0,                                    \
			sizeof((array)[0]) == 8 ? MAGI_QUEUE_WORDS : MAGI_QUEUE_RING, 0,                           \
			{ 0, 0, NULL, NULL, NULL }, 0, 0, NULL                                                     \
	}

/* Makes the memory a queue for `capacity` elements of `size` bytes, first in, first out. With queue=1 in the
 * environment variable MAGPIE_DEBUG each queue that is no rendezvous gets capacity 1, which shows deadlocks between
 * queues that otherwise wait for a burst.
 *
 * Threads:  any
 * Owns:     the room for the elements: mag_queue_fini
 * Returns:  0, -ENOMEM, -EINVAL when size is 0 or above MAG_QUEUE_ELEMENT_MAX
 * Since:    0.1; capacity 0: 0.2 */
MAG_API int mag_queue_init(mag_queue *queue, uint32_t capacity, size_t size);
MAG_API int magi_queue_init_at(mag_queue *queue, uint32_t capacity, size_t size, const mag_site *made);
#define mag_queue_init(queue, capacity, size) \
	magi_queue_init_at((queue), (capacity), (size), MAGI_MADE("mag_queue_init"))

typedef struct mag_queue_options {
	size_t size;              /* sizeof(mag_queue_options) */
	uint32_t capacity;        /* 0: rendezvous, MAG_QUEUE_FIFO only */
	uint32_t element_size;    /* bytes */
	mag_queue_order order;
	mag_queue_compare before; /* for MAG_QUEUE_PRIORITY */
} mag_queue_options;

/* The same, with an order:
 * `mag_queue_init_as(&jobs, &(mag_queue_options){ .size = sizeof(mag_queue_options), .capacity = 64,`
 * `.element_size = sizeof(struct job), .order = MAG_QUEUE_PRIORITY, .before = earlier });`
 * The comparison gives a negative number when *a is to be popped before *b, a positive one when after it, 0 when they
 * are equal. It is called under a spin lock: it looks at the two elements and does nothing else.
 * Elements of pushers that wait are not in the queue yet: these come in the order in which they began to wait.
 *
 * Threads:  any
 * Owns:     the room for the elements: mag_queue_fini
 * Returns:  as mag_queue_init; -EINVAL also for an unknown order, one that does not go with the capacity, or without a
 *           comparison where one is needed
 * Since:    0.2 */
MAG_API int mag_queue_init_as(mag_queue *queue, const mag_queue_options *options);
MAG_API int magi_queue_init_as_at(mag_queue *queue, const mag_site *made, const mag_queue_options *options);
#define mag_queue_init_as(queue, ...) magi_queue_init_as_at((queue), MAGI_MADE("mag_queue_init_as"), __VA_ARGS__)

/* Ends it; elements that are left are forgotten. Nobody may wait in it, or join.
 *
 * Threads:  any
 * Returns:  0, -EBUSY when somebody waits: nothing is freed (ends the program in debug builds)
 * Since:    0.1 */
MAG_API int mag_queue_fini(mag_queue *queue);

/* MAG_AWAIT(rc, mag_queue_push, &queue, &element): adds a copy, waiting while the queue is full, at a rendezvous until
 * it is taken. `element` is in the frame, or lives as long, and stays as it is until then.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  0, MAG_ECLOSED, MAG_ECANCELED: not added
 * Since:    0.1 */
MAG_API MAG_OP mag_queue_push(MAG_OP_ARGS, mag_queue *queue, const void *element);

/* MAG_AWAIT(rc, mag_queue_push_until, &queue, &element, deadline): the same, until `deadline` (mag_now; MAG_NEVER) at
 * most. When that has passed, the element is added as by mag_queue_try_push.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  as mag_queue_push; MAG_ETIMEDOUT, -ENOMEM: not added
 * Since:    0.2 */
MAG_API MAG_OP mag_queue_push_until(MAG_OP_ARGS, mag_queue *queue, const void *element, uint64_t deadline);

/* The same without waiting.
 *
 * Threads:  any
 * Returns:  0, -EAGAIN when it is full, at a rendezvous when nobody waits to pop; MAG_ECLOSED
 * Since:    0.1 */
MAG_API int mag_queue_try_push(mag_queue *queue, const void *element);

/* MAG_AWAIT(rc, mag_queue_pop, &queue, &element): takes the element whose turn it is, waiting while the queue is empty.
 * `element` is in the frame, or lives as long.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  0, MAG_ECLOSED when it is closed and empty, MAG_ECANCELED: nothing was taken
 * Since:    0.1 */
MAG_API MAG_OP mag_queue_pop(MAG_OP_ARGS, mag_queue *queue, void *element);

/* MAG_AWAIT(rc, mag_queue_pop_until, &queue, &element, deadline): the same, until `deadline` (mag_now; MAG_NEVER) at
 * most. When that has passed, an element is taken as by mag_queue_try_pop.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  as mag_queue_pop; MAG_ETIMEDOUT, -ENOMEM: nothing was taken
 * Since:    0.2 */
MAG_API MAG_OP mag_queue_pop_until(MAG_OP_ARGS, mag_queue *queue, void *element, uint64_t deadline);

/* The same without waiting.
 *
 * Threads:  any
 * Returns:  0, -EAGAIN when it is empty, MAG_ECLOSED when it is closed as well
 * Since:    0.1 */
MAG_API int mag_queue_try_pop(mag_queue *queue, void *element);

/* Takes no more elements: pushes fail with MAG_ECLOSED, also those that wait, which keep theirs; pops get what is left,
 * then MAG_ECLOSED. Never cut short.
 *
 * Threads:  any
 * Returns:  1, or 0 when it was closed already
 * Since:    0.1 */
MAG_API int mag_queue_close(mag_queue *queue);

/* Closes it and gives what is left, one after the other in the queue's order, to `back`, which may do anything but
 * wait. Each counts as done: mag_queue_join waits for it no more.
 *
 * Threads:  any
 * Returns:  how many
 * Since:    0.2 */
MAG_API int64_t mag_queue_drain(mag_queue *queue, void (*back)(void *arg, void *element), void *arg);

#define MAGI_QUEUE_TEXT(number) #number
#define MAGI_QUEUE_LINE(number) ":" MAGI_QUEUE_TEXT(number)

/* mag_queue_task_done(&queue): what a popped element asked for is done. Once for each.
 *
 * Threads:  any
 * Returns:  0; -EINVAL when that is once more than was pushed (ends the program in debug builds)
 * Since:    0.2 */
#define mag_queue_task_done(queue) magi_queue_task_done((queue), __FILE__ MAGI_QUEUE_LINE(__LINE__))

MAG_API int magi_queue_task_done(mag_queue *queue, const char *where);

/* MAG_AWAIT(rc, mag_queue_join, &queue): waits until mag_queue_task_done was called for all that was pushed.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  0, also when more has been pushed since; MAG_ECANCELED
 * Since:    0.2 */
MAG_API MAG_OP mag_queue_join(MAG_OP_ARGS, mag_queue *queue);

/* MAG_AWAIT(rc, mag_queue_join_until, &queue, deadline): the same, until `deadline` (mag_now; MAG_NEVER) at most.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  as mag_queue_join; MAG_ETIMEDOUT, -ENOMEM
 * Since:    0.2 */
MAG_API MAG_OP mag_queue_join_until(MAG_OP_ARGS, mag_queue *queue, uint64_t deadline);

/* Whether it is closed.  Threads: any */
MAG_API bool mag_queue_is_closed(mag_queue *queue);

/* How many elements are in it. A snapshot.  Threads: any */
MAG_API uint32_t mag_queue_length(const mag_queue *queue);

/* How many elements it has room for.  Threads: any */
MAG_API uint32_t mag_queue_capacity(const mag_queue *queue);

MAGI_C_END

#endif
