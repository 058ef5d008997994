/* SPDX-License-Identifier: MIT */
/* pool_take.c - borrowing an item and giving it back; pool.h has the rules. */
#include <errno.h>

#include "base/assert.h"
#include "base/clock.h"
#include "resilience/pool.h"

static void fill(mag_pool_loan *loan, mag_pool *p, const struct magi_pool_idle *item)
{
	*loan = (mag_pool_loan){ .pool = p, .item = item->item, .made_at = item->made_at };
}

/* Without waiting: one that is good as it is. */
static bool take_ready(mag_pool *p, mag_pool_loan *loan, uint64_t now)
{
	struct magi_pool_idle item;

	if (mag_semaphore_try_acquire(&p->places, 1) < 0)
		return false;
	if (MAGI_LIKELY(magi_pool_pop(p, now, true, &item) == MAGI_POOL_READY)) {
		fill(loan, p, &item);
		return true;
	}
	mag_semaphore_release(&p->places, 1);
	return false;
}

/* Who has to wait: for a permit, or for functions of the user's. */
struct borrow {
	mag_frame frame;
	MAG_ARGS(borrow, mag_pool *pool; mag_pool_loan *loan; uint64_t deadline;);
	mag_scope scope;
	struct magi_pool_idle item;
	int64_t rc, end;
	enum magi_pool_turn turn;
	bool permit, had, started;
};

/* A user's function has returned, or there was none to call. */
static void lend(struct borrow *self)
{
	if (self->turn != MAGI_POOL_READY)
		magi_pool_lend(self->pool, self->turn == MAGI_POOL_NONE);
	fill(self->loan, self->pool, &self->item);
	self->had = true;
	self->rc = 0;
}

/* The result in the user's terms; a permit that is of no use goes on to the next one. */
static int64_t finish(struct borrow *self)
{
	if (self->rc == MAG_ECANCELED && self->end < 0)
		self->rc = self->end;
	if (self->rc == MAG_ETIMEDOUT)
		(void)magi_add_rlx(&self->pool->timeouts, 1); /* [stat] */
	if (self->permit && !self->had)
		mag_semaphore_release(&self->pool->places, 1);
	return self->rc;
}

/* The permit is there: one round for each item that is no good. */
static MAG_TASK(borrow)
{
	MAG_BEGIN(borrow);
	self->permit = self->had = false;
	MAG_WITH_DEADLINE(&self->scope, self->deadline);
	MAG_AWAIT(self->rc, mag_semaphore_acquire, &self->pool->places, 1);
	self->permit = self->rc == 0;
	while (self->rc == 0) {
		self->turn = magi_pool_pop(self->pool, magi_pool_now(w), false, &self->item);
		if (self->turn == MAGI_POOL_CLOSED) {
			self->rc = MAG_ECLOSED;
			break;
		}
		if (self->turn == MAGI_POOL_CHECK)
			MAG_AWAIT(self->rc, magi_pool_call, &self->pool->options.check, self->pool->options.ctx,
				  self->item.item, &self->started);
		if (self->turn == MAGI_POOL_NONE) {
			MAG_AWAIT(self->rc, magi_pool_call, &self->pool->options.create, self->pool->options.ctx,
				  &self->item.item, &self->started);
			self->item.made_at = magi_pool_now(w);
			if (self->rc < 0) {
				magi_pool_forget(self->pool, false);
				break;
			}
		}
		if (self->turn != MAGI_POOL_OLD && self->rc >= 0) {
			lend(self);
			break;
		}
		MAGI_POOL_DROP(self->rc, self->pool, &self->item);
		if (self->rc == 0)
			self->rc = mag_scope_cancelled(&self->scope) ? MAG_ECANCELED : 0; /* its check was cut short */
	}
	MAG_SCOPE_END(self->end, &self->scope);
	MAG_RETURN(finish(self));
	MAG_END;
}

static mag_frame *take(mag_worker *w, mag_frame *f, mag_pool *p, mag_pool_loan *loan, uint64_t now, uint64_t deadline)
{
	enum { CLASS = MAGI_CLASS(sizeof(struct borrow)) };
	struct borrow *borrow;

	*loan = (mag_pool_loan){ .pool = NULL };
	if (magi_cancelled(f))
		return magi_wait_done(w, f, MAG_ECANCELED);
	if (magi_pool_is_closed(p))
		return magi_wait_done(w, f, MAG_ECLOSED);
	if (MAGI_LIKELY(take_ready(p, loan, now)))
		return magi_wait_done(w, f, 0);
	if (deadline <= now) {
		(void)magi_add_rlx(&p->timeouts, 1); /* [stat] */
		return magi_wait_done(w, f, MAG_ETIMEDOUT);
	}
	borrow = magi_frame_take(w, CLASS, sizeof(*borrow));
	if (!borrow)
		return magi_wait_done(w, f, -ENOMEM);
	borrow->args_ = (struct borrow_args){ .pool = p, .loan = loan, .deadline = deadline };
	return magi_call(f, &borrow->frame, borrow_step, CLASS);
}

mag_frame *mag_pool_take(mag_worker *w, mag_frame *f, mag_pool *p, mag_pool_loan *loan)
{
	uint64_t now = magi_pool_now(w);

	return take(w, f, p, loan, now, magi_saturate_add(now, p->options.wait_ns));
}

mag_frame *mag_pool_take_until(mag_worker *w, mag_frame *f, mag_pool *p, mag_pool_loan *loan, uint64_t deadline)
{
	return take(w, f, p, loan, magi_pool_now(w), deadline);
}

int mag_pool_try_take(mag_pool *p, mag_pool_loan *loan)
{
	*loan = (mag_pool_loan){ .pool = NULL };
	if (magi_pool_is_closed(p))
		return MAG_ECLOSED;
	return take_ready(p, loan, mag_now()) ? 0 : -EAGAIN;
}

/* What cannot lie idle. */
struct giving {
	mag_frame frame;
	MAG_ARGS(giving, mag_pool *pool; struct magi_pool_idle item;);
	int64_t rc;
};

static MAG_TASK(giving)
{
	MAG_BEGIN(giving);
	MAGI_POOL_DROP(self->rc, self->pool, &self->item);
	mag_semaphore_release(&self->pool->places, 1);
	MAG_RETURN(0);
	MAG_END;
}

static mag_frame *drop(mag_worker *w, mag_frame *f, mag_pool *p, const struct magi_pool_idle *item)
{
	enum { CLASS = MAGI_CLASS(sizeof(struct giving)) };
	struct giving *giving = magi_frame_take(w, CLASS, sizeof(*giving));

	if (giving) {
		giving->args_ = (struct giving_args){ .pool = p, .item = *item };
		return magi_call(f, &giving->frame, giving_step, CLASS);
	}
	magi_pool_keep_broken(p, item);
	mag_semaphore_release(&p->places, 1);
	return magi_wait_done(w, f, 0);
}

mag_frame *mag_pool_give(mag_worker *w, mag_frame *f, mag_pool_loan *loan)
{
	struct magi_pool_idle item = { .item = loan->item, .made_at = loan->made_at };
	mag_pool *p = loan->pool;

	if (!p) {
		magi_misuse("mag_pool_give at %s:%d: it has been given back", f->at->file, f->at->line);
		return magi_wait_done(w, f, -EINVAL);
	}
	loan->pool = NULL;
	item.since = magi_pool_now(w);
	if (loan->broken || (item.since > item.made_at && item.since - item.made_at >= p->options.life_ns)) {
		magi_pool_unlend(p);
		return drop(w, f, p, &item);
	}
	if (!magi_pool_push(p, &item, true))
		return drop(w, f, p, &item);
	mag_semaphore_release(&p->places, 1);
	return magi_wait_done(w, f, 0);
}

MAG_TASK(mag_pool_loan_enter)
{
	MAG_BEGIN(mag_pool_loan_enter);
	if (self->until)
		MAG_AWAIT(self->rc, mag_pool_take_until, self->pool, self->resource, self->until);
	else
		MAG_AWAIT(self->rc, mag_pool_take, self->pool, self->resource);
	MAG_RETURN(self->rc);
	MAG_END;
}

MAG_TASK(mag_pool_loan_exit)
{
	MAG_BEGIN(mag_pool_loan_exit);
	if (!self->resource->pool)
		MAG_RETURN(0); /* the body has given it back */
	if ((self->why == MAG_ECANCELED || self->why == MAG_ETIMEDOUT) && !self->resource->pool->options.keep_cancelled)
		self->resource->broken = true;
	MAG_AWAIT(self->rc, mag_pool_give, self->resource);
	MAG_RETURN(self->rc);
	MAG_END;
}
