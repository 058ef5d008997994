/* SPDX-License-Identifier: MIT */
/* test_mutex.c - histories of include/magpie/mutex.h. */
#include <criterion/criterion.h>
#include <errno.h>

#include "linear/prove.h"

static int make(void *object, struct magi_random *random, int32_t *config)
{
	config[0] = magi_random_below(random, 2) ? MAG_BARGING : MAG_FAIR;
	mag_mutex_init_as(object, (enum mag_fairness)config[0]);
	return 0;
}

static struct magi_waitq *waitq(void *object)
{
	return &((mag_mutex *)object)->waitq;
}

/* Looked at first: to end what is in use ends the program. */
static int end(void *object)
{
	const mag_mutex *m = object;

	return linear_waiting(waitq(object)) > 0 || m->state ? -EBUSY : mag_mutex_fini(object);
}

/* A holder goes on with the mutex for a while, so that others wait; now and then it wants it once more. */
static void draw(struct linear_lane_state *lane, struct linear_op *op)
{
	static const uint8_t holder[] = { LINEAR_UNLOCK,    LINEAR_UNLOCK,   LINEAR_UNLOCK, LINEAR_IS_LOCKED,
					  LINEAR_IS_LOCKED, LINEAR_TRY_LOCK, LINEAR_LOCK };
	static const uint8_t others[] = { LINEAR_LOCK, LINEAR_LOCK,     LINEAR_LOCK,     LINEAR_LOCK,
					  LINEAR_LOCK, LINEAR_TRY_LOCK, LINEAR_IS_LOCKED };

	op->kind = (lane->held ? holder : others)[magi_random_below(&lane->random, sizeof(holder))];
	op->awaits = op->kind == LINEAR_LOCK;
}

static mag_frame *await(mag_worker *w, mag_frame *f, void *object, struct linear_op *op)
{
	(void)op;
	return mag_mutex_lock(w, f, object);
}

static int64_t act(mag_worker *w, mag_frame *f, void *object, struct linear_op *op)
{
	switch (op->kind) {
	case LINEAR_TRY_LOCK:
		return mag_mutex_try_lock_by(w, f, object);
	case LINEAR_UNLOCK:
		return mag_mutex_unlock_by(w, f, object);
	default:
		return mag_mutex_is_locked(object);
	}
}

static void book(struct linear_lane_state *lane, struct linear_op *op)
{
	if (op->result == 0 && op->kind != LINEAR_IS_LOCKED)
		lane->held = op->kind != LINEAR_UNLOCK;
}

static bool last(struct linear_lane_state *lane, struct linear_op *op)
{
	op->kind = LINEAR_UNLOCK;
	return lane->held;
}

/* No help: whoever holds it gives it back. */
static const struct linear_object mutex = { .spec = &linear_mutex_spec,
					    .make = make,
					    .end = end,
					    .draw = draw,
					    .await = await,
					    .act = act,
					    .book = book,
					    .last = last,
					    .waitq = waitq };

#ifndef MAGI_POINTS /* that is for the simulator */
Test(linear_mutex, every_history_is_linearizable, .timeout = LINEAR_TIMEOUT)
{
	linear_prove(&mutex);
}
#endif

Test(linear_mutex, every_simulated_history_is_linearizable, .timeout = LINEAR_TIMEOUT)
{
	linear_simulate(&mutex);
}
