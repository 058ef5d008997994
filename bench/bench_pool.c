/* SPDX-License-Identifier: MIT */
/* bench_pool.c - 8 tasks borrow an item and give it back, and count on it: of as many items as there are tasks, or of one. */
#include "cases.h"

#include <magpie/pool.h>
#include <magpie/runtime.h>
#include <stdlib.h>

enum { TASKS = 8, LINE = 64 };

struct item {
	uint64_t count __attribute__((aligned(LINE)));
};

struct items {
	mag_pool pool;
	struct item item[TASKS];
	uint32_t made; /* by the one task that tends the pool at first */
};

struct item_create {
	mag_frame frame;
	MAG_ARGS(item_create, struct items *items; struct item **item;);
};

MAG_TASK(item_create)
{
	MAG_BEGIN(item_create);
	*self->item = &self->items->item[self->items->made++];
	MAG_RETURN(0);
	MAG_END;
}

struct borrower {
	mag_frame frame;
	MAG_ARGS(borrower, mag_pool *pool; uint64_t n;);
	mag_pool_loan loan;
	uint64_t i;
	int64_t rc;
};

MAG_TASK(borrower)
{
	MAG_BEGIN(borrower);
	for (self->i = 0; self->i < self->n; self->i++) {
		MAG_AWAIT(self->rc, mag_pool_take, self->pool, &self->loan);
		if (self->rc < 0)
			MAG_RETURN(self->rc);
		((struct item *)self->loan.item)->count++;
		MAG_AWAIT(self->rc, mag_pool_give, &self->loan);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct borrowers {
	mag_frame frame;
	MAG_ARGS(borrowers, mag_pool *pool; uint64_t n; uint64_t *ns;);
	mag_group group;
	uint64_t start;
	int64_t rc, closed;
	int i;
};

MAG_TASK(borrowers)
{
	MAG_BEGIN(borrowers);
	MAG_AWAIT(self->rc, mag_pool_tend, self->pool);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->start = bench_now_ns();
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < TASKS; self->i++)
		MAG_SPAWN(self->rc, &self->group, borrower, .pool = self->pool, .n = self->n);
	MAG_GROUP_END(self->rc, &self->group);
	*self->ns = bench_now_ns() - self->start;
	MAG_AWAIT(self->closed, mag_pool_close, self->pool);
	MAG_RETURN(self->rc < 0 ? self->rc : self->closed);
	MAG_END;
}

int bench_pool(struct bench_run *r)
{
	const mag_runtime_options options = { .size = sizeof(options), .workers = (uint32_t)r->threads };
	uint64_t n = r->quick ? 10000 : 1000000, ns = 0, count = 0;
	struct items items = { .made = 0 };
	int64_t rc = mag_pool_init(&items.pool, &(mag_pool_options){ .size = sizeof(mag_pool_options), .ctx = &items,
								     .max = (uint32_t)r->param,
								     .min = (uint32_t)r->param,
								     .create = MAG_POOL_FN(item_create) });

	if (rc == 0)
		rc = mag_run(&options, borrowers, .pool = &items.pool, .n = n, .ns = &ns);
	if (rc < 0)
		return bench_fail(r, (int)rc, "%s %s", mag_errname(rc), mag_runtime_why());
	for (int i = 0; i < TASKS; i++)
		count += items.item[i].count;
	if (count != n * TASKS || items.made != (uint32_t)r->param || mag_pool_fini(&items.pool) < 0)
		return bench_fail(r, -EBADMSG, "%llu of %llu rounds counted on %u items", (unsigned long long)count,
				  (unsigned long long)n * TASKS, items.made);
	r->value = (double)ns / (double)(n * TASKS);
	return 0;
}
