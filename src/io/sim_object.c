/* SPDX-License-Identifier: MIT */
/* sim_object.c - what the descriptors of the sim backend name: streams, pipes, listeners, files.
 *
 * Who:     any thread, under the world's lock.
 * Always:  an object lives while a descriptor or an operation under way refers to it, as an open file does: a close
 *          with operations under way shows at the other end only when the last of them is over.
 *          A channel lives until its reader and its writer are gone. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "io/sim_world.h"

void *magi_world_new(size_t size)
{
	void *p = calloc(1, size);

	magi_assert(p != NULL);
	return p;
}

struct sim_object *magi_world_object(struct magi_world *world, enum sim_kind kind)
{
	struct sim_object *object = magi_world_new(sizeof(*object));

	object->kind = kind;
	object->world = world;
	return object;
}

void magi_world_channel(struct sim_object *reader, struct sim_object *writer)
{
	struct sim_channel *c = magi_world_new(sizeof(*c));

	c->capacity = reader->world->stream_bytes;
	c->data = magi_world_new(c->capacity);
	c->reader = reader;
	c->writer = writer;
	reader->in = c;
	writer->out = c;
}

void magi_world_changed(struct sim_object *object)
{
	while (object && object->waiters.first) {
		struct sim_op *op = object->waiters.first;

		magi_world_list_remove(op);
		op->round = op->io->round + magi_world_delay(op->io);
		magi_world_list_add(&op->io->work, op);
		magi_world_stir(op->io);
	}
}

static void channel_drop(struct sim_channel *c)
{
	if (c->reader || c->writer)
		return;
	free(c->data);
	free(c);
}

static void drop_ends(struct sim_object *object)
{
	struct sim_channel *in = object->in, *out = object->out;

	if (in) {
		in->reader = NULL;
		in->stopped = true;
		magi_world_changed(in->writer);
		channel_drop(in);
	}
	if (out) {
		out->writer = NULL;
		out->ended = true;
		magi_world_changed(out->reader);
		channel_drop(out);
	}
}

void magi_world_object_drop(struct sim_object *object)
{
	if (--object->refs)
		return;
	magi_world_changed(object); /* who wants to connect to a listener holds no reference to it */
	drop_ends(object);
	for (uint32_t i = 0; i < object->queued; i++)
		magi_world_object_drop(object->queue[i]);
	free(object->bytes);
	free(object);
}

uint32_t magi_world_channel_read(struct sim_channel *c, void *to, uint32_t n, bool peek)
{
	uint32_t first;

	if (n > c->count)
		n = c->count;
	first = c->capacity - c->head < n ? c->capacity - c->head : n;
	memcpy(to, c->data + c->head, first);
	memcpy((char *)to + first, c->data, n - first);
	if (!peek && n) {
		c->head = (c->head + n) % c->capacity;
		c->count -= n;
		magi_world_changed(c->writer);
	}
	return n;
}

uint32_t magi_world_channel_write(struct sim_channel *c, const void *from, uint32_t n)
{
	uint32_t tail = (c->head + c->count) % c->capacity, first;

	if (n > c->capacity - c->count)
		n = c->capacity - c->count;
	first = c->capacity - tail < n ? c->capacity - tail : n;
	memcpy(c->data + tail, from, first);
	memcpy(c->data, (const char *)from + first, n - first);
	if (n) {
		c->count += n;
		magi_world_changed(c->reader);
	}
	return n;
}
