/* SPDX-License-Identifier: MIT */
/* test_breaker.c - histories of include/magpie/breaker.h. */
#include <criterion/criterion.h>
#include <errno.h>
#include <magpie/sim.h>

#include "linear/prove.h"
#include "task/wait.h"

enum { PAUSES = 100 };

struct breaker {
	mag_breaker breaker;
	mag_breaker_permit permit[LINEAR_LANES]; /* a lane has one at most */
	struct magi_waitq nobody;
};

MAGI_ASSERT_STATIC(sizeof(struct breaker) <= LINEAR_OBJECT_BYTES, "a round has room for it");

static int make(void *object, struct magi_random *random, int32_t *config)
{
	struct breaker *b = object;
	mag_breaker_options options = { .size = sizeof(options), .failures = 2, .open_ns = 1 };

	options.trials = 1 + magi_random_below(random, 2);
	config[0] = (int32_t)options.trials;
	magi_waitq_init(&b->nobody, NULL);
	return mag_breaker_init(&b->breaker, &options);
}

static struct magi_waitq *waitq(void *object)
{
	return &((struct breaker *)object)->nobody;
}

static int end(void *object)
{
	return ((struct breaker *)object)->breaker.out ? -EBUSY : 0;
}

static void draw(struct linear_lane_state *lane, struct linear_op *op)
{
	static const uint8_t outcomes[] = { MAG_BREAKER_SUCCESS, MAG_BREAKER_SUCCESS, MAG_BREAKER_FAILURE,
					    MAG_BREAKER_FAILURE, MAG_BREAKER_FAILURE, MAG_BREAKER_IGNORED };

	op->kind = magi_random_below(&lane->random, 6) == 0 ? LINEAR_BREAKER_STATE
		   : lane->held                             ? LINEAR_BREAKER_END
							    : LINEAR_ALLOW;
	op->awaits = false;
	op->item[0] = outcomes[magi_random_below(&lane->random, sizeof(outcomes))];
	op->item[1] = magi_random_below(&lane->random, PAUSES);
}

/* None of these takes long enough to meet another: it is held up, a little. */
static void dawdle(uint64_t pauses)
{
	mag_sim_point();
	while (pauses-- > 0)
		magi_pause();
}

static int64_t act(mag_worker *w, mag_frame *f, void *object, struct linear_op *op)
{
	struct breaker *b = object;
	mag_breaker_permit *permit = &b->permit[op->lane];
	int rc;

	(void)w;
	(void)f;
	dawdle(op->item[1]);
	switch (op->kind) {
	case LINEAR_ALLOW:
		rc = mag_breaker_allow(&b->breaker, permit);
		return rc == 0 ? (int64_t)permit->circuit : rc;
	case LINEAR_BREAKER_END:
		return mag_breaker_end_as(permit, (enum mag_breaker_outcome)op->item[0]);
	default:
		return mag_breaker_state(&b->breaker);
	}
}

static void book(struct linear_lane_state *lane, struct linear_op *op)
{
	if (op->kind == LINEAR_ALLOW)
		lane->held = op->result >= 0;
	else if (op->kind == LINEAR_BREAKER_END)
		lane->held = 0;
}

static bool last(struct linear_lane_state *lane, struct linear_op *op)
{
	op->kind = LINEAR_BREAKER_END;
	op->item[0] = MAG_BREAKER_IGNORED;
	return lane->held;
}

static const struct linear_object breaker = { .spec = &linear_breaker_spec,
					      .make = make,
					      .end = end,
					      .draw = draw,
					      .act = act,
					      .book = book,
					      .last = last,
					      .waitq = waitq };

#ifndef MAGI_POINTS /* that is for the simulator */
Test(linear_breaker, every_history_is_linearizable, .timeout = LINEAR_TIMEOUT)
{
	linear_prove(&breaker);
}
#endif

Test(linear_breaker, every_simulated_history_is_linearizable, .timeout = LINEAR_TIMEOUT)
{
	linear_simulate(&breaker);
}
