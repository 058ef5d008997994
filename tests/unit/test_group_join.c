/* SPDX-License-Identifier: MIT */
/* test_group_join.c - the end of a group waits for its members, and not for what their workers do next. */
#include "gates.h"

enum { ROUNDS = 20 };

#define LONG (2 * MAG_SECOND) /* of the real clock, and much more than a worker needs to wake */

/* What a task that computes needs to know. */
struct computation {
	struct magi_world *world;
	bool steps; /* a chain of calls that never leaves the worker, and not one long step */
	uint32_t joined;
};

/* The world's clock goes on meanwhile: a worker that sleeps looks at those that are in a step for long. */
static bool goes_on(struct computation *c)
{
	magi_world_advance(c->world, 10 * MAG_MICROSECOND);
	sched_yield();
	return !is_raised(&c->joined);
}

/* Computes until the group was joined, which must not take as long as this may take. */
struct computing {
	mag_frame frame;
	MAG_ARGS(computing, struct computation *c;);
	uint64_t end;
	int64_t rc;
};

MAG_TASK(computing)
{
	MAG_BEGIN(computing);
	self->end = magi_clock_ns() + LONG;
	while (goes_on(self->c)) {
		if (magi_clock_ns() > self->end)
			MAG_RETURN(-ETIME);
		if (self->c->steps)
			MAG_CALL(self->rc, idler);
	}
	MAG_RETURN(0);
	MAG_END;
}

/* Ends; its worker has something to do then that nobody else may do. */
struct last_member {
	mag_frame frame;
	MAG_ARGS(last_member, mag_group *others; struct computation *c;);
	int64_t rc;
};

MAG_TASK(last_member)
{
	MAG_BEGIN(last_member);
	MAG_SPAWN_ON(self->rc, (uint32_t)mag_worker_index(), self->others, computing, .c = self->c);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct joiner {
	mag_frame frame;
	MAG_ARGS(joiner, struct computation *c;);
	mag_group others, group;
	int64_t rc;
	int i;
};

MAG_TASK(joiner)
{
	MAG_BEGIN(joiner);
	for (self->i = 0; self->i < ROUNDS; self->i++) {
		magi_store_rlx(&self->c->joined, 0u); /* [flag] nobody else is there yet */
		MAG_GROUP_BEGIN(&self->others);
		MAG_GROUP_BEGIN(&self->group);
		MAG_SPAWN(self->rc, &self->group, last_member, .others = &self->others, .c = self->c);
		CHECK(self->rc == 0);
		MAG_GROUP_END(self->rc, &self->group);
		CHECK(self->rc == 0);
		raise_flag(&self->c->joined);
		MAG_GROUP_END(self->rc, &self->others);
		if (self->rc < 0)
			break;
	}
	MAG_RETURN(self->rc);
	MAG_END;
}

static int64_t run_joiner(uint32_t workers, bool steps)
{
	struct computation c = { .steps = steps };
	struct play p;
	int64_t rc;

	play_begin(&p, workers);
	c.world = p.world;
	play_run(&p, rc, joiner, .c = &c);
	play_end(&p);
	return rc;
}

/* Tried: magi_group_settle that holds ends back whatever comes next. */
Test(group_join, it_does_not_wait_for_what_the_last_members_worker_does_next, .timeout = 60)
{
	cr_assert_eq(run_joiner(2, false), 0);
	cr_assert_eq(run_joiner(4, false), 0);
}

/* Tried: the same, and no ends told when the budget of steps is used up. */
Test(group_join, it_does_not_wait_for_a_chain_of_calls_without_end, .timeout = 60)
{
	cr_assert_eq(run_joiner(2, true), 0);
	cr_assert_eq(run_joiner(4, true), 0);
}
