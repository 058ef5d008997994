/* SPDX-License-Identifier: MIT */
/* test_queue.c - histories of include/magpie/queue.h. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "linear/prove.h"

enum { CAPACITY_MAX = 3, VALUES_OF_A_LANE = 100 };

static int compare(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (int)linear_urgency(x) - (int)linear_urgency(y);
}

static int make(void *object, struct magi_random *random, int32_t *config)
{
	mag_queue_options o = { .size = sizeof(o), .before = compare };

	/* words go another way than the rest */
	o.element_size = (uint32_t)sizeof(uint64_t) * (1 + magi_random_below(random, 2));
	o.capacity = magi_random_below(random, CAPACITY_MAX + 1);
	if (o.capacity > 0 && magi_random_below(random, 2))
		o.order = magi_random_below(random, 2) ? MAG_QUEUE_LIFO : MAG_QUEUE_PRIORITY;
	config[0] = (int32_t)o.capacity;
	config[1] = (int32_t)o.order;
	return mag_queue_init_as(object, &o);
}

static struct magi_waitq *waitq(void *object)
{
	return &((mag_queue *)object)->waitq;
}

static int end(void *object)
{
	return linear_waiting(waitq(object)) > 0 ? -EBUSY : mag_queue_fini(object);
}

static void draw(struct linear_lane_state *lane, struct linear_op *op)
{
	static const uint8_t kinds[] = { LINEAR_PUSH,    LINEAR_PUSH,    LINEAR_PUSH,         LINEAR_POP,
					 LINEAR_POP,     LINEAR_POP,     LINEAR_TRY_PUSH,     LINEAR_TRY_PUSH,
					 LINEAR_TRY_POP, LINEAR_TRY_POP, LINEAR_QUEUE_WAITING };
	uint32_t rare = magi_random_below(&lane->random, 30);

	op->kind = rare == 0   ? LINEAR_CLOSE
		   : rare == 1 ? LINEAR_IS_CLOSED
			       : kinds[magi_random_below(&lane->random, sizeof(kinds))];
	op->awaits = op->kind == LINEAR_PUSH || op->kind == LINEAR_POP;
	if (op->kind == LINEAR_PUSH || op->kind == LINEAR_TRY_PUSH) {
		op->item[0] = (lane->index + 1) * VALUES_OF_A_LANE + ++lane->made;
		op->item[1] = ~op->item[0];
	}
}

static mag_frame *await(mag_worker *w, mag_frame *f, void *object, struct linear_op *op)
{
	return op->kind == LINEAR_PUSH ? mag_queue_push(w, f, object, op->item) : mag_queue_pop(w, f, object, op->item);
}

static int64_t act(mag_worker *w, mag_frame *f, void *object, struct linear_op *op)
{
	(void)w;
	(void)f;
	switch (op->kind) {
	case LINEAR_TRY_PUSH:
		return mag_queue_try_push(object, op->item);
	case LINEAR_TRY_POP:
		return mag_queue_try_pop(object, op->item);
	case LINEAR_CLOSE:
		return mag_queue_close(object);
	case LINEAR_IS_CLOSED:
		return mag_queue_is_closed(object);
	default:
		return linear_waiting(waitq(object));
	}
}

/* An element of two words that was torn is one that nobody pushed. */
static void book(struct linear_lane_state *lane, struct linear_op *op)
{
	(void)lane;
	if ((op->kind == LINEAR_POP || op->kind == LINEAR_TRY_POP) && op->item[1] && op->item[1] != ~op->item[0])
		op->item[0] = 0;
}

static void help(struct linear_op *op)
{
	op->kind = LINEAR_CLOSE;
}

static const struct linear_object queue = { .spec = &linear_queue_spec,
					    .make = make,
					    .end = end,
					    .draw = draw,
					    .await = await,
					    .act = act,
					    .book = book,
					    .help = help,
					    .waitq = waitq };

#ifndef MAGI_POINTS /* that is for the simulator */
Test(linear_queue, every_history_is_linearizable, .timeout = LINEAR_TIMEOUT)
{
	linear_prove(&queue);
}
#endif

Test(linear_queue, every_simulated_history_is_linearizable, .timeout = LINEAR_TIMEOUT)
{
	linear_simulate(&queue);
}
