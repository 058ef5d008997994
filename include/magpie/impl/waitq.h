/* SPDX-License-Identifier: MIT */
/* waitq.h - the shape of a queue of waiting tasks, embedded in every primitive. See src/task/wait.h. */
#ifndef MAGPIE_IMPL_WAITQ_H
#define MAGPIE_IMPL_WAITQ_H

#include <magpie/impl/frame.h>

/* The size of what a static initialiser is given, which does not compile when that is above `most`. */
#define MAGI_SIZE_WITHIN(what, most) (sizeof(what) + 0 * sizeof(char[sizeof(what) <= (most) ? 1 : -1]))

/* How many elements an array has; a pointer does not compile. */
#ifdef __cplusplus
#define MAGI_ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#else
#define MAGI_ARRAY_LENGTH(array)               \
	(sizeof(array) / sizeof((array)[0]) + \
	 0 * sizeof(char[__builtin_types_compatible_p(__typeof__(array), __typeof__(&(array)[0])) ? -1 : 1]))
#endif

struct magi_waitq {
	uint32_t lock; /* also guards the primitive that embeds the queue */
	uint32_t count;
	mag_frame *head, *tail;
	/* Called with the lock held when a cancelled waiter was taken out; may be NULL. Grants to others what the
	 * waiter held up by adding them to *granted. Returns whether the waiter is to be resumed now. */
	bool (*gone)(struct magi_waitq *q, mag_frame *f, mag_frame **granted);
};

#endif
