/* SPDX-License-Identifier: MIT */
/* prove.h - many rounds with an object, on several workers, as one test. */
#ifndef MAGPIE_TESTS_LINEAR_PROVE_H
#define MAGPIE_TESTS_LINEAR_PROVE_H

#include "linear/round.h"

enum { LINEAR_TIMEOUT = 900 }; /* seconds */

/* On threads, with two to four workers. The test passes when every history is linearizable; compiled with LINEAR_FAULT,
 * in the presence of a planted fault, when one is not. MAGPIE_LONG makes it longer, MAGPIE_SEED begins with another
 * round. */
void linear_prove(const struct linear_object *object);

/* The same in the simulation, where a seed gives the same history each time. */
void linear_simulate(const struct linear_object *object);

#endif
