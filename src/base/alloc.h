/* SPDX-License-Identifier: MIT */
/* alloc.h - memory, and the fault sites that let a test refuse it.
 *
 * Every allocation of the library comes through here, so that a test can make the n-th one fail. */
#ifndef MAGI_BASE_ALLOC_H
#define MAGI_BASE_ALLOC_H

#include <magpie/impl/api.h>

/* Like malloc, calloc(1, …), realloc and free. */
void *magi_alloc(size_t size);
void *magi_zalloc(size_t size);
void *magi_realloc(void *p, size_t size);
void magi_free(void *p);

/* Zeroed memory aligned to `align` (a power of two, at least a pointer's); release with magi_free. */
void *magi_alloc_aligned(size_t align, size_t size);

/* Pages from the system, and back; from 2 MiB on huge ones if it has them. NULL when there are none. */
void *magi_pages_map(size_t size);
void magi_pages_unmap(void *p, size_t size);

/* Whether this call of a fault site shall fail now; decided by magi_fault_plan, or a simulation. */
bool magi_fault(void);

/* The same where something is taken that was allocated before: a site in builds with MAGI_POINTS alone. */
static inline bool magi_fault_again(void)
{
#ifdef MAGI_POINTS
	return magi_fault();
#else
	return false;
#endif
}

/* From now on the n-th fault site reached (1 is the next) fails, and each `every`-th after it (0: none). n = 0: off.
 * fault.h has such plans for more than allocations. */
MAG_API void magi_fault_plan(uint64_t n, uint64_t every);

/* How many fault sites were reached since magi_fault_plan. */
MAG_API uint64_t magi_fault_reached(void);

#endif
