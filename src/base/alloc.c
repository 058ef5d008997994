/* SPDX-License-Identifier: MIT */
/* alloc.c - memory with fault sites.
 *
 * The plan, and that of sys.c, are the only process-wide state of the library: faults are a matter of the test process,
 * not of one runtime.
 *
 * Pairs:   [stat] counters; a plan is set while nothing runs. */
#include "base/alloc.h"

#include <magpie/impl/atomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/host.h"

static struct {
	uint64_t reached;
	uint64_t at;
	uint64_t every;
} plan;

void magi_fault_plan(uint64_t n, uint64_t every)
{
	magi_store_rlx(&plan.reached, 0); /* [stat] */
	magi_store_rlx(&plan.every, every); /* [stat] */
	magi_store_rlx(&plan.at, n); /* [stat] */
}

uint64_t magi_fault_reached(void)
{
	return magi_load_rlx(&plan.reached); /* [stat] */
}

bool magi_fault(void)
{
	uint64_t at = magi_load_rlx(&plan.at); /* [stat] */
	uint64_t every, n;

	if (__builtin_expect(at == 0, 1))
		return magi_chance(MAGI_CHANCE_MEMORY);
	n = magi_add_rlx(&plan.reached, 1) + 1; /* [stat] */
	every = magi_load_rlx(&plan.every); /* [stat] */
	return n == at || (every && n > at && (n - at) % every == 0);
}

void *magi_alloc(size_t size)
{
	return magi_fault() ? NULL : malloc(size);
}

void *magi_zalloc(size_t size)
{
	return magi_fault() ? NULL : calloc(1, size);
}

void *magi_realloc(void *p, size_t size)
{
	return magi_fault() ? NULL : realloc(p, size);
}

void magi_free(void *p)
{
	free(p);
}

void *magi_alloc_aligned(size_t align, size_t size)
{
	void *p;

	if (magi_fault() || posix_memalign(&p, align, size))
		return NULL;
	return memset(p, 0, size);
}

enum { HUGE_BYTES = 2 << 20 }; /* of a huge page on x86-64, and on arm64 with 4 KiB pages */

/* Cuts a mapping down to `size` bytes at a multiple of HUGE_BYTES. */
static char *trim(char *p, size_t mapped, size_t size)
{
	size_t head = -(uintptr_t)p % HUGE_BYTES;

	if (head)
		munmap(p, head);
	if (mapped - head > size)
		munmap(p + head + size, mapped - head - size);
	return p + head;
}

void *magi_pages_map(size_t size)
{
	bool huge = size >= HUGE_BYTES;
	size_t mapped = huge ? size + HUGE_BYTES : size;
	char *p;

	if (magi_fault())
		return NULL;
	p = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	if (huge) {
		p = trim(p, mapped, size);
		madvise(p, size, MADV_HUGEPAGE); /* a wish: without it more of the time goes into page tables */
	}
	return p;
}

void magi_pages_unmap(void *p, size_t size)
{
	munmap(p, size);
}
