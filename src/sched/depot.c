/* SPDX-License-Identifier: MIT */
/* depot.c - where free frames change hands between workers.
 *
 * Who:     any thread.
 * Always:  a load is of one class, and whoever has taken it is its only owner.
 *          Memory is carved once into frames of a class and stays so; it goes back to the system with the runtime.
 * Pairs:   the lock: what was written into a load is seen by who takes it
 * Not:     lists of frames: whoever takes one has to walk it cold, at a cache miss a frame. */
#include "sched/depot.h"

#include <magpie/impl/slab.h>

#include "base/alloc.h"
#include "sched/slab.h"

enum {
	LOAD_BYTES = 16384, /* picked */
	LOAD_MAX = 64,
	FIRST_REGION_BYTES = 1 << 20, /* small programs stay small */
	REGION_BYTES = 4 << 20        /* in huge pages */
};

struct magi_region {
	struct magi_region *next;
	size_t size;
};

enum { REGION_HEADER = MAGI_CACHE_LINE };

uint32_t magi_depot_load(unsigned cls)
{
	size_t n = LOAD_BYTES / magi_class_bytes(cls);

	return n < 1 ? 1 : n > LOAD_MAX ? LOAD_MAX : (uint32_t)n;
}

uint32_t magi_depot_room(unsigned cls)
{
	size_t room = (magi_class_bytes(cls) - sizeof(struct magi_bundle)) / sizeof(void *);
	uint32_t load = magi_depot_load(cls);

	return room < load ? (uint32_t)room : load - 1;
}

struct magi_bundle *magi_depot_take(struct magi_depot *d, unsigned cls)
{
	struct magi_bundle *load;

	magi_lock_acquire(&d->lock);
	load = d->load[cls];
	if (load)
		d->load[cls] = load->next;
	magi_lock_release(&d->lock);
	return load;
}

void magi_depot_give(struct magi_depot *d, unsigned cls, struct magi_bundle *load)
{
	magi_lock_acquire(&d->lock);
	load->next = d->load[cls];
	d->load[cls] = load;
	magi_lock_release(&d->lock);
}

/* A region for at least `size` bytes; the lock is held. */
static bool add_region(struct magi_depot *d, size_t size)
{
	size_t usual = d->regions ? REGION_BYTES : FIRST_REGION_BYTES;
	size_t bytes = size + REGION_HEADER > usual ? size + REGION_HEADER : usual;
	struct magi_region *r = magi_pages_map(bytes);

	if (!r)
		return false;
	r->next = d->regions;
	r->size = bytes;
	d->regions = r;
	d->bytes += bytes;
	d->fresh = (char *)r + REGION_HEADER;
	d->fresh_end = (char *)r + bytes;
	return true;
}

/* What is left of a region that is too short is given up: below 1 % for the classes that come in numbers. */
char *magi_depot_carve(struct magi_depot *d, unsigned cls, uint32_t *n)
{
	size_t size = magi_class_bytes(cls), left;
	char *first = NULL;

	magi_lock_acquire(&d->lock);
	magi_store_rlx(&d->used[cls / 64], d->used[cls / 64] | UINT64_C(1) << cls % 64); /* [stat] */
	if ((size_t)(d->fresh_end - d->fresh) >= size || add_region(d, size)) {
		first = d->fresh;
		left = (size_t)(d->fresh_end - first) / size;
		*n = left < *n ? (uint32_t)left : *n;
		d->fresh += *n * size;
	}
	magi_lock_release(&d->lock);
	return first;
}

void magi_depot_fini(struct magi_depot *d)
{
	struct magi_region *r = d->regions;

	while (r) {
		struct magi_region *next = r->next;

		MAGI_UNPOISON(r, r->size);
		magi_pages_unmap(r, r->size);
		r = next;
	}
	d->regions = NULL;
}
