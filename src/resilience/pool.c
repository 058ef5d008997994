/* SPDX-License-Identifier: MIT */
/* pool.c - a pool's stack of what is idle, its counts, its beginning and its end; pool.h has the rules. */
#include "resilience/pool.h"

#include <errno.h>
#include <magpie/options.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"

enum { IDLE_MINUTES = 10, LIFE_MINUTES = 30, WAIT_SECONDS = 30 };

#define MINUTE (60 * MAG_SECOND)

static bool is_possible(const mag_pool_fn *fn)
{
	return !fn->step || fn->args_size == 2 * sizeof(void *);
}

int mag_pool_init(mag_pool *p, const mag_pool_options *given)
{
	mag_pool_options o;

	if (mag_options_take(&o, sizeof(o), given) < 0)
		return -EINVAL;
	o.max = o.max ? o.max : MAG_POOL_MAX_DEFAULT;
	o.idle_ns = o.idle_ns ? o.idle_ns : IDLE_MINUTES * MINUTE;
	o.life_ns = o.life_ns ? o.life_ns : LIFE_MINUTES * MINUTE;
	o.wait_ns = o.wait_ns ? o.wait_ns : WAIT_SECONDS * MAG_SECOND;
	o.grace_ns = o.grace_ns ? o.grace_ns : MAG_USING_GRACE;
	if (!o.create.step || !is_possible(&o.create) || !is_possible(&o.check) || !is_possible(&o.destroy))
		return -EINVAL;
	if (o.max > MAG_POOL_MAX || o.min > o.max)
		return -EINVAL;
	*p = (mag_pool){ .places = MAG_SEMAPHORE_INIT(o.max, MAG_SEMAPHORE_MAX), .options = o };
	p->stack = magi_alloc(o.max * sizeof(*p->stack));
	return p->stack ? 0 : -ENOMEM;
}

int mag_pool_fini(mag_pool *p)
{
	bool busy;

	magi_lock_acquire(magi_pool_lock(p));
	busy = p->all > 0; /* as when somebody waits */
	magi_lock_release(magi_pool_lock(p));
	if (busy) {
		magi_misuse("mag_pool_fini: there are items: mag_pool_close comes first");
		return -EBUSY;
	}
	magi_free(p->stack);
	p->stack = NULL;
	return 0;
}

/* Of no use to anybody. What is idle for too long goes only beyond the least number. The lock is held. */
static bool is_stale(const mag_pool *p, const struct magi_pool_idle *item, uint64_t now)
{
	const mag_pool_options *o = &p->options;

	return item->broken || (now > item->made_at && now - item->made_at >= o->life_ns) ||
	       (now > item->since && now - item->since >= o->idle_ns && p->all > o->min);
}

static enum magi_pool_turn turn_of(const mag_pool *p, const struct magi_pool_idle *item, uint64_t now)
{
	const mag_pool_options *o = &p->options;
	uint64_t idle = now > item->since ? now - item->since : 0;

	if (is_stale(p, item, now))
		return MAGI_POOL_OLD;
	return o->check.step && idle >= o->check_ns ? MAGI_POOL_CHECK : MAGI_POOL_READY;
}

enum magi_pool_turn magi_pool_pop(mag_pool *p, uint64_t now, bool only_ready, struct magi_pool_idle *item)
{
	enum magi_pool_turn turn = MAGI_POOL_NONE;

	magi_lock_acquire(magi_pool_lock(p));
	if (MAGI_UNLIKELY(p->closed)) {
		turn = MAGI_POOL_CLOSED;
	} else if (p->idle > 0) {
		*item = p->stack[p->idle - 1];
		turn = turn_of(p, item, now);
	}
	if (turn == MAGI_POOL_READY || (!only_ready && turn != MAGI_POOL_CLOSED)) {
		p->lent += turn == MAGI_POOL_READY;
		p->idle -= turn != MAGI_POOL_NONE;
		p->all += turn == MAGI_POOL_NONE;
	}
	magi_lock_release(magi_pool_lock(p));
	return turn;
}

void magi_pool_lend(mag_pool *p, bool made)
{
	magi_lock_acquire(magi_pool_lock(p));
	p->lent++;
	p->made += made;
	magi_lock_release(magi_pool_lock(p));
}

void magi_pool_unlend(mag_pool *p)
{
	magi_lock_acquire(magi_pool_lock(p));
	p->lent--;
	magi_lock_release(magi_pool_lock(p));
}

bool magi_pool_any(mag_pool *p, struct magi_pool_idle *item)
{
	bool found;

	magi_lock_acquire(magi_pool_lock(p));
	found = p->idle > 0;
	if (found)
		*item = p->stack[--p->idle];
	magi_lock_release(magi_pool_lock(p));
	return found;
}

bool magi_pool_stale(mag_pool *p, uint64_t now, struct magi_pool_idle *item)
{
	uint32_t i = 0;
	bool found;

	magi_lock_acquire(magi_pool_lock(p));
	while (i < p->idle && !is_stale(p, &p->stack[i], now))
		i++;
	found = i < p->idle;
	if (found) {
		*item = p->stack[i];
		p->idle--;
		memmove(&p->stack[i], &p->stack[i + 1], (p->idle - i) * sizeof(*p->stack));
	}
	magi_lock_release(magi_pool_lock(p));
	return found;
}

bool magi_pool_wants(mag_pool *p)
{
	bool wants;

	magi_lock_acquire(magi_pool_lock(p));
	wants = !p->closed && p->all < p->options.min;
	p->all += wants;
	magi_lock_release(magi_pool_lock(p));
	return wants;
}

bool magi_pool_push(mag_pool *p, const struct magi_pool_idle *item, bool was_lent)
{
	bool open;

	magi_lock_acquire(magi_pool_lock(p));
	open = !p->closed;
	p->lent -= was_lent;
	p->made += !was_lent;
	if (open)
		p->stack[p->idle++] = *item;
	magi_lock_release(magi_pool_lock(p));
	return open;
}

void magi_pool_keep_broken(mag_pool *p, const struct magi_pool_idle *item)
{
	magi_lock_acquire(magi_pool_lock(p));
	p->stack[p->idle] = *item;
	p->stack[p->idle++].broken = true;
	magi_lock_release(magi_pool_lock(p));
}

void magi_pool_forget(mag_pool *p, bool dropped)
{
	magi_lock_acquire(magi_pool_lock(p));
	p->all--;
	p->dropped += dropped;
	magi_lock_release(magi_pool_lock(p));
}

mag_frame *magi_pool_call(mag_worker *w, mag_frame *f, const mag_pool_fn *fn, void *ctx, void *item, bool *started)
{
	void *const args[2] = { ctx, item };
	mag_frame *frame = magi_frame_take(w, (int)fn->class_, fn->frame_size);

	*started = frame != NULL;
	if (!frame)
		return magi_wait_done(w, f, -ENOMEM);
	memcpy((char *)frame + fn->args_at, args, sizeof(args));
	return magi_call(f, frame, fn->step, (int)fn->class_);
}

MAG_TASK(magi_pool_drop)
{
	MAG_BEGIN(magi_pool_drop);
	self->started = true;
	if (self->pool->options.destroy.step) {
		MAG_SHIELD(&self->shield, self->pool->options.grace_ns);
		MAG_AWAIT(self->rc, magi_pool_call, &self->pool->options.destroy, self->pool->options.ctx,
			  self->item.item, &self->started);
		MAG_SCOPE_END(self->rc, &self->shield);
	}
	if (!self->started)
		MAG_RETURN(-ENOMEM);
	magi_pool_forget(self->pool, true);
	MAG_RETURN(0);
	MAG_END;
}

int mag_pool_stats(mag_pool *p, mag_pool_counts *out)
{
	mag_pool_counts c = { .timeouts = magi_load_rlx(&p->timeouts) }; /* [stat] */

	magi_lock_acquire(magi_waitq_lock(&p->places.waitq));
	c.waiting = p->places.waitq.count;
	magi_lock_release(magi_waitq_lock(&p->places.waitq));
	magi_lock_acquire(magi_pool_lock(p));
	c.idle = p->idle;
	c.lent = p->lent;
	c.made = p->made;
	c.dropped = p->dropped;
	magi_lock_release(magi_pool_lock(p));
	return mag_options_give(out, &c, sizeof(c));
}
