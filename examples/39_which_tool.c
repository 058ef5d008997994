/* SPDX-License-Identifier: MIT */
/* 39_which_tool.c - three kinds of work, each where it belongs: waiting, blocking, computing. */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>
#include <time.h>

enum { EACH = 4 };

/* Waits in the runtime: a task. It costs some hundred bytes, and no thread. */
struct waits {
	mag_frame frame;
	MAG_NO_ARGS(waits);
	int64_t rc;
};

MAG_TASK(waits)
{
	MAG_BEGIN(waits);
	MAG_AWAIT(self->rc, mag_sleep, 30 * MAG_MILLISECOND);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Waits in a library that knows nothing of tasks: the blocking lane. */
static int64_t old_library(void *arg)
{
	struct timespec ms30 = { 0, 30 * 1000 * 1000 };

	(void)arg;
	nanosleep(&ms30, NULL);
	return 1;
}

struct blocks {
	mag_frame frame;
	MAG_NO_ARGS(blocks);
	int64_t rc;
};

MAG_TASK(blocks)
{
	MAG_BEGIN(blocks);
	MAG_AWAIT(self->rc, mag_offload, MAG_BLOCKING, old_library, NULL);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Keeps a CPU busy for longer than some 100 us: the compute lane, or MAG_FORK where it can be cut in pieces. */
static int64_t crunch(void *arg)
{
	uint64_t *h = arg;

	for (int i = 0; i < 1000000; i++)
		*h = (*h ^ (*h >> 31)) * UINT64_C(0x9e3779b97f4a7c15) + 1;
	return 2;
}

struct computes {
	mag_frame frame;
	MAG_ARGS(computes, uint64_t seed;);
	int64_t rc;
};

MAG_TASK(computes)
{
	MAG_BEGIN(computes);
	MAG_AWAIT(self->rc, mag_offload, MAG_COMPUTE, crunch, &self->seed);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct program {
	mag_frame frame;
	MAG_NO_ARGS(program);
	mag_gather work;
	int64_t results[3 * EACH], rc;
	uint64_t start;
	int i;
};

MAG_TASK(program)
{
	int64_t sum;

	MAG_BEGIN(program);
	self->start = mag_now();
	MAG_GATHER_BEGIN(&self->work, self->results, 3 * EACH);
	for (self->i = 0; self->i < EACH; self->i++) {
		MAG_GATHER_ADD(self->rc, &self->work, waits);
		MAG_GATHER_ADD(self->rc, &self->work, blocks);
		MAG_GATHER_ADD(self->rc, &self->work, computes, .seed = (uint64_t)self->i);
	}
	MAG_GATHER_END(self->rc, &self->work);
	sum = 0;
	for (int i = 0; i < 3 * EACH; i++)
		sum += self->results[i];
	printf("%d waits, %d blocking calls and %d computations took %.0f ms together\n", EACH, EACH, EACH,
	       (double)(mag_now() - self->start) / 1e6);
	MAG_RETURN(self->rc == 0 && sum == EACH * (0 + 1 + 2) ? 0 : -EPROTO);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, program);

	if (rc < 0)
		fprintf(stderr, "39_which_tool: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
