/* SPDX-License-Identifier: MIT */
/* test_structure.c - what goes wrong elsewhere and has no place here: timeouts taken for cancellations, timers and losers
 * left behind, a shutdown that misses what ends or starts meanwhile, more tasks than the limit says. */
#include "gates.h"

/* Why awaits are cut short, as seen by what runs inside. */
struct looks {
	mag_frame frame;
	MAG_ARGS(looks, int want; uint32_t *seen;);
	mag_scope scope;
	int64_t rc;
};

MAG_TASK(looks)
{
	MAG_BEGIN(looks);
	CHECK(mag_cancel_reason(&self->frame) == 0);
	MAG_AWAIT(self->rc, mag_sleep, 100 * REST);
	CHECK(self->rc == MAG_ECANCELED && mag_cancel_reason(&self->frame) == self->want);
	MAG_SHIELD(&self->scope, REST);
	CHECK(mag_cancel_reason(&self->frame) == 0);
	MAG_AWAIT(self->rc, mag_sleep, 100 * REST);
	CHECK(self->rc == MAG_ECANCELED && mag_cancel_reason(&self->frame) == MAG_ETIMEDOUT);
	MAG_SCOPE_END(self->rc, &self->scope);
	CHECK(mag_cancel_reason(&self->frame) == self->want);
	MAG_SHIELD(&self->scope, REST);
	mag_scope_cancel(&self->scope);
	CHECK(mag_cancel_reason(&self->frame) == MAG_ECANCELED);
	MAG_SCOPE_END(self->rc, &self->scope);
	MAG_SCOPE_BEGIN(&self->scope);
	CHECK(mag_cancel_reason(&self->frame) == self->want);
	MAG_SCOPE_END(self->rc, &self->scope);
	count(self->seen);
	MAG_RETURN(0);
	MAG_END;
}

struct stopper {
	mag_frame frame;
	MAG_ARGS(stopper, mag_scope *scope; uint64_t after;);
	int64_t rc;
};

MAG_TASK(stopper)
{
	MAG_BEGIN(stopper);
	MAG_AWAIT(self->rc, mag_sleep, self->after);
	mag_scope_cancel(self->scope);
	MAG_RETURN(0);
	MAG_END;
}

/* outer, inner: a scope's deadline, or 0: it is cancelled after a while, or MAG_NEVER: neither. */
struct reasons {
	mag_frame frame;
	MAG_ARGS(reasons, uint64_t outer; uint64_t inner; int want;);
	mag_group group, members;
	mag_scope a, b;
	uint32_t seen;
	int64_t rc;
};

MAG_TASK(reasons)
{
	MAG_BEGIN(reasons);
	self->seen = 0;
	MAG_GROUP_BEGIN(&self->group);
	MAG_WITH_TIMEOUT(&self->a, self->outer ? self->outer : MAG_NEVER);
	MAG_WITH_TIMEOUT(&self->b, self->inner ? self->inner : MAG_NEVER);
	if (!self->outer)
		MAG_SPAWN(self->rc, &self->group, stopper, .scope = &self->a, .after = 2 * REST);
	if (!self->inner)
		MAG_SPAWN(self->rc, &self->group, stopper, .scope = &self->b, .after = 2 * REST);
	MAG_FORK(looks, .want = self->want, .seen = &self->seen);
	MAG_GROUP_BEGIN(&self->members);
	MAG_SPAWN(self->rc, &self->members, looks, .want = self->want, .seen = &self->seen);
	MAG_CALL(self->rc, looks, .want = self->want, .seen = &self->seen);
	MAG_GROUP_END(self->rc, &self->members);
	MAG_SCOPE_END(self->rc, &self->b);
	MAG_SCOPE_END(self->rc, &self->a);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(counted(&self->seen) == 3);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: the reason of the innermost scope; a walk that goes on behind a scope's own deadline, or through a shield. */
Test(structure, whoever_is_cut_short_can_tell_a_deadline_from_a_cancellation, .timeout = 10)
{
	EACH_WORKERS(n) {
		cr_assert_eq(RUN(n, reasons, .outer = REST, .inner = MAG_NEVER, .want = MAG_ETIMEDOUT), 0);
		cr_assert_eq(RUN(n, reasons, .outer = MAG_NEVER, .inner = REST, .want = MAG_ETIMEDOUT), 0);
		cr_assert_eq(RUN(n, reasons, .outer = 0, .inner = MAG_NEVER, .want = MAG_ECANCELED), 0);
		cr_assert_eq(RUN(n, reasons, .outer = MAG_NEVER, .inner = 0, .want = MAG_ECANCELED), 0);
		cr_assert_eq(RUN(n, reasons, .outer = 0, .inner = REST, .want = MAG_ETIMEDOUT), 0);
		cr_assert_eq(RUN(n, reasons, .outer = REST, .inner = 50 * REST, .want = MAG_ETIMEDOUT), 0);
	}
}

/* A race with a deadline, won at once. */
struct hurry {
	mag_frame frame;
	MAG_NO_ARGS(hurry);
	mag_gather race;
	mag_scope scope;
	int64_t results[3];
	int64_t rc, i;
	uint64_t start;
};

struct sleeper {
	mag_frame frame;
	MAG_ARGS(sleeper, uint64_t ns; bool stubborn;);
	mag_scope scope;
	int64_t rc;
};

MAG_TASK(sleeper)
{
	MAG_BEGIN(sleeper);
	MAG_WITH_TIMEOUT(&self->scope, 60 * REST);
	MAG_AWAIT(self->rc, mag_sleep, self->ns);
	MAG_RETURN(self->stubborn ? 7 : self->rc);
	MAG_END;
}

static uint64_t timers(void)
{
	mag_stats s = { .size = sizeof(s) };

	CHECK(mag_runtime_stats(mag_runtime_current(), &s) == 0);
	return s.timers;
}

MAG_TASK(hurry)
{
	MAG_BEGIN(hurry);
	self->start = mag_now();
	MAG_WITH_TIMEOUT(&self->scope, 60 * REST);
	MAG_RACE_BEGIN(&self->race, self->results, 3);
	for (self->i = 0; self->i < 3; self->i++)
		MAG_RACE_ADD(self->rc, &self->race, sleeper, .ns = self->i == 1 ? 5 : 50 * REST, .stubborn = self->i == 2);
	MAG_RACE_END(self->rc, &self->race);
	CHECK(self->rc == 0 && mag_gather_winner(&self->race) == 1);
	CHECK(self->results[0] == MAG_ECANCELED && self->results[2] == 7); /* it came to its end, too late */
	CHECK(mag_now() - self->start < REST && timers() == 1); /* that of the scope around it */
	MAG_SCOPE_END(self->rc, &self->scope);
	CHECK(self->rc == 0 && timers() == 0);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: a scope that is left with its deadline armed; a race that does not cancel the rest, or that the last one wins. */
Test(structure, what_lost_a_race_is_gone_with_its_timers, .timeout = 10)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, hurry), 0);
}

/* A crowd that is cancelled while its members end, clean up, and start others. */
enum { CROWD = 300 / PLAY_SLOWDOWN };

struct tally {
	uint32_t begun, ended;
};

struct member {
	mag_frame frame;
	MAG_ARGS(member, mag_group *group; struct tally *tally; int i;);
	mag_scope shield;
	int64_t rc;
};

MAG_TASK(member)
{
	MAG_BEGIN(member);
	count(&self->tally->begun);
	MAG_AWAIT(self->rc, mag_sleep, self->i % 7 == 6 ? MAG_NEVER : (uint64_t)(self->i % 7) * 10);
	if (self->i % 3 == 0 && self->i < CROWD) {
		MAG_SPAWN(self->rc, self->group, member, .group = self->group, .tally = self->tally,
			  .i = self->i + CROWD);
	} else if (self->i % 3 == 1) {
		MAG_SHIELD(&self->shield, REST);
		MAG_AWAIT(self->rc, mag_sleep, 5);
		CHECK(self->rc == 0);
		MAG_SCOPE_END(self->rc, &self->shield);
	}
	count(&self->tally->ended);
	MAG_RETURN(0);
	MAG_END;
}

struct crowd {
	mag_frame frame;
	MAG_ARGS(crowd, struct tally *tally; mag_group *background;);
	mag_group group;
	int64_t rc;
	int i;
};

MAG_TASK(crowd)
{
	MAG_BEGIN(crowd);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	for (self->i = 0; self->i < CROWD; self->i++)
		MAG_SPAWN(self->rc, self->background ? self->background : &self->group, member,
			  .group = self->background ? self->background : &self->group, .tally = self->tally,
			  .i = self->i);
	MAG_AWAIT(self->rc, mag_sleep, 30);
	mag_group_cancel(&self->group);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK(self->background || counted(&self->tally->ended) == counted(&self->tally->begun));
	MAG_RETURN(0);
	MAG_END;
}

Test(structure, a_cancelled_crowd_ends_to_the_last_though_members_end_and_start_meanwhile, .timeout = 30)
{
	EACH_WORKERS(n) {
		for (int i = 0; i < 20; i++) {
			struct tally tally = { 0, 0 };

			cr_assert_eq(RUN(n, crowd, .tally = &tally), 0);
			cr_assert_eq(tally.begun, tally.ended);
			cr_assert_geq(tally.begun, CROWD);
		}
	}
}

/* Tried: a background that is not cancelled at the end; one that is not waited for. */
Test(structure, shutdown_ends_the_background_to_the_last_though_tasks_end_and_start_meanwhile, .timeout = 30)
{
	EACH_WORKERS(n) {
		for (int i = 0; i < 20; i++) {
			struct tally tally = { 0, 0 };
			struct play p;
			int64_t rc;

			play_begin(&p, n);
			play_run(&p, rc, crowd, .tally = &tally, .background = mag_background(p.rt));
			cr_assert_eq(rc, 0);
			cr_assert_eq(mag_runtime_destroy(p.rt, mag_deadline_in(30 * MAG_SECOND)), 0);
			magi_world_destroy(p.world);
			cr_assert_eq(tally.begun, tally.ended);
			cr_assert_geq(tally.begun, CROWD);
		}
	}
}

/* A large task that waits: how many there are is seen by the memory they take. */
struct elephant {
	mag_frame frame;
	MAG_NO_ARGS(elephant);
	int64_t rc;
	char bytes[60000];
};

MAG_TASK(elephant)
{
	MAG_BEGIN(elephant);
	MAG_AWAIT(self->rc, mag_sleep, 5);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct herd {
	mag_frame frame;
	MAG_NO_ARGS(herd);
	mag_gather gather;
	int64_t results[200];
	int64_t rc, i;
};

MAG_TASK(herd)
{
	MAG_BEGIN(herd);
	MAG_GATHER_BEGIN(&self->gather, self->results, 200, .limit = 4);
	for (self->i = 0; self->i < 200; self->i++)
		MAG_GATHER_ADD(self->rc, &self->gather, elephant);
	MAG_GATHER_END(self->rc, &self->gather);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: the same without the limit takes 13 MB. */
Test(structure, with_a_limit_no_more_tasks_than_that_exist, .timeout = 20)
{
	EACH_WORKERS(n) {
		mag_stats stats = { .size = sizeof(stats) };
		struct play p;
		int64_t rc;

		play_begin(&p, n);
		play_run(&p, rc, herd);
		cr_assert_eq(rc, 0);
		cr_assert_eq(mag_runtime_stats(p.rt, &stats), 0);
		cr_assert_lt(stats.bytes, 4u << 20, "%llu", (unsigned long long)stats.bytes);
		play_end(&p);
	}
}
