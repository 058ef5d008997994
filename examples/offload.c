/* SPDX-License-Identifier: MIT */
/* offload.c - calls that block and work that computes, kept away from the workers. */
#include <errno.h>
#include <magpie/magpie.h>
#include <magpie/offload.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { HASH_ROUNDS = 20 * 1000 * 1000 };

/* Plain functions: they run on threads of the lanes and know nothing of tasks. */
static int64_t old_library_call(void *arg)
{
	struct timespec ms20 = { 0, 20 * 1000 * 1000 };

	(void)arg;
	nanosleep(&ms20, NULL); /* would stop a whole worker */
	return 7;
}

static int64_t hash(void *arg)
{
	uint64_t *h = arg;

	for (int i = 0; i < HASH_ROUNDS; i++)
		*h = (*h ^ (*h >> 31)) * UINT64_C(0x9e3779b97f4a7c15) + 1;
	return 0;
}

static int64_t slow_call(void *arg)
{
	struct timespec ms200 = { 0, 200 * 1000 * 1000 };

	(void)arg;
	nanosleep(&ms200, NULL);
	return 0;
}

struct jobs {
	mag_frame frame;
	MAG_NO_ARGS(jobs);
	mag_scope scope;
	uint64_t h;
	void *memory;
	int64_t blocked, computed, abandoned, ended;
};

MAG_TASK(jobs)
{
	MAG_BEGIN(jobs);
	MAG_AWAIT(self->blocked, mag_offload, MAG_BLOCKING, old_library_call, NULL);
	printf("the blocking call returned %lld\n", (long long)self->blocked);

	self->h = 1;
	MAG_AWAIT(self->computed, mag_offload, MAG_COMPUTE, hash, &self->h); /* lent: it lies in the frame */
	printf("the hash is %016llx\n", (unsigned long long)self->h);

	/* A job that runs cannot be stopped. One that owns its argument can be left behind. */
	self->memory = malloc(64);
	if (!self->memory)
		MAG_RETURN(-ENOMEM);
	MAG_WITH_TIMEOUT(&self->scope, 10 * MAG_MILLISECOND);
	MAG_AWAIT(self->abandoned, mag_offload_owned, MAG_BLOCKING, slow_call, self->memory, free);
	MAG_SCOPE_END(self->ended, &self->scope);
	printf("the slow call was given up: %s\n", mag_errname(self->ended));
	MAG_RETURN(self->blocked == 7 && self->computed == 0 && self->ended == MAG_ETIMEDOUT ? 0 : -EPROTO);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, jobs);

	if (rc < 0)
		fprintf(stderr, "offload: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
