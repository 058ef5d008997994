/* SPDX-License-Identifier: MIT */
/* trial.h - something that fails in a way that the test has written down, and notes when it was called. */
#ifndef MAGPIE_TESTS_TRIAL_H
#define MAGPIE_TESTS_TRIAL_H

#include "gates.h"

#define MS MAG_MILLISECOND

enum { TRIALS_MAX = 64 };

/* What the n-th call does: takes so long, returns that; past the last one it succeeds. */
struct trials {
	struct {
		int64_t result;
		uint64_t ns, hint_ns;
		bool deaf; /* returns its result although it was cut short */
	} plan[TRIALS_MAX];
	mag_retry *retry;
	uint64_t began[TRIALS_MAX], ended[TRIALS_MAX];
	uint32_t n;
	uint32_t ends; /* as many as calls: each has run to its end */
};

struct trial {
	mag_frame frame;
	MAG_ARGS(trial, struct trials *t;);
	uint32_t i;
	int64_t rc;
};

static MAG_TASK(trial)
{
	MAG_BEGIN(trial);
	self->i = self->t->n++;
	CHECK(self->i < TRIALS_MAX);
	self->t->began[self->i] = mag_now();
	MAG_AWAIT(self->rc, mag_sleep, self->t->plan[self->i].ns);
	self->t->ended[self->i] = mag_now();
	self->t->ends++;
	if (self->t->plan[self->i].hint_ns) {
		mag_retry_after(self->t->retry, self->t->plan[self->i].hint_ns);
		mag_retry_after(self->t->retry, self->t->plan[self->i].hint_ns / 2); /* the longest one counts */
	}
	if (self->rc < 0 && !self->t->plan[self->i].deaf)
		MAG_RETURN(self->rc);
	MAG_RETURN(self->t->plan[self->i].result);
	MAG_END;
}

/* The i-th pause. */
static inline uint64_t pause_of(const struct trials *t, uint32_t i)
{
	return t->began[i + 1] - t->ended[i];
}

/* Tries by a policy; says how that went. */
struct told {
	int64_t rc;
	mag_retry retry;
	uint64_t took_ns;
};

struct trying {
	mag_frame frame;
	MAG_ARGS(trying, struct trials *t; const mag_retry_policy *policy; bool block; struct told *told;);
	mag_retry retry;
	uint64_t began;
	int64_t rc;
};

static MAG_TASK(trying)
{
	MAG_BEGIN(trying);
	self->began = mag_now();
	self->t->retry = &self->retry;
	if (self->block) {
		MAG_RETRY_BEGIN_BY(&self->retry, self->policy);
		CHECK(self->retry.attempt == self->t->n + 1);
		MAG_CALL(self->rc, trial, .t = self->t);
		MAG_RETRY_END(self->rc, &self->retry, self->rc);
	} else {
		MAG_RETRY(self->rc, &self->retry, self->policy, trial, .t = self->t);
	}
	CHECK(self->t->ends == self->t->n && self->retry.attempt == self->t->n);
	*self->told = (struct told){ self->rc, self->retry, mag_now() - self->began };
	MAG_RETURN(0);
	MAG_END;
}

/* The first `failures` calls fail with this error, each after 3 ms. */
static inline struct trials failing(uint32_t failures, int64_t error)
{
	struct trials t = { 0 };

	for (uint32_t i = 0; i < TRIALS_MAX; i++) {
		t.plan[i].ns = 3 * MS;
		t.plan[i].result = i < failures ? error : 7;
	}
	return t;
}

#endif
