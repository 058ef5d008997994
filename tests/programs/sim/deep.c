/* SPDX-License-Identifier: MIT */
/* deep.c - a program whose step calls itself until its stack is full. */
#include <magpie/magpie.h>
#include <magpie/sim.h>

static int64_t deeper(volatile const int *left)
{
	volatile int here[256] = { *left - 1 };

	return *left > 0 ? deeper(here) + here[0] : 0;
}

struct deep {
	mag_frame frame;
	MAG_NO_ARGS(deep);
};

MAG_TASK(deep)
{
	volatile int depth = 1 << 30;

	MAG_BEGIN(deep);
	MAG_RETURN(deeper(&depth));
	MAG_END;
}

MAG_PROGRAM(deep);
