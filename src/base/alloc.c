/* SPDX-License-Identifier: MIT */
/* alloc.c - memory with fault sites. */
#include "base/alloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fault.h"
#include "base/host.h"

void magi_fault_plan(uint64_t n, uint64_t every)
{
	magi_fault_set(MAGI_FAULT_MEMORY, n, ENOMEM);
	magi_fault_repeat(MAGI_FAULT_MEMORY, every, 0);
}

uint64_t magi_fault_reached(void)
{
	return magi_fault_count(MAGI_FAULT_MEMORY);
}

bool magi_fault(void)
{
	return magi_fault_at(MAGI_FAULT_MEMORY, NULL) || magi_chance(MAGI_CHANCE_MEMORY);
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

	if (magi_fault() || posix_memalign(&p, align, size)) /* [cov kernel] without memory */
		return NULL;
	return memset(p, 0, size);
}

enum { HUGE_BYTES = 2 << 20 }; /* of a huge page on x86-64, and on arm64 with 4 KiB pages */

/* Cuts a mapping, of HUGE_BYTES more, down to `size` bytes at a multiple of HUGE_BYTES. */
static char *trim(char *p, size_t mapped, size_t size)
{
	size_t head = -(uintptr_t)p % HUGE_BYTES;

	if (head)
		munmap(p, head);
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
