/* SPDX-License-Identifier: MIT */
/* gather.c - stages that look at several streams or several items: chain, zip, batch by count.
 *
 * Always:  as in stage.c; half a pair and half a batch lie in the caller's memory meanwhile. */
#include <errno.h>
#include <magpie/stream_stage.h>

#include "stream/stream.h"

/* Chain. */

static int64_t chain_next(mag_stream *s, void *out, mag_stream **who)
{
	mag_stream_chain *c = (mag_stream_chain *)(void *)s;

	while (c->at < s->ups_n) {
		int64_t rc = magi_stream_pull(s->ups[c->at], out, who);

		if (rc < 0 && rc != MAGI_STREAM_WAIT)
			c->at = s->ups_n; /* behind an error comes nothing; a wait that was cut short does not come here */
		if (rc != 0)
			return rc;
		c->at++;
	}
	return 0;
}

static const struct magi_stream_ops chain_ops = { .next = chain_next };

int mag_stream_chain_init(mag_stream_chain *c, mag_stream *const *ups, size_t n)
{
	size_t size = n && ups && ups[0] ? ups[0]->size : 0;
	int rc;

	if (!c)
		return -EINVAL;
	for (size_t i = 1; i < n && size; i++) {
		if (!ups[i] || ups[i]->size != size)
			size = 0;
	}
	rc = magi_stream_init_many(&c->stream, &chain_ops, ups, n, size);
	c->at = 0;
	return rc;
}

/* Zip. */

static int64_t zip_next(mag_stream *s, void *out, mag_stream **who)
{
	mag_stream_zip *z = (mag_stream_zip *)(void *)s;
	int64_t rc;

	if (s->ended)
		return 0;
	if (!z->half) {
		rc = magi_stream_pull(z->pair[0], z->room, who);
		if (rc == 0)
			s->ended = 1;
		if (rc != 1)
			return rc;
		z->half = true;
	}
	rc = magi_stream_pull(z->pair[1], z->room + z->second_at, who);
	if (rc == 0)
		s->ended = 1;
	if (rc != 1)
		return rc;
	z->half = false;
	memcpy(out, z->room, s->size);
	return 1;
}

static const struct magi_stream_ops zip_ops = { .next = zip_next };

int mag_stream_zip_init(mag_stream_zip *z, mag_stream *first, mag_stream *second, void *room, size_t size,
			size_t second_at)
{
	int rc;

	if (!z)
		return -EINVAL;
	z->pair[0] = first;
	z->pair[1] = second;
	if (!first || !second || first == second || !room || first->size > second_at || second_at > size ||
	    size - second_at < second->size)
		size = 0;
	rc = magi_stream_init_many(&z->stream, &zip_ops, z->pair, 2, size);
	z->room = room;
	z->second_at = second_at;
	z->half = false;
	return rc;
}

/* Batch. */

static int64_t batch_next(mag_stream *s, void *out, mag_stream **who)
{
	mag_stream_batch *b = (mag_stream_batch *)(void *)s;
	int64_t rc = 1;

	if (s->ended) {
		rc = b->after;
		b->after = 0;
		return rc;
	}
	while (b->count < b->most) {
		rc = magi_stream_pull(s->up, b->room + b->count * s->up->size, who);
		if (rc != 1)
			break;
		b->count++;
	}
	if (rc == MAGI_STREAM_WAIT)
		return rc;
	if (rc <= 0) {
		s->ended = 1;
		if (!b->count)
			return rc;
		b->after = rc;
	}
	*(mag_batch *)out = (mag_batch){ b->room, b->count };
	b->count = 0;
	return 1;
}

static const struct magi_stream_ops batch_ops = { .next = batch_next };

int mag_stream_batch_init(mag_stream_batch *b, mag_stream *up, void *room, size_t most)
{
	bool good = up && room && most && most <= SIZE_MAX / MAG_STREAM_ITEM_MAX;
	int rc;

	if (!b)
		return -EINVAL;
	rc = magi_stream_init(&b->stream, &batch_ops, up, good ? sizeof(mag_batch) : 0);
	b->room = room;
	b->most = most;
	b->count = 0;
	b->after = 0;
	return rc;
}
