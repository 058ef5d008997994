/* SPDX-License-Identifier: MIT */
/* test_member.c - members that somebody minds: handles, limits, workers of their own. */
#include "gates.h"

enum { MEMBERS = 12 };

/* Counts how many are between its marks, and keeps the most. */
struct gauge {
	uint32_t now, most, total;
};

static void enter(struct gauge *g)
{
	uint32_t now = magi_add_ar(&g->now, 1u) + 1; /* [gauge] */
	uint32_t most = magi_load_acq(&g->most);     /* [gauge] */

	while (now > most && !magi_cas_ar(&g->most, &most, now)) /* [gauge] */
		;
	count(&g->total);
}

static void leave(struct gauge *g)
{
	magi_sub_ar(&g->now, 1u); /* [gauge] */
}

struct guest {
	mag_frame frame;
	MAG_ARGS(guest, struct gauge *gauge; int pauses; uint64_t ns;);
	int64_t rc;
};

MAG_TASK(guest)
{
	MAG_BEGIN(guest);
	enter(self->gauge);
	for (; self->pauses > 0; self->pauses--)
		MAG_YIELD(self->rc);
	if (self->ns)
		MAG_AWAIT(self->rc, mag_sleep, self->ns);
	leave(self->gauge);
	MAG_RETURN(0);
	MAG_END;
}

struct inn {
	mag_frame frame;
	MAG_ARGS(inn, struct gauge *gauge; uint32_t limit; int n;);
	mag_group group;
	int64_t rc;
	int i;
};

MAG_TASK(inn)
{
	MAG_BEGIN(inn);
	MAG_GROUP_BEGIN(&self->group, .limit = self->limit);
	for (self->i = 0; self->i < self->n; self->i++) {
		MAG_SPAWN(self->rc, &self->group, guest, .gauge = self->gauge, .pauses = self->i % 4,
			  .ns = self->i % 7 == 0 ? REST : 0);
		CHECK(self->rc == 0);
	}
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: pass_place that also gives its place back. */
Test(member, the_limit_is_never_exceeded_and_no_place_is_lost, .timeout = 60)
{
	EACH_WORKERS(n) {
		for (uint32_t limit = 1; limit <= 5; limit += 2) {
			struct gauge gauge = { 0 };

			cr_assert_eq(RUN(n, inn, .gauge = &gauge, .limit = limit, .n = 3000 / PLAY_SLOWDOWN), 0);
			cr_assert_eq(gauge.total, 3000 / PLAY_SLOWDOWN);
			cr_assert_leq(gauge.most, limit);
			cr_assert(gauge.most == limit || n > 1 || limit > 2);
		}
	}
}

/* Waits for a place in a scope with a deadline; the place is taken by a member that ends later. */
struct turned_away {
	mag_frame frame;
	MAG_NO_ARGS(turned_away);
	struct gauge gauge;
	mag_handle handle;
	mag_group group;
	mag_scope scope;
	int64_t rc;
};

MAG_TASK(turned_away)
{
	MAG_BEGIN(turned_away);
	self->gauge = (struct gauge){ 0 };
	MAG_GROUP_BEGIN(&self->group, .limit = 1);
	MAG_SPAWN(self->rc, &self->group, guest, .gauge = &self->gauge, .ns = 3 * REST);
	CHECK(self->rc == 0);
	MAG_WITH_TIMEOUT(&self->scope, REST);
	MAG_SPAWN_AS(self->rc, &self->handle, &self->group, guest, .gauge = &self->gauge);
	CHECK(self->rc == MAG_ECANCELED);
	CHECK(mag_handle_done(&self->handle) && mag_handle_result(&self->handle) == MAG_ECANCELED);
	MAG_SPAWN(self->rc, &self->group, guest, .gauge = &self->gauge);
	CHECK(self->rc == MAG_ECANCELED); /* in a cancelled scope nothing is started */
	MAG_SCOPE_END(self->rc, &self->scope);
	CHECK(self->rc == MAG_ETIMEDOUT);
	MAG_SPAWN_AS(self->rc, &self->handle, &self->group, guest, .gauge = &self->gauge); /* gets the only place */
	CHECK(self->rc == 0);
	MAG_SPAWN(self->rc, &self->group, guest, .gauge = &self->gauge);
	CHECK(self->rc == 0);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(self->rc == 0 && counted(&self->gauge.total) == 3 && counted(&self->gauge.most) == 1);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: dismiss without `started--` waits for ever at the end. */
Test(member, a_spawner_that_is_cancelled_while_it_waits_loses_nothing, .timeout = 10)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, turned_away), 0);
}

/* Many spawners whose deadlines come as places become free. */
struct pusher {
	mag_frame frame;
	MAG_ARGS(pusher, mag_group *group; struct gauge *gauge; uint32_t *accepted; int i;);
	mag_scope scope;
	int64_t rc;
};

MAG_TASK(pusher)
{
	MAG_BEGIN(pusher);
	MAG_WITH_TIMEOUT(&self->scope, (uint64_t)(1 + self->i % 5) * 100);
	MAG_SPAWN(self->rc, self->group, guest, .gauge = self->gauge, .pauses = self->i % 3, .ns = self->i % 2 * 100);
	if (self->rc == 0)
		count(self->accepted);
	MAG_SCOPE_END(self->rc, &self->scope);
	MAG_RETURN(0);
	MAG_END;
}

struct crush {
	mag_frame frame;
	MAG_ARGS(crush, struct gauge *gauge; uint32_t *accepted;);
	mag_group pushers, guests;
	int64_t rc;
	int i;
};

MAG_TASK(crush)
{
	MAG_BEGIN(crush);
	MAG_GROUP_BEGIN(&self->guests, .limit = 3);
	MAG_GROUP_BEGIN(&self->pushers);
	for (self->i = 0; self->i < 300; self->i++)
		MAG_SPAWN(self->rc, &self->pushers, pusher, .group = &self->guests, .gauge = self->gauge,
			  .accepted = self->accepted, .i = self->i);
	MAG_GROUP_END(self->rc, &self->pushers);
	for (self->i = 0; self->i < 3; self->i++) { /* all places come back */
		MAG_SPAWN(self->rc, &self->guests, guest, .gauge = self->gauge, .ns = REST);
		CHECK(self->rc == 0);
		count(self->accepted);
	}
	MAG_GROUP_END(self->rc, &self->guests);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: magi_wait_take ignored in pass_place (a grant to one that gave up) runs more bodies than were accepted. */
Test(member, a_place_goes_to_a_waiting_spawn_or_its_canceller_has_it_not_both, .timeout = 60)
{
	EACH_WORKERS(n) {
		for (int i = 0; i < 200 / PLAY_SLOWDOWN; i++) {
			struct gauge gauge = { 0 };
			uint32_t accepted = 0;
			struct play p;
			int64_t rc;

			play_begin(&p, n);
			play_run(&p, rc, crush, .gauge = &gauge, .accepted = &accepted);
			cr_assert_eq(rc, 0);
			cr_assert_eq(gauge.total, accepted);
			cr_assert_leq(gauge.most, 3);
			play_end(&p);
		}
	}
}

struct sleeper {
	mag_frame frame;
	MAG_ARGS(sleeper, uint64_t ns; int64_t result;);
	int64_t rc;
};

MAG_TASK(sleeper)
{
	MAG_BEGIN(sleeper);
	MAG_AWAIT(self->rc, mag_sleep, self->ns);
	MAG_RETURN(self->rc < 0 ? self->rc : self->result);
	MAG_END;
}

struct finishing {
	mag_frame frame;
	MAG_ARGS(finishing, bool late;);
	mag_handle handle[MEMBERS], *next;
	mag_group group;
	int64_t rc;
	int i;
};

MAG_TASK(finishing)
{
	MAG_BEGIN(finishing);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	MAG_AWAIT(self->rc, mag_group_next, &self->group, &self->next);
	CHECK(self->rc == 0 && !self->next);
	for (self->i = 0; self->i < MEMBERS; self->i++) {
		MAG_SPAWN_AS(self->rc, &self->handle[self->i], &self->group, sleeper,
			     .ns = (uint64_t)(1 + self->i * 5 % MEMBERS) * REST,
			     .result = self->i % 3 ? self->i : -EIO);
		CHECK(self->rc == 0);
		CHECK(mag_handle_result(&self->handle[self->i]) == -EINPROGRESS);
		self->handle[self->i].user = &self->handle[self->i * 5 % MEMBERS];
	}
	if (self->late)
		MAG_AWAIT(self->rc, mag_sleep, 2 * MEMBERS * REST);
	for (self->i = 0; self->i < MEMBERS; self->i++) {
		MAG_AWAIT(self->rc, mag_group_next, &self->group, &self->next);
		CHECK(self->rc == 1 && mag_handle_done(self->next));
		CHECK(self->next->user == &self->handle[self->i]);
		CHECK(mag_handle_result(self->next) ==
		      ((self->next - self->handle) % 3 ? self->next - self->handle : -EIO));
	}
	MAG_AWAIT(self->rc, mag_group_next, &self->group, &self->next);
	CHECK(self->rc == 0 && !self->next);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(self->rc == 0 && mag_group_errors(&self->group, NULL) == MEMBERS / 3);
	mag_group_clear(&self->group);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: finished ones put at the head of the list come in the wrong order. */
Test(member, next_gives_members_in_the_order_of_finishing, .timeout = 10)
{
	EACH_WORKERS(n) {
		cr_assert_eq(RUN(n, finishing, .late = false), 0);
		cr_assert_eq(RUN(n, finishing, .late = true), 0);
	}
}

struct onlooker {
	mag_frame frame;
	MAG_ARGS(onlooker, mag_handle *handle; int64_t want; uint64_t patience; uint32_t *saw;);
	mag_scope scope;
	int64_t rc;
};

MAG_TASK(onlooker)
{
	MAG_BEGIN(onlooker);
	MAG_WITH_TIMEOUT(&self->scope, self->patience);
	MAG_AWAIT(self->rc, mag_handle_wait, self->handle);
	CHECK(self->rc == self->want);
	MAG_SCOPE_END(self->rc, &self->scope);
	count(self->saw);
	MAG_RETURN(0);
	MAG_END;
}

struct watched {
	mag_frame frame;
	MAG_NO_ARGS(watched);
	mag_group onlookers, group;
	mag_handle handle;
	uint32_t saw;
	int64_t rc;
	int i;
};

MAG_TASK(watched)
{
	MAG_BEGIN(watched);
	self->saw = 0;
	MAG_GROUP_BEGIN(&self->onlookers);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN_AS(self->rc, &self->handle, &self->group, sleeper, .ns = 2 * REST, .result = 9);
	for (self->i = 0; self->i < MEMBERS; self->i++)
		MAG_SPAWN(self->rc, &self->onlookers, onlooker, .handle = &self->handle, .saw = &self->saw,
			  .want = self->i % 2 ? 9 : MAG_ECANCELED, .patience = self->i % 2 ? MAG_NEVER : REST);
	MAG_AWAIT(self->rc, mag_handle_wait, &self->handle);
	CHECK(self->rc == 9);
	MAG_AWAIT(self->rc, mag_handle_wait, &self->handle);
	CHECK(self->rc == 9); /* again */
	MAG_GROUP_END(self->rc, &self->group);
	MAG_GROUP_END(self->rc, &self->onlookers);
	CHECK(counted(&self->saw) == MEMBERS);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: waking only the first of those that wait. */
Test(member, several_tasks_wait_for_one_handle_and_some_give_up, .timeout = 10)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, watched), 0);
}

struct singled_out {
	mag_frame frame;
	MAG_ARGS(singled_out, bool at_once;);
	mag_handle handle[3];
	mag_group group;
	int64_t rc;
	int i;
};

MAG_TASK(singled_out)
{
	MAG_BEGIN(singled_out);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < 3; self->i++)
		MAG_SPAWN_AS(self->rc, &self->handle[self->i], &self->group, sleeper, .ns = 2 * REST, .result = 1);
	if (!self->at_once)
		MAG_AWAIT(self->rc, mag_sleep, REST);
	mag_handle_cancel(&self->handle[1]);
	MAG_AWAIT(self->rc, mag_handle_wait, &self->handle[1]);
	CHECK(self->rc == MAG_ECANCELED);
	CHECK(!mag_handle_done(&self->handle[0]) && !mag_handle_done(&self->handle[2]));
	MAG_AWAIT(self->rc, mag_handle_wait, &self->handle[2]);
	CHECK(self->rc == 1);
	mag_handle_cancel(&self->handle[2]); /* too late: nothing */
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(self->rc == 0); /* it was called off: no error, and no reason to cancel the rest */
	CHECK(mag_handle_result(&self->handle[0]) == 1);
	MAG_RETURN(0);
	MAG_END;
}

Test(member, a_handle_cancels_its_task_alone, .timeout = 10)
{
	EACH_WORKERS(n) {
		cr_assert_eq(RUN(n, singled_out, .at_once = true), 0);
		cr_assert_eq(RUN(n, singled_out, .at_once = false), 0);
	}
}

struct resident {
	mag_frame frame;
	MAG_ARGS(resident, int home;);
	int64_t rc;
	int i;
};

MAG_TASK(resident)
{
	MAG_BEGIN(resident);
	for (self->i = 0; self->i < 20; self->i++) {
		CHECK(mag_worker_index() == self->home);
		if (self->i % 2)
			MAG_YIELD(self->rc);
		else
			MAG_AWAIT(self->rc, mag_sleep, REST);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct residents {
	mag_frame frame;
	MAG_ARGS(residents, uint32_t n;);
	mag_group group;
	int64_t rc;
	uint32_t i;
};

MAG_TASK(residents)
{
	MAG_BEGIN(residents);
	MAG_GROUP_BEGIN(&self->group, .limit = 5);
	for (self->i = 0; self->i < 8 * self->n; self->i++) {
		MAG_SPAWN_ON(self->rc, self->i % self->n, &self->group, resident, .home = (int)(self->i % self->n));
		CHECK(self->rc == 0);
	}
	MAG_SPAWN_ON(self->rc, self->n, &self->group, resident);
	CHECK(self->rc == -EINVAL);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(member, a_task_with_a_worker_of_its_own_never_runs_elsewhere, .timeout = 20)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, residents, .n = n), 0);
}

/* Asks without waiting. */
struct polls {
	mag_frame frame;
	MAG_NO_ARGS(polls);
	mag_group group;
	mag_handle handles[2], *next;
	mag_scope scope;
	mag_future gate, other;
	int64_t rc;
};

MAG_TASK(polls)
{
	MAG_BEGIN(polls);
	mag_future_init(&self->gate);
	mag_future_init(&self->other);
	MAG_GROUP_BEGIN(&self->group);
	CHECK(mag_group_try_next(&self->group, &self->next) == 0 && !self->next);
	MAG_SPAWN_AS(self->rc, &self->handles[0], &self->group, waiter, .gate = &self->gate);
	CHECK(self->rc == 0 && mag_group_try_next(&self->group, &self->next) == -EAGAIN && !self->next);
	MAG_SPAWN_AS(self->rc, &self->handles[1], &self->group, idler, .result = 3);
	MAG_AWAIT(self->rc, mag_sleep, REST);
	CHECK(mag_group_try_next(&self->group, &self->next) == 1 && self->next == &self->handles[1]);
	CHECK(mag_group_try_next(&self->group, &self->next) == -EAGAIN);
	MAG_AWAIT(self->rc, mag_group_next_until, &self->group, &self->next, mag_now() + 5);
	CHECK(self->rc == MAG_ETIMEDOUT);
	MAG_WITH_TIMEOUT(&self->scope, 5);
	MAG_AWAIT(self->rc, mag_group_next_until, &self->group, &self->next, mag_now() + REST);
	CHECK(self->rc == MAG_ECANCELED);
	MAG_SCOPE_END(self->rc, &self->scope);
	mag_future_complete(&self->gate, 4);
	MAG_AWAIT(self->rc, mag_sleep, REST);
	CHECK(mag_group_try_next(&self->group, &self->next) == 1 && mag_handle_result(self->next) == 4);
	CHECK(mag_group_try_next(&self->group, &self->next) == 0);
	MAG_AWAIT(self->rc, mag_group_next_until, &self->group, &self->next, MAG_NEVER);
	CHECK(self->rc == 0);
	MAG_SPAWN_AS(self->rc, &self->handles[0], &self->group, opener, .gate = &self->other, .after = 5);
	MAG_AWAIT(self->rc, mag_group_next_until, &self->group, &self->next, mag_now() + REST);
	CHECK(self->rc == 1 && self->next == &self->handles[0]);
	MAG_GROUP_END(self->rc, &self->group);
	mag_future_fini(&self->gate);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(member, those_that_finished_are_had_without_waiting_or_in_time, .timeout = 10)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, polls), 0);
}
