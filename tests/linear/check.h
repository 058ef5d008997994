/* SPDX-License-Identifier: MIT */
/* check.h - whether a history of concurrent operations can have happened one at a time.
 *
 * A history is linearizable if each operation can be given a moment between its call and its reply at which it has its
 * whole effect, so that in the order of these moments an object that does one thing at a time gives the same results
 * [Herlihy and Wing, 1990]. The search is Wing and Gong's [1993] with a memory of where it has been [Lowe, 2017]: from
 * each state of the object, try every operation that no other has to precede.
 *
 * An operation that waits has two such moments, as in [Scherer and Scott, 2004]: it joins the object's queue, and is
 * granted, by whatever operation made that possible and at the moment of that one; a cancelled one leaves the queue, or
 * was never in it. So it is also checked who is served first, and that a waiter is served at once. */
#ifndef MAGPIE_TESTS_LINEAR_CHECK_H
#define MAGPIE_TESTS_LINEAR_CHECK_H

#include "linear/history.h"

enum { LINEAR_WORDS = 16, LINEAR_STEPS = 2 * LINEAR_OPS };

enum linear_phase {
	LINEAR_TO_COME, /* nothing of it has happened */
	LINEAR_WAITS,   /* it is in the queue */
	LINEAR_DONE
};

/* The object, and how far each operation is. Unused bytes are zero: states are compared by their bytes. */
struct linear_state {
	int32_t word[LINEAR_WORDS]; /* what the object is: its own */
	uint8_t phase[LINEAR_OPS];
	uint8_t queue[LINEAR_LANES + 3]; /* who waits, the first first: indexes of operations */
	uint8_t waits;
	uint8_t unused[7];
};

/* An object that does one thing at a time. */
struct linear_spec {
	const char *name;
	/* Its state at the start, all zero, from h->config. */
	void (*start)(const struct linear_history *h, struct linear_state *s);
	/* The next step of operation i, which is not done; where it can go on in several ways, choice says which (below
	 * LINEAR_CHOICES). false: there is no such step in this state with the results that the operations had. */
	bool (*step)(const struct linear_history *h, struct linear_state *s, uint32_t i, uint32_t choice);
	/* The call in words, with what it took. */
	void (*text)(const struct linear_op *op, char *text, size_t size);
};

enum { LINEAR_CHOICES = 2 };

struct linear_step {
	uint8_t op;
	uint8_t phase; /* it is in then */
};

/* The memory of a search; all zero at first, reused from check to check. */
struct linear_search {
	struct linear_state *seen;
	uint32_t *table; /* indexes into seen, plus 1 */
	uint32_t n, room;
	uint32_t steps, best_steps; /* of the order in hand, and of the longest one found */
	struct linear_step step[LINEAR_STEPS], best[LINEAR_STEPS];
	uint64_t states; /* in all checks */
};

/* Whether there is such an order; then, and else as far as it got, it is in search->best. The history is sorted. */
bool linear_check(struct linear_search *search, const struct linear_spec *spec, const struct linear_history *h);
void linear_search_fini(struct linear_search *search);

/* The order in search->best, in words. */
void linear_print_order(FILE *to, const struct linear_search *search, const struct linear_spec *spec,
			const struct linear_history *h);

/* For specs. */

/* Operation i is done. true */
bool linear_done(struct linear_state *s, uint32_t i);
/* It waits, behind those who do. true */
bool linear_wait(struct linear_state *s, uint32_t i);
/* It goes out of the queue, unserved. true */
bool linear_leave(struct linear_state *s, uint32_t i);
/* The first in the queue gets this result and is done; false: it had another. */
bool linear_grant(const struct linear_history *h, struct linear_state *s, int64_t result);

/* Steps of an operation that was cancelled, but for what its going means to others. It had no effect; it may have been
 * in the queue for some time, if it would have had to wait. */
bool linear_cancelled(struct linear_state *s, uint32_t i, uint32_t choice, bool would_wait);

static inline bool linear_was_cancelled(const struct linear_op *op)
{
	return op->reply && op->awaits && op->result == MAG_ECANCELED;
}

#endif
