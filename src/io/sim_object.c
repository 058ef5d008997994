/* SPDX-License-Identifier: MIT */
/* sim_object.c - what the descriptors of the sim backend name: sockets, streams, pipes, listeners, files.
 *
 * Who:     whoever has entered the world.
 * Always:  an object is open while a descriptor or an operation under way refers to it, as an open file is: a close
 *          with operations under way shows at the other end only when the last of them is over. */
#include <stdlib.h>

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
	object->alarm = MAGI_NEVER;
	object->backlog = SIM_BACKLOG;
	object->type = SOCK_STREAM;
	return object;
}

const char *magi_world_kind(const struct sim_object *object)
{
	switch (object->kind) {
	case SIM_SOCKET:
		return "socket";
	case SIM_STREAM:
		return object->in && object->out ? "stream" : "pipe";
	case SIM_LISTENER:
		return "listener";
	case SIM_DATAGRAM:
		return "datagram";
	default:
		return object->node && magi_node_is_dir(object->node) ? "directory" : "file";
	}
}

void magi_world_changed(struct sim_object *object)
{
	while (object && object->waiters.first) {
		struct sim_op *op = object->waiters.first;

		magi_world_list_remove(op);
		op->at = op->io->at + magi_world_delay(op->io);
		magi_world_list_add(&op->io->work, op);
		magi_world_stir(op->io);
	}
}

void magi_world_object_free(struct sim_object *object)
{
	if (!object->refs && !object->events)
		free(object);
}

static void drop_queue(struct sim_object *object)
{
	struct sim_object *next;

	while ((next = object->queue)) {
		object->queue = next->queue_next;
		if (sim_hosted(next->world))
			magi_world_break(next); /* who connected is told */
		magi_world_object_drop(next);
	}
}

static void drop_packets(struct sim_object *object)
{
	struct sim_packet *p;

	while ((p = object->packets)) {
		object->packets = p->next;
		free(p);
	}
}

void magi_world_object_drop(struct sim_object *object)
{
	if (--object->refs)
		return;
	magi_world_unbind(object);
	magi_world_changed(object); /* who wants to connect to a listener holds no reference to it */
	magi_world_channel_leave(object);
	drop_queue(object);
	drop_packets(object);
	if (object->mate) {
		object->mate->mate = NULL;
		magi_world_changed(object->mate);
	}
	if (object->node)
		magi_node_drop(object->node);
	magi_world_object_free(object);
}
