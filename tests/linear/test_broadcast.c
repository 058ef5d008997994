/* SPDX-License-Identifier: MIT */
/* test_broadcast.c - histories of include/magpie/broadcast.h. */
#include <criterion/criterion.h>
#include <errno.h>

#include "linear/prove.h"

enum { VALUES_OF_A_LANE = 100, CAPACITIES = 3 };

struct cast {
	mag_broadcast broadcast;
	mag_broadcast_receiver receiver[LINEAR_LANES];
};

static int make(void *object, struct magi_random *random, int32_t *config)
{
	struct cast *c = object;
	int rc;

	config[0] = 1 << magi_random_below(random, CAPACITIES);
	rc = mag_broadcast_init(&c->broadcast, (uint32_t)config[0], 2 * sizeof(uint64_t));
	for (int i = 0; rc == 0 && i < LINEAR_LANES; i++)
		rc = mag_broadcast_subscribe(&c->broadcast, &c->receiver[i]);
	return rc;
}

static struct magi_waitq *waitq(void *object)
{
	return &((mag_broadcast *)object)->waitq;
}

static int end(void *object)
{
	struct cast *c = object;

	if (linear_waiting(waitq(object)) > 0)
		return -EBUSY;
	for (int i = 0; i < LINEAR_LANES; i++)
		mag_broadcast_unsubscribe(&c->receiver[i]);
	return mag_broadcast_fini(object);
}

static void draw(struct linear_lane_state *lane, struct linear_op *op)
{
	static const uint8_t kinds[] = { LINEAR_BROADCAST_RECV,     LINEAR_BROADCAST_RECV, LINEAR_BROADCAST_RECV,
					 LINEAR_BROADCAST_TRY_RECV, LINEAR_BROADCAST_SEND, LINEAR_BROADCAST_SEND,
					 LINEAR_BROADCAST_WAITING };

	op->kind = magi_random_below(&lane->random, 25) ? kinds[magi_random_below(&lane->random, sizeof(kinds))] :
							  LINEAR_BROADCAST_CLOSE;
	op->awaits = op->kind == LINEAR_BROADCAST_RECV;
	if (op->kind == LINEAR_BROADCAST_SEND) {
		op->item[0] = (lane->index + 1) * VALUES_OF_A_LANE + ++lane->made;
		op->item[1] = ~op->item[0];
	}
}

static mag_frame *await(mag_worker *w, mag_frame *f, void *object, struct linear_op *op)
{
	return mag_broadcast_recv(w, f, &((struct cast *)object)->receiver[op->lane], op->item);
}

static int64_t act(mag_worker *w, mag_frame *f, void *object, struct linear_op *op)
{
	(void)w;
	(void)f;
	switch (op->kind) {
	case LINEAR_BROADCAST_TRY_RECV:
		return mag_broadcast_try_recv(&((struct cast *)object)->receiver[op->lane], op->item);
	case LINEAR_BROADCAST_SEND:
		return mag_broadcast_send(object, op->item);
	case LINEAR_BROADCAST_CLOSE:
		return mag_broadcast_close(object);
	default:
		return linear_waiting(waitq(object));
	}
}

/* An element that was torn is one that nobody sent. */
static void book(struct linear_lane_state *lane, struct linear_op *op)
{
	(void)lane;
	if (op->kind <= LINEAR_BROADCAST_TRY_RECV && op->item[1] != ~op->item[0])
		op->item[0] = 0;
}

static void help(struct linear_op *op)
{
	op->kind = LINEAR_BROADCAST_CLOSE;
}

static const struct linear_object broadcast = { .spec = &linear_broadcast_spec,
						.make = make,
						.end = end,
						.draw = draw,
						.await = await,
						.act = act,
						.book = book,
						.help = help,
						.waitq = waitq };

#ifndef MAGI_POINTS /* that is for the simulator */
Test(linear_broadcast, every_history_is_linearizable, .timeout = LINEAR_TIMEOUT)
{
	linear_prove(&broadcast);
}
#endif

Test(linear_broadcast, every_simulated_history_is_linearizable, .timeout = LINEAR_TIMEOUT)
{
	linear_simulate(&broadcast);
}
