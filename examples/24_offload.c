/* SPDX-License-Identifier: MIT */
/* 24_offload.c - calls that block and work that computes, kept away from the workers: what it costs the others when they
 * are not, the two lanes, limits, and what can be cancelled. */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { HASH_ROUNDS = 5 * 1000 * 1000, JOBS = 6, THREADS = 2 };

/* Plain functions: they run on threads of the lanes and know nothing of tasks. */
static int64_t old_library_call(void *arg)
{
	struct timespec ms30 = { 0, 30 * 1000 * 1000 };

	(void)arg;
	nanosleep(&ms30, NULL);
	return 7;
}

static int64_t hash(void *arg)
{
	uint64_t *h = arg;

	for (int i = 0; i < HASH_ROUNDS; i++)
		*h = (*h ^ (*h >> 31)) * UINT64_C(0x9e3779b97f4a7c15) + 1;
	return 0;
}

/* Another task of the same worker, which wants to run each millisecond: how long it had to wait at most. */
struct ticks {
	mag_frame frame;
	MAG_ARGS(ticks, uint64_t *longest;);
	uint64_t last;
	int64_t rc;
};

MAG_TASK(ticks)
{
	MAG_BEGIN(ticks);
	self->last = mag_now();
	do {
		MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
		if (mag_now() - self->last > *self->longest)
			*self->longest = mag_now() - self->last;
		self->last = mag_now();
	} while (self->rc == 0);
	MAG_RETURN(0);
	MAG_END;
}

/* The same call on the worker, and on a lane, beside a task that ticks. */
struct beside_others {
	mag_frame frame;
	MAG_ARGS(beside_others, bool offloaded; uint64_t *longest;);
	mag_group group;
	int64_t rc, got;
};

MAG_TASK(beside_others)
{
	MAG_BEGIN(beside_others);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, ticks, .longest = self->longest);
	MAG_AWAIT(self->rc, mag_sleep, 3 * MAG_MILLISECOND);
	if (self->offloaded)
		MAG_AWAIT(self->got, mag_offload, MAG_BLOCKING, old_library_call, NULL);
	else
		self->got = old_library_call(NULL); /* the mistake */
	MAG_AWAIT(self->rc, mag_sleep, 3 * MAG_MILLISECOND);
	mag_group_cancel(&self->group);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->got == 7 ? 0 : -EPROTO);
	MAG_END;
}

/* One job more than there are threads waits; it can be taken back, and one that runs cannot. */
struct job {
	mag_frame frame;
	MAG_ARGS(job, uint32_t *taken_back;);
	int64_t rc;
};

MAG_TASK(job)
{
	MAG_BEGIN(job);
	MAG_AWAIT(self->rc, mag_offload, MAG_BLOCKING, old_library_call, NULL);
	if (self->rc == MAG_ECANCELED)
		++*self->taken_back; /* one worker */
	MAG_RETURN(0);
	MAG_END;
}

struct program {
	mag_frame frame;
	MAG_NO_ARGS(program);
	mag_group group;
	mag_scope scope;
	mag_lane_stats lane;
	uint64_t direct, offloaded, h;
	void *memory;
	uint32_t taken_back;
	int64_t rc, computed, abandoned, ended;
	int i;
};

MAG_TASK(program)
{
	MAG_BEGIN(program);
	self->direct = self->offloaded = self->taken_back = 0;
	MAG_CALL(self->rc, beside_others, .longest = &self->direct);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	printf("a blocking call on the worker: a task that ticks each ms waited for %llu ms\n",
	       (unsigned long long)(self->direct / MAG_MILLISECOND));
	MAG_CALL(self->rc, beside_others, .offloaded = true, .longest = &self->offloaded);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	printf("in the blocking lane: for %llu ms\n", (unsigned long long)(self->offloaded / MAG_MILLISECOND));

	self->h = 1;
	MAG_AWAIT(self->computed, mag_offload, MAG_COMPUTE, hash, &self->h); /* lent: it lies in the frame */
	printf("in the compute lane: the hash is %016llx\n", (unsigned long long)self->h);

	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < JOBS; self->i++)
		MAG_SPAWN(self->rc, &self->group, job, .taken_back = &self->taken_back);
	do { /* until all threads are busy */
		MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
		self->lane.size = sizeof(self->lane);
		mag_offload_stats(mag_runtime_current(), MAG_BLOCKING, &self->lane);
	} while (self->lane.running < THREADS && self->lane.jobs < JOBS);
	printf("%d jobs, %d threads: %u run, %llu wait\n", JOBS, THREADS, self->lane.running,
	       (unsigned long long)self->lane.queued);
	mag_group_cancel(&self->group);
	MAG_GROUP_END(self->rc, &self->group); /* waits for those that run: they use their arguments */
	printf("cancelled: %u are taken back, the others have run to their end\n", self->taken_back);

	/* A job that runs cannot be stopped. One that owns its argument can be left behind. */
	self->memory = malloc(64);
	if (!self->memory)
		MAG_RETURN(-ENOMEM);
	MAG_WITH_TIMEOUT(&self->scope, 5 * MAG_MILLISECOND);
	MAG_AWAIT(self->abandoned, mag_offload_owned, MAG_BLOCKING, old_library_call, self->memory, free);
	MAG_SCOPE_END(self->ended, &self->scope);
	printf("one that owns its argument was given up: %s\n", mag_errname(self->ended));

	if (self->direct < 25 * MAG_MILLISECOND || self->computed != 0 || self->lane.running > THREADS ||
	    self->taken_back > JOBS - THREADS || self->ended != MAG_ETIMEDOUT)
		MAG_RETURN(-EPROTO);
	MAG_RETURN(0);
	MAG_END;
}

int main(void)
{
	const mag_runtime_options options = { .size = sizeof(options), .workers = 1, .blocking_max = THREADS };
	int64_t rc = mag_run(&options, program);

	if (rc < 0)
		fprintf(stderr, "24_offload: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
