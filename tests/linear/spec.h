/* SPDX-License-Identifier: MIT */
/* spec.h - magpie's primitives as they are when one thing happens at a time. */
#ifndef MAGPIE_TESTS_LINEAR_SPEC_H
#define MAGPIE_TESTS_LINEAR_SPEC_H

#include "linear/check.h"

/* item[0] is the element; config: the capacity. */
enum linear_queue_kind {
	LINEAR_PUSH,
	LINEAR_POP,
	LINEAR_TRY_PUSH,
	LINEAR_TRY_POP,
	LINEAR_CLOSE,
	LINEAR_IS_CLOSED,
	LINEAR_QUEUE_WAITING /* gives how many wait in it */
};
extern const struct linear_spec linear_queue_spec;

/* A task is a lane. */
enum linear_mutex_kind { LINEAR_LOCK, LINEAR_TRY_LOCK, LINEAR_UNLOCK, LINEAR_IS_LOCKED };
extern const struct linear_spec linear_mutex_spec;

/* A task is a lane, and does not lock twice for reading. */
enum linear_rwlock_kind {
	LINEAR_LOCK_READ,
	LINEAR_LOCK_WRITE,
	LINEAR_TRY_LOCK_READ,
	LINEAR_TRY_LOCK_WRITE,
	LINEAR_UNLOCK_READ,
	LINEAR_UNLOCK_WRITE,
	LINEAR_DOWNGRADE,
	LINEAR_READERS,
	LINEAR_RWLOCK_WAITING
};
extern const struct linear_spec linear_rwlock_spec;

/* item[0] is how many; config: the permits at the start, and the most. */
enum linear_semaphore_kind {
	LINEAR_ACQUIRE,
	LINEAR_TRY_ACQUIRE,
	LINEAR_RELEASE,
	LINEAR_PERMITS,
	LINEAR_SEMAPHORE_WAITING
};
extern const struct linear_spec linear_semaphore_spec;

enum linear_event_kind { LINEAR_EVENT_WAIT, LINEAR_SET, LINEAR_RESET, LINEAR_IS_SET, LINEAR_EVENT_WAITING };
extern const struct linear_spec linear_event_spec;

/* item[0] is the value, of a poll that gives 1 too. */
enum linear_future_kind { LINEAR_COMPLETE, LINEAR_FUTURE_AWAIT, LINEAR_POLL, LINEAR_FUTURE_WAITING };
extern const struct linear_spec linear_future_spec;

#endif
