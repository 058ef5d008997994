/* SPDX-License-Identifier: MIT */
/* meddle.h - a host for real threads that gets in their way. */
#ifndef MAGI_SIM_MEDDLE_H
#define MAGI_SIM_MEDDLE_H

#include "sim/ledger.h"

/* From now on the calling thread, and those that are started from it, are meddled with. -ENOMEM. */
int magi_meddle_begin(struct magi_ledger *ledger, uint64_t *steps, uint64_t seed);
/* Those threads have ended. */
void magi_meddle_end(void);

#endif
