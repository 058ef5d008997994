/* SPDX-License-Identifier: MIT */
/* bench_skynet.c - a tree of ten children a node, whose leaves give their number and whose nodes add up: nine children
 * are forked, the last is called, since the parent has nothing left to offer to a thief. */
#include "cases.h"
#include "tasks.h"

#include <errno.h>

#define CHILDREN 10

struct skynet {
	mag_frame frame;
	MAG_ARGS(skynet, int64_t first; int64_t leaves; int64_t *sum;);
	int64_t part[CHILDREN];
	int i;
	int64_t rc;
};

static MAG_TASK(skynet)
{
	MAG_BEGIN(skynet);
	if (self->leaves == 1) {
		*self->sum = self->first;
		MAG_RETURN(0);
	}
	self->leaves /= CHILDREN;
	for (self->i = 0; self->i < CHILDREN - 1; self->i++) {
		MAG_FORK(skynet, .first = self->first, .leaves = self->leaves, .sum = &self->part[self->i]);
		self->first += self->leaves;
	}
	MAG_CALL(self->rc, skynet, .first = self->first, .leaves = self->leaves, .sum = &self->part[CHILDREN - 1]);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_JOIN(self->rc);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	*self->sum = 0;
	for (int i = 0; i < CHILDREN; i++)
		*self->sum += self->part[i];
	MAG_RETURN(0);
	MAG_END;
}

struct skynet_timed {
	mag_frame frame;
	MAG_ARGS(skynet_timed, int64_t leaves; int64_t *sum; uint64_t *ns;);
	uint64_t start;
	int64_t rc;
};

static MAG_TASK(skynet_timed)
{
	MAG_BEGIN(skynet_timed);
	self->start = bench_now_ns();
	MAG_CALL(self->rc, skynet, .first = 0, .leaves = self->leaves, .sum = self->sum);
	*self->ns = bench_now_ns() - self->start;
	MAG_RETURN(self->rc);
	MAG_END;
}

int bench_skynet(struct bench_run *r)
{
	int64_t leaves = r->quick ? 1000000 : 100000000, want = leaves * (leaves - 1) / 2, got = -1, tasks = 0;
	uint64_t ns = 0;
	int rc = BENCH_TASKS(r, skynet_timed, .leaves = leaves, .sum = &got, .ns = &ns);

	if (rc)
		return rc;
	if (got != want)
		return bench_fail(r, -EBADMSG, "the sum is %lld, not %lld", (long long)got, (long long)want);
	for (int64_t level = leaves; level; level /= CHILDREN)
		tasks += level;
	r->value = (double)ns / (double)tasks;
	return 0;
}
