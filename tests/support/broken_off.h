/* SPDX-License-Identifier: MIT */
/* broken_off.h - for tests of runs that do not come to their end. */
#ifndef MAGPIE_TESTS_BROKEN_OFF_H
#define MAGPIE_TESTS_BROKEN_OFF_H

#include <magpie/magpie.h>

#if defined(MAGI_ASAN)
void __lsan_disable(void);
#endif

/* A run that is broken off leaves what its threads hold. */
static inline void leaves_things_behind(void)
{
#if defined(MAGI_ASAN)
	__lsan_disable();
#endif
}

#endif
