/* SPDX-License-Identifier: MIT */
/* spec.h - magpie's primitives as they are when one thing happens at a time. */
#ifndef MAGPIE_TESTS_LINEAR_SPEC_H
#define MAGPIE_TESTS_LINEAR_SPEC_H

#include <magpie/queue.h>

#include "linear/check.h"

/* item[0] is the element; config: the capacity, the order. */
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

/* What a priority goes by: elements of different lanes are equal at times. */
static inline uint64_t linear_urgency(uint64_t element)
{
	return element % 3;
}

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

/* item[0] is how many; config: the permits at the start, the most, and whether newcomers barge. */
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

/* A wait begins with its task's taking the mutex, and ends with its giving it back. */
enum linear_condition_kind { LINEAR_CONDITION_WAIT, LINEAR_SIGNAL, LINEAR_BROADCAST, LINEAR_CONDITION_WAITING };
extern const struct linear_spec linear_condition_spec;

/* config: the parties. */
enum linear_barrier_kind {
	LINEAR_BARRIER_WAIT,
	LINEAR_BARRIER_TRY_WAIT,
	LINEAR_ABORT,
	LINEAR_BARRIER_RESET,
	LINEAR_BARRIER_WAITING
};
extern const struct linear_spec linear_barrier_spec;

/* A lane has one permit at most; item[0] of an end is what it says. config: the trials. */
enum linear_breaker_kind { LINEAR_ALLOW, LINEAR_BREAKER_END, LINEAR_BREAKER_STATE };
extern const struct linear_spec linear_breaker_spec;

/* A task is a lane; item[0] of done: it failed. */
enum linear_once_kind { LINEAR_BEGIN, LINEAR_TRY_BEGIN, LINEAR_ONCE_DONE, LINEAR_IS_DONE, LINEAR_ONCE_WAITING };
extern const struct linear_spec linear_once_spec;

/* item[0] is the value, of a poll that gives 1 too. */
enum linear_future_kind { LINEAR_COMPLETE, LINEAR_FUTURE_AWAIT, LINEAR_POLL, LINEAR_FUTURE_WAITING };
extern const struct linear_spec linear_future_spec;


/* item[0] is the value. */
enum linear_oneshot_kind { LINEAR_ONESHOT_RECV, LINEAR_TRY_RECV, LINEAR_ONESHOT_SEND, LINEAR_ONESHOT_CLOSE,
			   LINEAR_ONESHOT_IS_CLOSED, LINEAR_ONESHOT_WAITING };
extern const struct linear_spec linear_oneshot_spec;

/* item[0] is the value, of a wait the version seen; a look gives the version. */
enum linear_watch_kind { LINEAR_CHANGED, LINEAR_WATCH_GET, LINEAR_WATCH_SEND, LINEAR_WATCH_CLOSE, LINEAR_WATCH_WAITING };
extern const struct linear_spec linear_watch_spec;

/* item[0] is the element; each lane has a receiver of its own. config: the capacity. */
enum linear_broadcast_kind { LINEAR_BROADCAST_RECV, LINEAR_BROADCAST_TRY_RECV, LINEAR_BROADCAST_SEND,
			     LINEAR_BROADCAST_CLOSE, LINEAR_BROADCAST_WAITING };
extern const struct linear_spec linear_broadcast_spec;

/* item[0] is the item's number; config: the most. */
enum linear_pool_kind { LINEAR_POOL_TAKE, LINEAR_POOL_TRY_TAKE, LINEAR_POOL_GIVE, LINEAR_POOL_IDLE };
extern const struct linear_spec linear_pool_spec;

#endif
