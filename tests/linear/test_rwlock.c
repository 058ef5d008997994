/* SPDX-License-Identifier: MIT */
/* test_rwlock.c - histories of include/magpie/rwlock.h. */
#include <criterion/criterion.h>
#include <errno.h>

#include "linear/prove.h"

enum { NOTHING, READS, WRITES }; /* what a lane holds */

static int make(void *object, struct magi_random *random, int32_t *config)
{
	(void)random;
	(void)config;
	mag_rwlock_init(object);
	return 0;
}

static struct magi_waitq *waitq(void *object)
{
	return &((mag_rwlock *)object)->waitq;
}

/* Looked at first: to end what is in use ends the program. */
static int end(void *object)
{
	const mag_rwlock *l = object;

	return linear_waiting(waitq(object)) > 0 || l->state ? -EBUSY : mag_rwlock_fini(object);
}

static void draw(struct linear_lane_state *lane, struct linear_op *op)
{
	static const uint8_t kinds[][6] = {
		[NOTHING] = { LINEAR_LOCK_READ, LINEAR_LOCK_READ, LINEAR_LOCK_WRITE, LINEAR_LOCK_WRITE,
			      LINEAR_TRY_LOCK_READ, LINEAR_TRY_LOCK_WRITE },
		[READS] = { LINEAR_UNLOCK_READ, LINEAR_UNLOCK_READ, LINEAR_UNLOCK_READ, LINEAR_UNLOCK_READ,
			    LINEAR_READERS, LINEAR_RWLOCK_WAITING },
		[WRITES] = { LINEAR_UNLOCK_WRITE, LINEAR_UNLOCK_WRITE, LINEAR_DOWNGRADE, LINEAR_READERS,
			     LINEAR_RWLOCK_WAITING, LINEAR_LOCK_READ },
	};

	op->kind = kinds[lane->held][magi_random_below(&lane->random, sizeof(kinds[0]))];
	op->awaits = op->kind == LINEAR_LOCK_READ || op->kind == LINEAR_LOCK_WRITE;
}

static mag_frame *await(mag_worker *w, mag_frame *f, void *object, struct linear_op *op)
{
	if (op->kind == LINEAR_LOCK_WRITE)
		return mag_rwlock_lock_write(w, f, object);
	return mag_rwlock_lock_read(w, f, object);
}

static int64_t act(mag_worker *w, mag_frame *f, void *object, struct linear_op *op)
{
	switch (op->kind) {
	case LINEAR_TRY_LOCK_READ:
		return magi_rwlock_try_lock(f, object, false);
	case LINEAR_TRY_LOCK_WRITE:
		return magi_rwlock_try_lock(f, object, true);
	case LINEAR_UNLOCK_READ:
		return mag_rwlock_unlock_read_by(w, f, object);
	case LINEAR_UNLOCK_WRITE:
		return mag_rwlock_unlock_write_by(w, f, object);
	case LINEAR_DOWNGRADE:
		return magi_rwlock_unlock_write(f, object, true);
	case LINEAR_READERS:
		return (int64_t)mag_rwlock_readers(object);
	default:
		return linear_waiting(waitq(object));
	}
}

static void book(struct linear_lane_state *lane, struct linear_op *op)
{
	if (op->result != 0)
		return;
	switch (op->kind) {
	case LINEAR_LOCK_READ:
	case LINEAR_TRY_LOCK_READ:
	case LINEAR_DOWNGRADE:
		lane->held = READS;
		break;
	case LINEAR_LOCK_WRITE:
	case LINEAR_TRY_LOCK_WRITE:
		lane->held = WRITES;
		break;
	case LINEAR_UNLOCK_READ:
	case LINEAR_UNLOCK_WRITE:
		lane->held = NOTHING;
		break;
	}
}

static bool last(struct linear_lane_state *lane, struct linear_op *op)
{
	op->kind = lane->held == READS ? LINEAR_UNLOCK_READ : LINEAR_UNLOCK_WRITE;
	return lane->held != NOTHING;
}

/* No help: whoever holds it gives it back. */
static const struct linear_object rwlock = { .spec = &linear_rwlock_spec,
					     .make = make,
					     .end = end,
					     .draw = draw,
					     .await = await,
					     .act = act,
					     .book = book,
					     .last = last,
					     .waitq = waitq };

#ifndef MAGI_POINTS /* that is for the simulator */
Test(linear_rwlock, every_history_is_linearizable, .timeout = LINEAR_TIMEOUT)
{
	linear_prove(&rwlock);
}
#endif

Test(linear_rwlock, every_simulated_history_is_linearizable, .timeout = LINEAR_TIMEOUT)
{
	linear_simulate(&rwlock);
}
