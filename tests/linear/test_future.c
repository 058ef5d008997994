/* SPDX-License-Identifier: MIT */
/* test_future.c - histories of include/magpie/future.h. */
#include <criterion/criterion.h>
#include <errno.h>

#include "linear/prove.h"

enum { VALUES_OF_A_LANE = 100, VALUE_OF_THE_HELPER = 99 };

static int make(void *object, struct magi_random *random, int32_t *config)
{
	(void)random;
	(void)config;
	mag_future_init(object);
	return 0;
}

static struct magi_waitq *waitq(void *object)
{
	return &((mag_future *)object)->waiters;
}

static int end(void *object)
{
	if (linear_waiting(waitq(object)) > 0)
		return -EBUSY;
	mag_future_fini(object);
	return 0;
}

/* Early ones ask, late ones complete: else nobody would wait. */
static void draw(struct linear_lane_state *lane, struct linear_op *op)
{
	uint32_t n = magi_random_below(&lane->random, 10);

	if (n < 4)
		op->kind = LINEAR_FUTURE_AWAIT;
	else if (n < 6)
		op->kind = LINEAR_POLL;
	else if (n < 7 || lane->left > 3)
		op->kind = LINEAR_FUTURE_WAITING;
	else
		op->kind = LINEAR_COMPLETE;
	op->awaits = op->kind == LINEAR_FUTURE_AWAIT;
	if (op->kind == LINEAR_COMPLETE)
		op->item[0] = (lane->index + 1) * VALUES_OF_A_LANE + ++lane->made;
}

static mag_frame *await(mag_worker *w, mag_frame *f, void *object, struct linear_op *op)
{
	(void)op;
	return mag_future_await(w, f, object);
}

static int64_t act(mag_worker *w, mag_frame *f, void *object, struct linear_op *op)
{
	int64_t value;
	bool complete;

	(void)w;
	(void)f;
	switch (op->kind) {
	case LINEAR_COMPLETE:
		return mag_future_complete(object, (int64_t)op->item[0]);
	case LINEAR_POLL:
		complete = mag_future_poll(object, &value);
		op->item[0] = complete ? (uint64_t)value : 0;
		return complete;
	default:
		return linear_waiting(waitq(object));
	}
}

static void help(struct linear_op *op)
{
	op->kind = LINEAR_COMPLETE;
	op->item[0] = VALUE_OF_THE_HELPER;
}

static const struct linear_object future = { .spec = &linear_future_spec,
					     .make = make,
					     .end = end,
					     .draw = draw,
					     .await = await,
					     .act = act,
					     .help = help,
					     .waitq = waitq };

#ifndef MAGI_POINTS /* that is for the simulator */
Test(linear_future, every_history_is_linearizable, .timeout = LINEAR_TIMEOUT)
{
	linear_prove(&future);
}
#endif

Test(linear_future, every_simulated_history_is_linearizable, .timeout = LINEAR_TIMEOUT)
{
	linear_simulate(&future);
}
