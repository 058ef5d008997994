/* SPDX-License-Identifier: MIT */
/* test_yield.c - letting others run. */
#include "gates.h"

struct turns {
	uint32_t other;
	uint64_t order;
};

struct taker {
	mag_frame frame;
	MAG_ARGS(taker, struct turns *turns; unsigned name; int n;);
	int64_t rc;
};

MAG_TASK(taker)
{
	MAG_BEGIN(taker);
	for (; self->n; self->n--) {
		self->turns->order = self->turns->order * 4 + self->name;
		MAG_YIELD(self->rc);
		CHECK(self->rc == 0);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct table {
	mag_frame frame;
	MAG_ARGS(table, struct turns *turns;);
	mag_group group;
	int64_t rc;
	unsigned i;
};

MAG_TASK(table)
{
	MAG_BEGIN(table);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 1; self->i <= 3; self->i++)
		MAG_SPAWN_ON(self->rc, 0, &self->group, taker, .turns = self->turns, .name = self->i, .n = 5);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: a yield that puts the task at the head. */
Test(yield, those_who_yield_take_turns, .timeout = 10)
{
	struct turns turns = { 0 };
	uint64_t want = 0;

	cr_assert_eq(RUN(1, table, .turns = &turns), 0);
	for (int i = 0; i < 5; i++)
		want = want * 64 + 1 * 16 + 2 * 4 + 3;
	cr_assert_eq(turns.order, want);
}

struct until {
	mag_frame frame;
	MAG_ARGS(until, uint32_t *flag; uint64_t *yields;);
	int64_t rc;
};

MAG_TASK(until)
{
	MAG_BEGIN(until);
	while (!counted(self->flag)) {
		MAG_YIELD(self->rc);
		++*self->yields;
	}
	MAG_RETURN(0);
	MAG_END;
}

struct starving {
	mag_frame frame;
	MAG_ARGS(starving, struct magi_world *world;);
	mag_group group;
	uint32_t flag;
	uint64_t yields;
	int64_t rc;
};

/* Raises the flag after waits of several kinds, all of which need the worker to look around. */
struct patient {
	mag_frame frame;
	MAG_ARGS(patient, uint32_t *flag; struct magi_world *world;);
	mag_future gate;
	int64_t rc;
};

MAG_TASK(patient)
{
	MAG_BEGIN(patient);
	magi_world_advance(self->world, MAG_SECOND); /* due, while another never lets the worker go idle */
	MAG_AWAIT(self->rc, mag_sleep, 0);
	mag_future_init(&self->gate);
	MAG_FORK(opener, .gate = &self->gate);
	MAG_AWAIT(self->rc, mag_future_await, &self->gate);
	MAG_JOIN(self->rc);
	mag_future_fini(&self->gate);
	count(self->flag);
	MAG_RETURN(0);
	MAG_END;
}

MAG_TASK(starving)
{
	MAG_BEGIN(starving);
	self->flag = 0;
	self->yields = 0;
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, until, .flag = &self->flag, .yields = &self->yields);
	MAG_SPAWN(self->rc, &self->group, patient, .flag = &self->flag, .world = self->world);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(yield, one_that_yields_for_ever_starves_nobody, .timeout = 20)
{
	EACH_WORKERS(n) {
		struct play p;
		int64_t rc;

		play_begin(&p, n);
		play_run(&p, rc, starving, .world = p.world);
		cr_assert_eq(rc, 0);
		play_end(&p);
	}
}

struct cancelled {
	mag_frame frame;
	MAG_NO_ARGS(cancelled);
	mag_scope scope, shield;
	int64_t rc;
};

MAG_TASK(cancelled)
{
	MAG_BEGIN(cancelled);
	MAG_SCOPE_BEGIN(&self->scope);
	MAG_YIELD(self->rc);
	CHECK(self->rc == 0);
	mag_scope_cancel(&self->scope);
	MAG_YIELD(self->rc);
	CHECK(self->rc == MAG_ECANCELED);
	MAG_SHIELD(&self->shield, MAG_NEVER);
	MAG_YIELD(self->rc);
	CHECK(self->rc == 0);
	MAG_SCOPE_END(self->rc, &self->shield);
	MAG_YIELD(self->rc);
	CHECK(self->rc == MAG_ECANCELED);
	MAG_SCOPE_END(self->rc, &self->scope);
	MAG_YIELD(self->rc);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(yield, it_is_a_cancellation_point, .timeout = 10)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, cancelled), 0);
}
