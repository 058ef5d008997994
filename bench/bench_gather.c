/* SPDX-License-Identifier: MIT */
/* bench_gather.c - 1000 tasks that are ready, gathered: started, run, joined, and their results in order. */
#include "cases.h"
#include "tasks.h"

#include <errno.h>
#include <magpie/gather.h>

enum { TASKS = 1000 };

struct number {
	mag_frame frame;
	MAG_ARGS(number, int64_t value;);
};

static MAG_TASK(number)
{
	MAG_BEGIN(number);
	MAG_RETURN(self->value);
	MAG_END;
}

struct numbers {
	mag_frame frame;
	MAG_ARGS(numbers, int64_t rounds; uint64_t *ns;);
	mag_gather gather;
	uint64_t start;
	int64_t rc, round, i;
	int64_t results[TASKS];
};

static MAG_TASK(numbers)
{
	int64_t sum;

	MAG_BEGIN(numbers);
	self->start = bench_now_ns();
	for (self->round = 0; self->round < self->rounds; self->round++) {
		MAG_GATHER_EACH(self->rc, &self->gather, self->results, TASKS, self->i, number,
				.value = self->round + self->i);
		sum = 0;
		for (int i = 0; i < TASKS; i++)
			sum += self->results[i] * (i + 1);
		if (self->rc < 0 || sum != self->round * 500500 + 333333000)
			MAG_RETURN(self->rc < 0 ? self->rc : -EBADMSG);
	}
	*self->ns = bench_now_ns() - self->start;
	MAG_RETURN(0);
	MAG_END;
}

int bench_gather(struct bench_run *r)
{
	int64_t rounds = r->quick ? 50 : 2000;
	uint64_t ns = 0;
	int rc = BENCH_TASKS(r, numbers, .rounds = rounds, .ns = &ns);

	if (rc)
		return rc;
	r->value = (double)ns / (double)rounds / 1000;
	return 0;
}
