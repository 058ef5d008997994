/* SPDX-License-Identifier: MIT */
/* calls.h - calls that are tried again, hedged and broken, cut short at every moment.
 *
 * Always:  no call outlives its end, what one has got is used once or given back once (the ledger "connections" is even),
 *          what the budget was asked for is what was made again; and a breaker that has lost no place among its trials
 *          closes in the end. */
#ifndef MAGPIE_TESTS_CALLS_H
#define MAGPIE_TESTS_CALLS_H

#include <errno.h>
#include <magpie/impl/atomic.h>
#include <magpie/magpie.h>
#include <magpie/sim.h>

enum { CALLERS = 4, BUDGET = 100, OPEN_US = 3 };

/* What they call: takes a connection, which who gets a success has to give back. */
struct service {
	mag_breaker breaker;
	mag_budget budget;
	uint32_t again; /* atomic: attempts but for the first */
	bool plenty;    /* there is memory */
};

struct connect {
	mag_frame frame;
	MAG_ARGS(connect, uint32_t us; bool fails; bool deaf;);
	int64_t rc;
};

static MAG_TASK(connect)
{
	MAG_BEGIN(connect);
	mag_ledger_add("connections", 1);
	MAG_AWAIT(self->rc, mag_sleep, self->us * MAG_MICROSECOND);
	if (self->rc < 0 && self->deaf)
		self->rc = 0;
	if (self->rc == 0 && self->fails)
		self->rc = -ECONNRESET;
	if (self->rc < 0)
		mag_ledger_add("connections", -1);
	MAG_RETURN(self->rc);
	MAG_END;
}

static inline void disconnect(int64_t result, void *arg)
{
	(void)result;
	(void)arg;
	mag_ledger_add("connections", -1);
}

/* One breaker, many callers, each of which is cut short at times. */
struct visitor {
	mag_frame frame;
	MAG_ARGS(visitor, struct service *s; uint32_t i;);
	mag_scope scope;
	mag_breaker_permit permit;
	uint32_t round;
	int64_t rc, why;
};

static MAG_TASK(visitor)
{
	MAG_BEGIN(visitor);
	for (self->round = 0; self->round < 4; self->round++) {
		MAG_WITH_TIMEOUT(&self->scope, (3 + self->i * 2) * MAG_MICROSECOND);
		if (self->round % 2) {
			MAG_BREAKER(self->rc, &self->permit, &self->s->breaker, connect, .us = 2 + self->round,
				    .fails = (self->round + self->i) % 3 == 0, .deaf = self->i == 1);
		} else {
			MAG_BREAKER_BEGIN(self->rc, &self->permit, &self->s->breaker);
			if (self->rc == 0)
				MAG_CALL(self->rc, connect, .us = 3 + self->i,
					 .fails = self->round == 2 && self->i == 2);
			MAG_BREAKER_END(self->rc, &self->permit, self->rc);
		}
		if (self->rc == 0)
			disconnect(0, NULL);
		MAG_SCOPE_END(self->why, &self->scope);
		if (self->rc == MAG_EREFUSED)
			MAG_AWAIT(self->rc, mag_sleep, self->permit.wait_ns);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct visitors {
	mag_frame frame;
	MAG_NO_ARGS(visitors);
	struct service s;
	mag_group group;
	mag_breaker_permit permit;
	uint32_t i;
	int64_t rc;
};

static int fragile(mag_breaker *b)
{
	const mag_breaker_options options = { .size = sizeof(options),
					      .failures = 2,
					      .open_ns = OPEN_US * MAG_MICROSECOND };

	return mag_breaker_init(b, &options);
}

static MAG_TASK(visitors)
{
	MAG_BEGIN(visitors);
	mag_sim_assert(fragile(&self->s.breaker) == 0);
	mag_breaker_trip(&self->s.breaker);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	for (self->i = 0; self->i < CALLERS; self->i++)
		MAG_SPAWN(self->rc, &self->group, visitor, .s = &self->s, .i = self->i);
	MAG_GROUP_END(self->rc, &self->group);
	mag_sim_assert(self->s.breaker.out == 0);
	MAG_AWAIT(self->rc, mag_sleep, OPEN_US * MAG_MICROSECOND);
	mag_sim_assert(mag_breaker_allow(&self->s.breaker, &self->permit) == 0);
	mag_sim_assert(mag_breaker_end(&self->permit, 0) == 0);
	mag_sim_assert(mag_breaker_state(&self->s.breaker) == MAG_BREAKER_CLOSED);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

/* Hedges: attempts that are slow, fail, or succeed although they lose; the caller is cut short, or is not. */
struct hedger {
	mag_frame frame;
	MAG_ARGS(hedger, struct service *s; uint32_t i;);
	mag_hedge_policy policy;
	mag_hedge hedge;
	mag_scope scope;
	int64_t rc, why;
};

static MAG_TASK(hedger)
{
	MAG_BEGIN(hedger);
	self->policy = (mag_hedge_policy)MAG_HEDGE_POLICY(.attempts = 3, .after_ns = 2 * MAG_MICROSECOND,
							  .spare = disconnect, .budget = &self->s->budget);
	MAG_WITH_TIMEOUT(&self->scope, (4 + self->i * 3) * MAG_MICROSECOND);
	MAG_HEDGE(self->rc, &self->hedge, &self->policy, connect, .us = 9 - 3 * self->hedge.started,
		  .fails = (self->hedge.started + self->i) % 3 == 0, .deaf = (self->hedge.started + self->i) % 2);
	mag_sim_assert((self->rc >= 0) == (self->hedge.winner >= 0));
	/* while there may be another attempt only a cancellation ends it */
	mag_sim_assert(self->rc != -ECONNRESET || self->hedge.started == 3 || !self->s->plenty);
	mag_sim_assert(self->rc < 0 || self->hedge.results[self->hedge.winner] == self->rc);
	if (self->rc >= 0)
		disconnect(0, NULL);
	if (self->hedge.started)
		magi_add_rlx(&self->s->again, self->hedge.started - 1);
	mag_group_clear(&self->hedge.group);
	MAG_SCOPE_END(self->why, &self->scope);
	MAG_RETURN(0);
	MAG_END;
}

/* Retries, whose pauses and attempts are cut short. */
struct retrier {
	mag_frame frame;
	MAG_ARGS(retrier, struct service *s; uint32_t i;);
	mag_retry retry;
	mag_scope scope;
	int64_t rc, why;
};

static MAG_TASK(retrier)
{
	MAG_BEGIN(retrier);
	MAG_WITH_TIMEOUT(&self->scope, (6 + self->i * 5) * MAG_MICROSECOND);
	MAG_RETRY_BEGIN(&self->retry, .first_ns = 4 * MAG_MICROSECOND, .attempt_ns = 3 * MAG_MICROSECOND,
			.budget = &self->s->budget);
	MAG_CALL(self->rc, connect, .us = 2 + self->retry.attempt % 3, .fails = self->retry.attempt < 3,
		 .deaf = self->i == 1);
	MAG_RETRY_END(self->rc, &self->retry, self->rc);
	mag_sim_assert((self->rc >= 0) == (self->retry.over == MAG_RETRY_DONE));
	if (self->rc >= 0)
		disconnect(0, NULL);
	magi_add_rlx(&self->s->again, self->retry.attempt - 1);
	MAG_SCOPE_END(self->why, &self->scope);
	MAG_RETURN(0);
	MAG_END;
}

struct patient {
	mag_frame frame;
	MAG_ARGS(patient, bool plenty;);
	struct service s;
	mag_group group;
	uint32_t i;
	int64_t rc;
};

static MAG_TASK(patient)
{
	MAG_BEGIN(patient);
	self->s = (struct service){ .budget = MAG_BUDGET_INIT(0, BUDGET), .plenty = self->plenty };
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	for (self->i = 0; self->i < CALLERS; self->i++) {
		MAG_SPAWN(self->rc, &self->group, hedger, .s = &self->s, .i = self->i);
		MAG_SPAWN(self->rc, &self->group, retrier, .s = &self->s, .i = self->i);
	}
	MAG_GROUP_END(self->rc, &self->group);
	mag_sim_assert(mag_budget_left(&self->s.budget) + self->s.again == BUDGET);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

#endif
