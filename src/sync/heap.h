/* SPDX-License-Identifier: MIT */
/* heap.h - elements of one size, of which the first by a comparison comes out; equal ones in the order of their coming. */
#ifndef MAGI_SYNC_HEAP_H
#define MAGI_SYNC_HEAP_H

#include <magpie/queue.h>

struct magi_heap;

/* For so many elements of `size` bytes; release with magi_free. NULL: no memory. */
struct magi_heap *magi_heap_create(uint32_t capacity, uint32_t size, mag_queue_compare before);

/* Adds a copy; there is room. */
void magi_heap_add(struct magi_heap *h, const void *item);

/* Takes the first out; there is one. */
void magi_heap_take(struct magi_heap *h, void *item);

#endif
