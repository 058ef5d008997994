/* SPDX-License-Identifier: MIT */
/* test_watch.c - histories of include/magpie/watch.h. */
#include <criterion/criterion.h>
#include <errno.h>

#include "linear/prove.h"

enum { VALUES_OF_A_LANE = 100, VALUE_OF_THE_HELPER = 99 };

struct watched {
	mag_watch watch;
	uint64_t room;
};

static int make(void *object, struct magi_random *random, int32_t *config)
{
	struct watched *v = object;

	(void)random;
	(void)config;
	v->room = 0;
	return mag_watch_init(&v->watch, &v->room, sizeof(v->room));
}

static struct magi_waitq *waitq(void *object)
{
	return &((mag_watch *)object)->waitq;
}

static int end(void *object)
{
	return linear_waiting(waitq(object)) > 0 ? -EBUSY : mag_watch_fini(object);
}

/* A lane holds the version that it has seen. */
static void draw(struct linear_lane_state *lane, struct linear_op *op)
{
	static const uint8_t kinds[] = { LINEAR_CHANGED,   LINEAR_CHANGED,    LINEAR_CHANGED,
					 LINEAR_WATCH_GET, LINEAR_WATCH_GET,  LINEAR_WATCH_GET,
					 LINEAR_WATCH_GET, LINEAR_WATCH_SEND, LINEAR_WATCH_WAITING };

	op->kind = magi_random_below(&lane->random, 20) ? kinds[magi_random_below(&lane->random, sizeof(kinds))] :
							  LINEAR_WATCH_CLOSE;
	op->awaits = op->kind == LINEAR_CHANGED;
	if (op->kind == LINEAR_CHANGED)
		op->item[0] = (uint64_t)lane->held;
	else if (op->kind == LINEAR_WATCH_SEND)
		op->item[0] = (lane->index + 1) * VALUES_OF_A_LANE + ++lane->made;
}

static mag_frame *await(mag_worker *w, mag_frame *f, void *object, struct linear_op *op)
{
	return mag_watch_changed(w, f, object, op->item[0]);
}

static int64_t act(mag_worker *w, mag_frame *f, void *object, struct linear_op *op)
{
	(void)w;
	(void)f;
	switch (op->kind) {
	case LINEAR_WATCH_GET:
		return (int64_t)mag_watch_get(object, &op->item[0]);
	case LINEAR_WATCH_SEND:
		return mag_watch_send(object, &op->item[0]);
	case LINEAR_WATCH_CLOSE:
		return mag_watch_close(object);
	default:
		return linear_waiting(waitq(object));
	}
}

static void book(struct linear_lane_state *lane, struct linear_op *op)
{
	if (op->kind == LINEAR_WATCH_GET)
		lane->held = op->result;
}

static void help(struct linear_op *op)
{
	op->kind = LINEAR_WATCH_SEND;
	op->item[0] = VALUE_OF_THE_HELPER;
}

static const struct linear_object watch = { .spec = &linear_watch_spec,
					    .make = make,
					    .end = end,
					    .draw = draw,
					    .await = await,
					    .act = act,
					    .book = book,
					    .help = help,
					    .waitq = waitq };

#ifndef MAGI_POINTS /* that is for the simulator */
Test(linear_watch, every_history_is_linearizable, .timeout = LINEAR_TIMEOUT)
{
	linear_prove(&watch);
}
#endif

Test(linear_watch, every_simulated_history_is_linearizable, .timeout = LINEAR_TIMEOUT)
{
	linear_simulate(&watch);
}
