/* SPDX-License-Identifier: MIT */
/* baseline_add.c - one uncontended locked add: the yardstick of the task and sync benches, which mostly cost such. */
#include "cases.h"

#include <errno.h>
#include <magpie/impl/atomic.h>

int baseline_add(struct bench_run *r)
{
	uint64_t n = r->quick ? 1000000 : 50000000, count = 0, start = bench_now_ns();

	for (uint64_t i = 0; i < n; i++)
		magi_add_rlx(&count, 1); /* [stat] nobody else looks at it */
	r->value = (double)(bench_now_ns() - start) / (double)n;
	return count == n ? 0 : bench_fail(r, -EBADMSG, "%llu adds counted", (unsigned long long)count);
}
