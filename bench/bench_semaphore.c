/* SPDX-License-Identifier: MIT */
/* bench_semaphore.c - 8 tasks take and give back a permit; with one permit what they add to is guarded by it. */
#include "cases.h"

#include <magpie/runtime.h>
#include <magpie/semaphore.h>

enum { TASKS = 8 };

enum { LINE = 64 };

struct permitted {
	mag_semaphore semaphore;
	struct {
		uint64_t count __attribute__((aligned(LINE))); /* what is counted apart is not to share a line */
	} of[TASKS]; /* the first is under the permit, when there is only one */
};

struct taker {
	mag_frame frame;
	MAG_ARGS(taker, mag_semaphore *semaphore; uint64_t n; uint64_t *count;);
	uint64_t i;
	int64_t rc;
};

MAG_TASK(taker)
{
	MAG_BEGIN(taker);
	for (self->i = 0; self->i < self->n; self->i++) {
		MAG_AWAIT(self->rc, mag_semaphore_acquire, self->semaphore, 1);
		if (self->rc < 0)
			MAG_RETURN(self->rc);
		++*self->count;
		mag_semaphore_release(self->semaphore, 1);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct takers {
	mag_frame frame;
	MAG_ARGS(takers, struct permitted *p; uint64_t n; uint64_t *ns; bool alone;);
	mag_group group;
	uint64_t start;
	int64_t rc;
	int i;
};

MAG_TASK(takers)
{
	MAG_BEGIN(takers);
	self->start = bench_now_ns();
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < TASKS; self->i++)
		MAG_SPAWN(self->rc, &self->group, taker, .semaphore = &self->p->semaphore, .n = self->n,
			  .count = &self->p->of[self->alone ? 0 : self->i].count);
	MAG_GROUP_END(self->rc, &self->group);
	*self->ns = bench_now_ns() - self->start;
	MAG_RETURN(self->rc);
	MAG_END;
}

int bench_semaphore(struct bench_run *r)
{
	const mag_runtime_options options = { .size = sizeof(options), .workers = (uint32_t)r->threads };
	uint64_t n = r->quick ? 10000 : 1000000, ns = 0, done = 0;
	uint32_t permits = (uint32_t)r->param;
	struct permitted p = { .semaphore = MAG_SEMAPHORE_INIT(0, 1) };
	int64_t rc = mag_semaphore_init_as(&p.semaphore, permits, permits, r->param2 ? MAG_BARGING : MAG_FAIR);

	if (rc == 0)
		rc = mag_run(&options, takers, .p = &p, .n = n, .ns = &ns, .alone = permits == 1);
	if (rc < 0)
		return bench_fail(r, (int)rc, "%s %s", mag_errname(rc), mag_runtime_why());
	for (int i = 0; i < TASKS; i++)
		done += p.of[i].count;
	if (done != n * TASKS || mag_semaphore_permits(&p.semaphore) != permits)
		return bench_fail(r, -EBADMSG, "%llu of %llu rounds counted, %u of %u permits left",
				  (unsigned long long)done, (unsigned long long)n * TASKS,
				  mag_semaphore_permits(&p.semaphore), permits);
	r->value = (double)ns / (double)(n * TASKS);
	return 0;
}
