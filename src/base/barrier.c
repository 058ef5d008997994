/* SPDX-License-Identifier: MIT */
/* barrier.c - membarrier(2); Linux has the private expedited form since 4.14. */
#include "base/barrier.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/host.h"

static long membarrier(int command)
{
	return syscall(SYS_membarrier, command, 0, 0);
}

/* There is one thread then. */
static bool is_alone(void)
{
	return magi_host() && magi_host()->alone;
}

bool magi_barrier_works(void)
{
	return is_alone() || membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;
}

void magi_barrier_all(void)
{
	if (!is_alone())
		membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);
}
