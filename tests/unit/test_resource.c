/* SPDX-License-Identifier: MIT */
/* test_resource.c - resources and transactions: what was entered is left once, on every way out, and is told why. */
#include "gates.h"

#include <stdarg.h>
#include <string.h>

enum { LOG = 400 };

/* How the functions of a resource behave, and what they have done. */
struct thing {
	char name;
	char *log;
	int64_t enter, exit, commit; /* what they return */
	uint64_t enter_ns, exit_ns;  /* how long they sleep */
	bool stubborn;               /* enter succeeds though its sleep was cut short */
};

static void note(char *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void note(char *log, const char *format, ...)
{
	size_t used = strlen(log);
	va_list args;

	va_start(args, format);
	vsnprintf(log + used, LOG - used, format, args);
	va_end(args);
}

static const char *in_words(int64_t rc)
{
	return rc == MAG_ETIMEDOUT ? "late" : rc == MAG_ECANCELED ? "off" : rc < 0 ? "err" : "ok";
}

#define FUNCTION(name_, ...)                                           \
	struct name_ {                                                 \
		mag_frame frame;                                       \
		MAG_ARGS(name_, struct thing * resource; __VA_ARGS__); \
		int64_t rc;                                            \
		char bytes[70000]; /* a class that nobody else uses */ \
	};                                                             \
	MAG_TASK(name_)

FUNCTION(thing_enter, char none;)
{
	MAG_BEGIN(thing_enter);
	MAG_AWAIT(self->rc, mag_sleep, self->resource->enter_ns);
	if (self->rc < 0 && !self->resource->stubborn)
		MAG_RETURN(self->rc);
	if (self->resource->enter >= 0)
		note(self->resource->log, "+%c ", self->resource->name);
	MAG_RETURN(self->resource->enter);
	MAG_END;
}

FUNCTION(thing_exit, int64_t why;)
{
	MAG_BEGIN(thing_exit);
	MAG_AWAIT(self->rc, mag_sleep, self->resource->exit_ns);
	note(self->resource->log, "-%c:%s%s ", self->resource->name, in_words(self->why), self->rc < 0 ? "!" : "");
	MAG_RETURN(self->rc < 0 ? self->rc : self->resource->exit);
	MAG_END;
}

FUNCTION(work_begin, char none;)
{
	MAG_BEGIN(work_begin);
	if (self->resource->enter >= 0)
		note(self->resource->log, "begin ");
	MAG_RETURN(self->resource->enter);
	MAG_END;
}

FUNCTION(work_commit, char none;)
{
	MAG_BEGIN(work_commit);
	MAG_AWAIT(self->rc, mag_sleep, self->resource->exit_ns);
	note(self->resource->log, "commit%s ", self->rc < 0 ? "!" : "");
	MAG_RETURN(self->rc < 0 ? self->rc : self->resource->commit);
	MAG_END;
}

FUNCTION(work_rollback, int64_t why;)
{
	MAG_BEGIN(work_rollback);
	MAG_AWAIT(self->rc, mag_sleep, 50);
	note(self->resource->log, "rollback:%s%s ", in_words(self->why), self->rc < 0 ? "!" : "");
	MAG_RETURN(self->resource->exit);
	MAG_END;
}

/* A resource in which the task sleeps, and ends in one way or another. */
enum leaving { AT_THE_END, BY_RETURN };

struct body {
	mag_frame frame;
	MAG_ARGS(body, struct thing *thing; enum leaving leaving; uint64_t ns; int64_t result; uint64_t grace;
		 uint32_t *begun;);
	mag_using use;
	int64_t rc;
};

MAG_TASK(body)
{
	MAG_BEGIN(body);
	MAG_USING_BEGIN(self->rc, &self->use, thing, self->thing);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	if (self->grace)
		self->use.grace_ns = self->grace;
	note(self->thing->log, "body ");
	if (self->begun)
		raise_flag(self->begun);
	MAG_AWAIT(self->rc, mag_sleep, self->ns);
	if (self->leaving == BY_RETURN)
		MAG_RETURN(self->rc < 0 ? self->rc : self->result);
	MAG_USING_END(self->rc, &self->use, self->rc < 0 ? self->rc : self->result);
	note(self->thing->log, "after ");
	MAG_RETURN(self->rc);
	MAG_END;
}

/* In a scope that ends in time, by a deadline, or by somebody else. */
struct framed {
	mag_frame frame;
	MAG_ARGS(framed, struct thing *thing; enum leaving leaving; uint64_t ns; int64_t result; uint64_t grace;
		 uint64_t deadline; bool cancelled;);
	mag_scope scope;
	int64_t rc, ended;
};

MAG_TASK(framed)
{
	MAG_BEGIN(framed);
	MAG_WITH_TIMEOUT(&self->scope, self->deadline ? self->deadline : MAG_NEVER);
	if (self->cancelled)
		mag_scope_cancel(&self->scope);
	MAG_CALL(self->rc, body, .thing = self->thing, .leaving = self->leaving, .ns = self->ns, .result = self->result,
		 .grace = self->grace);
	MAG_SCOPE_END(self->ended, &self->scope);
	MAG_AWAIT(self->ended, mag_sleep, 1);
	CHECK(self->ended == 0);
	MAG_RETURN(self->rc);
	MAG_END;
}

#define STORY(thing_, want_rc, want_log, ...)                                               \
	do {                                                                                \
		EACH_WORKERS(n) {                                                           \
			for (int l = AT_THE_END; l <= BY_RETURN; l++) {                     \
				char log[LOG] = "";                                         \
				struct thing thing = thing_;                                \
				int64_t rc;                                                 \
				thing.name = 'a';                                           \
				thing.log = log;                                            \
				rc = RUN(n, framed, .thing = &thing, .leaving = l, __VA_ARGS__); \
				char *after = strstr(log, "after ");                        \
				if (after)                                                  \
					*after = 0;                                         \
				cr_assert_str_eq(log, want_log);                            \
				cr_assert_eq(rc, want_rc, "%lld", (long long)rc);           \
			}                                                                   \
		}                                                                           \
	} while (0)
#define THING(...) ((struct thing){ __VA_ARGS__ })

Test(resource, exit_is_told_that_the_body_ended_well_or_with_which_error, .timeout = 10)
{
	STORY(THING(.enter_ns = 5, .exit_ns = 5), 7, "+a body -a:ok ", .result = 7);
	STORY(THING(.exit_ns = 5), -EIO, "+a body -a:err ", .result = -EIO);
}

Test(resource, the_error_of_exit_is_reported_and_that_of_the_body_is_not_lost, .timeout = 10)
{
	STORY(THING(.exit = -EPIPE), -EPIPE, "+a body -a:ok ", .result = 7);
	STORY(THING(.exit = -EPIPE), -EIO, "+a body -a:err ", .result = -EIO);
}

/* Tried: exit in the body's scope instead of a shield ends its sleep at once. */
Test(resource, exit_may_await_after_a_cancellation_and_is_told_whether_it_was_a_deadline, .timeout = 10)
{
	STORY(THING(.exit_ns = 50), MAG_ECANCELED, "+a body -a:late ", .ns = 1000, .deadline = 100);
	STORY(THING(.enter_ns = 50, .stubborn = true, .exit_ns = 50), MAG_ECANCELED, "+a body -a:off ", .ns = 1000,
	      .cancelled = true);
}

/* Tried: an entry on the open list before enter has returned. */
Test(resource, what_was_not_entered_is_not_left, .timeout = 10)
{
	STORY(THING(.enter = -EIO), -EIO, "");
	STORY(THING(.enter_ns = 1000), MAG_ECANCELED, "", .deadline = 100);
	STORY(THING(.enter_ns = 1000), MAG_ECANCELED, "", .cancelled = true);
}

Test(resource, enter_that_finished_although_it_was_cancelled_is_left, .timeout = 10)
{
	STORY(THING(.enter_ns = 1000, .stubborn = true), MAG_ECANCELED, "+a body -a:late ", .ns = 5, .deadline = 100);
}

Test(resource, exit_that_takes_too_long_is_cut_short_and_that_is_its_error, .timeout = 10)
{
	STORY(THING(.exit_ns = MAG_NEVER), MAG_ETIMEDOUT, "+a body -a:ok! ", .result = 7, .grace = 500);
	STORY(THING(.exit_ns = MAG_NEVER), -EIO, "+a body -a:err! ", .result = -EIO, .grace = 500);
}

/* The end of the runtime. */
Test(resource, exit_runs_at_shutdown, .timeout = 10)
{
	EACH_WORKERS(n) {
		char log[LOG] = "";
		struct thing thing = { .name = 'a', .log = log, .exit_ns = 50 };
		uint32_t begun = 0;
		struct play p;

		play_begin(&p, n);
		cr_assert_eq(mag_spawn_from(p.rt, NULL, body, .thing = &thing, .ns = MAG_NEVER, .begun = &begun), 0);
		while (!is_raised(&begun))
			sched_yield();
		cr_assert_eq(mag_runtime_destroy(p.rt, mag_deadline_in(30 * MAG_SECOND)), 0);
		magi_world_destroy(p.world);
		cr_assert_str_eq(log, "+a body -a:off after ");
	}
}

/* Three, one in another, the last in a scope that is open, too, and a forked child that fails. */
struct nested {
	mag_frame frame;
	MAG_ARGS(nested, char *log; bool fork; bool end;);
	struct thing a, b, c;
	mag_using ua, ub, uc;
	mag_scope scope;
	int64_t rc;
};

MAG_TASK(nested)
{
	MAG_BEGIN(nested);
	self->a = (struct thing){ .name = 'a', .log = self->log, .exit_ns = 10 };
	self->b = (struct thing){ .name = 'b', .log = self->log, .exit = -EPIPE };
	self->c = (struct thing){ .name = 'c', .log = self->log, .exit_ns = 10 };
	MAG_USING_BEGIN(self->rc, &self->ua, thing, &self->a);
	MAG_USING_BEGIN(self->rc, &self->ub, thing, &self->b);
	MAG_SCOPE_BEGIN(&self->scope);
	MAG_USING_BEGIN(self->rc, &self->uc, thing, &self->c);
	if (self->fork)
		MAG_FORK(idler, .result = -EIO);
	if (self->end) {
		MAG_USING_END(self->rc, &self->uc, 3);
		CHECK(self->rc == -EIO);
		MAG_JOIN(self->rc);
	}
	MAG_RETURN(self->end ? self->rc : 3);
	MAG_END;
}

/* Tried: the first entry of the list left first. */
Test(resource, nested_ones_are_left_in_reverse_order, .timeout = 10)
{
	EACH_WORKERS(n) {
		char log[LOG] = "";

		cr_assert_eq(RUN(n, nested, .log = log), -EPIPE);
		cr_assert_str_eq(log, "+a +b +c -c:ok -b:ok -a:err ");
	}
}

/* Tried: magi_using_end and magi_left_with, each without a look at join_err. */
Test(resource, the_error_of_a_forked_child_is_one_of_the_body, .timeout = 10)
{
	EACH_WORKERS(n) {
		char log[LOG] = "";

		cr_assert_eq(RUN(n, nested, .log = log, .fork = true), -EIO);
		cr_assert_str_eq(log, "+a +b +c -c:err -b:err -a:err ");
		log[0] = 0;
		cr_assert_eq(RUN(n, nested, .log = log, .fork = true, .end = true), -EIO);
		cr_assert_str_eq(log, "+a +b +c -c:err -b:err -a:err ");
	}
}

/* A generator that emits with one open, and whose consumer stops early. */
struct pages {
	mag_frame frame;
	MAG_ARGS(pages, struct thing *thing;);
	mag_using use;
	int64_t rc;
	int i;
};

MAG_TASK(pages)
{
	MAG_BEGIN(pages);
	MAG_USING_BEGIN(self->rc, &self->use, thing, self->thing);
	for (self->i = 0; self->rc >= 0; self->i++)
		MAG_EMIT(self->rc, self->i);
	MAG_USING_END(self->rc, &self->use, self->rc);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct reads {
	mag_frame frame;
	MAG_ARGS(reads, char *log;);
	struct thing thing;
	mag_generator gen;
	int64_t rc;
	int page;
};

MAG_TASK(reads)
{
	MAG_BEGIN(reads);
	self->thing = (struct thing){ .name = 'a', .log = self->log, .exit_ns = 10 };
	MAG_GENERATE(self->rc, &self->gen, pages, .thing = &self->thing);
	do
		MAG_NEXT(self->rc, &self->gen, &self->page);
	while (self->rc == 1 && self->page < 3);
	note(self->log, "%d ", self->page);
	MAG_CLOSE(&self->gen);
	note(self->log, "closed");
	MAG_RETURN(0);
	MAG_END;
}

Test(resource, a_generator_holds_one_over_its_items, .timeout = 10)
{
	EACH_WORKERS(n) {
		char log[LOG] = "";

		cr_assert_eq(RUN(n, reads, .log = log), 0);
		cr_assert_str_eq(log, "+a 3 -a:off closed");
	}
}

/* Without memory for one of the functions nothing is entered, and nothing is lost. */
struct starved {
	mag_frame frame;
	MAG_ARGS(starved, char *log; uint64_t which;);
	struct thing thing;
	mag_using use;
	int64_t rc, ended;
};

MAG_TASK(starved)
{
	MAG_BEGIN(starved);
	self->thing = (struct thing){ .name = 'a', .log = self->log };
	magi_fault_plan(self->which, 0);
	MAG_USING_BEGIN(self->rc, &self->use, thing, &self->thing);
	magi_fault_plan(0, 0);
	MAG_USING_END(self->ended, &self->use, 5);
	CHECK(self->ended == 5);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(resource, without_memory_for_its_exit_nothing_is_entered, .timeout = 10)
{
	for (uint64_t which = 1; which <= 2; which++) {
		char log[LOG] = "";

		cr_assert_eq(RUN(1, starved, .log = log, .which = which), -ENOMEM);
		cr_assert_str_eq(log, "");
	}
}

/* A session around a transaction. */
struct bank {
	mag_frame frame;
	MAG_ARGS(bank, struct thing *session; struct thing *work; enum leaving leaving; uint64_t ns; int64_t result;
		 uint64_t deadline; bool cancel;);
	mag_using use, tx;
	mag_scope scope;
	int64_t rc, ended;
};

MAG_TASK(bank)
{
	MAG_BEGIN(bank);
	MAG_USING_BEGIN(self->rc, &self->use, thing, self->session);
	MAG_WITH_TIMEOUT(&self->scope, self->deadline ? self->deadline : MAG_NEVER);
	MAG_TRANSACTION_BEGIN(self->rc, &self->tx, work, self->work);
	if (self->rc >= 0) {
		self->tx.grace_ns = 100;
		MAG_AWAIT(self->rc, mag_sleep, self->ns);
		if (self->rc >= 0)
			self->rc = self->result;
		if (self->cancel)
			mag_scope_cancel(&self->scope);
	}
	if (self->leaving == BY_RETURN)
		MAG_RETURN(self->rc);
	MAG_TRANSACTION_END(self->rc, &self->tx, self->rc);
	MAG_SCOPE_END(self->ended, &self->scope);
	MAG_USING_END(self->rc, &self->use, self->rc);
	MAG_RETURN(self->rc);
	MAG_END;
}

#define BANK(work_, want_rc, want_log, ...)                                                                       \
	do {                                                                                                      \
		EACH_WORKERS(n) {                                                                                 \
			for (int l = AT_THE_END; l <= BY_RETURN; l++) {                                           \
				char log[LOG] = "";                                                               \
				struct thing work = work_, session = { .name = 's', .log = log };                 \
				int64_t rc;                                                                       \
				work.log = log;                                                                   \
				rc = RUN(n, bank, .session = &session, .work = &work, .leaving = l, __VA_ARGS__); \
				cr_assert_str_eq(log, want_log);                                                  \
				cr_assert_eq(rc, want_rc, "%lld", (long long)rc);                                 \
			}                                                                                         \
		}                                                                                                 \
	} while (0)

/* Tried: commit run on a cancellation (next_exit that looks at the scope, not at why); no rollback after a failed commit. */
Test(transaction, it_is_committed_only_when_the_body_ended_well, .timeout = 10)
{
	BANK(THING(.exit_ns = 5), 3, "+s begin commit -s:ok ", .result = 3);
	BANK(THING(.exit_ns = 5), -EIO, "+s begin rollback:err -s:err ", .result = -EIO);
	BANK(THING(.exit_ns = 5), MAG_ECANCELED, "+s begin rollback:late -s:off ", .ns = 1000, .deadline = 100);
}

Test(transaction, a_commit_that_fails_is_rolled_back_and_is_the_result, .timeout = 10)
{
	BANK(THING(.commit = -EPIPE), -EPIPE, "+s begin commit rollback:err -s:err ", .result = 3);
	BANK(THING(.exit_ns = MAG_NEVER), MAG_ETIMEDOUT, "+s begin commit! rollback:late -s:late ", .result = 3);
}

Test(transaction, one_that_did_not_begin_is_neither_committed_nor_rolled_back, .timeout = 10)
{
	BANK(THING(.enter = -EIO), -EIO, "+s -s:err ");
}

/* Cancelled after the last of the body's work: what is done is done. */
Test(transaction, a_body_that_ended_well_in_a_cancelled_scope_is_committed, .timeout = 10)
{
	BANK(THING(.exit_ns = 5), 3, "+s begin commit -s:ok ", .result = 3, .cancel = true);
}
