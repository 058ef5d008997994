/* SPDX-License-Identifier: MIT */
/* test_limiter_cancel.c - src/resilience/limiter.c when who waits is cancelled. */
#include <errno.h>
#include <magpie/limiter.h>
#include <magpie/time.h>

#include "play.h"
#include "support/matrix.h"

/* What is waited for is a place; the tokens suffice for all. */

struct limiter_subject {
	struct subject s;
	mag_limiter limiter;
};

static mag_limiter *limiter_of(struct subject *s)
{
	return &((struct limiter_subject *)s)->limiter;
}

static mag_frame *limiter_wait(mag_worker *w, mag_frame *f, struct subject *s, uint64_t *out)
{
	(void)out;
	return mag_limiter_enter(w, f, limiter_of(s), 1);
}

static void limiter_give(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)w;
	(void)f;
	mag_limiter_leave(limiter_of(s));
}

static bool limiter_reset(struct subject *s, mag_worker *w, mag_frame *f)
{
	(void)w;
	(void)f;
	return mag_limiter_try_enter(limiter_of(s), 1) == 0;
}

/* The first has the turn, and waits for the place; the others wait for the turn. */
static uint32_t limiter_waits(struct subject *s)
{
	return waiting(&limiter_of(s)->slots.waitq) + waiting(&limiter_of(s)->turn.waitq);
}

static void make(struct limiter_subject *s)
{
	const mag_limiter_options o = { .size = sizeof(o), .rate = 1000000, .burst = 1000000, .concurrency = 1 };

	s->s = (struct subject){ .wait = limiter_wait, .give = limiter_give, .reset = limiter_reset,
				 .waits = limiter_waits };
	cr_assert_eq(mag_limiter_init(&s->limiter, &o), 0);
	cr_assert_eq(mag_limiter_try_enter(&s->limiter, 1), 0);
}

Test(limiter_cancel, cancelled_waiter_has_no_place, .timeout = 20)
{
	MATRIX_CASES(struct limiter_subject, make);
}

Test(limiter_cancel, granted_and_cancelled_at_once_is_one_of_both, .timeout = 120)
{
	MATRIX_RACES(struct limiter_subject, make);
}

/* Many want places and tokens and lose patience: in the end all places are back, and no more tokens were taken than there
 * can have been. */

enum { PLACES = 3, BURST = 4, TASKS = 16 };

struct limited {
	mag_limiter limiter;
	uint32_t inside; /* atomic */
	uint64_t taken;  /* atomic */
};

struct impatient {
	mag_frame frame;
	MAG_ARGS(impatient, struct limited *l; uint32_t n; uint64_t seed;);
	mag_scope scope;
	mag_using use;
	struct magi_random random;
	uint32_t i, need;
	int64_t rc, why;
};

MAG_TASK(impatient)
{
	MAG_BEGIN(impatient);
	magi_random_seed(&self->random, self->seed);
	for (self->i = 0; self->i < self->n; self->i++) {
		self->need = 1 + magi_random_below(&self->random, BURST);
		MAG_WITH_TIMEOUT(&self->scope, MAG_MICROSECOND * magi_random_below(&self->random, 400));
		MAG_USING_BEGIN(self->rc, &self->use, mag_limiter_permit, &self->l->limiter, .tokens = self->need);
		if (self->rc == 0) {
			(void)magi_add_rlx(&self->l->taken, self->need);
			NEED(magi_add_rlx(&self->l->inside, 1) < PLACES);
			if (magi_random_below(&self->random, 2))
				MAG_YIELD(self->why);
			magi_sub_rlx(&self->l->inside, 1);
		}
		MAG_USING_END(self->rc, &self->use, self->rc);
		MAG_SCOPE_END(self->why, &self->scope);
		NEED(self->rc == 0 || (self->rc == MAG_ECANCELED && self->why == MAG_ETIMEDOUT));
	}
	MAG_RETURN(0);
	MAG_END;
}

struct crowd {
	mag_frame frame;
	MAG_ARGS(crowd, struct limited *l; uint32_t n;);
	mag_group group;
	uint64_t began;
	uint32_t i;
	int64_t rc;
};

MAG_TASK(crowd)
{
	MAG_BEGIN(crowd);
	self->began = mag_now();
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < TASKS; self->i++)
		MAG_SPAWN(self->rc, &self->group, impatient, .l = self->l, .n = self->n, .seed = self->i + 1);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0);
	NEED(self->l->taken <= BURST + 1 + (mag_now() - self->began) / self->l->limiter.interval_ns);
	NEED(mag_limiter_fini(&self->l->limiter) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(limiter_cancel, crowd_of_impatient_tasks_leaves_all_places, .timeout = 60)
{
	static struct limited l = { .limiter = MAG_LIMITER_INIT(100000, BURST, PLACES) };
	int64_t rc = RUN(4, crowd, .l = &l, .n = 1000 / PLAY_SLOWDOWN);

	cr_assert_eq(rc, 0, "%s", where(rc));
	cr_assert_gt(l.taken, 0);
}

/* Whoever waits when the runtime ends is cancelled: for tokens, for a place, for the turn. */

struct waits {
	mag_frame frame;
	MAG_ARGS(waits, mag_limiter *limiter; uint32_t *begun; uint64_t deadline;);
	mag_using use;
	int64_t rc;
};

MAG_TASK(waits)
{
	MAG_BEGIN(waits);
	magi_add_ar(self->begun, 1u);
	MAG_USING_BEGIN(self->rc, &self->use, mag_limiter_permit, self->limiter, .until = self->deadline);
	MAG_USING_END(self->rc, &self->use, self->rc);
	MAG_RETURN(self->rc);
	MAG_END;
}

static void end_with(mag_limiter *limiter)
{
	mag_future done[4];
	uint32_t begun = 0;
	struct play p;
	int64_t rc;

	play_begin(&p, 2);
	magi_world_auto_advance(p.world, false);
	for (int i = 0; i < 4; i++) {
		mag_future_init(&done[i]);
		cr_assert_eq(mag_spawn_from(p.rt, &done[i], waits, .limiter = limiter, .begun = &begun,
					    .deadline = i % 2 ? MAG_NEVER - 1 : 0), 0);
	}
	while (magi_load_acq(&begun) < 4 || waiting(&limiter->turn.waitq) < 3)
		sched_yield();
	cr_assert_eq(mag_runtime_destroy(p.rt, mag_deadline_in(30 * MAG_SECOND)), 0);
	for (int i = 0; i < 4; i++) {
		cr_assert_eq(mag_future_wait(&done[i], &rc, MAG_NEVER), 0);
		cr_assert_eq(rc, MAG_ECANCELED);
		mag_future_fini(&done[i]);
	}
	magi_world_destroy(p.world);
}

Test(limiter_cancel, end_of_the_runtime_cancels_who_waits_for_tokens, .timeout = 20)
{
	mag_limiter limiter = MAG_LIMITER_INIT(1, 1, 2);

	cr_assert_eq(mag_limiter_try_acquire(&limiter, 1), 0);
	end_with(&limiter);
	cr_assert_eq(mag_limiter_fini(&limiter), 0);
}

Test(limiter_cancel, end_of_the_runtime_cancels_who_waits_for_a_place, .timeout = 20)
{
	const mag_limiter_options o = { .size = sizeof(o), .rate = 1, .burst = 5, .concurrency = 1,
					.per_ns = 3600 * MAG_SECOND };
	mag_limiter limiter;

	cr_assert_eq(mag_limiter_init(&limiter, &o), 0);
	cr_assert_eq(mag_limiter_try_enter(&limiter, 1), 0);
	end_with(&limiter);
	cr_assert_eq(mag_limiter_tokens(&limiter), 4);
	mag_limiter_leave(&limiter);
	cr_assert_eq(mag_limiter_fini(&limiter), 0);
}

/* Wrong use. */

Test(limiter_cancel, is_not_ended_with_a_place_taken, MISUSE(.timeout = 20))
{
	mag_limiter limiter = MAG_LIMITER_INIT(10, 5, 1);

	cr_assert_eq(mag_limiter_try_enter(&limiter, 1), 0);
	cr_assert_eq(mag_limiter_fini(&limiter), -EBUSY);
}

Test(limiter_cancel, is_not_ended_while_somebody_waits, MISUSE(.timeout = 20))
{
	mag_limiter limiter = MAG_LIMITER_INIT(10, 5, 1);

	limiter.turn.state = 16; /* somebody's */
	cr_assert_eq(mag_limiter_fini(&limiter), -EBUSY);
}

Test(limiter_cancel, place_that_nobody_has_is_not_given_back, MISUSE(.timeout = 20))
{
	mag_limiter limiter = MAG_LIMITER_INIT(10, 5, 1);

	cr_assert_eq(mag_limiter_leave(&limiter), -EOVERFLOW);
	cr_assert_eq(mag_semaphore_permits(&limiter.slots), 1);
}
