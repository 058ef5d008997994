/* SPDX-License-Identifier: MIT */
/* bench_rwlock.c - 8 tasks read two plain numbers that must be the same, and add to them now and then. */
#include "cases.h"

#include <magpie/runtime.h>
#include <magpie/rwlock.h>

enum { TASKS = 8 };

struct guarded {
	mag_rwlock lock;
	uint64_t a, b; /* under the lock */
};

struct user {
	mag_frame frame;
	MAG_ARGS(user, struct guarded *g; uint64_t n; uint64_t each;);
	uint64_t i, wrong;
	int64_t rc;
};

MAG_TASK(user)
{
	MAG_BEGIN(user);
	self->wrong = 0;
	for (self->i = 1; self->i <= self->n; self->i++) {
		if (self->each && self->i % self->each == 0) {
			MAG_AWAIT(self->rc, mag_rwlock_lock_write, &self->g->lock);
			if (self->rc < 0)
				MAG_RETURN(self->rc);
			self->g->a++;
			self->g->b++;
			mag_rwlock_unlock_write(&self->g->lock);
		} else {
			MAG_AWAIT(self->rc, mag_rwlock_lock_read, &self->g->lock);
			if (self->rc < 0)
				MAG_RETURN(self->rc);
			self->wrong += self->g->a != self->g->b;
			mag_rwlock_unlock_read(&self->g->lock);
		}
	}
	MAG_RETURN(self->wrong ? -EBADMSG : 0);
	MAG_END;
}

struct users {
	mag_frame frame;
	MAG_ARGS(users, struct guarded *g; uint64_t n; uint64_t each; uint64_t *ns;);
	mag_group group;
	uint64_t start;
	int64_t rc;
	int i;
};

MAG_TASK(users)
{
	MAG_BEGIN(users);
	self->start = bench_now_ns();
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < TASKS; self->i++)
		MAG_SPAWN(self->rc, &self->group, user, .g = self->g, .n = self->n, .each = self->each);
	MAG_GROUP_END(self->rc, &self->group);
	*self->ns = bench_now_ns() - self->start;
	MAG_RETURN(self->rc);
	MAG_END;
}

int bench_rwlock(struct bench_run *r)
{
	const mag_runtime_options options = { .size = sizeof(options), .workers = (uint32_t)r->threads };
	uint64_t n = r->quick ? 10000 : 1000000, ns = 0, each = (uint64_t)r->param;
	struct guarded g = { MAG_RWLOCK_INIT, 0, 0 };
	int64_t rc = mag_run(&options, users, .g = &g, .n = n, .each = each, .ns = &ns);

	if (rc < 0)
		return bench_fail(r, (int)rc, "%s %s", mag_errname(rc), mag_runtime_why());
	if (g.a != (each ? n / each * TASKS : 0))
		return bench_fail(r, -EBADMSG, "%llu additions counted", (unsigned long long)g.a);
	r->value = (double)ns / (double)(n * TASKS);
	return 0;
}
