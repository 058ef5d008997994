/* SPDX-License-Identifier: MIT */
/* test_pool_cancel.c - src/resilience/pool*.c when who borrows is cancelled: no permit and no item is lost. */
#include <errno.h>
#include <magpie/pool.h>

#include "play.h"
#include "resilience/pool.h"
#include "support/matrix.h"
#include "unit/pool_db.h"

/* One item, which is lent. */

enum { LOANS = 4 };

struct pool_subject {
	struct subject s;
	mag_pool pool;
	struct db db;
	mag_pool_loan loans[LOANS]; /* of those that wait; each takes the next one */
	uint32_t next;              /* atomic */
};

static struct pool_subject *pool_of(struct subject *s)
{
	return (struct pool_subject *)s;
}

static mag_pool_loan *loan_of(struct subject *s)
{
	return &pool_of(s)->loans[magi_add_ar(&pool_of(s)->next, 1u) % LOANS];
}

static mag_frame *pool_wait(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out)
{
	(void)out;
	return mag_pool_take(w, f, &pool_of(s)->pool, loan_of(s));
}

/* As mag_pool_give does when it need not wait. */
static void pool_give(struct subject *s, mag_worker *w, mag_frame *f)
{
	const struct magi_pool_idle item = { .item = &pool_of(s)->db.conns[0], .made_at = mag_now(), .since = mag_now() };

	(void)w;
	(void)f;
	magi_pool_push(&pool_of(s)->pool, &item, true);
	mag_semaphore_release(&pool_of(s)->pool.places, 1);
}

static bool pool_reset(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)w;
	(void)f;
	return mag_pool_try_take(&pool_of(s)->pool, loan_of(s)) == 0;
}

static void make(struct pool_subject *s)
{
	s->s = (struct subject){ .wait = pool_wait, .give = pool_give, .reset = pool_reset,
				 .waitq = &s->pool.places.waitq };
	cr_assert_eq(mag_pool_init(&s->pool, DB_POOL(&s->db, .max = 1, .check_ns = MAG_NEVER, .wait_ns = MAG_NEVER)), 0);
	cr_assert_eq(mag_semaphore_try_acquire(&s->pool.places, 1), 0);
	s->pool.all = 1;
	magi_pool_lend(&s->pool, true);
}

Test(pool_cancel, cancelled_waiter_has_no_item, .timeout = 20)
{
	MATRIX_CASES(struct pool_subject, make);
}

Test(pool_cancel, given_and_cancelled_at_once_is_one_of_both, .timeout = 120)
{
	MATRIX_RACES(struct pool_subject, make);
}

/* Many borrow, lose patience, break what they have; some cannot be made. In the end all are destroyed. */

enum { MOST = 4, TASKS = 16 };

static struct db db;
static mag_pool pool;

struct impatient {
	mag_frame frame;
	MAG_ARGS(impatient, uint32_t n; uint64_t seed;);
	mag_scope scope;
	mag_using use;
	mag_pool_loan loan;
	struct magi_random random;
	uint32_t i;
	int64_t rc, why;
};

MAG_TASK(impatient)
{
	MAG_BEGIN(impatient);
	magi_random_seed(&self->random, self->seed);
	for (self->i = 0; self->i < self->n; self->i++) {
		MAG_WITH_TIMEOUT(&self->scope, MAG_MICROSECOND * magi_random_below(&self->random, 400));
		MAG_USING_BEGIN(self->rc, &self->use, mag_pool_loan, &self->loan, .pool = &pool,
				.until = mag_deadline_in(MAG_MICROSECOND * magi_random_below(&self->random, 400)));
		if (self->rc == 0) {
			NEED(magi_add_ar(&conn_in(&self->loan)->users, 1u) == 0 && conn_in(&self->loan)->alive);
			if (magi_random_below(&self->random, 2))
				MAG_AWAIT(self->rc, mag_sleep, 1 + magi_random_below(&self->random, 50000));
			NEED(magi_sub_ar(&conn_in(&self->loan)->users, 1u) == 1);
			self->loan.broken = magi_random_below(&self->random, 8) == 0;
		}
		MAG_USING_END(self->rc, &self->use, self->rc);
		MAG_SCOPE_END(self->why, &self->scope);
		NEED(self->rc == 0 || self->rc == MAG_ETIMEDOUT || self->rc == -ECONNREFUSED || self->why < 0);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct crowd {
	mag_frame frame;
	MAG_ARGS(crowd, uint32_t n;);
	mag_group group, keeper;
	uint32_t i;
	int64_t rc;
};

MAG_TASK(crowd)
{
	MAG_BEGIN(crowd);
	MAG_GROUP_BEGIN(&self->keeper);
	MAG_SPAWN(self->rc, &self->keeper, mag_pool_keep, .pool = &pool, .every_ns = 300 * MAG_MICROSECOND);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < TASKS; self->i++)
		MAG_SPAWN(self->rc, &self->group, impatient, .n = self->n, .seed = self->i + 1);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0);
	NEED(pool_counts(&pool).lent == 0 && pool_counts(&pool).waiting == 0);
	MAG_AWAIT(self->rc, mag_pool_close, &pool);
	NEED(self->rc == 0);
	MAG_GROUP_END(self->rc, &self->keeper);
	NEED(self->rc == 0);
	NEED(db.alive == 0 && db.most <= MOST);
	NEED(pool_counts(&pool).made == pool_counts(&pool).dropped);
	NEED(mag_pool_fini(&pool) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(pool_cancel, crowd_of_impatient_tasks_leaves_nothing, .timeout = 60)
{
	int64_t rc;

	db = (struct db){ .create_ns = 20 * MAG_MICROSECOND, .check_ns = 1, .destroy_ns = 10 * MAG_MICROSECOND,
			  .fail_every = 7 };
	cr_assert_eq(mag_pool_init(&pool, DB_POOL(&db, .max = MOST, .min = 2, .check_ns = 20 * MAG_MICROSECOND,
						  .idle_ns = 100 * MAG_MICROSECOND, .life_ns = MAG_MILLISECOND)), 0);
	rc = RUN(4, crowd, .n = 600 / PLAY_SLOWDOWN);
	cr_assert_eq(rc, 0, "%s", where(rc));
	cr_assert_gt(pool_counts(&pool).made, 0);
}

/* Whoever waits, or has one, when the runtime ends is cancelled. */

struct borrows {
	mag_frame frame;
	MAG_ARGS(borrows, int64_t *got;);
	mag_using use;
	mag_pool_loan loan;
	int64_t rc;
};

MAG_TASK(borrows)
{
	MAG_BEGIN(borrows);
	MAG_USING_BEGIN(self->rc, &self->use, mag_pool_loan, &self->loan, .pool = &pool);
	*self->got = self->rc;
	if (self->rc == 0)
		MAG_AWAIT(self->rc, mag_sleep_until, MAG_NEVER);
	MAG_USING_END(self->rc, &self->use, self->rc);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(pool_cancel, end_of_the_runtime_leaves_nothing, .timeout = 20)
{
	int64_t got[4] = { 1, 1, 1, 1 }, rc;
	uint32_t had = 0;
	mag_future done[4];
	struct play p;

	db = (struct db){ .made = 0 };
	cr_assert_eq(mag_pool_init(&pool, DB_POOL(&db, .max = 1)), 0);
	play_begin(&p, 2);
	magi_world_auto_advance(p.world, false);
	for (int i = 0; i < 4; i++) {
		mag_future_init(&done[i]);
		cr_assert_eq(mag_spawn_from(p.rt, &done[i], borrows, .got = &got[i]), 0);
	}
	while (waiting(&pool.places.waitq) < 3)
		sched_yield();
	cr_assert_eq(mag_runtime_destroy(p.rt, mag_deadline_in(30 * MAG_SECOND)), 0);
	for (int i = 0; i < 4; i++) {
		cr_assert_eq(mag_future_wait(&done[i], &rc, MAG_NEVER), 0);
		cr_assert_eq(rc, MAG_ECANCELED);
		mag_future_fini(&done[i]);
		had += got[i] == 0;
	}
	magi_world_destroy(p.world);
	cr_assert_eq(had, 1);
	cr_assert_eq(db.destroyed, 1);
	cr_assert_eq(mag_pool_fini(&pool), 0);
}

/* What there was no memory to destroy when it was given back is there for the one who closes the pool. */

struct last {
	mag_frame frame;
	MAG_NO_ARGS(last);
	mag_group group;
	mag_pool_loan loan;
	struct magi_pool_idle item;
	int64_t rc;
};

struct closer {
	mag_frame frame;
	MAG_NO_ARGS(closer);
	int64_t rc;
};

MAG_TASK(closer)
{
	MAG_BEGIN(closer);
	MAG_AWAIT(self->rc, mag_pool_close, &pool);
	MAG_RETURN(self->rc);
	MAG_END;
}

MAG_TASK(last)
{
	MAG_BEGIN(last);
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->loan);
	NEED(self->rc == 0);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, closer);
	UNTIL_WAITING(self->rc, &pool.places.waitq, 1);
	self->item = (struct magi_pool_idle){ .item = self->loan.item };
	magi_pool_unlend(&pool);
	magi_pool_keep_broken(&pool, &self->item);
	mag_semaphore_release(&pool.places, 1);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0 && db.destroyed == 1 && mag_pool_fini(&pool) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(pool_cancel, what_could_not_be_destroyed_is_at_the_end, .timeout = 20)
{
	int64_t rc;

	db = (struct db){ .made = 0 };
	cr_assert_eq(mag_pool_init(&pool, DB_POOL(&db, .max = 1)), 0);
	rc = RUN(2, last);
	cr_assert_eq(rc, 0, "%s", where(rc));
}

/* Wrong use. */

struct twice {
	mag_frame frame;
	MAG_ARGS(twice, bool ends;);
	mag_pool_loan loan;
	int64_t rc;
};

MAG_TASK(twice)
{
	MAG_BEGIN(twice);
	MAG_AWAIT(self->rc, mag_pool_take, &pool, &self->loan);
	NEED(self->rc == 0);
	if (self->ends)
		NEED(mag_pool_fini(&pool) == -EBUSY);
	MAG_AWAIT(self->rc, mag_pool_give, &self->loan);
	NEED(self->rc == 0);
	if (!self->ends)
		MAG_AWAIT(self->rc, mag_pool_give, &self->loan);
	NEED(self->rc == (self->ends ? 0 : -EINVAL));
	MAG_AWAIT(self->rc, mag_pool_close, &pool);
	NEED(self->rc == 0 && mag_pool_fini(&pool) == 0);
	MAG_RETURN(0);
	MAG_END;
}

static void wrong(bool ends)
{
	int64_t rc;

	db = (struct db){ .made = 0 };
	cr_assert_eq(mag_pool_init(&pool, DB_POOL(&db, .max = 1)), 0);
	rc = RUN(1, twice, .ends = ends);
	cr_assert_eq(rc, 0, "%s", where(rc));
}

Test(pool_cancel, what_is_given_back_twice_is_said, MISUSE(.timeout = 20))
{
	wrong(false);
}

Test(pool_cancel, is_not_ended_while_something_is_lent, MISUSE(.timeout = 20))
{
	wrong(true);
}
