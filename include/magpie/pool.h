/* SPDX-License-Identifier: MIT */
/* pool.h - things that are dear to make and can be used again: connections, sessions. So many at most, lent to one task at
 * a time, and made again when they are old or broken.
 *
 *	struct conn_create  { mag_frame frame; MAG_ARGS(conn_create, struct db *ctx; struct conn **item;); … };
 *	struct conn_check   { mag_frame frame; MAG_ARGS(conn_check, struct db *ctx; struct conn *item;); … };
 *	struct conn_destroy { mag_frame frame; MAG_ARGS(conn_destroy, struct db *ctx; struct conn *item;); … };
 *
 *	mag_pool_init(&pool, &(mag_pool_options){ .size = sizeof(mag_pool_options), .max = 10, .ctx = &db,
 *		.create = MAG_POOL_FN(conn_create), .check = MAG_POOL_FN(conn_check), .destroy = MAG_POOL_FN(conn_destroy) });
 *	…
 *	MAG_USING_BEGIN(self->rc, &self->use, mag_pool_loan, &self->loan, .pool = &pool);
 *	if (self->rc >= 0)
 *		MAG_CALL(self->rc, query, .conn = self->loan.item);
 *	self->loan.broken = self->rc == -EPIPE;
 *	MAG_USING_END(self->rc, &self->use, self->rc);               // it is given back on every way out
 *
 * An item is made when one is wanted, none is idle, and there are less than `max`; the newest that is idle is lent first.
 * Who must wait is served in the order of coming. A task that fails to make one gets the error, and the next one may try.
 * What a task has used when it was cancelled, or out of time, is dropped: nobody knows in which state it is.
 *
 * The memory is the caller's: when mag_pool_close has returned 0 nothing is lent, and when nobody is in a call any more it
 * may go. Its tasks belong to one runtime. */
#ifndef MAGPIE_POOL_H
#define MAGPIE_POOL_H

#include <magpie/event.h>
#include <magpie/resource.h>
#include <magpie/semaphore.h>
#include <magpie/time.h>

MAGI_C_BEGIN

enum { MAG_POOL_MAX = 4096, MAG_POOL_MAX_DEFAULT = 10 };

/* An async function that the pool calls: MAG_POOL_FN(name). Its arguments are two pointers, the context and the item, or
 * where the new item goes, as above. All may await. */
typedef struct mag_pool_fn {
	mag_step_fn step; /* NULL: none */
	uint32_t class_;
	uint32_t args_at;
	uint32_t args_size;
	uint32_t frame_size;
} mag_pool_fn;

/* An async function as one of these. */
#define MAG_POOL_FN(name)                                                                                      \
	magi_pool_fn(name##_step, MAGI_CLASS(sizeof(struct name)), offsetof(struct name, args_),               \
		     sizeof(struct name##_args), sizeof(struct name))

static inline mag_pool_fn magi_pool_fn(mag_step_fn step, int class_, size_t args_at, size_t args_size, size_t size)
{
	mag_pool_fn fn;

	fn.step = step;
	fn.class_ = (uint32_t)class_;
	fn.args_at = (uint32_t)args_at;
	fn.args_size = (uint32_t)args_size;
	fn.frame_size = (uint32_t)size;
	return fn;
}

typedef struct mag_pool_options {
	size_t size;          /* sizeof(mag_pool_options) */
	uint32_t max;         /* items at most, those that are being made or destroyed, too; 0: MAG_POOL_MAX_DEFAULT */
	uint32_t min;         /* mag_pool_tend makes so many, and keeps them however long they are idle */
	uint64_t idle_ns;     /* how long an item beyond `min` may be idle; 0: 10 minutes; MAG_NEVER */
	uint64_t life_ns;     /* how old it may be, when it is lent or given back; 0: 30 minutes; MAG_NEVER */
	uint64_t check_ns;    /* after so long idle it is checked before it is lent; 0: always */
	uint64_t wait_ns;     /* how long mag_pool_take, or a creation, may take; 0: 30 s; MAG_NEVER */
	uint64_t grace_ns;    /* how long `destroy` may take; 0: MAG_USING_GRACE */
	void *ctx;            /* of these: */
	mag_pool_fn create;   /* must be there; >= 0 and *item, or an error, which the one that wanted it gets */
	mag_pool_fn check;    /* whether the item is good: below 0 it is not, and is destroyed; none: all are */
	mag_pool_fn destroy;  /* runs shielded from cancellation; none: nothing is to be done */
	bool keep_cancelled;  /* what was in use when its task was cancelled is still good */
} mag_pool_options;

struct magi_pool_idle {
	void *item;
	uint64_t made_at, since; /* ns */
	bool broken;             /* there was no memory to destroy it */
};

typedef struct mag_pool {
	mag_semaphore places; /* a permit for each item that there may be */
	uint32_t lock;        /* guards: */
	uint32_t all;         /* items, those that are being made or destroyed, too */
	uint32_t idle;
	uint32_t lent;
	struct magi_pool_idle *stack;
	uint64_t made, dropped;
	uint64_t timeouts; /* atomic */
	uint32_t closed;   /* atomic: set under the lock */
	mag_event shut;    /* set after that: who keeps it need not be waited for */
	mag_pool_options options;
} mag_pool;

/* What a task has of a pool, in its own memory. */
typedef struct mag_pool_loan {
	mag_pool *pool; /* NULL: it has been given back */
	void *item;
	uint64_t made_at;
	bool broken; /* the borrower's: it is not to be lent again */
} mag_pool_loan;

/* Makes the memory a pool without items.
 *
 * Threads:  any
 * Owns:     room for `max` items: mag_pool_fini
 * Returns:  0, -ENOMEM, -EINVAL: no `create`, a function whose arguments are not two pointers, max above MAG_POOL_MAX or
 *           below min, or a size that this library does not know
 * Since:    0.2 */
MAG_API int mag_pool_init(mag_pool *pool, const mag_pool_options *options);

/* Ends it. There must be no items: mag_pool_close.
 *
 * Threads:  any
 * Returns:  0, -EBUSY when there are items (ends the program in debug builds)
 * Since:    0.2 */
MAG_API int mag_pool_fini(mag_pool *pool);

/* MAG_AWAIT(rc, mag_pool_take, &pool, &loan): borrows an item, waiting until there is one or one can be made; for `wait_ns`
 * at most, in which time it is also checked or made; one that is no good is destroyed first, for `grace_ns` at most, even
 * if that takes longer. mag_pool_loan, below, does not forget to give it back.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Owns:     the item after 0: mag_pool_give
 * Returns:  0 and loan.item; MAG_ECANCELED, MAG_ETIMEDOUT, MAG_ECLOSED, an error of `create`, -ENOMEM: there is none
 * Since:    0.2 */
MAG_API MAG_OP mag_pool_take(MAG_OP_ARGS, mag_pool *pool, mag_pool_loan *loan);

/* MAG_AWAIT(rc, mag_pool_take_until, &pool, &loan, deadline): the same, until `deadline` (mag_now; MAG_NEVER) at most. */
MAG_API MAG_OP mag_pool_take_until(MAG_OP_ARGS, mag_pool *pool, mag_pool_loan *loan, uint64_t deadline);

/* Borrows an item if one is idle, needs no check, and nobody waits.
 *
 * Threads:  any
 * Owns:     the item after 0: mag_pool_give
 * Returns:  0 and loan.item, -EAGAIN, MAG_ECLOSED
 * Since:    0.2 */
MAG_API int mag_pool_try_take(mag_pool *pool, mag_pool_loan *loan);

/* MAG_AWAIT(rc, mag_pool_give, &loan): gives the item back. When it is broken or too old, or the pool is closed, waits for
 * its `destroy`. Never cut short.
 *
 * Await:    yes, no cancellation point
 * Threads:  any worker
 * Returns:  0; -EINVAL when it has been given back before (ends the program in debug builds)
 * Since:    0.2 */
MAG_API MAG_OP mag_pool_give(MAG_OP_ARGS, mag_pool_loan *loan);

/* MAG_AWAIT(rc, mag_pool_tend, &pool): destroys what is too old, or has been idle for too long beyond `min`, and makes new
 * ones up to `min`, each within `wait_ns`.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  0; an error of `create`, MAG_ETIMEDOUT, MAG_ECANCELED, MAG_ECLOSED, -ENOMEM: the rest is as it was
 * Since:    0.2 */
MAG_API MAG_OP mag_pool_tend(MAG_OP_ARGS, mag_pool *pool);

/* MAG_SPAWN(rc, &group, mag_pool_keep, .pool = &pool, .every_ns = MAG_SECOND): tends it now and then (0: every ten seconds)
 * until it is closed or this task cancelled; it must have ended before the pool goes. Errors of `create` are tried again.
 *
 * Returns:  0
 * Since:    0.2 */
struct mag_pool_keep {
	mag_frame frame;
	MAG_ARGS(mag_pool_keep, mag_pool *pool; uint64_t every_ns;);
	int64_t rc;
};
MAG_API MAG_DECLARE_TASK(mag_pool_keep);

/* MAG_AWAIT(rc, mag_pool_close, &pool): nothing is lent any more. Who waits gets MAG_ECLOSED, what is idle is destroyed, and
 * what is lent when it is given back; that is waited for. May be called again, to go on waiting.
 *
 * Await:    yes, a cancellation point when something is lent
 * Threads:  any worker
 * Returns:  0: there are no items any more; MAG_ECANCELED: some are still lent; -ENOMEM: some could not be destroyed
 * Since:    0.2 */
MAG_API MAG_OP mag_pool_close(MAG_OP_ARGS, mag_pool *pool);

/* The same with a deadline (mag_now), after which it is MAG_ETIMEDOUT.  Since: 0.2 */
MAG_API MAG_OP mag_pool_close_until(MAG_OP_ARGS, mag_pool *pool, uint64_t deadline);

/* A resource (magpie/resource.h): an item of `pool`, waited for until `until` (mag_now; 0: for `wait_ns`) at most.
 * `MAG_USING_BEGIN(self->rc, &self->use, mag_pool_loan, &self->loan, .pool = &pool);`  Since: 0.2 */
struct mag_pool_loan_enter {
	mag_frame frame;
	MAG_ARGS(mag_pool_loan_enter, mag_pool_loan *resource; mag_pool *pool; uint64_t until;);
	int64_t rc;
};
struct mag_pool_loan_exit {
	mag_frame frame;
	MAG_ARGS(mag_pool_loan_exit, mag_pool_loan *resource; int64_t why;);
	int64_t rc;
};
MAG_API MAG_DECLARE_TASK(mag_pool_loan_enter);
MAG_API MAG_DECLARE_TASK(mag_pool_loan_exit);

typedef struct mag_pool_counts {
	size_t size;                  /* sizeof(mag_pool_counts), set by the caller */
	uint32_t idle, lent, waiting; /* now */
	uint64_t made, dropped;       /* so far */
	uint64_t timeouts;            /* how often a take has ended with MAG_ETIMEDOUT */
} mag_pool_counts;

/* Fills *counts, up to the size it says. A snapshot.
 *
 * Threads:  any
 * Returns:  0, -EINVAL: a size that this library does not know
 * Since:    0.2 */
MAG_API int mag_pool_stats(mag_pool *pool, mag_pool_counts *counts);

MAGI_C_END

#endif
