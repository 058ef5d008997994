/* SPDX-License-Identifier: MIT */
/* limiter.h - so many a second, and so many at once: a token bucket, and places.
 *
 *	mag_limiter_init(&self->api, &(mag_limiter_options){ .size = sizeof(mag_limiter_options),
 *		.rate = 10, .burst = 5, .concurrency = 3 });
 *	…
 *	MAG_USING_BEGIN(self->rc, &self->use, mag_limiter_permit, &self->api);
 *	if (self->rc >= 0)
 *		MAG_CALL(self->rc, request, .url = self->url);
 *	MAG_USING_END(self->rc, &self->use, self->rc);               // the place is given back on every way out
 *
 * A bucket holds `burst` tokens at most and gets `rate` of them in each `per_ns`. A token is used up; a place is given back.
 * In any time t there are at most burst + rate * t tokens: who comes too late to take its token when that was due may make
 * up for one token, and no more. The time from one token to the next is rounded up to a whole nanosecond, so the rate is
 * never more than asked for, and less by a thousandth at most up to a million a second.
 *
 * Tasks are served in the order in which they came: one that wants many tokens is not overtaken. Only the first of them has
 * a timer. The memory is the caller's: nobody may be in a call, wait, or have a place when it goes. Its tasks belong to one
 * runtime. */
#ifndef MAGPIE_LIMITER_H
#define MAGPIE_LIMITER_H

#include <magpie/mutex.h>
#include <magpie/resource.h>
#include <magpie/semaphore.h>
#include <magpie/time.h>

MAGI_C_BEGIN

typedef struct mag_limiter_options {
	size_t size;          /* sizeof(mag_limiter_options) */
	uint32_t rate;        /* tokens in each `per_ns`; at least 1, and at most one a nanosecond */
	uint32_t burst;       /* tokens that it holds at most, and at the start; 0: 1 */
	uint32_t concurrency; /* places; 0: as many as anybody wants */
	uint64_t per_ns;      /* 0: a second */
} mag_limiter_options;

typedef struct mag_limiter {
	uint64_t full_at;     /* atomic: ns, when the bucket is full if nobody takes any more */
	uint64_t interval_ns; /* in which a token comes */
	uint64_t burst_ns;    /* in which all of them come */
	uint32_t burst;
	uint32_t concurrency;
	mag_mutex turn;       /* who waits for tokens or a place holds it, or waits for it: see src/resilience/limiter.c */
	mag_semaphore slots;
} mag_limiter;

/* A static initialiser: tokens a second, tokens at most (0: 1), places (0: no limit). */
#define MAG_LIMITER_INIT(rate, burst, concurrency)                                                                    \
	{                                                                                                             \
		0, MAGI_LIMITER_INTERVAL(rate), MAGI_LIMITER_INTERVAL(rate) * ((burst) ? (burst) : 1),                \
			(burst) ? (burst) : 1, (concurrency),                                                         \
			MAG_MUTEX_FAIR_INIT, MAG_SEMAPHORE_INIT(concurrency, (concurrency) ? (concurrency) : 1)       \
	}
#define MAGI_LIMITER_INTERVAL(rate) ((MAG_SECOND + (rate) - 1) / (rate))

/* Makes the memory a limiter with a full bucket.
 *
 * Threads:  any
 * Returns:  0, -EINVAL: no rate or more than one token a nanosecond, a bucket that takes more than 146 years to fill, more
 *           than MAG_SEMAPHORE_MAX places, or a size that this library does not know
 * Since:    0.2 */
MAG_API int mag_limiter_init(mag_limiter *limiter, const mag_limiter_options *options);

/* Ends it. Nobody may wait for it, or have a place.
 *
 * Threads:  any
 * Returns:  0, -EBUSY when somebody does (ends the program in debug builds)
 * Since:    0.2 */
MAG_API int mag_limiter_fini(mag_limiter *limiter);

/* MAG_AWAIT(rc, mag_limiter_acquire, &limiter, n): takes n tokens, all at once, waiting until it is this task's turn and
 * there are so many. Takes no place.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  0, MAG_ECANCELED (no token is taken), -EINVAL when n is 0 or above the burst, -ENOMEM
 * Since:    0.2 */
MAG_API MAG_OP mag_limiter_acquire(MAG_OP_ARGS, mag_limiter *limiter, uint32_t n);

/* MAG_AWAIT(rc, mag_limiter_acquire_until, &limiter, n, deadline): the same, until `deadline` (mag_now; MAG_NEVER) at most.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  as mag_limiter_acquire, and MAG_ETIMEDOUT (no token is taken)
 * Since:    0.2 */
MAG_API MAG_OP mag_limiter_acquire_until(MAG_OP_ARGS, mag_limiter *limiter, uint32_t n, uint64_t deadline);

/* Takes n tokens if there are so many and nobody waits.
 *
 * Threads:  any
 * Returns:  0, -EAGAIN, -EINVAL when n is 0 or above the burst
 * Since:    0.2 */
MAG_API int mag_limiter_try_acquire(mag_limiter *limiter, uint32_t n);

/* MAG_AWAIT(rc, mag_limiter_enter, &limiter, n): takes a place and n tokens, in one turn. mag_limiter_permit, below, does
 * not forget to give it back.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Owns:     a place after 0: mag_limiter_leave
 * Returns:  as mag_limiter_acquire; after an error there is no place to give back
 * Since:    0.2 */
MAG_API MAG_OP mag_limiter_enter(MAG_OP_ARGS, mag_limiter *limiter, uint32_t n);

/* The same with a deadline, as mag_limiter_acquire_until.  Since: 0.2 */
MAG_API MAG_OP mag_limiter_enter_until(MAG_OP_ARGS, mag_limiter *limiter, uint32_t n, uint64_t deadline);

/* Takes a place and n tokens if they are there and nobody waits.
 *
 * Threads:  any
 * Owns:     a place after 0: mag_limiter_leave
 * Returns:  as mag_limiter_try_acquire
 * Since:    0.2 */
MAG_API int mag_limiter_try_enter(mag_limiter *limiter, uint32_t n);

/* mag_limiter_leave(&limiter): gives a place back. Never cut short.
 *
 * Threads:  any
 * Returns:  0; -EOVERFLOW when nobody has one (ends the program in debug builds)
 * Since:    0.2 */
#define mag_limiter_leave(limiter) magi_limiter_leave((limiter), __FILE__ MAGI_SEMAPHORE_LINE(__LINE__))

MAGI_FAST int magi_limiter_leave(mag_limiter *limiter, const char *where)
{
	return limiter->concurrency ? magi_semaphore_give(&limiter->slots, 1, where) : 0;
}

/* A resource (magpie/resource.h): a place, taken with `tokens` tokens (0: one), until `until` at most (0: for ever).
 * `MAG_USING_BEGIN(self->rc, &self->use, mag_limiter_permit, &limiter, .tokens = 2, .until = mag_deadline_in(MAG_SECOND));`
 * Since: 0.2 */
struct mag_limiter_permit_enter {
	mag_frame frame;
	MAG_ARGS(mag_limiter_permit_enter, mag_limiter *resource; uint32_t tokens; uint64_t until;);
	int64_t rc;
};
struct mag_limiter_permit_exit {
	mag_frame frame;
	MAG_ARGS(mag_limiter_permit_exit, mag_limiter *resource; int64_t why;);
};
MAG_API MAG_DECLARE_TASK(mag_limiter_permit_enter);
MAG_API MAG_DECLARE_TASK(mag_limiter_permit_exit);

/* How many tokens are there. A snapshot.  Threads: any.  Since: 0.2 */
MAG_API uint32_t mag_limiter_tokens(const mag_limiter *limiter);

/* When n tokens will be there at the earliest (mag_now), if nobody takes any before: what a server may tell those that it
 * refuses. MAG_NEVER when n is above the burst.
 *
 * Threads:  any
 * Since:    0.2 */
MAG_API uint64_t mag_limiter_ready_at(const mag_limiter *limiter, uint32_t n);

MAGI_C_END

#endif
