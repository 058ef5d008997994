/* SPDX-License-Identifier: MIT */
/* ledger.h - what a program takes and gives back, counted by name: a simulated or stress run whose ledger does not end at
 * zero has lost something, or made it up.
 *
 *	mag_ledger_add("permits", 1);
 *	...
 *	mag_ledger_add("permits", -1); */
#ifndef MAGPIE_LEDGER_H
#define MAGPIE_LEDGER_H

#include <magpie/impl/api.h>

MAGI_C_BEGIN

enum { MAG_LEDGER_LINES_MAX = 64, MAG_LEDGER_NAME_MAX = 40 };

/* Adds n to the line of this name, of the run that the caller is part of; outside of one it does nothing. A line begins
 * at zero when it is first named. More than MAG_LEDGER_LINES_MAX lines fail the run.
 *
 * Threads:  any of the run's: its tasks and jobs
 * Since:    0.1 */
MAG_API void mag_ledger_add(const char *line, int64_t n);

MAGI_C_END

#endif
