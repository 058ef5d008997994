/* SPDX-License-Identifier: MIT */
/* host.c - the simulation that a thread runs. */
#include "base/host.h"

__thread struct magi_host *magi_host_here;

void magi_atomic_point(void)
{
	magi_point(MAGI_POINT_ATOMIC, NULL);
}
