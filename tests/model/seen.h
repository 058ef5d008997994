/* SPDX-License-Identifier: MIT */
/* seen.h - the states that a search has been in, each with the least preemptions that led to it. */
#ifndef MAGPIE_TESTS_MODEL_SEEN_H
#define MAGPIE_TESTS_MODEL_SEEN_H

#include <stdbool.h>
#include <stdint.h>

void seen_init(void);
void seen_fini(void);

/* Whether the state was there with no more preemptions; notes it else. Two states of one hash are taken for one: with
 * 10^7 states that happens once in 10^5 searches. */
bool seen_before(uint64_t state, uint32_t preemptions);
uint64_t seen_count(void);

#endif
