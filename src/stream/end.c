/* SPDX-License-Identifier: MIT */
/* end.c - taking a stream to its end: fold, collect. */
#include <errno.h>
#include <magpie/stream_end.h>
#include <magpie/error.h>

#include "base/alloc.h"
#include "stream/stream.h"

enum { LIST_FIRST = 16 /* items; picked */ };

/* The verbs' form of it: an item of whatever size the stream has. */
#define ITEM_NEXT(w, f, stream, item) magi_stream_next((w), (f), (stream), (item), (stream) ? (stream)->size : 0)

MAG_TASK(mag_stream_fold)
{
	MAG_BEGIN(mag_stream_fold);
	self->count = 0;
	self->rc = self->fold ? 0 : -EINVAL;
	while (self->rc == 0) {
		if ((self->count + 1) % MAGI_STREAM_TURN == 0) /* a stream that never waits must not keep the worker */
			MAG_YIELD(self->rc);
		if (self->rc == 0)
			MAG_AWAIT(self->rc, ITEM_NEXT, self->stream, self->room);
		if (self->rc <= 0)
			break;
		self->count++;
		self->rc = self->fold(self->ctx, self->room);
	}
	MAG_AWAIT(self->closed, mag_stream_close, self->stream);
	MAG_RETURN(self->rc < 0 ? self->rc : self->count);
	MAG_END;
}

/* An array. */

static void *list_end(mag_list *l, size_t size)
{
	return (char *)l->items + l->count * size;
}

static int list_grow(mag_list *l, size_t size, size_t limit)
{
	size_t room = l->room ? l->room * 2 : LIST_FIRST;
	void *items;

	if (l->count < l->room)
		return 0;
	if (room > limit)
		room = limit;
	items = magi_realloc(l->items, room * size);
	if (!items)
		return -ENOMEM;
	l->items = items;
	l->room = room;
	return 0;
}

/* 0: there is room for one more. */
static int64_t collect_room(struct mag_stream_collect *self)
{
	if (!self->into || !self->stream || !self->limit || self->limit > SIZE_MAX / 4 / MAG_STREAM_ITEM_MAX)
		return -EINVAL;
	/* one more than the limit, to tell the end from too many */
	return list_grow(self->into, self->stream->size, self->limit + 1);
}

MAG_TASK(mag_stream_collect)
{
	MAG_BEGIN(mag_stream_collect);
	for (;;) {
		self->rc = collect_room(self);
		if (self->rc == 0 && (self->into->count + 1) % MAGI_STREAM_TURN == 0)
			MAG_YIELD(self->rc);
		if (self->rc < 0)
			break;
		MAG_AWAIT(self->rc, ITEM_NEXT, self->stream, list_end(self->into, self->stream->size));
		if (self->rc <= 0)
			break;
		if (self->into->count == self->limit) {
			self->rc = MAG_ETOOLONG;
			break;
		}
		self->into->count++;
	}
	MAG_AWAIT(self->closed, mag_stream_close, self->stream);
	MAG_RETURN(self->rc < 0 ? self->rc : (int64_t)self->into->count);
	MAG_END;
}
