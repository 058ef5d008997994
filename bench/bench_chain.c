/* SPDX-License-Identifier: MIT */
/* bench_chain.c - ten million continuations that are ready at once, one after another, on a stack of 64 KiB: a runtime
 * that resumes a continuation from within the one before needs stack for each link, and ends here with a fault.
 *
 * A quarter each: calls so deep that the ends run up through 100,000 parents; calls that end at once; awaits of
 * something that is there already; yields. */
#include "cases.h"

#include <errno.h>
#include <magpie/future.h>
#include <pthread.h>

#include "tasks.h"

#define STACK_BYTES 65536
#define DEPTH 100000

/* Calls itself `depth` times; returns how many ends there were. */
struct descent {
	mag_frame frame;
	MAG_ARGS(descent, int64_t depth;);
	int64_t rc;
};

static MAG_TASK(descent)
{
	MAG_BEGIN(descent);
	if (!self->depth)
		MAG_RETURN(0);
	MAG_CALL(self->rc, descent, .depth = self->depth - 1);
	MAG_RETURN(self->rc < 0 ? self->rc : self->rc + 1);
	MAG_END;
}

struct chain {
	mag_frame frame;
	MAG_ARGS(chain, int64_t quarter; int64_t *links; size_t *stack; uint64_t *ns;);
	mag_future ready;
	uint64_t start;
	int64_t i, rc;
};

static size_t stack_of_this_thread(void)
{
	pthread_attr_t attr;
	size_t size = 0;

	if (pthread_getattr_np(pthread_self(), &attr))
		return 0;
	pthread_attr_getstacksize(&attr, &size);
	pthread_attr_destroy(&attr);
	return size;
}

static MAG_TASK(chain)
{
	MAG_BEGIN(chain);
	*self->stack = stack_of_this_thread();
	mag_future_init(&self->ready);
	mag_future_complete(&self->ready, 1);
	self->start = bench_now_ns();
	for (self->i = 0; self->i < self->quarter; self->i += self->rc) {
		MAG_CALL(self->rc, descent, .depth = DEPTH);
		if (self->rc != DEPTH)
			MAG_RETURN(self->rc < 0 ? self->rc : -EBADMSG);
		*self->links += self->rc;
	}
	for (self->i = 0; self->i < self->quarter; self->i++) {
		MAG_CALL(self->rc, descent, .depth = 0);
		if (self->rc < 0)
			MAG_RETURN(self->rc);
		*self->links += 1;
	}
	for (self->i = 0; self->i < self->quarter; self->i++) {
		MAG_AWAIT(self->rc, mag_future_await, &self->ready);
		if (self->rc < 0)
			MAG_RETURN(self->rc);
		*self->links += self->rc;
	}
	for (self->i = 0; self->i < self->quarter; self->i++) {
		MAG_YIELD(self->rc);
		if (self->rc < 0)
			MAG_RETURN(self->rc);
		*self->links += 1;
	}
	*self->ns = bench_now_ns() - self->start;
	mag_future_fini(&self->ready);
	MAG_RETURN(0);
	MAG_END;
}

int bench_chain(struct bench_run *r)
{
	mag_runtime_options options = { .size = sizeof options,
					.workers = (uint32_t)r->threads,
					.stack_bytes = STACK_BYTES };
	int64_t quarter = r->quick ? DEPTH : 2500000, links = 0;
	size_t stack = 0;
	uint64_t ns = 0;
	int rc = bench_tasks_over(
		r, mag_run(&options, chain, .quarter = quarter, .links = &links, .stack = &stack, .ns = &ns));

	if (rc)
		return rc;
	if (links != 4 * quarter)
		return bench_fail(r, -EBADMSG, "%lld links of %lld", (long long)links, (long long)(4 * quarter));
	if (stack > STACK_BYTES) /* on a larger stack the end says nothing */
		return bench_fail(r, -EBADMSG, "the worker has a stack of %zu bytes, not %d", stack, STACK_BYTES);
	r->value = (double)ns / (double)links;
	return 0;
}
