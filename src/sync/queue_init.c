/* SPDX-License-Identifier: MIT */
/* queue_init.c - what a queue is to be, and its end.
 *
 * Who:     any thread; nobody else uses the queue meanwhile. */
#include <errno.h>
#include <magpie/options.h>
#include <magpie/queue.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "sync/busy.h"
#include "sync/heap.h"

static enum magi_queue_kind kind_of(const mag_queue_options *o)
{
	switch (o->order) {
	case MAG_QUEUE_LIFO:
		return MAGI_QUEUE_STACK;
	case MAG_QUEUE_PRIORITY:
		return MAGI_QUEUE_HEAP;
	default:
		return o->element_size == sizeof(uint64_t) ? MAGI_QUEUE_WORDS : MAGI_QUEUE_RING;
	}
}

int(mag_queue_init)(mag_queue *q, uint32_t capacity, size_t size)
{
	return magi_queue_init_at(q, capacity, size, NULL);
}

int magi_queue_init_at(mag_queue *q, uint32_t capacity, size_t size, const mag_site *made)
{
	const mag_queue_options o = { .size = sizeof(o), .capacity = capacity, .element_size = (uint32_t)size };

	return size > MAG_QUEUE_ELEMENT_MAX ? -EINVAL : magi_queue_init_as_at(q, made, &o);
}

static bool is_possible(const mag_queue_options *o)
{
	return o->element_size > 0 && o->element_size <= MAG_QUEUE_ELEMENT_MAX &&
	       (unsigned)o->order <= MAG_QUEUE_PRIORITY && (o->order == MAG_QUEUE_FIFO || o->capacity > 0) &&
	       (o->order != MAG_QUEUE_PRIORITY || o->before);
}

int(mag_queue_init_as)(mag_queue *q, const mag_queue_options *given)
{
	return magi_queue_init_as_at(q, NULL, given);
}

int magi_queue_init_as_at(mag_queue *q, const mag_site *made, const mag_queue_options *given)
{
	const char *debug = getenv("MAGPIE_DEBUG");
	mag_queue_options o;

	if (mag_options_take(&o, sizeof(o), given) < 0 || !is_possible(&o))
		return -EINVAL;
	if (debug && strstr(debug, "queue=1"))
		o.capacity = o.capacity ? 1 : 0;
	*q = (mag_queue){ .capacity = o.capacity, .size = (uint16_t)o.element_size, .kind = kind_of(&o), .on_heap = 1, .made = made };
	if (q->kind == MAGI_QUEUE_HEAP)
		q->items = magi_heap_create(o.capacity, o.element_size, o.before);
	else
		q->items = magi_alloc((o.capacity ? o.capacity : 1) * (size_t)o.element_size);
	return q->items ? 0 : -ENOMEM;
}

int mag_queue_fini(mag_queue *q)
{
	int rc = magi_sync_busy(&q->waitq, false, "mag_queue_fini");

	if (rc == 0)
		rc = magi_sync_busy(&q->joiners, false, "mag_queue_fini");
	if (rc < 0)
		return rc;
	if (q->on_heap)
		magi_free(q->items);
	q->items = NULL;
	return 0;
}
