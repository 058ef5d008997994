/* SPDX-License-Identifier: MIT */
/* test_semaphore.c - histories of include/magpie/semaphore.h. */
#include <criterion/criterion.h>
#include <errno.h>

#include "linear/prove.h"

enum { NEED_MAX = 3, MOST = 1000 };

static int make(void *object, struct magi_random *random, int32_t *config)
{
	config[0] = (int32_t)magi_random_below(random, NEED_MAX + 1);
	config[1] = MOST;
	config[2] = magi_random_below(random, 4) == 0;
	return mag_semaphore_init_as(object, (uint32_t)config[0], MOST, config[2] ? MAG_BARGING : MAG_FAIR);
}

static struct magi_waitq *waitq(void *object)
{
	return &((mag_semaphore *)object)->waitq;
}

/* Looked at first: to end what is in use ends the program. */
static int end(void *object)
{
	const mag_semaphore *s = object;

	return linear_waiting(waitq(object)) > 0 || (s->state & MAGI_SEMAPHORE_WAITERS) ? -EBUSY
											: mag_semaphore_fini(object);
}

static void draw(struct linear_lane_state *lane, struct linear_op *op)
{
	static const uint8_t kinds[] = { LINEAR_ACQUIRE, LINEAR_ACQUIRE,          LINEAR_ACQUIRE,     LINEAR_RELEASE,
					 LINEAR_RELEASE, LINEAR_TRY_ACQUIRE,      LINEAR_TRY_ACQUIRE, LINEAR_PERMITS,
					 LINEAR_PERMITS, LINEAR_SEMAPHORE_WAITING };

	op->kind = kinds[magi_random_below(&lane->random, sizeof(kinds))];
	op->awaits = op->kind == LINEAR_ACQUIRE;
	op->item[0] = 1 + magi_random_below(&lane->random, NEED_MAX);
}

static mag_frame *await(mag_worker *w, mag_frame *f, void *object, struct linear_op *op)
{
	return mag_semaphore_acquire(w, f, object, (uint32_t)op->item[0]);
}

static int64_t act(mag_worker *w, mag_frame *f, void *object, struct linear_op *op)
{
	(void)w;
	(void)f;
	switch (op->kind) {
	case LINEAR_TRY_ACQUIRE:
		return mag_semaphore_try_acquire(object, (uint32_t)op->item[0]);
	case LINEAR_RELEASE:
		return mag_semaphore_release((mag_semaphore *)object, (uint32_t)op->item[0]);
	case LINEAR_PERMITS:
		return mag_semaphore_permits(object);
	default:
		return linear_waiting(waitq(object));
	}
}

static void help(struct linear_op *op)
{
	op->kind = LINEAR_RELEASE;
	op->item[0] = NEED_MAX;
}

static const struct linear_object semaphore = { .spec = &linear_semaphore_spec,
						.make = make,
						.end = end,
						.draw = draw,
						.await = await,
						.act = act,
						.help = help,
						.waitq = waitq };

#ifndef MAGI_POINTS /* that is for the simulator */
Test(linear_semaphore, every_history_is_linearizable, .timeout = LINEAR_TIMEOUT)
{
	linear_prove(&semaphore);
}
#endif

Test(linear_semaphore, every_simulated_history_is_linearizable, .timeout = LINEAR_TIMEOUT)
{
	linear_simulate(&semaphore);
}
