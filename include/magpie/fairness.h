/* SPDX-License-Identifier: MIT */
/* fairness.h - who gets a mutex or permits that are free while others wait for them.
 *
 * A hand-over in order costs a change of tasks each time that somebody waits; to let whoever comes by have it costs
 * none, and the one that has just given it back is often the one that wants it again. */
#ifndef MAGPIE_FAIRNESS_H
#define MAGPIE_FAIRNESS_H

#include <magpie/impl/api.h>

MAGI_C_BEGIN

enum mag_fairness {
	MAG_BARGING = 0, /* whoever comes by; once those who wait have been overtaken for MAG_FAIR_US, the first of them */
	MAG_FAIR = 1     /* in the order of coming */
};

enum { MAG_FAIR_US = 500 };

MAGI_C_END

#endif
