/* SPDX-License-Identifier: MIT */
/* use_resilience.c - attempts, hedges and breakers in a program without extensions; compiled only. */
#include <magpie/breaker.h>
#include <magpie/hedge.h>
#include <magpie/retry.h>

struct ask {
	mag_frame frame;
	MAG_ARGS(ask, int n;);
	int64_t rc;
};

MAG_TASK(ask)
{
	MAG_BEGIN(ask);
	MAG_YIELD(self->rc);
	MAG_RETURN(self->rc < 0 ? self->rc : self->n);
	MAG_END;
}

static mag_budget budget = MAG_BUDGET_INIT(10, 10);
static const mag_hedge_policy twice = MAG_HEDGE_POLICY(.after_ns = MAG_MILLISECOND, .budget = &budget);
static const mag_retry_policy patient = MAG_RETRY_POLICY(.attempts = 3, .budget = &budget, .factor = 1.5);

struct all {
	mag_frame frame;
	MAG_NO_ARGS(all);
	mag_hedge hedge;
	mag_breaker breaker;
	mag_breaker_permit permit;
	mag_retry retry;
	int64_t rc;
	int i;
};

MAG_TASK(all)
{
	MAG_BEGIN(all);
	for (self->i = 0; self->i < 2; self->i++) {
		MAG_RETRY_BEGIN(&self->retry, .first_ns = MAG_MILLISECOND, .jitter = MAG_JITTER_EQUAL);
		MAG_CALL(self->rc, ask, .n = self->i);
		if (self->rc == 1)
			mag_retry_after(&self->retry, MAG_SECOND);
		MAG_RETRY_END(self->rc, &self->retry, self->rc);
		MAG_RETRY_BEGIN_BY(&self->retry, &patient);
		MAG_CALL(self->rc, ask, .n = self->i);
		MAG_RETRY_END(self->rc, &self->retry, self->rc);
		MAG_RETRY(self->rc, &self->retry, &patient, ask, .n = self->i);
	}
	MAG_HEDGE(self->rc, &self->hedge, &twice, ask, .n = (int)self->hedge.started);
	mag_breaker_init(&self->breaker, NULL);
	MAG_BREAKER(self->rc, &self->permit, &self->breaker, ask, .n = 1);
	MAG_BREAKER_BEGIN(self->rc, &self->permit, &self->breaker);
	MAG_CALL(self->rc, ask, .n = 2);
	MAG_BREAKER_END(self->rc, &self->permit, self->rc);
	MAG_RETURN(self->rc);
	MAG_END;
}
