/* SPDX-License-Identifier: MIT */
/* bench_fork.c - fib by forking: the price of a fork, a call, a join and two ends, for there is nothing else in it. */
#include "cases.h"
#include "tasks.h"

#include <errno.h>

struct fib {
	mag_frame frame;
	MAG_ARGS(fib, long n; long *value;);
	long a, b;
	int64_t rc;
};

static MAG_TASK(fib)
{
	MAG_BEGIN(fib);
	if (self->n < 2) {
		*self->value = self->n;
		MAG_RETURN(0);
	}
	MAG_FORK(fib, .n = self->n - 1, .value = &self->a);
	MAG_CALL(self->rc, fib, .n = self->n - 2, .value = &self->b);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_JOIN(self->rc);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	*self->value = self->a + self->b;
	MAG_RETURN(0);
	MAG_END;
}

struct fib_timed {
	mag_frame frame;
	MAG_ARGS(fib_timed, long n; long *value; uint64_t *ns;);
	uint64_t start;
	int64_t rc;
};

static MAG_TASK(fib_timed)
{
	MAG_BEGIN(fib_timed);
	self->start = bench_now_ns();
	MAG_CALL(self->rc, fib, .n = self->n, .value = self->value);
	*self->ns = bench_now_ns() - self->start;
	MAG_RETURN(self->rc);
	MAG_END;
}

int bench_fork(struct bench_run *r)
{
	long n = r->quick ? 30 : 39, want = r->quick ? 832040 : 63245986, next = r->quick ? 1346269 : 102334155;
	long got = -1;
	uint64_t ns = 0;
	int rc = BENCH_TASKS(r, fib_timed, .n = n, .value = &got, .ns = &ns);

	if (rc)
		return rc;
	if (got != want)
		return bench_fail(r, -EBADMSG, "fib(%ld) came out as %ld, not %ld", n, got, want);
	r->value = (double)ns / (double)(2 * next - 1); /* fib(n) makes 2 fib(n + 1) - 1 calls */
	return 0;
}
