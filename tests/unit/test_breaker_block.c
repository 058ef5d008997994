/* SPDX-License-Identifier: MIT */
/* test_breaker_block.c - src/resilience/breaker.c: calls in tasks, which return from within, are cancelled before, during
 * and with their end, by a scope, a deadline, the end of the runtime; and many at once. */
#include "gates.h"

#include <errno.h>

#define MS MAG_MILLISECOND

/* Sleeps, then returns this. */
struct napper {
	mag_frame frame;
	MAG_ARGS(napper, uint64_t ns; int64_t result;);
	int64_t rc;
};

MAG_TASK(napper)
{
	MAG_BEGIN(napper);
	MAG_AWAIT(self->rc, mag_sleep, self->ns);
	MAG_RETURN(self->rc < 0 ? self->rc : self->result);
	MAG_END;
}

enum form { SHORT, BLOCK, RETURNING, FORKING, FORMS };

struct caller {
	mag_frame frame;
	MAG_ARGS(caller, mag_breaker *breaker; enum form form; uint64_t ns; int64_t result;);
	mag_breaker_permit permit;
	int64_t rc;
};

MAG_TASK(caller)
{
	MAG_BEGIN(caller);
	if (self->form == SHORT) {
		MAG_BREAKER(self->rc, &self->permit, self->breaker, napper, .ns = self->ns, .result = self->result);
		MAG_RETURN(self->rc);
	}
	MAG_BREAKER_BEGIN(self->rc, &self->permit, self->breaker);
	if (self->rc == 0 && self->form == FORKING)
		MAG_FORK(napper, .ns = self->ns, .result = self->result);
	else if (self->rc == 0)
		MAG_CALL(self->rc, napper, .ns = self->ns, .result = self->result);
	if (self->form == RETURNING)
		MAG_RETURN(self->rc);
	MAG_BREAKER_END(self->rc, &self->permit, self->rc);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct forms {
	mag_frame frame;
	MAG_ARGS(forms, enum form form;);
	mag_breaker breaker;
	mag_breaker_options options;
	struct mag_breaker_counts counts;
	int64_t rc;
};

MAG_TASK(forms)
{
	MAG_BEGIN(forms);
	self->options = (mag_breaker_options){ .size = sizeof(self->options), .failures = 2 };
	CHECK(mag_breaker_init(&self->breaker, &self->options) == 0);
	MAG_CALL(self->rc, caller, .breaker = &self->breaker, .form = self->form, .ns = MS,
		 .result = self->form == FORKING ? 0 : 7);
	CHECK(self->rc == (self->form == FORKING ? 0 : 7));
	MAG_CALL(self->rc, caller, .breaker = &self->breaker, .form = self->form, .ns = MS, .result = -EIO);
	CHECK(self->rc == -EIO);
	MAG_CALL(self->rc, caller, .breaker = &self->breaker, .form = self->form, .ns = MS, .result = -ENOMEM);
	CHECK(self->rc == -ENOMEM && mag_breaker_state(&self->breaker) == MAG_BREAKER_CLOSED); /* ours */
	MAG_CALL(self->rc, caller, .breaker = &self->breaker, .form = self->form, .ns = MS, .result = -EIO);
	CHECK(self->rc == -EIO && mag_breaker_state(&self->breaker) == MAG_BREAKER_OPEN);
	MAG_CALL(self->rc, caller, .breaker = &self->breaker, .form = self->form, .ns = MS, .result = 0);
	CHECK(self->rc == MAG_EREFUSED);
	mag_breaker_counts(&self->breaker, &self->counts);
	CHECK(self->counts.successes == 1 && self->counts.failures == 2 && self->counts.refused == 1 &&
	      self->counts.ignored == 1);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: a return out of the block that is told nobody. */
Test(breaker, is_told_the_result_on_every_way_out, .timeout = 20)
{
	for (int form = 0; form < FORMS; form++)
		EACH_WORKERS(n)
	cr_assert_eq(RUN(n, forms, .form = (enum form)form), 0, "form %d", form);
}

/* The trial of a half-open one is cut short: before it begins, while it runs, at its end; then there is another one. */
struct cut {
	mag_frame frame;
	MAG_ARGS(cut, enum form form; bool by_scope; uint64_t at;);
	mag_breaker breaker;
	mag_group group;
	mag_handle handle;
	mag_scope scope;
	struct mag_breaker_counts counts;
	int64_t rc, result;
};

MAG_TASK(cut)
{
	MAG_BEGIN(cut);
	CHECK(mag_breaker_init(&self->breaker, NULL) == 0);
	mag_breaker_trip(&self->breaker);
	MAG_AWAIT(self->rc, mag_sleep, MAG_BREAKER_OPEN_NS);
	if (self->by_scope) {
		MAG_GROUP_BEGIN(&self->group);
		MAG_SPAWN_AS(self->rc, &self->handle, &self->group, caller, .breaker = &self->breaker,
			     .form = self->form, .ns = 10 * MS, .result = 0);
		if (self->at)
			MAG_AWAIT(self->rc, mag_sleep, self->at);
		mag_handle_cancel(&self->handle);
		MAG_GROUP_END(self->rc, &self->group);
		self->result = mag_handle_result(&self->handle);
	} else {
		MAG_WITH_TIMEOUT(&self->scope, self->at);
		do {
			MAG_YIELD(self->rc);
		} while (!self->at && !mag_scope_cancelled(&self->scope));
		MAG_CALL(self->result, caller, .breaker = &self->breaker, .form = self->form, .ns = 10 * MS,
			 .result = 0);
		MAG_SCOPE_END(self->rc, &self->scope);
	}
	mag_breaker_counts(&self->breaker, &self->counts);
	CHECK(self->counts.ignored + self->counts.successes == 1 && self->counts.failures == 0);
	CHECK(self->result == (self->counts.ignored ? MAG_ECANCELED : 0));
	CHECK(self->at == 10 * MS || self->counts.ignored);
	if (self->counts.ignored) {
		CHECK(mag_breaker_state(&self->breaker) == MAG_BREAKER_HALF_OPEN);
		MAG_CALL(self->rc, caller, .breaker = &self->breaker, .form = self->form, .ns = MS, .result = 0);
		CHECK(self->rc == 0);
	}
	CHECK(mag_breaker_state(&self->breaker) == MAG_BREAKER_CLOSED);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: a trial's place that is not given back when it was cancelled. */
Test(breaker, trial_that_was_cancelled_leaves_its_place, .timeout = 20)
{
	for (int form = 0; form < FORMS; form++) {
		for (int by_scope = 0; by_scope < 2; by_scope++) {
			for (uint64_t at = 0; at <= 10; at += 5)
				cr_assert_eq(RUN(2, cut, .form = (enum form)form, .by_scope = by_scope, .at = at * MS),
					     0);
		}
	}
}

Test(breaker, end_of_the_runtime_is_no_failure, .timeout = 20)
{
	for (int form = 0; form < FORMS; form++) {
		mag_runtime *rt = play_real(2, 0);
		struct mag_breaker_counts counts;
		mag_breaker breaker;

		cr_assert_eq(mag_breaker_init(&breaker, NULL), 0);
		cr_assert_eq(mag_spawn_from(rt, NULL, caller, .breaker = &breaker, .form = (enum form)form,
					    .ns = 1000 * MAG_SECOND),
			     0);
		cr_assert_eq(mag_runtime_destroy(rt, mag_deadline_in(30 * MAG_SECOND)), 0);
		mag_breaker_counts(&breaker, &counts);
		cr_assert_eq(counts.ignored, 1);
		cr_assert_eq(counts.failures + counts.successes, 0);
	}
}

/* Many at once, while it opens and closes all the time. */
enum { TASKS = 20, CALLS = 1000 / PLAY_SLOWDOWN, TRIALS = 2 };

struct shared {
	mag_breaker breaker;
	uint32_t refused, too_many, trials;
	uint32_t out[4 * TASKS * CALLS]; /* trials under way, by the change that let them through */
};

struct one_of_many {
	mag_frame frame;
	MAG_ARGS(one_of_many, struct shared *s; uint32_t calls;);
	mag_breaker_permit permit;
	uint32_t i;
	uint32_t *out;
	int64_t rc;
};

MAG_TASK(one_of_many)
{
	MAG_BEGIN(one_of_many);
	for (self->i = 0; self->i < self->calls; self->i++) {
		MAG_BREAKER_BEGIN(self->rc, &self->permit, &self->s->breaker);
		self->out = &self->s->out[self->permit.circuit / 4];
		if (self->rc < 0) {
			magi_add_rlx(&self->s->refused, 1u);
		} else if ((self->permit.circuit & 3) == MAG_BREAKER_HALF_OPEN) {
			magi_add_rlx(&self->s->trials, 1u);
			if (magi_add_rlx(self->out, 1u) >= TRIALS)
				magi_add_rlx(&self->s->too_many, 1u);
		}
		MAG_YIELD(self->rc);
		if (self->permit.breaker && (self->permit.circuit & 3) == MAG_BREAKER_HALF_OPEN)
			magi_sub_rlx(self->out, 1u);
		self->rc = self->i % 7 == 0 ? -EIO : self->i % 11 == 0 ? MAG_ECANCELED : 0;
		MAG_BREAKER_END(self->rc, &self->permit, self->rc);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct many {
	mag_frame frame;
	MAG_ARGS(many, struct shared *s; uint32_t tasks; uint32_t calls;);
	mag_group group;
	uint32_t i;
	int64_t rc;
};

MAG_TASK(many)
{
	MAG_BEGIN(many);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < self->tasks; self->i++)
		MAG_SPAWN(self->rc, &self->group, one_of_many, .s = self->s, .calls = self->calls);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(0);
	MAG_END;
}

Test(breaker, lets_no_more_trials_through_than_it_says, .timeout = 20)
{
	const mag_breaker_options options = {
		.size = sizeof(options), .failures = 2, .trials = TRIALS, .open_ns = 1000
	};
	static struct shared s;
	struct mag_breaker_counts counts;
	mag_runtime *rt = play_real(4, 0);
	struct play p = { .rt = rt };
	int64_t rc;

	cr_assert_eq(mag_breaker_init(&s.breaker, &options), 0);
	play_run(&p, rc, many, .s = &s, .tasks = TASKS, .calls = CALLS);
	cr_assert_eq(rc, 0);
	mag_breaker_counts(&s.breaker, &counts);
	cr_assert_eq(counts.successes + counts.failures + counts.ignored + counts.refused, (uint64_t)TASKS * CALLS);
	cr_assert_eq(counts.refused, s.refused);
	cr_assert(counts.opened > 0 && s.trials > 0);
	cr_assert_eq(s.too_many, 0);
	cr_assert_eq(s.breaker.out, 0);
	ledger_closes(rt);
	cr_assert_eq(mag_runtime_destroy(rt, mag_deadline_in(30 * MAG_SECOND)), 0);
}
