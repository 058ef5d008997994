/* SPDX-License-Identifier: MIT */
/* heap.h - for tests of many short runs: what one frees is not given back to the system, or the next one would take each
 * page from it anew, which took longer than a run. */
#ifndef MAGPIE_TESTS_HEAP_H
#define MAGPIE_TESTS_HEAP_H

#include <malloc.h>

enum { HEAP_KEPT = 32 << 20 };

static inline void heap_keep(void)
{
	mallopt(M_TRIM_THRESHOLD, HEAP_KEPT);
	mallopt(M_TOP_PAD, HEAP_KEPT);
}

#endif
