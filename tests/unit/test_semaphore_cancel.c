/* SPDX-License-Identifier: MIT */
/* test_semaphore_cancel.c - src/sync/semaphore.c when who waits is cancelled. */
#include <magpie/semaphore.h>
#include <magpie/time.h>

#include <criterion/criterion.h>

#include "support/matrix.h"
#include "unit/semaphore_subject.h"

struct in_turn {
	mag_frame frame;
	MAG_ARGS(in_turn, mag_semaphore *semaphore; uint32_t need; uint32_t *turn; uint32_t *mine;);
	int64_t rc;
};

MAG_TASK(in_turn)
{
	MAG_BEGIN(in_turn);
	MAG_AWAIT(self->rc, mag_semaphore_acquire, self->semaphore, self->need);
	NEED(self->rc == 0);
	*self->mine = magi_add_rlx(self->turn, 1) + 1;
	MAG_RETURN(0);
	MAG_END;
}

/* A head that needs many is cancelled: what it held up is served at once, without another release (tried: without the
 * `gone` callback the test times out). */
struct held_up {
	mag_frame frame;
	MAG_ARGS(held_up, mag_semaphore *semaphore;);
	mag_group first, rest;
	uint32_t mine[3], turn, i;
	int64_t rc;
};

MAG_TASK(held_up)
{
	MAG_BEGIN(held_up);
	self->turn = 0;
	MAG_GROUP_BEGIN(&self->rest);
	MAG_GROUP_BEGIN(&self->first, .policy = MAG_COLLECT);
	for (self->i = 0; self->i < 3; self->i++) {
		MAG_SPAWN(self->rc, self->i ? &self->rest : &self->first, in_turn, .semaphore = self->semaphore,
			  .need = self->i ? 1 : 3, .turn = &self->turn, .mine = &self->mine[self->i]);
		UNTIL_WAITING(self->rc, &self->semaphore->waitq, self->i + 1);
	}
	mag_group_cancel(&self->first);
	MAG_GROUP_END(self->rc, &self->first);
	NEED(self->rc == MAG_ECANCELED);
	MAG_GROUP_END(self->rc, &self->rest);
	NEED(self->rc == 0);
	NEED(self->turn == 2);
	NEED(mag_semaphore_permits(self->semaphore) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(semaphore, cancelled_head_lets_those_behind_it_go, .timeout = 20)
{
	mag_semaphore semaphore = MAG_SEMAPHORE_INIT(2, 3);
	int64_t rc = RUN(4, held_up, .semaphore = &semaphore);

	cr_assert_eq(rc, 0, "%s", where(rc));
}

static void make(struct semaphore_subject *s)
{
	semaphore_subject(s, 2, MAG_FAIR);
}

Test(semaphore, cancelled_waiter_holds_no_permit, .timeout = 20)
{
	MATRIX_CASES(struct semaphore_subject, make);
}

Test(semaphore, released_and_cancelled_at_once_is_one_of_both, .timeout = 120)
{
	MATRIX_RACES(struct semaphore_subject, make);
}

/* Many take different numbers of permits and lose patience: in the end all permits are back. */

struct limited {
	mag_semaphore semaphore;
	uint32_t inside, most; /* atomic */
	uint64_t done;         /* atomic */
};

struct impatient {
	mag_frame frame;
	MAG_ARGS(impatient, struct limited *l; uint32_t n; uint64_t seed;);
	mag_scope scope;
	struct magi_random random;
	uint32_t i, need;
	int64_t rc, why;
};

MAG_TASK(impatient)
{
	MAG_BEGIN(impatient);
	magi_random_seed(&self->random, self->seed);
	for (self->i = 0; self->i < self->n; self->i++) {
		self->need = 1 + magi_random_below(&self->random, self->l->most);
		MAG_WITH_TIMEOUT(&self->scope, MAG_MICROSECOND * magi_random_below(&self->random, 400));
		MAG_AWAIT(self->rc, mag_semaphore_acquire, &self->l->semaphore, self->need);
		MAG_SCOPE_END(self->why, &self->scope);
		NEED(self->rc == 0 || (self->rc == MAG_ECANCELED && self->why == MAG_ETIMEDOUT));
		if (self->rc < 0)
			continue;
		NEED(magi_add_rlx(&self->l->inside, self->need) + self->need <= self->l->most);
		if (magi_random_below(&self->random, 2))
			MAG_YIELD(self->rc);
		magi_sub_rlx(&self->l->inside, self->need);
		(void)magi_add_rlx(&self->l->done, 1);
		NEED(mag_semaphore_release(&self->l->semaphore, self->need) == 0);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct crowd {
	mag_frame frame;
	MAG_ARGS(crowd, struct limited *l; uint32_t tasks; uint32_t n;);
	mag_group group;
	uint32_t i;
	int64_t rc;
};

MAG_TASK(crowd)
{
	MAG_BEGIN(crowd);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < self->tasks; self->i++)
		MAG_SPAWN(self->rc, &self->group, impatient, .l = self->l, .n = self->n, .seed = self->i + 1);
	MAG_GROUP_END(self->rc, &self->group);
	NEED(self->rc == 0);
	NEED(mag_semaphore_permits(&self->l->semaphore) == self->l->most);
	NEED(mag_semaphore_fini(&self->l->semaphore) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(semaphore, crowd_of_impatient_tasks_leaves_all_permits, .timeout = 60)
{
	static struct limited l = { .semaphore = MAG_SEMAPHORE_INIT(5, 5), .most = 5 };
	int64_t rc = RUN(4, crowd, .l = &l, .tasks = 16, .n = 3000);

	cr_assert_eq(rc, 0, "%s", where(rc));
	cr_assert_gt(l.done, 0);
}
