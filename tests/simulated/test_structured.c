/* SPDX-License-Identifier: MIT */
/* test_structured.c - gathers, resources and transactions on many schedules, cut short at every moment, and without memory.
 *
 * Always:  what was entered is left once, what was begun is committed or rolled back once (the ledgers are even), each
 *          result of a gather is what its member returned, and nothing is left at the end. */
#include <criterion/criterion.h>
#include <errno.h>
#include <magpie/magpie.h>
#include <magpie/sim.h>

#include "simulated/seeds.h"

enum { MEMBERS = 3 };

MAG_LOCAL_KEY(member, const int);

struct session {
	int i, entered, begun, committed;
};

#define FUNCTION(name, ...)                                            \
	struct name {                                                  \
		mag_frame frame;                                       \
		MAG_ARGS(name, struct session * resource; __VA_ARGS__); \
		int64_t rc;                                            \
	};                                                             \
	MAG_TASK(name)

FUNCTION(session_enter, char none;)
{
	MAG_BEGIN(session_enter);
	MAG_AWAIT(self->rc, mag_sleep, (uint64_t)(3 + self->resource->i * 4) * MAG_MICROSECOND);
	if (self->rc < 0 && self->resource->i != 1) /* that one finishes although it is cancelled */
		MAG_RETURN(self->rc);
	mag_ledger_add("sessions", 1);
	self->resource->entered++;
	MAG_RETURN(0);
	MAG_END;
}

FUNCTION(session_exit, int64_t why;)
{
	MAG_BEGIN(session_exit);
	MAG_AWAIT(self->rc, mag_sleep, 2 * MAG_MICROSECOND);
	mag_sim_assert(self->rc == 0 && self->why <= 0); /* shielded */
	mag_sim_assert(--self->resource->entered == 0 && self->resource->begun == 0);
	mag_ledger_add("sessions", -1);
	MAG_RETURN(self->rc);
	MAG_END;
}

FUNCTION(work_begin, char none;)
{
	MAG_BEGIN(work_begin);
	mag_ledger_add("transactions", 1);
	self->resource->begun++;
	MAG_RETURN(0);
	MAG_END;
}

FUNCTION(work_commit, char none;)
{
	MAG_BEGIN(work_commit);
	MAG_AWAIT(self->rc, mag_sleep, MAG_MICROSECOND);
	if (self->resource->i == 2)
		MAG_RETURN(-EIO); /* the rollback is to follow */
	mag_sim_assert(self->rc == 0 && --self->resource->begun == 0);
	mag_ledger_add("transactions", -1);
	self->resource->committed++;
	MAG_RETURN(0);
	MAG_END;
}

FUNCTION(work_rollback, int64_t why;)
{
	MAG_BEGIN(work_rollback);
	MAG_AWAIT(self->rc, mag_sleep, MAG_MICROSECOND);
	mag_sim_assert(self->rc == 0 && self->why < 0 && --self->resource->begun == 0);
	mag_ledger_add("transactions", -1);
	MAG_RETURN(0);
	MAG_END;
}

/* A session and a transaction in it; 1 + i when that was committed. */
struct user {
	mag_frame frame;
	MAG_ARGS(user, int i; uint64_t ns; bool by_return;);
	struct session session;
	mag_using use, tx;
	mag_local local;
	mag_scope scope;
	int64_t rc, ended;
};

MAG_TASK(user)
{
	MAG_BEGIN(user);
	self->session = (struct session){ .i = self->i };
	MAG_WITH_LOCAL(&self->local, member, &self->i);
	MAG_WITH_TIMEOUT(&self->scope, 15 * MAG_MICROSECOND);
	MAG_USING_BEGIN(self->rc, &self->use, session, &self->session);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_TRANSACTION_BEGIN(self->rc, &self->tx, work, &self->session);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_AWAIT(self->rc, mag_sleep, self->ns);
	mag_sim_assert(*MAG_LOCAL(member) == self->i);
	if (self->rc < 0 && self->by_return)
		MAG_RETURN(self->rc);
	MAG_TRANSACTION_END(self->rc, &self->tx, self->rc);
	mag_sim_assert(self->session.begun == 0 && self->session.committed == (self->rc == 0));
	MAG_USING_END(self->rc, &self->use, self->rc);
	mag_sim_assert(self->session.entered == 0);
	MAG_SCOPE_END(self->ended, &self->scope);
	MAG_RETURN(self->rc < 0 ? self->rc : 1 + self->i);
	MAG_END;
}

struct users {
	mag_frame frame;
	MAG_ARGS(users, enum mag_policy policy; uint32_t limit;);
	mag_gather gather;
	mag_scope scope;
	int64_t results[MEMBERS];
	int64_t rc, ended;
	int i;
};

static void check(const struct users *u)
{
	int64_t winner = mag_gather_winner(&u->gather);

	for (int i = 0; i < MEMBERS; i++)
		mag_sim_assert(u->results[i] < 0 || u->results[i] == 1 + i);
	mag_sim_assert(u->policy >= MAG_ANY || winner < 0);
	if (winner >= 0)
		mag_sim_assert(u->rc == u->results[winner] && (u->rc > 0 || u->policy == MAG_RACE));
	else if (u->policy == MAG_FAIL_FAST && u->rc == 0)
		mag_sim_assert(u->results[0] > 0 && u->results[1] > 0 && u->results[2] > 0);
}

MAG_TASK(users)
{
	MAG_BEGIN(users);
	MAG_WITH_TIMEOUT(&self->scope, 18 * MAG_MICROSECOND);
	if (self->policy == MAG_FAIL_FAST)
		MAG_GATHER_BEGIN(&self->gather, self->results, MEMBERS, .limit = self->limit);
	else if (self->policy == MAG_ANY)
		MAG_ANY_BEGIN(&self->gather, self->results, MEMBERS, .limit = self->limit);
	else
		MAG_RACE_BEGIN(&self->gather, self->results, MEMBERS, .limit = self->limit);
	for (self->i = 0; self->i < MEMBERS; self->i++)
		MAG_GATHER_ADD(self->rc, &self->gather, user, .i = self->i,
			       .ns = (uint64_t)(9 - self->i * 3) * MAG_MICROSECOND, .by_return = self->i != 0);
	if (self->policy == MAG_FAIL_FAST)
		MAG_GATHER_END(self->rc, &self->gather);
	else if (self->policy == MAG_ANY)
		MAG_ANY_END(self->rc, &self->gather);
	else
		MAG_RACE_END(self->rc, &self->gather);
	check(self);
	mag_group_clear(&self->gather.group);
	MAG_SCOPE_END(self->ended, &self->scope);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

static int64_t run_with(uint64_t seed, enum mag_policy policy, uint32_t limit, uint32_t more)
{
	const mag_sim_options options = { .size = sizeof(options), .faults = MAG_SIM_MILD | more, .quiet = more != 0 };

	return mag_sim_run(seed, &options, users, .policy = policy, .limit = limit);
}

static int64_t run_gather(uint64_t seed)
{
	return run_with(seed, MAG_FAIL_FAST, 0, 0);
}

static int64_t run_any(uint64_t seed)
{
	return run_with(seed, MAG_ANY, 2, 0);
}

static int64_t run_race(uint64_t seed)
{
	return run_with(seed, MAG_RACE, 0, 0);
}

/* Where the run itself cannot start nothing is to be seen. */
static int64_t run_starved(uint64_t seed)
{
	int64_t rc = run_with(seed, MAG_ANY, 1, MAG_SIM_MEMORY);

	return rc == -ENOMEM || rc == -EAGAIN ? 0 : rc;
}

ALL(structured, gather, sessions_that_are_gathered_are_left_once)
ALL(structured, any, sessions_of_which_any_will_do_are_left_once)
ALL(structured, race, sessions_in_a_race_are_left_once)
ALL(structured, starved, sessions_are_left_once_where_memory_fails)
