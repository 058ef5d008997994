/* SPDX-License-Identifier: MIT */
/* test_group.c - groups: counting, policies, cancelling, leaving, and bounded memory. */
#include "gates.h"

/* Notes what its first await says, then ends with what it was told, or with that. */
struct first {
	mag_frame frame;
	MAG_ARGS(first, uint32_t *bodies; uint32_t *cancelled; uint64_t ns; int64_t result;);
	int64_t rc;
};

MAG_TASK(first)
{
	MAG_BEGIN(first);
	count(self->bodies);
	MAG_AWAIT(self->rc, mag_sleep, self->ns);
	if (self->rc == MAG_ECANCELED)
		count(self->cancelled);
	MAG_RETURN(self->rc < 0 ? self->rc : self->result);
	MAG_END;
}

struct many {
	mag_frame frame;
	MAG_ARGS(many, int n; uint32_t *ran;);
	mag_group group;
	int64_t rc;
	int i;
};

MAG_TASK(many)
{
	MAG_BEGIN(many);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < self->n; self->i++) {
		MAG_SPAWN(self->rc, &self->group, idler, .ran = self->ran);
		CHECK(self->rc == 0);
	}
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(counted(self->ran) == (uint32_t)self->n);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: a spawn into a full deque put on the ready queue instead of run in place takes hundreds of megabytes. */
Test(group, a_million_spawns_take_little_memory, .timeout = 60)
{
	EACH_WORKERS(n) {
		mag_stats stats = { .size = sizeof(stats) };
		uint32_t ran = 0;
		struct play p;
		int64_t rc;

		play_begin(&p, n);
		play_run(&p, rc, many, .n = 1000000 / PLAY_SLOWDOWN, .ran = &ran);
		cr_assert_eq(rc, 0);
		cr_assert_eq(mag_runtime_stats(p.rt, &stats), 0);
		cr_assert_lt(stats.bytes, 4u << 20);
		play_end(&p);
	}
}

/* Members that start members of the same group. */
struct breeder {
	mag_frame frame;
	MAG_ARGS(breeder, mag_group *group; uint32_t *ran; int depth;);
	int64_t rc;
	int i;
};

MAG_TASK(breeder)
{
	MAG_BEGIN(breeder);
	count(self->ran);
	for (self->i = 0; self->depth && self->i < 3; self->i++) {
		MAG_SPAWN(self->rc, self->group, breeder, .group = self->group, .ran = self->ran,
			  .depth = self->depth - 1);
		CHECK(self->rc == 0);
		if (self->i == 1)
			MAG_YIELD(self->rc);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct family {
	mag_frame frame;
	MAG_ARGS(family, uint32_t *ran;);
	mag_group group;
	int64_t rc;
};

MAG_TASK(family)
{
	MAG_BEGIN(family);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, breeder, .group = &self->group, .ran = self->ran, .depth = 7);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(counted(self->ran) == 3280);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: starts of members counted in `started` like the owner's (count_in) are lost between workers. */
Test(group, the_end_waits_for_members_that_members_started, .timeout = 30)
{
	EACH_WORKERS(n) {
		for (int i = 0; i < 10; i++) {
			uint32_t ran = 0;

			cr_assert_eq(RUN(n, family, .ran = &ran), 0);
		}
	}
}

enum { MEMBERS = 10 };

struct cancelled_first {
	mag_frame frame;
	MAG_ARGS(cancelled_first, uint32_t *bodies; uint32_t *cancelled;);
	mag_group group;
	int64_t rc;
	int i;
};

MAG_TASK(cancelled_first)
{
	MAG_BEGIN(cancelled_first);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < MEMBERS; self->i++) {
		MAG_SPAWN(self->rc, &self->group, first, .bodies = self->bodies, .cancelled = self->cancelled,
			  .ns = MAG_NEVER);
		CHECK(self->rc == 0);
	}
	mag_group_cancel(&self->group);
	MAG_SPAWN(self->rc, &self->group, first, .bodies = self->bodies, .cancelled = self->cancelled);
	CHECK(self->rc == MAG_ECANCELED); /* refused: this one does not run */
	MAG_AWAIT(self->rc, mag_sleep, REST);
	CHECK(self->rc == MAG_ECANCELED); /* the owner is in the group, too */
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(self->rc == MAG_ECANCELED);
	CHECK(mag_group_errors(&self->group, NULL) == 0);
	MAG_AWAIT(self->rc, mag_sleep, REST);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: without the look at the scope after the first park has linked (magi_wait_begin) the members sleep for ever. */
Test(group, every_accepted_body_runs_though_it_was_cancelled_before, .timeout = 10)
{
	EACH_WORKERS(n) {
		uint32_t bodies = 0, cancelled = 0;

		cr_assert_eq(RUN(n, cancelled_first, .bodies = &bodies, .cancelled = &cancelled), 0);
		cr_assert_eq(bodies, MEMBERS);
		cr_assert_eq(cancelled, MEMBERS);
	}
}

/* Members end with results[i] after i + 1 rests; then the owner asks how the group did. */
struct policies {
	mag_frame frame;
	MAG_ARGS(policies, enum mag_policy policy; const int64_t *results; int n; int64_t want; uint32_t errors;
		 uint32_t cancelled;);
	const struct mag_group_error *list;
	mag_group group;
	int64_t rc;
	int i;
	uint32_t bodies, were_cancelled;
};

MAG_TASK(policies)
{
	MAG_BEGIN(policies);
	self->bodies = self->were_cancelled = 0;
	MAG_GROUP_BEGIN(&self->group, .policy = self->policy);
	for (self->i = 0; self->i < self->n; self->i++) {
		MAG_SPAWN(self->rc, &self->group, first, .bodies = &self->bodies, .cancelled = &self->were_cancelled,
			  .ns = (uint64_t)(self->i + 1) * REST, .result = self->results[self->i]);
		CHECK(self->rc == 0);
	}
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(self->rc == self->want);
	CHECK(mag_group_errors(&self->group, &self->list) == self->errors);
	CHECK(counted(&self->bodies) == (uint32_t)self->n);
	CHECK(counted(&self->were_cancelled) == self->cancelled);
	for (self->i = 0; self->list; self->list = self->list->next) {
		while (self->results[self->i] >= 0)
			self->i++;
		CHECK(self->list->code == self->results[self->i]); /* in the order of ending */
		CHECK(self->list->site != NULL && self->list->site->line > 0);
		self->i++;
	}
	mag_group_clear(&self->group);
	CHECK(mag_group_errors(&self->group, &self->list) == self->errors && !self->list);
	MAG_RETURN(0);
	MAG_END;
}

#define POLICY(policy_, want_, errors_, cancelled_, ...)                                                            \
	do {                                                                                                        \
		static const int64_t results[] = { __VA_ARGS__ };                                                   \
		EACH_WORKERS(n)                                                                                     \
			cr_assert_eq(RUN(n, policies, .policy = (policy_), .results = results,                      \
					 .n = sizeof(results) / sizeof(*results), .want = (want_),                  \
					 .errors = (errors_), .cancelled = (cancelled_)), 0);                       \
	} while (0)

/* Tried: note_error keeping the last one; counting those that the group itself cancelled. */
Test(group, fail_fast_keeps_the_first_error_and_cancels_the_rest, .timeout = 10)
{
	POLICY(MAG_FAIL_FAST, -EIO, 1, 2, 4, -EIO, -EPIPE, 0);
	POLICY(MAG_FAIL_FAST, 0, 0, 0, 4, 5, 6);
}

Test(group, collect_runs_all_to_their_end_and_lists_what_failed, .timeout = 10)
{
	POLICY(MAG_COLLECT, 0, 3, 0, -EPIPE, 1, -EIO, 2, -ENOENT, 3);
}

Test(group, a_race_is_won_by_the_first_success_and_losers_are_cancelled_and_joined, .timeout = 10)
{
	POLICY(MAG_ANY, 7, 1, 2, -EIO, 7, 8, 9);
	POLICY(MAG_ANY, -EIO, 3, 0, -EIO, -EPIPE, -ENOENT);
}

struct crowd {
	mag_frame frame;
	MAG_NO_ARGS(crowd);
	const struct mag_group_error *list;
	mag_group group;
	int64_t rc;
	int i;
};

MAG_TASK(crowd)
{
	MAG_BEGIN(crowd);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	for (self->i = 0; self->i < 1000; self->i++)
		MAG_SPAWN(self->rc, &self->group, idler, .result = -EIO);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(self->rc == 0);
	CHECK(mag_group_errors(&self->group, &self->list) == 1000);
	for (self->i = 0; self->list; self->list = self->list->next)
		self->i++;
	CHECK(self->i == MAG_GROUP_ERRORS_MAX);
	MAG_RETURN(0); /* nobody has cleared the list: it goes with the frame */
	MAG_END;
}

Test(group, the_list_of_errors_is_bounded_their_count_is_not, .timeout = 10)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, crowd), 0);
}

/* Leaves with things open, in an order that shows: each member must be cancelled and joined before the return. */
struct deserter {
	mag_frame frame;
	MAG_ARGS(deserter, uint32_t *bodies; uint32_t *cancelled; int64_t result;);
	mag_group outer, inner;
	mag_scope scope;
	int64_t rc;
	int i;
};

MAG_TASK(deserter)
{
	MAG_BEGIN(deserter);
	MAG_GROUP_BEGIN(&self->outer, .limit = 64);
	MAG_SPAWN(self->rc, &self->outer, first, .bodies = self->bodies, .cancelled = self->cancelled, .ns = MAG_NEVER);
	MAG_WITH_TIMEOUT(&self->scope, 100 * REST);
	MAG_GROUP_BEGIN(&self->inner);
	for (self->i = 0; self->i < MEMBERS; self->i++)
		MAG_SPAWN(self->rc, &self->inner, first, .bodies = self->bodies, .cancelled = self->cancelled,
			  .ns = MAG_NEVER);
	MAG_AWAIT(self->rc, mag_sleep, REST);
	MAG_SPAWN(self->rc, &self->inner, idler, .result = -EIO);
	MAG_RETURN(self->result);
	MAG_END;
}

struct deserter_story {
	mag_frame frame;
	MAG_ARGS(deserter_story, int64_t result;);
	uint32_t bodies, cancelled;
	int64_t rc;
};

MAG_TASK(deserter_story)
{
	MAG_BEGIN(deserter_story);
	self->bodies = self->cancelled = 0;
	MAG_CALL(self->rc, deserter, .bodies = &self->bodies, .cancelled = &self->cancelled, .result = self->result);
	CHECK(self->rc == self->result);
	CHECK(counted(&self->bodies) == MEMBERS + 1);
	CHECK(counted(&self->cancelled) == MEMBERS + 1);
	MAG_AWAIT(self->rc, mag_sleep, REST);
	MAG_RETURN(self->rc); /* what was cancelled inside does not reach out */
	MAG_END;
}

/* Tried: magi_group_leave without the cancel sleeps for ever. */
Test(group, a_return_cancels_and_joins_what_is_open_and_keeps_its_result, .timeout = 10)
{
	EACH_WORKERS(n) {
		cr_assert_eq(RUN(n, deserter_story, .result = 42), 0);
		cr_assert_eq(RUN(n, deserter_story, .result = -EIO), 0);
	}
}

/* A group's end inside the step that also has forked children that use the group. */
struct forker {
	mag_frame frame;
	MAG_NO_ARGS(forker);
	mag_group group;
	mag_future gate;
	uint32_t ran;
	int64_t rc;
};

struct spawner {
	mag_frame frame;
	MAG_ARGS(spawner, mag_group *group; mag_future *gate; uint32_t *ran;);
	int64_t rc;
};

MAG_TASK(spawner)
{
	MAG_BEGIN(spawner);
	MAG_AWAIT(self->rc, mag_future_await, self->gate);
	MAG_SPAWN(self->rc, self->group, idler, .ran = self->ran);
	CHECK(self->rc == 0);
	MAG_RETURN(-EIO);
	MAG_END;
}

MAG_TASK(forker)
{
	MAG_BEGIN(forker);
	mag_future_init(&self->gate);
	self->ran = 0;
	MAG_GROUP_BEGIN(&self->group);
	MAG_FORK(spawner, .group = &self->group, .gate = &self->gate, .ran = &self->ran);
	MAG_SPAWN(self->rc, &self->group, opener, .gate = &self->gate, .after = REST);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(self->rc == 0 && counted(&self->ran) == 1);
	MAG_JOIN(self->rc);
	CHECK(self->rc == -EIO); /* kept for the join */
	mag_future_fini(&self->gate);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: MAG_GROUP_END without its join of forked children leaves a child that spawns into a group that is gone. */
Test(group, the_end_of_a_group_joins_forked_children_first, .timeout = 10)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, forker), 0);
}
