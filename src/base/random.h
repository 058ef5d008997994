/* SPDX-License-Identifier: MIT */
/* random.h - a small seeded generator: xorshift64* [Vigna, 2016]. Not for secrets. */
#ifndef MAGI_BASE_RANDOM_H
#define MAGI_BASE_RANDOM_H

#include <stdint.h>

struct magi_random {
	uint64_t state;
};

static inline void magi_random_seed(struct magi_random *r, uint64_t seed)
{
	/* splitmix64 spreads small seeds; the state must not be 0 */
	seed += UINT64_C(0x9e3779b97f4a7c15);
	seed = (seed ^ (seed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	seed = (seed ^ (seed >> 27)) * UINT64_C(0x94d049bb133111eb);
	r->state = (seed ^ (seed >> 31)) | 1;
}

static inline uint64_t magi_random_next(struct magi_random *r)
{
	r->state ^= r->state >> 12;
	r->state ^= r->state << 25;
	r->state ^= r->state >> 27;
	return r->state * UINT64_C(0x2545f4914f6cdd1d);
}

/* In [0, n), n > 0; the bias of the multiplication is below n / 2^32. */
static inline uint32_t magi_random_below(struct magi_random *r, uint32_t n)
{
	return (uint32_t)(((magi_random_next(r) >> 32) * n) >> 32);
}

#endif
