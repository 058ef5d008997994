/* SPDX-License-Identifier: MIT */
/* litmus.h - what the litmus tests of both memory models share. */
#ifndef MAGPIE_TESTS_MODEL_LITMUS_H
#define MAGPIE_TESTS_MODEL_LITMUS_H

#include <string.h>

#include "base/barrier.h"
#include "base/lock.h"
#include "model/explore.h"

static uint32_t x, y;
static uint32_t seen[4];
static uint64_t data;
static magi_lock lock;

static inline void start(void)
{
	x = y = 0;
	lock.held = 0;
	memset(seen, 0, sizeof(seen));
	data = 0;
	explore_shared(&data, sizeof(data));
}

static inline bool holds(struct explore_model m)
{
	m.name = "litmus";
	m.start = start;
	return !explore(&m).refuted;
}

static inline void both_see(void)
{
	explore_assert(seen[0] || seen[1]);
}

static inline void store_x_load_y(void)
{
	magi_store_rel(&x, 1u);
	seen[0] = magi_load_acq(&y);
}

static inline void store_y_load_x(void)
{
	magi_store_rel(&y, 1u);
	seen[1] = magi_load_acq(&x);
}

static inline void store_x_fence_load_y(void)
{
	magi_store_rel(&x, 1u);
	magi_fence_seq(&x);
	seen[0] = magi_load_acq(&y);
}

static inline void store_y_fence_load_x(void)
{
	magi_store_rel(&y, 1u);
	magi_fence_seq(&y);
	seen[1] = magi_load_acq(&x);
}

static inline void store_y_barrier_load_x(void)
{
	magi_store_rel(&y, 1u);
	magi_barrier_all();
	seen[1] = magi_load_acq(&x);
}

static inline void exchange_y_load_x(void)
{
	(void)magi_xchg_seq(&y, 1u);
	seen[1] = magi_load_acq(&x);
}

static inline void add_in_two_steps(void)
{
	(void)magi_xchg_seq(&x, magi_load_acq(&x) + 1);
}

static inline void x_is_two(void)
{
	explore_assert(x == 2);
}

static inline void nothing(void)
{
}

#endif
