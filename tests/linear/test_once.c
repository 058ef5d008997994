/* SPDX-License-Identifier: MIT */
/* test_once.c - histories of include/magpie/once.h. */
#include <criterion/criterion.h>
#include <errno.h>

#include "linear/prove.h"

static int make(void *object, struct magi_random *random, int32_t *config)
{
	(void)random;
	(void)config;
	mag_once_init(object);
	return 0;
}

static struct magi_waitq *waitq(void *object)
{
	return &((mag_once *)object)->waitq;
}

/* Looked at first: to end what is in use ends the program. */
static int end(void *object)
{
	const mag_once *o = object;

	return linear_waiting(waitq(object)) > 0 || o->state > MAGI_ONCE_DONE ? -EBUSY : mag_once_fini(object);
}

static void draw(struct linear_lane_state *lane, struct linear_op *op)
{
	static const uint8_t elected[] = { LINEAR_ONCE_DONE, LINEAR_ONCE_DONE, LINEAR_ONCE_DONE, LINEAR_BEGIN,
					   LINEAR_TRY_BEGIN, LINEAR_IS_DONE,   LINEAR_ONCE_WAITING };
	static const uint8_t others[] = { LINEAR_BEGIN,     LINEAR_BEGIN,   LINEAR_BEGIN,       LINEAR_BEGIN,
					  LINEAR_TRY_BEGIN, LINEAR_IS_DONE, LINEAR_ONCE_WAITING };

	op->kind = (lane->held ? elected : others)[magi_random_below(&lane->random, sizeof(elected))];
	op->awaits = op->kind == LINEAR_BEGIN;
	op->item[0] = magi_random_below(&lane->random, 4) != 0;
}

static mag_frame *await(mag_worker *w, mag_frame *f, void *object, struct linear_op *op)
{
	(void)op;
	return mag_once_begin(w, f, object);
}

static int64_t act(mag_worker *w, mag_frame *f, void *object, struct linear_op *op)
{
	(void)w;
	switch (op->kind) {
	case LINEAR_TRY_BEGIN:
		return magi_once_try(f, object);
	case LINEAR_ONCE_DONE:
		return mag_once_done_by(f, object, op->item[0] ? -EIO : 0);
	case LINEAR_IS_DONE:
		return mag_once_is_done(object);
	default:
		return linear_waiting(waitq(object));
	}
}

static void book(struct linear_lane_state *lane, struct linear_op *op)
{
	if (op->result == 1 && (op->kind == LINEAR_BEGIN || op->kind == LINEAR_TRY_BEGIN))
		lane->held = 1;
	else if (op->kind == LINEAR_ONCE_DONE)
		lane->held = 0;
}

static bool last(struct linear_lane_state *lane, struct linear_op *op)
{
	op->kind = LINEAR_ONCE_DONE;
	op->item[0] = 1;
	return lane->held;
}

/* No help: whoever was elected says how it went. */
static const struct linear_object once = { .spec = &linear_once_spec,
					   .make = make,
					   .end = end,
					   .draw = draw,
					   .await = await,
					   .act = act,
					   .book = book,
					   .last = last,
					   .waitq = waitq };

#ifndef MAGI_POINTS /* that is for the simulator */
Test(linear_once, every_history_is_linearizable, .timeout = LINEAR_TIMEOUT)
{
	linear_prove(&once);
}
#endif

Test(linear_once, every_simulated_history_is_linearizable, .timeout = LINEAR_TIMEOUT)
{
	linear_simulate(&once);
}
