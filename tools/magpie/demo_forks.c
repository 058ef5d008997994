/* SPDX-License-Identifier: MIT */
/* demo_forks.c - the fork–join half of the demo: every call of a Fibonacci function is a task that may be stolen. */
#include "demo.h"

#include <magpie/time.h>
#include <stdio.h>

#define N 32
#define FIB_N 2178309u
#define CALLS 7049155u /* 2 fib(N + 1) - 1 */

struct demo_fib {
	mag_frame frame;
	MAG_ARGS(demo_fib, unsigned n; uint64_t * out;);
	uint64_t a, b;
	int64_t rc;
};

MAG_TASK(demo_fib)
{
	MAG_BEGIN(demo_fib);
	if (self->n < 2) {
		*self->out = self->n;
		MAG_RETURN(0);
	}
	MAG_FORK(demo_fib, .n = self->n - 1, .out = &self->a);
	MAG_CALL(self->rc, demo_fib, .n = self->n - 2, .out = &self->b);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_JOIN(self->rc);
	*self->out = self->a + self->b;
	MAG_RETURN(self->rc);
	MAG_END;
}

MAG_TASK(demo_forks)
{
	MAG_BEGIN(demo_forks);
	self->before = (mag_stats){ .size = sizeof self->before };
	mag_runtime_stats(mag_runtime_current(), &self->before);
	self->start = mag_now();
	MAG_CALL(self->rc, demo_fib, .n = N, .out = &self->value);
	if (self->rc >= 0 && self->value != FIB_N)
		self->rc = -EBADMSG;
	if (self->rc >= 0) {
		double ns = (double)(mag_now() - self->start);
		mag_stats after = { .size = sizeof after };

		mag_runtime_stats(mag_runtime_current(), &after);
		printf("  forks     %.1f million tasks in %.0f ms: %.1f ns each, %llu stolen by other workers\n",
		       CALLS / 1e6, ns / 1e6, ns / CALLS, (unsigned long long)(after.steals - self->before.steals));
		fflush(stdout);
	}
	MAG_RETURN(self->rc);
	MAG_END;
}
