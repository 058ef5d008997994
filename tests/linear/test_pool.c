/* SPDX-License-Identifier: MIT */
/* test_pool.c - histories of include/magpie/pool.h. */
#include <criterion/criterion.h>
#include <errno.h>

#include "linear/prove.h"
#include "resilience/pool.h"

enum { MOST = 3 };

struct lending {
	mag_pool pool;
	mag_pool_loan loans[LINEAR_LANES];
	uint32_t made; /* atomic */
};

struct number_create {
	mag_frame frame;
	MAG_ARGS(number_create, struct lending *lending; uintptr_t *item;);
};
MAG_DECLARE_TASK(number_create);

MAG_TASK(number_create)
{
	MAG_BEGIN(number_create);
	*self->item = magi_add_ar(&self->lending->made, 1u) + 1;
	MAG_RETURN(0);
	MAG_END;
}

static int make(void *object, struct magi_random *random, int32_t *config)
{
	struct lending *l = object;

	MAGI_ASSERT_STATIC(sizeof(*l) <= LINEAR_OBJECT_BYTES, "it has room");
	config[0] = 1 + (int32_t)magi_random_below(random, MOST);
	l->made = 0;
	return mag_pool_init(&l->pool, &(mag_pool_options){ .size = sizeof(mag_pool_options), .max = (uint32_t)config[0],
							    .wait_ns = MAG_NEVER, .ctx = l,
							    .create = MAG_POOL_FN(number_create) });
}

static struct magi_waitq *waitq(void *object)
{
	return &((struct lending *)object)->pool.places.waitq;
}

/* Numbers need no destruction. */
static int end(void *object)
{
	mag_pool *p = object;
	struct magi_pool_idle item;

	while (magi_pool_any(p, &item))
		magi_pool_forget(p, true);
	return linear_waiting(waitq(object)) > 0 || p->all ? -EBUSY : mag_pool_fini(p);
}

static void draw(struct linear_lane_state *lane, struct linear_op *op)
{
	static const uint8_t empty[] = { LINEAR_POOL_TAKE, LINEAR_POOL_TAKE, LINEAR_POOL_TAKE, LINEAR_POOL_TRY_TAKE,
					 LINEAR_POOL_TRY_TAKE, LINEAR_POOL_IDLE };

	op->kind = lane->held ? LINEAR_POOL_GIVE : empty[magi_random_below(&lane->random, sizeof(empty))];
	op->awaits = op->kind == LINEAR_POOL_TAKE;
	op->item[0] = (uint64_t)lane->held;
}

static mag_pool_loan *loan_of(void *object, const struct linear_op *op)
{
	return &((struct lending *)object)->loans[op->lane];
}

static mag_frame *await(mag_worker *w, mag_frame *f, void *object, struct linear_op *op)
{
	op->item[1] = (uintptr_t)loan_of(object, op);
	return mag_pool_take(w, f, object, loan_of(object, op));
}

static int64_t act(mag_worker *w, mag_frame *f, void *object, struct linear_op *op)
{
	mag_pool_counts counts = { .size = sizeof(counts) };
	int64_t rc;

	switch (op->kind) {
	case LINEAR_POOL_TRY_TAKE:
		rc = mag_pool_try_take(object, loan_of(object, op));
		if (rc == 0)
			op->item[0] = (uintptr_t)loan_of(object, op)->item;
		return rc;
	case LINEAR_POOL_GIVE:
		return mag_pool_give(w, f, loan_of(object, op)) == f ? 0 : -EDEADLK; /* it need not wait */
	default:
		mag_pool_stats(object, &counts);
		return counts.idle;
	}
}

static void book(struct linear_lane_state *lane, struct linear_op *op)
{
	if (op->kind == LINEAR_POOL_TAKE && op->result == 0)
		op->item[0] = (uintptr_t)((mag_pool_loan *)(uintptr_t)op->item[1])->item;
	if (op->kind == LINEAR_POOL_GIVE)
		lane->held = 0;
	else if (op->kind <= LINEAR_POOL_TRY_TAKE && op->result == 0)
		lane->held = (int64_t)op->item[0];
}

static bool last(struct linear_lane_state *lane, struct linear_op *op)
{
	op->kind = LINEAR_POOL_GIVE;
	op->item[0] = (uint64_t)lane->held;
	return lane->held != 0;
}

/* No help: whoever has an item gives it back. */
static const struct linear_object pool = { .spec = &linear_pool_spec,
					   .make = make,
					   .end = end,
					   .draw = draw,
					   .await = await,
					   .act = act,
					   .book = book,
					   .last = last,
					   .waitq = waitq };

#ifndef MAGI_POINTS /* that is for the simulator */
Test(linear_pool, every_history_is_linearizable, .timeout = LINEAR_TIMEOUT)
{
	linear_prove(&pool);
}
#endif

Test(linear_pool, every_simulated_history_is_linearizable, .timeout = LINEAR_TIMEOUT)
{
	linear_simulate(&pool);
}
