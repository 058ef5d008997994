/* SPDX-License-Identifier: MIT */
/* test_budget.c - src/resilience/budget.c: how many calls may be made again. */
#include <errno.h>
#include <magpie/budget.h>

#include "gates.h"

Test(budget, holds_no_more_than_its_burst, .timeout = 20)
{
	mag_budget budget;

	cr_assert_eq(mag_budget_init(&budget, 0, 0), -EINVAL);
	cr_assert_eq(mag_budget_init(&budget, 0, MAG_BUDGET_BURST_MAX + 1), -EINVAL);
	cr_assert_eq(mag_budget_init(&budget, MAG_BUDGET_PERCENT_MAX + 1, 1), -EINVAL);
	cr_assert_eq(mag_budget_init(&budget, 50, 2), 0);
	mag_budget_call(&budget);
	mag_budget_give_back(&budget);
	cr_assert_eq(mag_budget_left(&budget), 2);
	cr_assert_eq(mag_budget_take(&budget), 0);
	cr_assert_eq(mag_budget_take(&budget), 0);
	cr_assert_eq(mag_budget_take(&budget), -EAGAIN);
	mag_budget_call(&budget);
	cr_assert_eq(mag_budget_take(&budget), -EAGAIN);
	mag_budget_call(&budget);
	cr_assert_eq(mag_budget_take(&budget), 0);
	mag_budget_give_back(&budget);
	cr_assert_eq(mag_budget_left(&budget), 1);
	cr_assert_eq(mag_budget_init(&budget, 70, 2), 0);
	cr_assert_eq(mag_budget_take(&budget), 0);
	mag_budget_call(&budget);
	mag_budget_call(&budget); /* 2.4 are 2 */
	cr_assert_eq(mag_budget_take(&budget), 0);
	cr_assert_eq(mag_budget_take(&budget), 0);
	mag_budget_call(&budget);
	cr_assert_eq(mag_budget_take(&budget), -EAGAIN);
}

/* Taken and given back by many at once: none too many, and none is lost. */
struct shared {
	mag_budget budget;
	uint32_t taken;
};

struct taker {
	mag_frame frame;
	MAG_ARGS(taker, struct shared *s; uint32_t rounds;);
	int64_t rc;
};

MAG_TASK(taker)
{
	MAG_BEGIN(taker);
	while (self->rounds-- > 0) {
		if (mag_budget_take(&self->s->budget) == 0) {
			if (self->rounds % 3)
				mag_budget_give_back(&self->s->budget);
			else
				count(&self->s->taken);
		}
		MAG_YIELD(self->rc);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct takers {
	mag_frame frame;
	MAG_ARGS(takers, struct shared *s; uint32_t rounds;);
	mag_group group;
	int64_t rc;
	int i;
};

MAG_TASK(takers)
{
	MAG_BEGIN(takers);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 8; self->i++)
		MAG_SPAWN(self->rc, &self->group, taker, .s = self->s, .rounds = self->rounds);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(0);
	MAG_END;
}

Test(budget, is_exact_when_many_take_from_it, .timeout = 20)
{
	enum { ROUNDS = 3000 / PLAY_SLOWDOWN, BURST = 100000 };
	struct shared s = { .budget = MAG_BUDGET_INIT(0, BURST) };
	mag_runtime *rt = play_real(4, 0);
	struct play p = { .rt = rt };
	int64_t rc;

	play_run(&p, rc, takers, .s = &s, .rounds = ROUNDS);
	cr_assert_eq(rc, 0);
	cr_assert_eq(s.taken, 8 * ROUNDS / 3);
	cr_assert_eq(mag_budget_left(&s.budget) + s.taken, BURST);
	ledger_closes(rt);
	cr_assert_eq(mag_runtime_destroy(rt, mag_deadline_in(30 * MAG_SECOND)), 0);
}
