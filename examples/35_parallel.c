/* SPDX-License-Identifier: MIT */
/* 35_parallel.c - the same work one after the other, forked, and spawned, with the times that takes. */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>

enum { STEPS = 6, WAIT_MS = 20, DEPTH = 24 };

/* Waits, as for a server. */
struct wait_for {
	mag_frame frame;
	MAG_ARGS(wait_for, int number; int64_t *out;);
	int64_t rc;
};

MAG_TASK(wait_for)
{
	MAG_BEGIN(wait_for);
	MAG_AWAIT(self->rc, mag_sleep, WAIT_MS * MAG_MILLISECOND);
	*self->out = self->number;
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Computes: a forked half may run on another worker while this one goes on. */
struct fib {
	mag_frame frame;
	MAG_ARGS(fib, int n; bool fork; int64_t *out;);
	int64_t a, b, rc;
};

MAG_TASK(fib)
{
	MAG_BEGIN(fib);
	if (self->n < 2) {
		*self->out = self->n;
		MAG_RETURN(0);
	}
	if (self->fork && self->n > 12) { /* what is smaller is not worth it */
		MAG_FORK(fib, .n = self->n - 1, .fork = true, .out = &self->a);
		MAG_CALL(self->rc, fib, .n = self->n - 2, .fork = true, .out = &self->b);
		MAG_JOIN(self->rc);
	} else {
		MAG_CALL(self->rc, fib, .n = self->n - 1, .out = &self->a);
		MAG_CALL(self->rc, fib, .n = self->n - 2, .out = &self->b);
	}
	*self->out = self->a + self->b;
	MAG_RETURN(self->rc);
	MAG_END;
}

struct program {
	mag_frame frame;
	MAG_NO_ARGS(program);
	mag_group group;
	int64_t out[STEPS], rc;
	uint64_t start, called, forked, spawned, alone;
	int i;
};

static bool all_there(int64_t *out)
{
	int64_t sum = 0;

	for (int i = 0; i < STEPS; i++) {
		sum += out[i];
		out[i] = 0;
	}
	return sum == STEPS * (STEPS + 1) / 2;
}

MAG_TASK(program)
{
	MAG_BEGIN(program);
	self->start = mag_now();
	for (self->i = 0; self->i < STEPS; self->i++)
		MAG_CALL(self->rc, wait_for, .number = self->i + 1, .out = &self->out[self->i]);
	self->called = mag_now() - self->start;
	if (!all_there(self->out))
		MAG_RETURN(-EPROTO);

	self->start = mag_now();
	for (self->i = 0; self->i < STEPS; self->i++)
		MAG_FORK(wait_for, .number = self->i + 1, .out = &self->out[self->i]);
	MAG_JOIN(self->rc);
	self->forked = mag_now() - self->start;
	if (!all_there(self->out))
		MAG_RETURN(-EPROTO);

	self->start = mag_now();
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < STEPS; self->i++)
		MAG_SPAWN(self->rc, &self->group, wait_for, .number = self->i + 1, .out = &self->out[self->i]);
	MAG_GROUP_END(self->rc, &self->group);
	self->spawned = mag_now() - self->start;
	if (!all_there(self->out))
		MAG_RETURN(-EPROTO);
	printf("%d waits of %d ms: called %.0f ms, forked %.0f ms, spawned %.0f ms\n", STEPS, WAIT_MS,
	       (double)self->called / 1e6, (double)self->forked / 1e6, (double)self->spawned / 1e6);

	self->start = mag_now();
	MAG_CALL(self->rc, fib, .n = DEPTH, .fork = false, .out = &self->out[0]);
	self->alone = mag_now() - self->start;
	self->start = mag_now();
	MAG_CALL(self->rc, fib, .n = DEPTH, .fork = true, .out = &self->out[1]);
	printf("fib(%d): called %.2f ms, forked %.2f ms on %u workers\n", DEPTH, (double)self->alone / 1e6,
	       (double)(mag_now() - self->start) / 1e6, mag_runtime_workers(mag_runtime_current()));
	/* how long the others took says nothing on a machine that may stand still for as long */
	MAG_RETURN(self->out[0] == self->out[1] && self->called >= STEPS * WAIT_MS * MAG_MILLISECOND ? 0 : -EPROTO);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, program);

	if (rc < 0)
		fprintf(stderr, "35_parallel: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
