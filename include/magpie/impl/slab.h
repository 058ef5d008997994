/* SPDX-License-Identifier: MIT */
/* slab.h - frames come from per-worker free lists and go back to the worker that ends them.
 *
 * Who:     take, put: the owner of the worker only.
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

/* The first two words of a free frame. */
struct magi_free_node {
	struct magi_free_node *next; /* NULL in the node that ends every list */
	uint64_t length;             /* from here to the end: no counter to update, hence no chain of updates */
};

struct magi_free_list {
	struct magi_free_node *head;
	uint64_t high; /* above this length a batch goes back to the depot */
};

/* Builds for the simulator may refuse each frame, not only where a list is empty: base/fault.h. */
#ifdef MAGI_POINTS
extern bool magi_fault(void);
#define MAGI_SLAB_REFUSES magi_fault()
#else
#define MAGI_SLAB_REFUSES 0
#endif

MAGI_C_BEGIN
/* Refills the class from the depot; NULL when memory is out. */
MAG_API void *magi_slab_refill(mag_worker *w, unsigned cls);
MAG_API void magi_slab_surplus(mag_worker *w, unsigned cls);
MAGI_C_END

MAGI_FAST void *magi_slab_take(mag_worker *w, struct magi_free_list *list, unsigned cls, size_t size)
{
	struct magi_free_node *p = list->head, *next = p->next;

	if (MAGI_UNLIKELY(!next))
		return magi_slab_refill(w, cls);
	if (MAGI_SLAB_REFUSES)
		return NULL;
	MAGI_UNPOISON(p, size);
	list->head = next;
	return p;
}

/* True: the list has become longer than it should be, hand the surplus on. */
MAGI_FAST bool magi_slab_put(struct magi_free_list *list, void *memory, size_t size)
{
	struct magi_free_node *p = (struct magi_free_node *)memory, *head = list->head;
	uint64_t length = head->length + 1;

	p->next = head;
	p->length = length;
	list->head = p;
	if (size > sizeof(*p))
		MAGI_POISON((char *)memory + sizeof(*p), size - sizeof(*p));
	return length > list->high;
}

#endif
