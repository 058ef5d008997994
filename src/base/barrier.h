/* SPDX-License-Identifier: MIT */
/* barrier.h - a full memory barrier on every running thread of the process, made by one of them: membarrier(2), the slow
 * side of an asymmetric pair whose fast side has a compiler barrier only. It costs 10 us in a VM, 1 to 2 on bare metal. */
#ifndef MAGI_BASE_BARRIER_H
#define MAGI_BASE_BARRIER_H

#include <stdbool.h>

/* Whether this system has it. The first call registers the process for it. */
bool magi_barrier_works(void);

/* Any thread. Without magi_barrier_works() it does nothing. */
void magi_barrier_all(void);

#endif
