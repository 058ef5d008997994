/* SPDX-License-Identifier: MIT */
/* bench_limiter.c - 8 tasks take a token each time, of which there are always enough; or a place as well, which they give back. */
#include "cases.h"

#include <magpie/limiter.h>
#include <magpie/runtime.h>

enum { TASKS = 8, RATE = 1000000000 };

struct token_taker {
	mag_frame frame;
	MAG_ARGS(token_taker, mag_limiter *limiter; uint64_t n; bool place; uint64_t *done;);
	uint64_t i;
	int64_t rc;
};

MAG_TASK(token_taker)
{
	MAG_BEGIN(token_taker);
	for (self->i = 0; self->i < self->n; self->i++) {
		if (self->place)
			MAG_AWAIT(self->rc, mag_limiter_enter, self->limiter, 1);
		else
			MAG_AWAIT(self->rc, mag_limiter_acquire, self->limiter, 1);
		if (self->rc < 0)
			MAG_RETURN(self->rc);
		if (self->place)
			mag_limiter_leave(self->limiter);
	}
	*self->done = self->i;
	MAG_RETURN(0);
	MAG_END;
}

struct token_takers {
	mag_frame frame;
	MAG_ARGS(token_takers, mag_limiter *limiter; uint64_t n; bool place; uint64_t *ns; uint64_t *done;);
	mag_group group;
	uint64_t start;
	int64_t rc;
	int i;
};

MAG_TASK(token_takers)
{
	MAG_BEGIN(token_takers);
	self->start = bench_now_ns();
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < TASKS; self->i++)
		MAG_SPAWN(self->rc, &self->group, token_taker, .limiter = self->limiter, .n = self->n, .place = self->place,
			  .done = &self->done[self->i]);
	MAG_GROUP_END(self->rc, &self->group);
	*self->ns = bench_now_ns() - self->start;
	MAG_RETURN(self->rc);
	MAG_END;
}

int bench_limiter(struct bench_run *r)
{
	const mag_runtime_options options = { .size = sizeof(options), .workers = (uint32_t)r->threads };
	uint64_t n = r->quick ? 10000 : 1000000, ns = 0, done[TASKS] = { 0 }, all = 0;
	mag_limiter limiter = MAG_LIMITER_INIT(RATE, RATE, TASKS);
	int64_t rc = mag_run(&options, token_takers, .limiter = &limiter, .n = n, .place = r->param == 1, .ns = &ns, .done = done);

	if (rc < 0)
		return bench_fail(r, (int)rc, "%s %s", mag_errname(rc), mag_runtime_why());
	for (int i = 0; i < TASKS; i++)
		all += done[i];
	if (all != n * TASKS || mag_limiter_fini(&limiter) < 0)
		return bench_fail(r, -EBADMSG, "%llu of %llu tokens taken, or a place is lost", (unsigned long long)all,
				  (unsigned long long)n * TASKS);
	r->value = (double)ns / (double)(n * TASKS);
	return 0;
}
