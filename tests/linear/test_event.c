/* SPDX-License-Identifier: MIT */
/* test_event.c - histories of include/magpie/event.h. */
#include <criterion/criterion.h>
#include <errno.h>

#include "linear/prove.h"

static int make(void *object, struct magi_random *random, int32_t *config)
{
	(void)random;
	(void)config;
	mag_event_init(object);
	return 0;
}

static struct magi_waitq *waitq(void *object)
{
	return &((mag_event *)object)->waitq;
}

static int end(void *object)
{
	return linear_waiting(waitq(object)) > 0 ? -EBUSY : mag_event_fini(object);
}

static void draw(struct linear_lane_state *lane, struct linear_op *op)
{
	static const uint8_t kinds[] = { LINEAR_EVENT_WAIT, LINEAR_EVENT_WAIT, LINEAR_EVENT_WAIT,
					 LINEAR_SET,        LINEAR_SET,        LINEAR_RESET,
					 LINEAR_RESET,      LINEAR_IS_SET,     LINEAR_EVENT_WAITING };

	op->kind = kinds[magi_random_below(&lane->random, sizeof(kinds))];
	op->awaits = op->kind == LINEAR_EVENT_WAIT;
}

static mag_frame *await(mag_worker *w, mag_frame *f, void *object, struct linear_op *op)
{
	(void)op;
	return mag_event_wait(w, f, object);
}

static int64_t act(mag_worker *w, mag_frame *f, void *object, struct linear_op *op)
{
	(void)w;
	(void)f;
	switch (op->kind) {
	case LINEAR_SET:
		return mag_event_set(object);
	case LINEAR_RESET:
		return mag_event_reset(object);
	case LINEAR_IS_SET:
		return mag_event_is_set(object);
	default:
		return linear_waiting(waitq(object));
	}
}

static void help(struct linear_op *op)
{
	op->kind = LINEAR_SET;
}

static const struct linear_object event = { .spec = &linear_event_spec,
					    .make = make,
					    .end = end,
					    .draw = draw,
					    .await = await,
					    .act = act,
					    .help = help,
					    .waitq = waitq };

#ifndef MAGI_POINTS /* that is for the simulator */
Test(linear_event, every_history_is_linearizable, .timeout = LINEAR_TIMEOUT)
{
	linear_prove(&event);
}
#endif

Test(linear_event, every_simulated_history_is_linearizable, .timeout = LINEAR_TIMEOUT)
{
	linear_simulate(&event);
}
