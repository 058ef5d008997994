/* SPDX-License-Identifier: MIT */
/* steal.h - taking work from other workers. */
#ifndef MAGI_SCHED_STEAL_H
#define MAGI_SCHED_STEAL_H

#include "sched/types.h"

/* Takes something from another worker into its own ready queue; false: there was nothing to take. */
bool magi_steal(struct magi_worker *w);

/* How long a worker that is about to sleep may do so as far as others are concerned: 0: there is something to take; ns
 * until a worker with woken tasks counts as busy, or its timers are due; UINT64_MAX: for ever. */
uint64_t magi_steal_watch(struct magi_worker *w);

#endif
