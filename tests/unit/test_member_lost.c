/* SPDX-License-Identifier: MIT */
/* test_member_lost.c - src/task/member.c: a place, or a finished member, comes to a task that a canceller has claimed, but
 * not yet taken out of the queue. The test is that canceller, in slow motion. */
#include "canceller.h"

/* Waits for a place in a group. */
struct spawner {
	mag_frame frame;
	MAG_ARGS(spawner, mag_group *group; uint32_t *ended;);
	int64_t rc;
};

MAG_TASK(spawner)
{
	MAG_BEGIN(spawner);
	MAG_SPAWN(self->rc, self->group, idler, .result = 0);
	CHECK(self->rc == MAG_ECANCELED);
	count(self->ended);
	MAG_RETURN(0);
	MAG_END;
}

struct place {
	mag_frame frame;
	MAG_NO_ARGS(place);
	mag_group helpers, group;
	mag_scope scope;
	mag_future gate;
	mag_frame *claimed;
	uint32_t ended, ran;
	int64_t rc;
};

MAG_TASK(place)
{
	MAG_BEGIN(place);
	self->ended = self->ran = 0;
	mag_future_init(&self->gate);
	MAG_GROUP_BEGIN(&self->helpers);
	MAG_GROUP_BEGIN(&self->group, .limit = 1);
	MAG_SPAWN(self->rc, &self->group, waiter, .gate = &self->gate);
	CHECK(self->rc == 0);
	MAG_SPAWN(self->rc, &self->helpers, spawner, .group = &self->group, .ended = &self->ended);
	MAG_AWAIT(self->rc, mag_sleep, REST);
	self->claimed = claim_first(&self->group.places);
	mag_future_complete(&self->gate, 0);
	MAG_AWAIT(self->rc, mag_sleep, REST);
	MAG_WITH_TIMEOUT(&self->scope, REST);
	MAG_SPAWN(self->rc, &self->group, idler, .result = 0, .ran = &self->ran);
	CHECK(self->rc == 0);
	MAG_SCOPE_END(self->rc, &self->scope);
	end_wait(w, self->claimed);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(self->rc == 0 && counted(&self->ran) == 1);
	MAG_GROUP_END(self->rc, &self->helpers);
	CHECK(self->rc == 0 && counted(&self->ended) == 1);
	mag_future_fini(&self->gate);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: pass_place that keeps the place of a spawn that it cannot have. */
Test(member_lost, place_for_one_that_is_being_cancelled_is_free, .timeout = 20)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, place), 0);
}

/* Asks for the next member that is done. */
struct asker {
	mag_frame frame;
	MAG_ARGS(asker, mag_group *group; uint32_t *ended;);
	mag_handle *next;
	int64_t rc;
};

MAG_TASK(asker)
{
	MAG_BEGIN(asker);
	MAG_AWAIT(self->rc, mag_group_next, self->group, &self->next);
	CHECK(self->rc == MAG_ECANCELED && !self->next);
	count(self->ended);
	MAG_RETURN(0);
	MAG_END;
}

struct next {
	mag_frame frame;
	MAG_NO_ARGS(next);
	mag_group helpers, group;
	mag_handle handle, *got;
	mag_scope scope;
	mag_future gate;
	mag_frame *claimed;
	uint32_t ended;
	int64_t rc;
};

MAG_TASK(next)
{
	MAG_BEGIN(next);
	self->ended = 0;
	mag_future_init(&self->gate);
	MAG_GROUP_BEGIN(&self->helpers);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN_AS(self->rc, &self->handle, &self->group, waiter, .gate = &self->gate);
	CHECK(self->rc == 0);
	MAG_SPAWN(self->rc, &self->helpers, asker, .group = &self->group, .ended = &self->ended);
	MAG_AWAIT(self->rc, mag_sleep, REST);
	self->claimed = claim_first(&self->group.news);
	mag_future_complete(&self->gate, 0);
	MAG_AWAIT(self->rc, mag_sleep, REST);
	MAG_WITH_TIMEOUT(&self->scope, REST);
	MAG_AWAIT(self->rc, mag_group_next, &self->group, &self->got);
	CHECK(self->rc == 1 && self->got == &self->handle);
	MAG_SCOPE_END(self->rc, &self->scope);
	end_wait(w, self->claimed);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_GROUP_END(self->rc, &self->helpers);
	CHECK(self->rc == 0 && counted(&self->ended) == 1);
	mag_future_fini(&self->gate);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: give_handle that gives up with the first task that it cannot have. */
Test(member_lost, member_for_one_that_is_being_cancelled_is_kept, .timeout = 20)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, next), 0);
}
