/* SPDX-License-Identifier: MIT */
/* pool_tend.c - what is done to a pool's items while nobody asks for one, and the end of all of them; pool.h has the rules.
 *
 * What:    tending takes a permit for each item, as a borrower does, and only if that can be had at once. It makes one
 *          in the time that a borrower has: closing waits for it.
 *          Closing gives one permit more: the first that waits gets it, sees that the pool is closed, and gives it back, for
 *          the next. Who closes takes all of them, and so waits until nothing is lent. */
#include <errno.h>

#include "resilience/pool.h"

enum { EVERY_SECONDS = 10 };

struct tend {
	mag_frame frame;
	MAG_ARGS(tend, mag_pool *pool;);
	mag_scope scope;
	struct magi_pool_idle item;
	int64_t rc, end;
	bool started;
};

static MAG_TASK(tend)
{
	MAG_BEGIN(tend);
	self->rc = 0;
	while (self->rc == 0 && mag_semaphore_try_acquire(&self->pool->places, 1) == 0) {
		if (magi_pool_stale(self->pool, magi_pool_now(w), &self->item)) {
			MAGI_POOL_DROP(self->rc, self->pool, &self->item);
		} else if (magi_pool_wants(self->pool)) {
			MAG_WITH_TIMEOUT(&self->scope, self->pool->options.wait_ns);
			MAG_AWAIT(self->rc, magi_pool_call, &self->pool->options.create, self->pool->options.ctx,
				  &self->item.item, &self->started);
			MAG_SCOPE_END(self->end, &self->scope);
			if (self->rc == MAG_ECANCELED && self->end < 0)
				self->rc = self->end;
			self->item.made_at = self->item.since = magi_pool_now(w);
			self->item.broken = false;
			if (self->rc < 0) {
				magi_pool_forget(self->pool, false);
			} else {
				self->rc = 0;
				if (!magi_pool_push(self->pool, &self->item, false))
					MAGI_POOL_DROP(self->rc, self->pool, &self->item);
			}
		} else {
			self->rc = 1;
		}
		mag_semaphore_release(&self->pool->places, 1);
	}
	MAG_RETURN(self->rc < 0 ? self->rc : 0);
	MAG_END;
}

mag_frame *mag_pool_tend(mag_worker *w, mag_frame *f, mag_pool *p)
{
	enum { CLASS = MAGI_CLASS(sizeof(struct tend)) };
	struct tend *tend;

	if (magi_cancelled(f))
		return magi_wait_done(w, f, MAG_ECANCELED);
	if (magi_pool_is_closed(p))
		return magi_wait_done(w, f, MAG_ECLOSED);
	tend = magi_frame_take(w, CLASS, sizeof(*tend));
	if (!tend)
		return magi_wait_done(w, f, -ENOMEM);
	tend->args_ = (struct tend_args){ .pool = p };
	return magi_call(f, &tend->frame, tend_step, CLASS);
}

MAG_TASK(mag_pool_keep)
{
	MAG_BEGIN(mag_pool_keep);
	do {
		MAG_AWAIT(self->rc, mag_pool_tend, self->pool);
		if (self->rc == MAG_ECLOSED)
			break;
		if (!self->every_ns)
			self->every_ns = EVERY_SECONDS * MAG_SECOND;
		MAG_AWAIT(self->rc, mag_event_wait_until, &self->pool->shut, magi_deadline_in(w, self->every_ns));
		if (self->rc == -ENOMEM)
			MAG_AWAIT(self->rc, mag_sleep, self->every_ns);
	} while (self->rc != MAG_ECANCELED);
	MAG_RETURN(0);
	MAG_END;
}

/* The end. */

struct shut {
	mag_frame frame;
	MAG_ARGS(shut, mag_pool *pool; uint64_t deadline;);
	mag_scope scope;
	struct magi_pool_idle item;
	int64_t rc, end;
};

static void mark_closed(mag_pool *p)
{
	bool first;

	magi_lock_acquire(magi_pool_lock(p));
	first = !p->closed;
	magi_store_rlx(&p->closed, 1u); /* [hint] */
	magi_lock_release(magi_pool_lock(p));
	if (!first)
		return;
	mag_event_set(&p->shut);
	mag_semaphore_release(&p->places, 1);
}

static uint32_t all_permits(const mag_pool *p)
{
	return p->options.max + 1;
}

static MAG_TASK(shut)
{
	MAG_BEGIN(shut);
	mark_closed(self->pool);
	self->rc = 0;
	while (self->rc == 0 && magi_pool_any(self->pool, &self->item))
		MAGI_POOL_DROP(self->rc, self->pool, &self->item);
	if (self->rc == 0)
		self->rc = mag_semaphore_try_acquire(&self->pool->places, all_permits(self->pool));
	if (self->rc == -EAGAIN) {
		MAG_WITH_DEADLINE(&self->scope, self->deadline);
		MAG_AWAIT(self->rc, mag_semaphore_acquire, &self->pool->places, all_permits(self->pool));
		MAG_SCOPE_END(self->end, &self->scope);
		if (self->rc == MAG_ECANCELED)
			self->rc = self->end;
	}
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	/* what there was no memory to destroy when it was given back */
	while (self->rc == 0 && magi_pool_any(self->pool, &self->item))
		MAGI_POOL_DROP(self->rc, self->pool, &self->item);
	mag_semaphore_release(&self->pool->places, all_permits(self->pool)); /* who comes now is told, too */
	MAG_RETURN(self->rc);
	MAG_END;
}

mag_frame *mag_pool_close_until(mag_worker *w, mag_frame *f, mag_pool *p, uint64_t deadline)
{
	enum { CLASS = MAGI_CLASS(sizeof(struct shut)) };
	struct shut *shut = magi_frame_take(w, CLASS, sizeof(*shut));

	if (!shut)
		return magi_wait_done(w, f, -ENOMEM);
	shut->args_ = (struct shut_args){ .pool = p, .deadline = deadline };
	return magi_call(f, &shut->frame, shut_step, CLASS);
}

mag_frame *mag_pool_close(mag_worker *w, mag_frame *f, mag_pool *p)
{
	return mag_pool_close_until(w, f, p, MAG_NEVER);
}
