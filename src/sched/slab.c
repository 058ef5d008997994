/* SPDX-License-Identifier: MIT */
/* slab.c - frames by size class: per-worker free lists, and a depot where surplus changes hands in batches.
 *
 * Who:     refill, surplus: the owner of the worker. foreign: any thread.
 * Always:  a batch is a list of free frames of one class: word 0 next frame, NULL at the end; word 1 of its first frame: the next batch.
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
	FIRST_REGION_BYTES = 1 << 20, /* small programs stay small */
	REGION_BYTES = 4 << 20        /* in huge pages */
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
	for (unsigned c = 0; c < MAGI_CLASSES; c++) {
		w->pub.free[c].head = &w->pub.none;
		w->pub.free[c].high = c ? 2 * batch_of(c) : 0;
	}
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
		magi_store_rlx(&d->used[cls / 64], d->used[cls / 64] | UINT64_C(1) << cls % 64); /* [stat] */
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

/* Ends a list that came from the depot, for use as a free list: lengths, and the worker's own end. */
static void adopt(struct magi_worker *w, struct magi_free_node *list, uint32_t n)
{
	for (struct magi_free_node *p = list; p; n--) {
		struct magi_free_node *next = p->next;

		p->length = (uint64_t)n;
		if (!next)
			p->next = &w->pub.none;
		p = next;
	}
}

void *magi_slab_refill(mag_worker *pub, unsigned cls)
{
	struct magi_worker *w = magi_worker_of(pub);
	uint32_t n = batch_of(cls);
	struct magi_free_node *list;

	if (magi_fault())
		return NULL;
	list = take_batch(&w->rt->depot, cls, &n);
	if (!list)
		return NULL;
	magi_store_rlx(&w->frames[cls], w->frames[cls] + n); /* [stat] */
	adopt(w, list, n);
	pub->free[cls].head = list->next;
	MAGI_UNPOISON(list, magi_class_bytes(cls));
	return list;
}

/* Keeps the newest, which are warm. */
void magi_slab_surplus(mag_worker *pub, unsigned cls)
{
	struct magi_worker *w = magi_worker_of(pub);
	struct magi_free_node *last = pub->free[cls].head, *list, *end;
	uint64_t keep = last->length / 2, all = last->length;

	for (uint64_t i = keep; i > 1; i--) {
		last->length = i;
		last = last->next;
	}
	last->length = (uint64_t)1;
	list = last->next;
	last->next = &pub->none;
	for (end = list; end->next != &pub->none; end = end->next)
		;
	end->next = NULL;
	magi_store_rlx(&w->frames[cls], w->frames[cls] - (int64_t)(all - keep)); /* [stat] */
	give_batch(&w->rt->depot, cls, list);
}

void magi_slab_drain(struct magi_worker *w)
{
	for (unsigned c = 1; c < MAGI_CLASSES; c++) {
		struct magi_free_node *head = w->pub.free[c].head, *end = head;

		if (head == &w->pub.none)
			continue;
		while (end->next != &w->pub.none)
			end = end->next;
		end->next = NULL;
		magi_store_rlx(&w->frames[c], w->frames[c] - (int64_t)head->length); /* [stat] */
		w->pub.free[c].head = &w->pub.none;
		give_batch(&w->rt->depot, c, head);
	}
}

void magi_slab_publish(struct magi_worker *w)
{
	for (unsigned i = 0; i < 2; i++) {
		for (uint64_t used = magi_load_rlx(&w->rt->depot.used[i]); used; used &= used - 1) { /* [stat] */
			unsigned c = i * 64 + (unsigned)__builtin_ctzll(used);

			magi_store_rlx(&w->free_seen[c], w->pub.free[c].head->length); /* [stat] */
		}
	}
}

int64_t magi_slab_in_use(const struct magi_worker *w)
{
	int64_t n = 0;

	for (unsigned c = 1; c < MAGI_CLASSES; c++)
		n += magi_load_rlx(&w->frames[c]) - (int64_t)magi_load_rlx(&w->free_seen[c]); /* [stat] */
	return n;
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
