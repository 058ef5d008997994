/* SPDX-License-Identifier: MIT */
/* held.h - a thread that is held at a place in the code under test while the others go on.
 *
 * The test compiles the source file in question itself, with one of its calls replaced by a function of the test's; the
 * library's own object is then not linked. */
#ifndef MAGPIE_TESTS_HELD_H
#define MAGPIE_TESTS_HELD_H

#include "play.h"

struct held {
	uint32_t there, go; /* atomic */
};

/* The thread in question. */
static inline void hold_here(struct held *h)
{
	raise_flag(&h->there);
	while (!is_raised(&h->go))
		sched_yield();
}

/* The others: it is there now. */
static inline void hold_await(const struct held *h)
{
	while (!is_raised(&h->there))
		sched_yield();
}

static inline void hold_end(struct held *h)
{
	raise_flag(&h->go);
}

#endif
