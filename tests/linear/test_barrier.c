/* SPDX-License-Identifier: MIT */
/* test_barrier.c - histories of include/magpie/barrier.h. */
#include <criterion/criterion.h>
#include <errno.h>

#include "linear/prove.h"

static int make(void *object, struct magi_random *random, int32_t *config)
{
	config[0] = 1 + (int32_t)magi_random_below(random, 3);
	return mag_barrier_init(object, (uint32_t)config[0]);
}

static struct magi_waitq *waitq(void *object)
{
	return &((mag_barrier *)object)->waitq;
}

/* Looked at first: to end what is in use ends the program. */
static int end(void *object)
{
	return linear_waiting(waitq(object)) > 0 ? -EBUSY : mag_barrier_fini(object);
}

static void draw(struct linear_lane_state *lane, struct linear_op *op)
{
	static const uint8_t kinds[] = { LINEAR_BARRIER_WAIT,  LINEAR_BARRIER_WAIT,     LINEAR_BARRIER_WAIT,
					 LINEAR_BARRIER_WAIT,  LINEAR_BARRIER_TRY_WAIT, LINEAR_ABORT,
					 LINEAR_BARRIER_RESET, LINEAR_BARRIER_RESET,    LINEAR_BARRIER_WAITING };

	op->kind = kinds[magi_random_below(&lane->random, sizeof(kinds))];
	op->awaits = op->kind == LINEAR_BARRIER_WAIT;
}

static mag_frame *await(mag_worker *w, mag_frame *f, void *object, struct linear_op *op)
{
	(void)op;
	return mag_barrier_wait(w, f, object);
}

static int64_t act(mag_worker *w, mag_frame *f, void *object, struct linear_op *op)
{
	(void)w;
	(void)f;
	switch (op->kind) {
	case LINEAR_BARRIER_TRY_WAIT:
		return mag_barrier_try_wait(object);
	case LINEAR_ABORT:
		return mag_barrier_abort(object);
	case LINEAR_BARRIER_RESET:
		return mag_barrier_reset(object);
	default:
		return mag_barrier_waiting(object);
	}
}

static void help(struct linear_op *op)
{
	op->kind = LINEAR_ABORT;
}

static const struct linear_object barrier = { .spec = &linear_barrier_spec,
					      .make = make,
					      .end = end,
					      .draw = draw,
					      .await = await,
					      .act = act,
					      .help = help,
					      .waitq = waitq };

#ifndef MAGI_POINTS /* that is for the simulator */
Test(linear_barrier, every_history_is_linearizable, .timeout = LINEAR_TIMEOUT)
{
	linear_prove(&barrier);
}
#endif

Test(linear_barrier, every_simulated_history_is_linearizable, .timeout = LINEAR_TIMEOUT)
{
	linear_simulate(&barrier);
}
