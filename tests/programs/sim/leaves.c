/* SPDX-License-Identifier: MIT */
/* leaves.c - a program that ends its process, as if all were well, when time has gone in a certain way. */
#include <magpie/magpie.h>
#include <magpie/sim.h>
#include <stdlib.h>

struct leaves {
	mag_frame frame;
	MAG_NO_ARGS(leaves);
	int64_t rc;
	uint64_t before;
};

MAG_TASK(leaves)
{
	MAG_BEGIN(leaves);
	self->before = mag_now();
	MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
	if ((mag_now() - self->before) % 64 == 0)
		exit(0);
	MAG_RETURN(0);
	MAG_END;
}

MAG_PROGRAM(leaves);
