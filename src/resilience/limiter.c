/* SPDX-License-Identifier: MIT */
/* limiter.c - tokens by the clock, places by a semaphore, and one turn to wait for both.
 *
 * What:    the bucket is one word, the time when it is full: taking a token moves that on by the time in which a token comes,
 *          and may not move it further than the whole bucket's time from now (the generic cell rate algorithm, ITU-T I.371).
 *          Who cannot have what it wants at once takes the turn, a fair mutex, in which it waits for a place, then sleeps
 *          until its tokens are there. So the order of the turn is the order of all, and one task sleeps.
 * Who:     acquire, enter: tasks. try_ and leave: any thread.
 * Always:  somebody waits => the turn is held: who comes by takes nothing then. A fair mutex is handed over, so it is not
 *          free in between. Who has come before may still take what it saw: the one with the turn looks again when it wakes.
 *          Tokens are taken when they are there, not before: who is cancelled has taken none, and its turn goes on.
 *          Place before tokens: who had its tokens and then waited for a place would use them later, together with others.
 * Pairs:   [stat] the word is changed by compare and swap and orders nothing; [mutex], [permit] where they are made
 * Not:     a reservation for each waiter (a timer each, and that of a cancelled one cannot be given to those behind it).
 *          A count of tokens and the time of the last refill: two words that race, and rounding that adds up. */
#include <errno.h>
#include <magpie/limiter.h>
#include <magpie/options.h>

#include "base/assert.h"
#include "base/clock.h"
#include "task/timer.h"
#include "task/until.h"
#include "task/wait.h"

#define BURST_NS_MAX (UINT64_C(1) << 62) /* so that no sum of these wraps before the clock does */
#define PLACE (UINT64_C(1) << 32)        /* beside the number of tokens: a place, too */

int mag_limiter_init(mag_limiter *l, const mag_limiter_options *given)
{
	mag_limiter_options o;
	uint64_t interval;

	if (mag_options_take(&o, sizeof(o), given) < 0)
		return -EINVAL;
	o.burst = o.burst ? o.burst : 1;
	o.per_ns = o.per_ns ? o.per_ns : MAG_SECOND;
	if (o.rate == 0 || o.rate > o.per_ns || o.concurrency > MAG_SEMAPHORE_MAX)
		return -EINVAL;
	interval = o.per_ns / o.rate + (o.per_ns % o.rate != 0);
	if (interval > BURST_NS_MAX / o.burst)
		return -EINVAL;
	*l = (mag_limiter){ .interval_ns = interval, .burst_ns = interval * o.burst, .burst = o.burst,
			    .concurrency = o.concurrency, .turn = MAG_MUTEX_FAIR_INIT };
	return mag_semaphore_init(&l->slots, o.concurrency, o.concurrency ? o.concurrency : 1);
}

int mag_limiter_fini(mag_limiter *l)
{
	if (!mag_mutex_is_locked(&l->turn) && mag_semaphore_permits(&l->slots) == l->concurrency)
		return 0;
	magi_misuse("mag_limiter_fini: somebody waits, or has a place");
	return -EBUSY;
}

static bool is_possible(const mag_limiter *l, uint32_t n)
{
	return n - 1 < l->burst;
}

/* When n tokens are there, with a bucket that is full at `full`; in the past: they are. */
static uint64_t ready_at(const mag_limiter *l, uint64_t full, uint32_t n)
{
	uint64_t after = magi_saturate_add(full, n * l->interval_ns);

	return after > l->burst_ns ? after - l->burst_ns : 0;
}

/* Takes n tokens: 0, or when they will be there. as_of: now, or the time when they were due. */
static uint64_t take(mag_limiter *l, uint32_t n, uint64_t now, uint64_t as_of)
{
	uint64_t full = magi_load_rlx(&l->full_at); /* [stat] */
	uint64_t from, at;

	do {
		from = full > as_of ? full : as_of;
		at = ready_at(l, from, n);
		if (at > now)
			return at;
	} while (!magi_cas_rlx(&l->full_at, &full, magi_saturate_add(from, n * l->interval_ns))); /* [stat] */
	return 0;
}

/* Without waiting, if nobody waits. */
static bool take_now(mag_limiter *l, uint64_t what, uint64_t now)
{
	bool place = (what & PLACE) && l->concurrency;

	if (mag_mutex_is_locked(&l->turn))
		return false;
	if (place && mag_semaphore_try_acquire(&l->slots, 1) < 0)
		return false;
	if (take(l, (uint32_t)what, now, now) == 0)
		return true;
	if (place)
		mag_semaphore_release(&l->slots, 1);
	return false;
}

/* Who has to wait. */
struct turn {
	mag_frame frame;
	MAG_ARGS(turn, mag_limiter *limiter; uint64_t what;);
	int64_t rc;
	uint64_t at; /* when the tokens are there; 0: they are taken */
	bool place;  /* it has one */
	bool slept;
};

/* Takes the tokens, or says until when to sleep. A timer fires a little late: who has slept for its tokens takes them as of
 * the time when they came, so that a bucket which holds no more does not lose the time since; but as of one interval ago at
 * most, or a worker that was held up would let all go at once that it should have let go meanwhile. (A token that is waited
 * for comes an interval after another was taken, so the clock is beyond that.) */
static uint64_t take_in_turn(const struct turn *self, uint64_t now)
{
	mag_limiter *l = self->limiter;
	uint64_t late = self->slept ? l->interval_ns : 0;

	return take(l, (uint32_t)self->what, now, now - late);
}

static MAG_TASK(turn)
{
	MAG_BEGIN(turn);
	self->place = self->slept = false;
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->limiter->turn);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	if ((self->what & PLACE) && self->limiter->concurrency) {
		MAG_AWAIT(self->rc, mag_semaphore_acquire, &self->limiter->slots, 1);
		self->place = self->rc == 0;
	}
	while (self->rc == 0) {
		self->at = take_in_turn(self, magi_now(magi_worker_of(w)));
		if (!self->at)
			break;
		MAG_AWAIT(self->rc, mag_sleep_until, self->at);
		self->slept = true;
	}
	if (self->rc < 0 && self->place)
		mag_semaphore_release(&self->limiter->slots, 1);
	mag_mutex_unlock(&self->limiter->turn);
	MAG_RETURN(self->rc);
	MAG_END;
}

static mag_frame *wait_op(mag_worker *w, mag_frame *f, void *limiter, uint64_t what)
{
	enum { CLASS = MAGI_CLASS(sizeof(struct turn)) };
	struct turn *turn = magi_frame_take(w, CLASS, sizeof(*turn));

	if (!turn)
		return magi_wait_done(w, f, -ENOMEM);
	turn->args_ = (struct turn_args){ .limiter = limiter, .what = what };
	return magi_call(f, &turn->frame, turn_step, CLASS);
}

static mag_frame *acquire(mag_worker *w, mag_frame *f, mag_limiter *l, uint32_t n, uint64_t place, uint64_t deadline)
{
	if (magi_cancelled(f))
		return magi_wait_done(w, f, MAG_ECANCELED);
	if (!is_possible(l, n))
		return magi_wait_done(w, f, -EINVAL);
	if (MAGI_LIKELY(take_now(l, n | place, magi_now(magi_worker_of(w)))))
		return magi_wait_done(w, f, 0);
	return magi_until(w, f, wait_op, l, n | place, deadline);
}

mag_frame *mag_limiter_acquire(mag_worker *w, mag_frame *f, mag_limiter *l, uint32_t n)
{
	return acquire(w, f, l, n, 0, MAG_NEVER);
}

mag_frame *mag_limiter_acquire_until(mag_worker *w, mag_frame *f, mag_limiter *l, uint32_t n, uint64_t deadline)
{
	return acquire(w, f, l, n, 0, deadline);
}

mag_frame *mag_limiter_enter(mag_worker *w, mag_frame *f, mag_limiter *l, uint32_t n)
{
	return acquire(w, f, l, n, PLACE, MAG_NEVER);
}

mag_frame *mag_limiter_enter_until(mag_worker *w, mag_frame *f, mag_limiter *l, uint32_t n, uint64_t deadline)
{
	return acquire(w, f, l, n, PLACE, deadline);
}

static int try_acquire(mag_limiter *l, uint32_t n, uint64_t place)
{
	if (!is_possible(l, n))
		return -EINVAL;
	return take_now(l, n | place, mag_now()) ? 0 : -EAGAIN;
}

int mag_limiter_try_acquire(mag_limiter *l, uint32_t n)
{
	return try_acquire(l, n, 0);
}

int mag_limiter_try_enter(mag_limiter *l, uint32_t n)
{
	return try_acquire(l, n, PLACE);
}

MAG_TASK(mag_limiter_permit_enter)
{
	MAG_BEGIN(mag_limiter_permit_enter);
	MAG_AWAIT(self->rc, mag_limiter_enter_until, self->resource, self->tokens ? self->tokens : 1,
		  self->until ? self->until : MAG_NEVER);
	MAG_RETURN(self->rc);
	MAG_END;
}

MAG_TASK(mag_limiter_permit_exit)
{
	MAG_BEGIN(mag_limiter_permit_exit);
	mag_limiter_leave(self->resource);
	MAG_RETURN(0);
	MAG_END;
}

uint32_t mag_limiter_tokens(const mag_limiter *l)
{
	uint64_t full = magi_load_rlx(&l->full_at), now = mag_now(); /* [stat] */
	uint64_t missing = full > now ? full - now : 0;

	return missing < l->burst_ns ? (uint32_t)((l->burst_ns - missing) / l->interval_ns) : 0;
}

uint64_t mag_limiter_ready_at(const mag_limiter *l, uint32_t n)
{
	uint64_t now = mag_now(), full = magi_load_rlx(&l->full_at), at; /* [stat] */

	if (!is_possible(l, n))
		return MAG_NEVER;
	at = ready_at(l, full > now ? full : now, n);
	return at > now ? at : now;
}
