/* SPDX-License-Identifier: MIT */
/* draw.h - a delay at random, from the worker's generator: a simulation decides it by its seed. */
#ifndef MAGI_RESILIENCE_DRAW_H
#define MAGI_RESILIENCE_DRAW_H

#include "base/random.h"

/* In [0, most]. */
static inline uint64_t magi_draw(struct magi_random *r, uint64_t most)
{
	__extension__ typedef unsigned __int128 wide;

	return most == UINT64_MAX ? magi_random_next(r) : (uint64_t)(((wide)magi_random_next(r) * (most + 1)) >> 64);
}

#endif
