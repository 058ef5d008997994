/* SPDX-License-Identifier: MIT */
/* ledger.h - the ledger of a run. */
#ifndef MAGI_SIM_LEDGER_H
#define MAGI_SIM_LEDGER_H

#include <magpie/ledger.h>

#include "base/lock.h"

struct magi_ledger {
	magi_lock lock;
	uint32_t count;
	bool full; /* a line found no room */
	struct magi_ledger_line {
		char name[MAG_LEDGER_NAME_MAX];
		int64_t sum;
	} line[MAG_LEDGER_LINES_MAX];
};

/* The first line that is off, or NULL. Nobody adds any more. */
const struct magi_ledger_line *magi_ledger_off(const struct magi_ledger *l);

#endif
