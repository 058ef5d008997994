/* SPDX-License-Identifier: MIT */
/* slab.c - frames by size class: each worker's free lists, and what they do when they are empty or too long.
 *
 * Who:     refill, surplus: the owner of the worker. foreign: any thread.
 * Always:  surplus goes to the depot in bundles; what comes from there is fetched ahead, all of it at once: frames that
 *          another worker has freed are cold here.
 * Pairs:   the depot's lock
 * Not:     a remote free list per frame owner: tasks migrate, so the frame's first worker means nothing. */
#include "sched/slab.h"

#include <magpie/impl/slab.h>

#include "base/alloc.h"
#include "sched/depot.h"

size_t magi_class_bytes(unsigned cls)
{
	unsigned step;

	if (cls <= MAGI_CLASS_FINE)
		return (size_t)cls * 64;
	step = cls - MAGI_CLASS_FINE - 1;
	return ((size_t)4 + step % 4 + 1) << (10 + step / 4);
}

void magi_slab_init(struct magi_worker *w)
{
	for (unsigned c = 0; c < MAGI_CLASSES; c++) {
		w->pub.free[c].head = &w->pub.none;
		w->pub.free[c].high = c ? 2 * magi_depot_load(c) : 0;
	}
}

static void fetch(void *frame)
{
	__builtin_prefetch(frame, 1);
	__builtin_prefetch((char *)frame + MAGI_CACHE_LINE, 1);
}

/* Makes a load from the depot the worker's free list, which is empty. */
static void unpack(struct magi_free_list *list, struct magi_bundle *load, size_t size)
{
	while (load) {
		struct magi_bundle *more = load->more;

		__builtin_prefetch(more);
		for (uint64_t i = 0; i < load->n; i++)
			fetch(load->frame[i]);
		for (uint64_t i = 0; i < load->n; i++)
			(void)magi_slab_put(list, load->frame[i], size);
		(void)magi_slab_put(list, load, size);
		load = more;
	}
}

/* The same with frames that nobody has had; the lowest is taken first. */
static bool unpack_fresh(struct magi_free_list *list, struct magi_depot *d, unsigned cls, size_t size)
{
	uint32_t n = magi_depot_load(cls);
	char *first = magi_depot_carve(d, cls, &n);

	if (!first)
		return false;
	while (n > 0)
		(void)magi_slab_put(list, first + --n * size, size);
	return true;
}

void *magi_slab_refill(mag_worker *pub, unsigned cls)
{
	struct magi_worker *w = magi_worker_of(pub);
	struct magi_free_list *list = &pub->free[cls];
	size_t size = magi_class_bytes(cls);
	struct magi_free_node *first;
	struct magi_bundle *load;

	if (magi_fault())
		return NULL;
	load = magi_depot_take(&w->rt->depot, cls);
	if (load)
		unpack(list, load, size);
	else if (!unpack_fresh(list, &w->rt->depot, cls, size))
		return NULL;
	first = list->head;
	magi_store_rlx(&w->frames[cls], w->frames[cls] + (int64_t)first->length); /* [stat] */
	list->head = first->next;
	MAGI_UNPOISON(first, size);
	return first;
}

/* Hands a list to the depot, in loads. */
static void give_list(struct magi_worker *w, unsigned cls, struct magi_free_node *p)
{
	uint32_t most = magi_depot_load(cls), room = magi_depot_room(cls);
	const struct magi_free_node *end = &w->pub.none;

	while (p != end) {
		struct magi_bundle *load = NULL;

		for (uint32_t given = 0; given < most && p != end; given++) {
			struct magi_free_node *next = p->next;

			if (load && load->n < room) {
				load->frame[load->n++] = p;
			} else {
				struct magi_bundle *bundle = (struct magi_bundle *)(void *)p;

				MAGI_UNPOISON(p, magi_class_bytes(cls));
				*bundle = (struct magi_bundle){ .more = load };
				load = bundle;
			}
			p = next;
		}
		magi_depot_give(&w->rt->depot, cls, load);
	}
}

/* Keeps the newest, which are warm. */
void magi_slab_surplus(mag_worker *pub, unsigned cls)
{
	struct magi_worker *w = magi_worker_of(pub);
	struct magi_free_node *last = pub->free[cls].head, *list;
	uint64_t keep = last->length / 2, all = last->length;

	for (uint64_t i = keep; i > 1; i--) {
		last->length = i;
		last = last->next;
	}
	last->length = (uint64_t)1;
	list = last->next;
	last->next = &pub->none;
	magi_store_rlx(&w->frames[cls], w->frames[cls] - (int64_t)(all - keep)); /* [stat] */
	give_list(w, cls, list);
}

void magi_slab_drain(struct magi_worker *w)
{
	for (unsigned c = 1; c < MAGI_CLASSES; c++) {
		struct magi_free_node *head = w->pub.free[c].head;

		magi_store_rlx(&w->frames[c], w->frames[c] - (int64_t)head->length); /* [stat] */
		w->pub.free[c].head = &w->pub.none;
		give_list(w, c, head);
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

static void *take_one(struct magi_depot *d, unsigned cls)
{
	struct magi_bundle *load = magi_depot_take(d, cls);
	uint32_t n = 1;
	void *p;

	if (!load)
		return magi_depot_carve(d, cls, &n);
	if (load->n) {
		p = load->frame[--load->n];
		magi_depot_give(d, cls, load);
	} else {
		p = load;
		if (load->more)
			magi_depot_give(d, cls, load->more);
	}
	return p;
}

void *magi_slab_take_foreign(mag_runtime *rt, unsigned cls)
{
	void *p = magi_fault() ? NULL : take_one(&rt->depot, cls);

	if (!p)
		return NULL;
	magi_add_rlx(&rt->foreign_frames, (int64_t)1); /* [stat] */
	MAGI_UNPOISON(p, magi_class_bytes(cls));
	return p;
}

void magi_slab_give_foreign(mag_runtime *rt, unsigned cls, void *p)
{
	struct magi_bundle *bundle = p;

	*bundle = (struct magi_bundle){ 0 };
	magi_add_rlx(&rt->foreign_frames, (int64_t)-1); /* [stat] */
	magi_depot_give(&rt->depot, cls, bundle);
}
