/* SPDX-License-Identifier: MIT */
/* keeps.c - a program that keeps something from run to run of its process: what a later one does is another thing. */
#include <magpie/magpie.h>
#include <magpie/sim.h>

enum { BAD = 3 }; /* the run of a process that would fail */

static int runs; /* of this process */

struct keeps {
	mag_frame frame;
	MAG_NO_ARGS(keeps);
	int64_t rc;
	int left;
};

MAG_TASK(keeps)
{
	MAG_BEGIN(keeps);
	for (self->left = ++runs; self->left > 0; self->left--)
		MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
	mag_sim_assert(runs < BAD);
	MAG_RETURN(0);
	MAG_END;
}

MAG_PROGRAM(keeps);
