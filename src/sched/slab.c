/* SPDX-License-Identifier: MIT */
/* slab.c - frames by size class: per-worker free lists, and a depot where surplus changes hands in batches.
 *
 * Who:     refill, surplus: the owner of the worker. foreign: any thread.
 * Always:  a batch is a list of free frames of one class: word 0 next frame; word 1 of its first frame: the next batch.
 *          Memory is carved once into frames of a class and stays so; it goes back to the system with the runtime.
 * Pairs:   the depot's lock
 * Not:     a remote free list per frame owner: tasks migrate, so the frame's first worker means nothing. */
#include "sched/slab.h"

#include <magpie/impl/slab.h>

#include "base/alloc.h"
#include "base/assert.h"

enum {
	BATCH_BYTES = 16384, /* what one trip to the depot moves; picked */
	BATCH_MAX = 64,
	REGION_BYTES = 1 << 20
};

struct magi_region {
	struct magi_region *next;
	size_t size;
};

enum { REGION_HEADER = MAGI_CACHE_LINE };

size_t magi_class_bytes(unsigned cls)
{
	unsigned step;

	if (cls <= MAGI_CLASS_FINE)
		return (size_t)cls * 64;
	step = cls - MAGI_CLASS_FINE - 1;
	return ((size_t)4 + step % 4 + 1) << (10 + step / 4);
}

static uint32_t batch_of(unsigned cls)
{
	size_t n = BATCH_BYTES / magi_class_bytes(cls);

	return n < 1 ? 1 : n > BATCH_MAX ? BATCH_MAX : (uint32_t)n;
}

static void **word(void *frame)
{
	return frame;
}

void magi_slab_init(struct magi_worker *w)
{
	for (unsigned c = 1; c < MAGI_CLASSES; c++)
		w->pub.free[c].high = 2 * batch_of(c);
}

/* A region for at least `size` bytes; the lock is held. */
static bool add_region(struct magi_depot *d, size_t size)
{
	size_t bytes = size + REGION_HEADER > REGION_BYTES ? size + REGION_HEADER : REGION_BYTES;
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

/* Up to n new frames as a list; the lock is held. What is left of a region that is too short is given up: below 1 %
 * for the classes that come in numbers. */
static void *carve(struct magi_depot *d, unsigned cls, uint32_t *n)
{
	size_t size = magi_class_bytes(cls);
	void *list = NULL;
	uint32_t made = 0;

	if ((size_t)(d->fresh_end - d->fresh) < size && !add_region(d, size))
		return NULL;
	while (made < *n && (size_t)(d->fresh_end - d->fresh) >= size) {
		word(d->fresh)[0] = list;
		list = d->fresh;
		MAGI_POISON(d->fresh + 2 * sizeof(void *), size - 2 * sizeof(void *));
		d->fresh += size;
		made++;
	}
	*n = made;
	return list;
}

/* Some free frames of the class: *n wanted, then what there is. NULL: none. */
static void *take_batch(struct magi_depot *d, unsigned cls, uint32_t *n)
{
	void *list;

	magi_lock_acquire(&d->lock);
	list = d->batch[cls];
	if (list) {
		MAGI_UNPOISON(list, 2 * sizeof(void *));
		d->batch[cls] = word(list)[1];
		*n = 0;
		for (void *p = list; p; p = word(p)[0])
			++*n;
	} else {
		list = carve(d, cls, n);
	}
	magi_lock_release(&d->lock);
	return list;
}

static void give_batch(struct magi_depot *d, unsigned cls, void *list)
{
	MAGI_UNPOISON(list, 2 * sizeof(void *));
	magi_lock_acquire(&d->lock);
	word(list)[1] = d->batch[cls];
	d->batch[cls] = list;
	magi_lock_release(&d->lock);
}

void *magi_slab_refill(mag_worker *pub, unsigned cls)
{
	struct magi_worker *w = magi_worker_of(pub);
	uint32_t n = batch_of(cls);
	void *list;

	if (magi_fault())
		return NULL;
	list = take_batch(&w->rt->depot, cls, &n);
	if (!list)
		return NULL;
	magi_store_rlx(&w->frames[cls], w->frames[cls] + n); /* [stat] */
	pub->free[cls].head = word(list)[0];
	pub->free[cls].count = n - 1;
	MAGI_UNPOISON(list, magi_class_bytes(cls));
	return list;
}

/* Keeps the newest, which are warm. */
void magi_slab_surplus(mag_worker *pub, unsigned cls)
{
	struct magi_worker *w = magi_worker_of(pub);
	struct magi_free_list *l = &pub->free[cls];
	uint32_t keep = l->count / 2;
	void *last = l->head, *list;

	for (uint32_t i = 1; i < keep; i++)
		last = word(last)[0];
	list = word(last)[0];
	word(last)[0] = NULL;
	magi_store_rlx(&w->frames[cls], w->frames[cls] - (l->count - keep)); /* [stat] */
	l->count = keep;
	give_batch(&w->rt->depot, cls, list);
}

void magi_slab_drain(struct magi_worker *w)
{
	for (unsigned c = 1; c < MAGI_CLASSES; c++) {
		struct magi_free_list *l = &w->pub.free[c];

		if (!l->head)
			continue;
		give_batch(&w->rt->depot, c, l->head);
		magi_store_rlx(&w->frames[c], w->frames[c] - l->count); /* [stat] */
		l->head = NULL;
		l->count = 0;
	}
}

void *magi_slab_take_foreign(mag_runtime *rt, unsigned cls)
{
	uint32_t n = 1;
	void *list = magi_fault() ? NULL : take_batch(&rt->depot, cls, &n);

	if (!list)
		return NULL;
	if (word(list)[0])
		give_batch(&rt->depot, cls, word(list)[0]);
	magi_add_rlx(&rt->foreign_frames, (int64_t)1); /* [stat] */
	MAGI_UNPOISON(list, magi_class_bytes(cls));
	return list;
}

void magi_slab_give_foreign(mag_runtime *rt, unsigned cls, void *p)
{
	word(p)[0] = NULL;
	magi_add_rlx(&rt->foreign_frames, (int64_t)-1); /* [stat] */
	give_batch(&rt->depot, cls, p);
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
