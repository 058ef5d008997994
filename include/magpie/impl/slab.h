/* SPDX-License-Identifier: MIT */
/* slab.h - frames come from per-worker free lists and go back to the worker that ends them.
 *
 * Who:     take, give: the owner of the worker only.
 * Always:  a list holds free frames of one size class, linked through their first word.
 * Not:     remote free queues: surplus goes back in batches through the runtime's depot, see src/sched/slab.c */
#ifndef MAGPIE_IMPL_SLAB_H
#define MAGPIE_IMPL_SLAB_H

#include <magpie/impl/frame.h>

#if defined(__SANITIZE_ADDRESS__)
#define MAGI_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MAGI_ASAN 1
#endif
#endif
#ifdef MAGI_ASAN
#include <sanitizer/asan_interface.h>
#define MAGI_POISON(p, n) ASAN_POISON_MEMORY_REGION((p), (n))
#define MAGI_UNPOISON(p, n) ASAN_UNPOISON_MEMORY_REGION((p), (n))
#else
#define MAGI_POISON(p, n) ((void)(p), (void)(n))
#define MAGI_UNPOISON(p, n) ((void)(p), (void)(n))
#endif

struct magi_free_list {
	void *head; /* the first word of each points to the next */
	uint32_t count;
	uint32_t high; /* above this a batch goes back to the depot */
};

MAGI_C_BEGIN
/* Refills the class from the depot; NULL when memory is out. */
MAG_API void *magi_slab_refill(mag_worker *w, unsigned cls);
MAG_API void magi_slab_surplus(mag_worker *w, unsigned cls);
MAGI_C_END

MAGI_FAST void *magi_slab_take(mag_worker *w, struct magi_free_list *list, unsigned cls, size_t size)
{
	void *p = list->head;

	if (MAGI_UNLIKELY(!p))
		return magi_slab_refill(w, cls);
	MAGI_UNPOISON(p, size);
	list->head = *(void **)p;
	list->count--;
	return p;
}

MAGI_FAST void magi_slab_give(mag_worker *w, struct magi_free_list *list, unsigned cls, void *p, size_t size)
{
	*(void **)p = list->head;
	list->head = p;
	if (MAGI_UNLIKELY(++list->count > list->high))
		magi_slab_surplus(w, cls);
	if (size > sizeof(void *))
		MAGI_POISON((char *)p + sizeof(void *), size - sizeof(void *));
}

#endif
