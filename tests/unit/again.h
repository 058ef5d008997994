/* SPDX-License-Identifier: MIT */
/* again.h - one async function many times: on seeds of the simulator, and round after round on real threads. */
#ifndef MAGPIE_TESTS_AGAIN_H
#define MAGPIE_TESTS_AGAIN_H

#include <magpie/sim.h>

#include "support/matrix.h"

enum { AGAIN_SEEDS = 20 };

/* On some seeds, where a second costs nothing. */
#define SIMULATED(fn, ...)                                                           \
	do {                                                                         \
		for (uint64_t seed_ = 0; seed_ < AGAIN_SEEDS; seed_++) {             \
			int64_t rc_ = mag_sim_run(seed_, NULL, fn, ##__VA_ARGS__);   \
			cr_assert_eq(rc_, 0, "seed %d: %s", (int)seed_, where(rc_)); \
		}                                                                    \
	} while (0)

/* Defines async function `name`: fn, without arguments, so many `rounds`, or until it fails. */
#define ROUNDS_OF(name, fn)                                                                       \
	struct name {                                                                             \
		mag_frame frame;                                                                  \
		MAG_ARGS(name, int rounds;);                                                      \
		int64_t rc;                                                                       \
		int i;                                                                            \
	};                                                                                        \
	MAG_TASK(name)                                                                            \
	{                                                                                         \
		MAG_BEGIN(name);                                                                  \
		self->rc = 0;                                                                     \
		for (self->i = 0; self->i < self->rounds && self->rc == 0; self->i++)             \
			MAG_CALL(self->rc, fn);                                                   \
		MAG_RETURN(self->rc);                                                             \
		MAG_END;                                                                          \
	}

#endif
