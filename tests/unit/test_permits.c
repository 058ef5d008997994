/* SPDX-License-Identifier: MIT */
/* test_permits.c - src/task/wait.c, the waiter core, under a semaphore as small as one can be. */
#include "gates.h"

#include "task/wait.h"

/* Permits; those who wait need some number of them, and get them in order. */
struct permits {
	struct magi_waitq q;
	uint64_t free;
};

/* Grants from the head on while it lasts; the lock is held. */
static void hand_out(struct permits *p, mag_frame **granted)
{
	mag_frame *f;

	while ((f = magi_wait_first(&p->q)) && f->op.wait.need <= p->free) {
		uint64_t need = f->op.wait.need;

		if (!magi_wait_take(&p->q, f))
			continue;
		p->free -= need;
		f->op.result = 0;
		magi_wait_list(granted, f);
	}
}

/* A head that gave up held up those behind it. */
static bool gave_up(struct magi_waitq *q, mag_frame *f, mag_frame **granted)
{
	(void)f;
	hand_out((struct permits *)(void *)q, granted);
	return true;
}

static MAG_OP take(MAG_OP_ARGS, struct permits *p, uint64_t need)
{
	int rc = magi_wait_begin(w, f);

	magi_lock_acquire(magi_waitq_lock(&p->q));
	if (rc == 0 && !p->q.count && p->free >= need) {
		p->free -= need;
	} else if (rc == 0 && magi_wait_park(f, &p->q, need)) {
		magi_lock_release(magi_waitq_lock(&p->q));
		return NULL;
	} else {
		rc = MAG_ECANCELED;
	}
	magi_lock_release(magi_waitq_lock(&p->q));
	return magi_wait_done(w, f, rc);
}

static void give(struct permits *p, uint64_t n)
{
	mag_frame *granted = NULL;

	magi_lock_acquire(magi_waitq_lock(&p->q));
	p->free += n;
	hand_out(p, &granted);
	magi_lock_release(magi_waitq_lock(&p->q));
	magi_wait_resume(granted);
}

struct holder {
	mag_frame frame;
	MAG_ARGS(holder, struct permits *p; uint64_t need; uint64_t patience; uint32_t *order; uint32_t want;);
	mag_scope scope;
	int64_t rc, left;
};

/* `want` is the place in the order, 0 for one that gives up. */
MAG_TASK(holder)
{
	MAG_BEGIN(holder);
	MAG_WITH_TIMEOUT(&self->scope, self->patience);
	MAG_AWAIT(self->rc, take, self->p, self->need);
	CHECK(self->rc == (self->want ? 0 : MAG_ECANCELED));
	if (self->rc == 0)
		CHECK(magi_add_ar(self->order, 1u) + 1 == self->want); /* [counted] */
	MAG_SCOPE_END(self->left, &self->scope);
	if (self->rc == 0)
		give(self->p, self->need);
	MAG_RETURN(0);
	MAG_END;
}

struct line {
	mag_frame frame;
	MAG_NO_ARGS(line);
	struct permits p;
	mag_group group;
	uint32_t order;
	int64_t rc;
	uint32_t i;
};

MAG_TASK(line)
{
	MAG_BEGIN(line);
	self->order = 0;
	self->p.free = 0;
	magi_waitq_init(&self->p.q, gave_up);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 20; self->i++) { /* each comes when the one before it waits; every third gives up */
		MAG_SPAWN(self->rc, &self->group, holder, .p = &self->p, .need = 1,
			  .patience = self->i % 3 == 1 ? 30 * REST : MAG_NEVER, .order = &self->order,
			  .want = self->i % 3 == 1 ? 0 : self->i - (self->i + 1) / 3 + 1);
		MAG_AWAIT(self->rc, mag_sleep, REST);
	}
	MAG_AWAIT(self->rc, mag_sleep, 40 * REST);
	CHECK(self->order == 0 && self->p.q.count == 13);
	give(&self->p, 1);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(self->order == 13 && self->p.free == 1 && !self->p.q.head && !self->p.q.count);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: magi_waitq_cancel that leaves the cancelled one queued. */
Test(permits, grants_come_in_order_and_pass_over_those_who_gave_up, .timeout = 10)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, line), 0);
}

struct head {
	mag_frame frame;
	MAG_NO_ARGS(head);
	struct permits p;
	mag_group group;
	uint32_t order;
	int64_t rc;
};

MAG_TASK(head)
{
	MAG_BEGIN(head);
	self->order = 0;
	self->p.free = 1;
	magi_waitq_init(&self->p.q, gave_up);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, holder, .p = &self->p, .need = 2, .patience = 5 * REST);
	MAG_AWAIT(self->rc, mag_sleep, REST);
	MAG_SPAWN(self->rc, &self->group, holder, .p = &self->p, .need = 1, .patience = MAG_NEVER,
		  .order = &self->order, .want = 1);
	MAG_AWAIT(self->rc, mag_sleep, REST);
	CHECK(self->order == 0);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(self->order == 1 && self->p.free == 1);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: magi_waitq_cancel without the callback: the second waits for ever. */
Test(permits, a_head_that_gives_up_lets_those_behind_it_go_on, .timeout = 10)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, head), 0);
}

/* Takes, holds, gives back, is cancelled at any moment; permits are neither lost nor doubled. */
struct fickle {
	mag_frame frame;
	MAG_ARGS(fickle, struct permits *p; uint64_t seed; int rounds; uint32_t *held; uint32_t limit; uint32_t *taken;
		 uint32_t *missed;);
	struct magi_random random;
	mag_scope scope;
	uint64_t need;
	int64_t rc, left;
};

MAG_TASK(fickle)
{
	MAG_BEGIN(fickle);
	magi_random_seed(&self->random, self->seed);
	for (; self->rounds; self->rounds--) {
		self->need = 1 + magi_random_below(&self->random, 3);
		MAG_WITH_TIMEOUT(&self->scope, magi_random_below(&self->random, 3) * 100);
		MAG_AWAIT(self->rc, take, self->p, self->need);
		if (self->rc == 0) {
			/* [counted] */
			CHECK(magi_add_ar(self->held, (uint32_t)self->need) + self->need <= self->limit);
			count(self->taken);
			if (self->rounds % 2)
				MAG_AWAIT(self->left, mag_sleep, magi_random_below(&self->random, 2) * 100);
			else
				MAG_YIELD(self->left);
			magi_sub_ar(self->held, (uint32_t)self->need); /* [counted] */
			give(self->p, self->need);
		} else {
			CHECK(self->rc == MAG_ECANCELED);
			count(self->missed);
		}
		MAG_SCOPE_END(self->left, &self->scope);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct market {
	mag_frame frame;
	MAG_ARGS(market, int rounds; uint32_t *taken; uint32_t *missed;);
	struct permits p;
	mag_group group;
	uint32_t held;
	int64_t rc;
	uint32_t i;
};

enum { FICKLE = 24, PERMITS = 4 };

MAG_TASK(market)
{
	MAG_BEGIN(market);
	self->held = 0;
	self->p.free = PERMITS;
	magi_waitq_init(&self->p.q, gave_up);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < FICKLE; self->i++)
		MAG_SPAWN(self->rc, &self->group, fickle, .p = &self->p, .seed = self->i, .rounds = self->rounds,
			  .held = &self->held, .limit = PERMITS, .taken = self->taken, .missed = self->missed);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(self->p.free == PERMITS && !self->p.q.count);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: magi_wait_take that does not look who won. */
Test(permits, permits_are_neither_lost_nor_doubled_when_grants_race_with_cancels, .timeout = 100)
{
	EACH_WORKERS(n) {
		const int rounds = 100000 / FICKLE / PLAY_SLOWDOWN;
		uint32_t taken = 0, missed = 0;

		cr_assert_eq(RUN(n, market, .rounds = rounds, .taken = &taken, .missed = &missed), 0);
		cr_assert_eq(taken + missed, FICKLE * rounds);
		cr_assert(taken && missed, "%u %u", taken, missed);
	}
}
