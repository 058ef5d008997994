/* SPDX-License-Identifier: MIT */
/* test_oneshot.c - histories of include/magpie/oneshot.h. */
#include <criterion/criterion.h>
#include <errno.h>

#include "linear/prove.h"

enum { VALUES_OF_A_LANE = 100 };

struct shot {
	mag_oneshot oneshot;
	uint64_t room[2];
};

static int make(void *object, struct magi_random *random, int32_t *config)
{
	struct shot *s = object;

	(void)random;
	(void)config;
	return mag_oneshot_init(&s->oneshot, s->room, sizeof(s->room));
}

static struct magi_waitq *waitq(void *object)
{
	return &((mag_oneshot *)object)->waitq;
}

static int end(void *object)
{
	return linear_waiting(waitq(object)) > 0 ? -EBUSY : mag_oneshot_fini(object);
}

/* Early ones ask, late ones send: else nobody would wait. */
static void draw(struct linear_lane_state *lane, struct linear_op *op)
{
	uint32_t n = magi_random_below(&lane->random, 20);

	if (n < 7)
		op->kind = LINEAR_ONESHOT_RECV;
	else if (n < 10)
		op->kind = LINEAR_TRY_RECV;
	else if (n < 12 || lane->left > 4)
		op->kind = LINEAR_ONESHOT_WAITING;
	else if (n < 18)
		op->kind = LINEAR_ONESHOT_SEND;
	else
		op->kind = n < 19 ? LINEAR_ONESHOT_CLOSE : LINEAR_ONESHOT_IS_CLOSED;
	op->awaits = op->kind == LINEAR_ONESHOT_RECV;
	if (op->kind == LINEAR_ONESHOT_SEND) {
		op->item[0] = (lane->index + 1) * VALUES_OF_A_LANE + ++lane->made;
		op->item[1] = ~op->item[0];
	}
}

static mag_frame *await(mag_worker *w, mag_frame *f, void *object, struct linear_op *op)
{
	return mag_oneshot_recv(w, f, object, op->item);
}

static int64_t act(mag_worker *w, mag_frame *f, void *object, struct linear_op *op)
{
	(void)w;
	(void)f;
	switch (op->kind) {
	case LINEAR_ONESHOT_SEND:
		return mag_oneshot_send(object, op->item);
	case LINEAR_TRY_RECV:
		return mag_oneshot_try_recv(object, op->item);
	case LINEAR_ONESHOT_CLOSE:
		return mag_oneshot_close(object);
	case LINEAR_ONESHOT_IS_CLOSED:
		return mag_oneshot_is_closed(object);
	default:
		return linear_waiting(waitq(object));
	}
}

/* A value that was torn is one that nobody sent. */
static void book(struct linear_lane_state *lane, struct linear_op *op)
{
	(void)lane;
	if (op->kind <= LINEAR_TRY_RECV && op->item[1] != ~op->item[0])
		op->item[0] = 0;
}

static void help(struct linear_op *op)
{
	op->kind = LINEAR_ONESHOT_CLOSE;
}

static const struct linear_object oneshot = { .spec = &linear_oneshot_spec,
					      .make = make,
					      .end = end,
					      .draw = draw,
					      .await = await,
					      .act = act,
					      .book = book,
					      .help = help,
					      .waitq = waitq };

#ifndef MAGI_POINTS /* that is for the simulator */
Test(linear_oneshot, every_history_is_linearizable, .timeout = LINEAR_TIMEOUT)
{
	linear_prove(&oneshot);
}
#endif

Test(linear_oneshot, every_simulated_history_is_linearizable, .timeout = LINEAR_TIMEOUT)
{
	linear_simulate(&oneshot);
}
