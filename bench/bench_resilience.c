/* SPDX-License-Identifier: MIT */
/* bench_resilience.c - what a call costs that succeeds at once: by itself, tried again if need be, behind a breaker that
 * all tasks share, hedged. */
#include "cases.h"

#include <errno.h>
#include <magpie/breaker.h>
#include <magpie/hedge.h>
#include <magpie/retry.h>
#include <magpie/runtime.h>

enum { TASKS = 8 };

struct answer {
	mag_frame frame;
	MAG_ARGS(answer, uint64_t n;);
};

static MAG_TASK(answer)
{
	MAG_BEGIN(answer);
	MAG_RETURN((int64_t)(self->n & 1));
	MAG_END;
}

static const mag_retry_policy retry_policy = MAG_RETRY_POLICY();
static const mag_hedge_policy hedge_policy = MAG_HEDGE_POLICY();

struct caller {
	mag_frame frame;
	MAG_ARGS(caller, enum bench_resilience form; mag_breaker * breaker; uint64_t n; int64_t * sum;);
	mag_retry retry;
	mag_breaker_permit permit;
	mag_hedge hedge;
	uint64_t i;
	int64_t rc, sum_;
};

static MAG_TASK(caller)
{
	MAG_BEGIN(caller);
	self->sum_ = 0;
	for (self->i = 0; self->i < self->n; self->i++) {
		if (self->form == BENCH_CALL)
			MAG_CALL(self->rc, answer, .n = self->i);
		else if (self->form == BENCH_RETRY)
			MAG_RETRY(self->rc, &self->retry, &retry_policy, answer, .n = self->i);
		else if (self->form == BENCH_BREAKER)
			MAG_BREAKER(self->rc, &self->permit, self->breaker, answer, .n = self->i);
		else
			MAG_HEDGE(self->rc, &self->hedge, &hedge_policy, answer, .n = self->i);
		if (self->rc < 0)
			MAG_RETURN(self->rc);
		self->sum_ += self->rc;
	}
	*self->sum = self->sum_;
	MAG_RETURN(0);
	MAG_END;
}

struct callers {
	mag_frame frame;
	MAG_ARGS(callers, enum bench_resilience form; uint64_t n; uint64_t * ns; int64_t * sums;);
	mag_group group;
	mag_breaker breaker;
	uint64_t start;
	int64_t rc;
	int i;
};

static MAG_TASK(callers)
{
	MAG_BEGIN(callers);
	mag_breaker_init(&self->breaker, NULL);
	self->start = bench_now_ns();
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < TASKS; self->i++)
		MAG_SPAWN(self->rc, &self->group, caller, .form = self->form, .breaker = &self->breaker, .n = self->n,
			  .sum = &self->sums[self->i]);
	MAG_GROUP_END(self->rc, &self->group);
	*self->ns = bench_now_ns() - self->start;
	MAG_RETURN(self->rc);
	MAG_END;
}

int bench_resilience(struct bench_run *r)
{
	const mag_runtime_options options = { .size = sizeof(options), .workers = (uint32_t)r->threads };
	uint64_t n = r->quick ? 2000 : 200000, ns = 0;
	int64_t sums[TASKS] = { 0 };
	int64_t rc = mag_run(&options, callers, .form = (enum bench_resilience)r->param, .n = n, .ns = &ns,
			     .sums = sums);

	if (rc < 0)
		return bench_fail(r, (int)rc, "%s %s", mag_errname(rc), mag_runtime_why());
	for (int i = 0; i < TASKS; i++) {
		if (sums[i] != (int64_t)(n / 2))
			return bench_fail(r, -EBADMSG, "task %d was answered %lld", i, (long long)sums[i]);
	}
	r->value = (double)ns / (double)(n * TASKS);
	return 0;
}
