/* SPDX-License-Identifier: MIT */
/* test_gather.c - many functions at once: results in order, who decides, what is called off. */
#include "gates.h"

#include <signal.h>

#ifdef MAGPIE_DEBUG
#define MISUSE(...) .signal = SIGABRT, __VA_ARGS__
#define NOT_BY_THAT_SIGNAL exit(0)
#else
#define MISUSE(...) __VA_ARGS__
#define NOT_BY_THAT_SIGNAL ((void)0)
#endif

enum { MANY = 200, FEW = 4 };

/* Ends after a while, or at once; counts those that were called off, and how many of them there are at once. */
struct worker {
	mag_frame frame;
	MAG_ARGS(worker, uint64_t ns; int64_t result; uint32_t *off; uint32_t *now; uint32_t *most;);
	int64_t rc;
};

static void enter(struct worker *self)
{
	uint32_t now = magi_add_ar(self->now, 1u) + 1; /* [gauge] */
	uint32_t most = magi_load_acq(self->most);     /* [gauge] */

	while (now > most && !magi_cas_ar(self->most, &most, now)) /* [gauge] */
		;
}

MAG_TASK(worker)
{
	MAG_BEGIN(worker);
	if (self->now)
		enter(self);
	self->rc = 0;
	if (self->ns)
		MAG_AWAIT(self->rc, mag_sleep, self->ns);
	if (self->rc < 0 && self->off)
		count(self->off);
	if (self->now)
		magi_sub_ar(self->now, 1u); /* [gauge] */
	MAG_RETURN(self->rc < 0 ? self->rc : self->result);
	MAG_END;
}

struct all {
	mag_frame frame;
	MAG_ARGS(all, uint32_t limit; bool sleeps;);
	mag_gather g;
	int64_t results[MANY];
	uint32_t now, most;
	int64_t rc;
	int i;
};

MAG_TASK(all)
{
	MAG_BEGIN(all);
	self->now = self->most = 0;
	MAG_GATHER_BEGIN(&self->g, self->results, MANY, .limit = self->limit);
	for (self->i = 0; self->i < MANY; self->i++) {
		MAG_GATHER_ADD(self->rc, &self->g, worker, .ns = self->sleeps ? (uint64_t)(MANY - self->i) * 1000 : 0,
			       .result = self->i * 3, .now = &self->now, .most = &self->most);
		CHECK(self->rc == 0);
	}
	MAG_GATHER_END(self->rc, &self->g);
	CHECK(self->rc == 0);
	for (int i = 0; i < MANY; i++)
		CHECK(self->results[i] == i * 3);
	CHECK(!self->limit || counted(&self->most) <= self->limit);
	CHECK(mag_gather_winner(&self->g) == -1);
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: results stored in order of ending; the slot not stored by members that a limit looks at. */
Test(gather, results_stand_in_the_order_of_adding_whoever_ends_first, .timeout = 20)
{
	EACH_WORKERS(n) {
		for (uint32_t limit = 0; limit <= 5; limit += 5) {
			cr_assert_eq(RUN(n, all, .limit = limit, .sleeps = false), 0);
			cr_assert_eq(RUN(n, all, .limit = limit, .sleeps = true), 0);
		}
	}
}

struct each {
	mag_frame frame;
	MAG_NO_ARGS(each);
	mag_gather g, h;
	int64_t results[MANY];
	int64_t rc;
	int i;
};

MAG_TASK(each)
{
	MAG_BEGIN(each);
	MAG_GATHER_EACH(self->rc, &self->g, self->results, MANY, self->i, idler, .result = self->i + 1);
	CHECK(self->rc == 0);
	for (int i = 0; i < MANY; i++)
		CHECK(self->results[i] == i + 1);
	MAG_SETTLED_EACH(self->rc, &self->h, self->results, MANY, self->i, idler, .result = -self->i);
	CHECK(self->rc == 0);
	for (int i = 0; i < MANY; i++)
		CHECK(self->results[i] == -i);
	CHECK(mag_group_errors(&self->h.group, NULL) == MANY - 1);
	MAG_GATHER_EACH(self->rc, &self->g, self->results, 0, self->i, idler);
	CHECK(self->rc == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(gather, one_line_maps_a_function_over_arguments, .timeout = 10)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, each), 0);
}

/* Members that end one after the other; what each policy makes of that. results, want_results: NULL stands for what was
 * called off. */
struct decided {
	mag_frame frame;
	MAG_ARGS(decided, enum mag_policy policy; const int64_t *ends; const int64_t *want; int64_t rc_wanted; int winner;
		 uint32_t errors;);
	mag_gather g;
	int64_t results[FEW];
	uint32_t off;
	int64_t rc;
	int i;
};

#define ADD(how) how##_ADD(self->rc, &self->g, worker, .ns = REST * (uint64_t)(self->i + 1), \
			   .result = self->ends[self->i], .off = &self->off)

MAG_TASK(decided)
{
	uint32_t off;

	MAG_BEGIN(decided);
	self->off = 0;
	if (self->policy == MAG_FAIL_FAST)
		MAG_GATHER_BEGIN(&self->g, self->results, FEW);
	else if (self->policy == MAG_COLLECT)
		MAG_SETTLED_BEGIN(&self->g, self->results, FEW);
	else if (self->policy == MAG_ANY)
		MAG_ANY_BEGIN(&self->g, self->results, FEW);
	else
		MAG_RACE_BEGIN(&self->g, self->results, FEW);
	for (self->i = 0; self->i < FEW; self->i++)
		ADD(MAG_ANY);
	if (self->policy == MAG_FAIL_FAST)
		MAG_GATHER_END(self->rc, &self->g);
	else if (self->policy == MAG_COLLECT)
		MAG_SETTLED_END(self->rc, &self->g);
	else if (self->policy == MAG_ANY)
		MAG_ANY_END(self->rc, &self->g);
	else
		MAG_RACE_END(self->rc, &self->g);
	CHECK(self->rc == self->rc_wanted);
	CHECK(mag_gather_winner(&self->g) == self->winner);
	CHECK(mag_group_errors(&self->g.group, NULL) == self->errors);
	off = 0;
	for (int i = 0; i < FEW; i++) {
		CHECK(self->results[i] == self->want[i]);
		off += self->want[i] == MAG_ECANCELED;
	}
	CHECK(counted(&self->off) == off); /* each has been cancelled and joined */
	MAG_RETURN(0);
	MAG_END;
}

#define L(...) { __VA_ARGS__ }
#define OFF MAG_ECANCELED
#define DECIDED(policy_, ends_, want_, rc_, winner_, errors_)                                                       \
	do {                                                                                                        \
		static const int64_t ends[FEW] = ends_, want[FEW] = want_;                                          \
		EACH_WORKERS(n)                                                                                     \
			cr_assert_eq(RUN(n, decided, .policy = (policy_), .ends = ends, .want = want,               \
					 .rc_wanted = (rc_), .winner = (winner_), .errors = (errors_)), 0);         \
	} while (0)

Test(gather, the_first_error_cancels_the_rest_and_what_had_finished_stays, .timeout = 10)
{
	DECIDED(MAG_FAIL_FAST, L(1, -EIO, 3, 4), L(1, -EIO, OFF, OFF), -EIO, -1, 1);
	DECIDED(MAG_FAIL_FAST, L(1, 2, 3, 4), L(1, 2, 3, 4), 0, -1, 0);
}

Test(gather, settled_runs_all_to_their_end, .timeout = 10)
{
	DECIDED(MAG_COLLECT, L(-EIO, 2, -EPIPE, 4), L(-EIO, 2, -EPIPE, 4), 0, -1, 2);
}

/* Tried: judge() that lets an error decide MAG_ANY; a winner's index taken from the order of ending. */
Test(gather, any_is_decided_by_the_first_success, .timeout = 10)
{
	DECIDED(MAG_ANY, L(-EIO, 0, 3, 4), L(-EIO, 0, OFF, OFF), 0, 1, 1);
	DECIDED(MAG_ANY, L(-EIO, -EPIPE, -ENOENT, -EACCES), L(-EIO, -EPIPE, -ENOENT, -EACCES), -EIO, -1, 4);
}

/* Tried: judge() that waits for a success in a race, too. */
Test(gather, a_race_is_decided_by_the_first_that_ends_well_or_not, .timeout = 10)
{
	DECIDED(MAG_RACE, L(7, -EIO, 3, 4), L(7, OFF, OFF, OFF), 7, 0, 0);
	DECIDED(MAG_RACE, L(-EIO, 7, 3, 4), L(-EIO, OFF, OFF, OFF), -EIO, 0, 1);
}

/* A deadline over many: what was finished stays. */
struct late {
	mag_frame frame;
	MAG_ARGS(late, uint32_t limit;);
	mag_scope scope;
	mag_gather g;
	int64_t results[FEW];
	uint32_t off;
	int64_t rc, ended;
	int i;
};

MAG_TASK(late)
{
	MAG_BEGIN(late);
	self->off = 0;
	MAG_WITH_TIMEOUT(&self->scope, self->limit ? 4 * REST : 2 * REST + REST / 2);
	MAG_GATHER_BEGIN(&self->g, self->results, FEW, .limit = self->limit);
	for (self->i = 0; self->i < FEW; self->i++)
		MAG_GATHER_ADD(self->rc, &self->g, worker, .ns = REST * (uint64_t)(self->i + 1), .result = 10 + self->i,
			       .off = &self->off);
	MAG_GATHER_END(self->rc, &self->g);
	MAG_SCOPE_END(self->ended, &self->scope);
	CHECK(self->rc == MAG_ECANCELED && self->ended == MAG_ETIMEDOUT);
	CHECK(self->results[0] == 10 && self->results[1] == 11);
	CHECK(self->results[2] == MAG_ECANCELED && self->results[3] == MAG_ECANCELED);
	CHECK(mag_group_errors(&self->g.group, NULL) == 0);
	CHECK(counted(&self->off) == (self->limit ? 1 : 2)); /* with a limit the last is never started */
	MAG_AWAIT(self->rc, mag_sleep, REST);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Tried: results cleared at the end of a gather that was cancelled: what every all-or-nothing timeout does. */
Test(gather, a_deadline_over_many_keeps_what_had_finished, .timeout = 10)
{
	EACH_WORKERS(n) {
		cr_assert_eq(RUN(n, late, .limit = 0), 0);
		cr_assert_eq(RUN(n, late, .limit = 1), 0);
	}
}

/* Nobody waits for the end: the frame's own does it. */
struct left_open {
	mag_frame frame;
	MAG_ARGS(left_open, uint32_t *off; int64_t *results;);
	mag_gather g;
	int64_t rc;
	int i;
};

MAG_TASK(left_open)
{
	MAG_BEGIN(left_open);
	MAG_RACE_BEGIN(&self->g, self->results, FEW);
	for (self->i = 0; self->i < FEW; self->i++)
		MAG_RACE_ADD(self->rc, &self->g, worker, .ns = MAG_NEVER, .off = self->off);
	MAG_AWAIT(self->rc, mag_sleep, REST);
	MAG_RETURN(42);
	MAG_END;
}

struct opens {
	mag_frame frame;
	MAG_NO_ARGS(opens);
	int64_t results[FEW];
	uint32_t off;
	int64_t rc;
};

MAG_TASK(opens)
{
	MAG_BEGIN(opens);
	self->off = 0;
	MAG_CALL(self->rc, left_open, .off = &self->off, .results = self->results);
	CHECK(self->rc == 42 && counted(&self->off) == FEW);
	MAG_RETURN(0);
	MAG_END;
}

Test(gather, a_return_cancels_and_joins_one_that_is_open, .timeout = 10)
{
	EACH_WORKERS(n)
		cr_assert_eq(RUN(n, opens), 0);
}

/* Each frame in turn cannot be had: its index says so, and it is the gather's error. */
struct scarce {
	mag_frame frame;
	MAG_NO_ARGS(scarce);
	const struct mag_group_error *list;
	mag_gather g;
	int64_t results[FEW];
	int64_t rc, added;
	int i;
};

/* Larger than any other frame here, so that its class is empty. */
struct giant {
	mag_frame frame;
	MAG_NO_ARGS(giant);
	char bytes[70000];
};

MAG_TASK(giant)
{
	MAG_BEGIN(giant);
	MAG_RETURN(5);
	MAG_END;
}

MAG_TASK(scarce)
{
	MAG_BEGIN(scarce);
	MAG_SETTLED_BEGIN(&self->g, self->results, FEW);
	MAG_SETTLED_ADD(self->rc, &self->g, idler, .result = 1);
	magi_fault_plan(1, 0);
	MAG_SETTLED_ADD(self->added, &self->g, giant);
	magi_fault_plan(0, 0);
	MAG_SETTLED_ADD(self->rc, &self->g, giant);
	MAG_SETTLED_END(self->rc, &self->g);
	CHECK(self->rc == 0 && self->added == -ENOMEM);
	CHECK(self->results[0] == 1 && self->results[1] == -ENOMEM && self->results[2] == 5);
	CHECK(self->results[3] == MAG_ECANCELED); /* never added */
	CHECK(mag_group_errors(&self->g.group, &self->list) == 1);
	CHECK(self->list->code == -ENOMEM && self->list->index == 1);
	MAG_RETURN(0);
	MAG_END;
}

Test(gather, a_member_without_memory_counts_as_one_that_failed, .timeout = 10)
{
	cr_assert_eq(RUN(1, scarce), 0);
}

struct greedy {
	mag_frame frame;
	MAG_NO_ARGS(greedy);
	mag_gather g;
	int64_t results[1];
	int64_t rc;
};

MAG_TASK(greedy)
{
	MAG_BEGIN(greedy);
	MAG_GATHER_BEGIN(&self->g, self->results, 1);
	MAG_GATHER_ADD(self->rc, &self->g, idler, .result = 1);
	MAG_GATHER_ADD(self->rc, &self->g, idler, .result = 2);
	NOT_BY_THAT_SIGNAL;
	CHECK(self->rc == -EOVERFLOW);
	MAG_GATHER_END(self->rc, &self->g);
	CHECK(self->rc == 0 && self->results[0] == 1);
	MAG_RETURN(0);
	MAG_END;
}

Test(gather, more_than_there_is_room_for_is_refused, MISUSE(.timeout = 10))
{
	cr_assert_eq(RUN(1, greedy), 0);
}

/* Adds where nothing may be added. */
struct stranger {
	mag_frame frame;
	MAG_ARGS(stranger, mag_gather *g;);
	int64_t rc;
};

MAG_TASK(stranger)
{
	MAG_BEGIN(stranger);
	MAG_GATHER_ADD(self->rc, self->g, idler);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct misused {
	mag_frame frame;
	MAG_ARGS(misused, bool late;);
	mag_gather g;
	int64_t results[2];
	int64_t rc;
};

MAG_TASK(misused)
{
	MAG_BEGIN(misused);
	MAG_SETTLED_BEGIN(&self->g, self->results, 2);
	if (!self->late)
		MAG_SETTLED_ADD(self->rc, &self->g, stranger, .g = &self->g);
	MAG_SETTLED_END(self->rc, &self->g);
	if (self->late)
		MAG_SETTLED_ADD(self->results[0], &self->g, idler);
	NOT_BY_THAT_SIGNAL;
	CHECK(self->results[0] == (self->late ? MAG_ECLOSED : -EPERM));
	MAG_RETURN(0);
	MAG_END;
}

/* Tried: magi_gather_add without each of its three looks. */
Test(gather, adding_in_another_task_is_refused, MISUSE(.timeout = 10))
{
	cr_assert_eq(RUN(2, misused, .late = false), 0);
}

Test(gather, adding_behind_the_end_is_refused, MISUSE(.timeout = 10))
{
	cr_assert_eq(RUN(2, misused, .late = true), 0);
}

#ifdef MAGPIE_DEBUG
struct twice {
	mag_frame frame;
	MAG_NO_ARGS(twice);
	mag_gather g;
	int64_t results[1], rc;
};

MAG_TASK(twice)
{
	MAG_BEGIN(twice);
	MAG_GATHER_BEGIN(&self->g, self->results, 1);
	MAG_GATHER_BEGIN(&self->g, self->results, 1);
	MAG_GATHER_END(self->rc, &self->g);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(gather, opening_what_is_open_ends_the_program, .timeout = 10, .signal = SIGABRT)
{
	RUN(1, twice);
}
#endif

/* The errors in words. */
struct told {
	mag_frame frame;
	MAG_NO_ARGS(told);
	mag_gather g;
	int64_t results[100];
	int64_t rc;
	int i;
};

static void check_told(const mag_group *g)
{
	static char want[200], text[MAG_GROUP_ERRORS_MAX * 200];
	size_t n = mag_group_errors_text(g, text, sizeof(text));
	char line[20], *from;
	FILE *file = tmpfile();

	CHECK(n == strlen(text));
	snprintf(want, sizeof(want), "#50 EIO: %s, in told at %s:", mag_strerror(-EIO), __FILE__);
	CHECK(strstr(text, want) && strstr(text, "(gather idler)\n#"));
	from = strstr(text, "and ");
	CHECK(from && strcmp(from, "and 36 more\n") == 0);
	CHECK(mag_group_errors_text(g, line, sizeof(line)) == n && strlen(line) == sizeof(line) - 1);
	CHECK(strncmp(line, text, sizeof(line) - 1) == 0);
	CHECK(file && mag_group_errors_print(g, file) == MAG_GROUP_ERRORS_MAX + 1);
	CHECK((size_t)ftell(file) == n);
	fclose(file);
}

MAG_TASK(told)
{
	MAG_BEGIN(told);
	MAG_SETTLED_EACH(self->rc, &self->g, self->results, 100, self->i, idler, .result = -EIO);
	check_told(&self->g.group);
	MAG_GATHER_EACH(self->rc, &self->g, self->results, 5, self->i, idler, .result = 0);
	CHECK(mag_group_errors_text(&self->g.group, NULL, 0) == 0);
	MAG_RETURN(0);
	MAG_END;
}

Test(gather, errors_are_told_in_words_with_whose_they_are_and_where, .timeout = 10)
{
	cr_assert_eq(RUN(1, told), 0);
}
