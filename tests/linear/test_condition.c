/* SPDX-License-Identifier: MIT */
/* test_condition.c - histories of include/magpie/condition.h. */
#include <criterion/criterion.h>
#include <errno.h>

#include "linear/prove.h"

struct guarded {
	mag_condition condition;
	mag_mutex mutex;
};

static int make(void *object, struct magi_random *random, int32_t *config)
{
	struct guarded *g = object;

	(void)random;
	(void)config;
	mag_condition_init(&g->condition);
	mag_mutex_init(&g->mutex);
	return 0;
}

static struct magi_waitq *waitq(void *object)
{
	return &((struct guarded *)object)->condition.waitq;
}

/* Looked at first: to end what is in use ends the program. */
static int end(void *object)
{
	struct guarded *g = object;

	if (linear_waiting(waitq(object)) > 0 || g->mutex.state)
		return -EBUSY;
	return mag_condition_fini(&g->condition);
}

static void draw(struct linear_lane_state *lane, struct linear_op *op)
{
	static const uint8_t kinds[] = { LINEAR_CONDITION_WAIT, LINEAR_CONDITION_WAIT, LINEAR_SIGNAL,
					 LINEAR_SIGNAL,         LINEAR_BROADCAST,      LINEAR_CONDITION_WAITING };

	op->kind = kinds[magi_random_below(&lane->random, sizeof(kinds))];
	op->awaits = op->kind == LINEAR_CONDITION_WAIT;
}

/* A function that the lane calls. */
struct locked_wait {
	mag_frame frame;
	MAG_ARGS(locked_wait, struct guarded *g;);
	int64_t rc;
};

static MAG_TASK(locked_wait)
{
	MAG_BEGIN(locked_wait);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->g->mutex);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_AWAIT(self->rc, mag_condition_wait, &self->g->condition, &self->g->mutex);
	if (mag_mutex_unlock(&self->g->mutex) < 0)
		self->rc = -EPERM;
	MAG_RETURN(self->rc);
	MAG_END;
}

static mag_frame *await(mag_worker *w, mag_frame *f, void *object, struct linear_op *op)
{
	struct locked_wait *c = magi_frame_take(w, MAGI_CLASS(sizeof(*c)), sizeof(*c));

	(void)op;
	c->g = object;
	return magi_call(f, &c->frame, locked_wait_step, MAGI_CLASS(sizeof(*c)));
}

static int64_t act(mag_worker *w, mag_frame *f, void *object, struct linear_op *op)
{
	struct guarded *g = object;

	(void)w;
	(void)f;
	switch (op->kind) {
	case LINEAR_SIGNAL:
		return mag_condition_signal(&g->condition);
	case LINEAR_BROADCAST:
		return mag_condition_broadcast(&g->condition);
	default:
		return linear_waiting(waitq(object));
	}
}

static void help(struct linear_op *op)
{
	op->kind = LINEAR_SIGNAL;
}

static const struct linear_object condition = { .spec = &linear_condition_spec,
						.make = make,
						.end = end,
						.draw = draw,
						.await = await,
						.act = act,
						.help = help,
						.waitq = waitq };

#ifndef MAGI_POINTS /* that is for the simulator */
Test(linear_condition, every_history_is_linearizable, .timeout = LINEAR_TIMEOUT)
{
	linear_prove(&condition);
}
#endif

Test(linear_condition, every_simulated_history_is_linearizable, .timeout = LINEAR_TIMEOUT)
{
	linear_simulate(&condition);
}
