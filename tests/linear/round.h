/* SPDX-License-Identifier: MIT */
/* round.h - small rounds of random operations on a new object, each checked to be linearizable.
 *
 * What:    a round has two to four lanes, each a task, on one worker each or where thieves take them; a lane does some
 *          operations, some of them in a scope with a deadline or that another lane cancels. The task that started them
 *          looks on, and when all that are left wait, it helps with an operation of its own.
 *          All randomness comes from the seed; a round's seed is the run's plus its number, so that MAGPIE_SEED=… of a
 *          failure begins with that round. Which order comes of it is the scheduler's affair.
 * Who:     linear_rounds is a task for any runtime: it starts no thread and reads no clock.
 * Always:  when all lanes are done or wait, nothing is under way that could wake one but a deadline or a cancellation.
 *          Who helped and finds the same lanes waiting has found a lost wakeup. */
#ifndef MAGPIE_TESTS_LINEAR_ROUND_H
#define MAGPIE_TESTS_LINEAR_ROUND_H

#include <magpie/magpie.h>

#include "base/lock.h"
#include "base/random.h"
#include "linear/spec.h"

enum { LINEAR_OBJECT_BYTES = 1024, LINEAR_LANE_OPS = 6, LINEAR_TEXT = 16384 };

struct linear_round;

/* What a lane knows of itself. */
struct linear_lane_state {
	struct magi_random random;
	uint32_t index;
	uint32_t left; /* operations to do, this one included */
	uint32_t made; /* values it has made up */
	int64_t held;  /* permits, or the mutex */
};

/* A primitive, and how a lane uses it. */
struct linear_object {
	const struct linear_spec *spec;
	/* A new one for a round, drawn, its shape told in config. 0, or an error */
	int (*make)(void *object, struct magi_random *random, int32_t *config);
	/* 0, or an error: somebody waits who must not */
	int (*end)(void *object);
	/* What the lane does next: kind, awaits, item. */
	void (*draw)(struct linear_lane_state *lane, struct linear_op *op);
	/* Does it: one that may wait (NULL: none does), and one that does not. */
	mag_frame *(*await)(mag_worker *w, mag_frame *f, void *object, struct linear_op *op);
	int64_t (*act)(mag_worker *w, mag_frame *f, void *object, struct linear_op *op);
	/* After it, the lane's own book; may be NULL. */
	void (*book)(struct linear_lane_state *lane, struct linear_op *op);
	/* What must be given back before the lane ends: true, and op is it. May be NULL. */
	bool (*last)(struct linear_lane_state *lane, struct linear_op *op);
	/* All that are left wait: an operation that lets one of them go on. NULL: they must not all wait. */
	void (*help)(struct linear_op *op);
	struct magi_waitq *(*waitq)(void *object);
};

/* How many wait in it. */
uint32_t linear_waiting(struct magi_waitq *q);

/* What came of a run. */
struct linear_report {
	uint64_t rounds, ops;
	uint64_t overlaps; /* operations that began while another lane's was under way */
	uint64_t cancelled;
	uint64_t waited; /* waiting lanes that were helped */
	uint64_t states; /* that the checks looked at */
	bool failed;
	char text[LINEAR_TEXT]; /* then: how, with the whole history */
};

/* Rounds until `rounds` are done or one fails, which the report says. 0, or why no round could be held. */
struct linear_rounds {
	mag_frame frame;
	MAG_ARGS(linear_rounds, const struct linear_object *object; uint64_t seed; uint64_t rounds;
		 struct linear_report *report;);
	struct linear_round *round;
	uint64_t i;
	int64_t rc;
};
MAG_DECLARE_TASK(linear_rounds);

#endif
