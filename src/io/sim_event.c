/* SPDX-License-Identifier: MIT */
/* sim_event.c - what comes to the sim backend's objects later: bytes that are under way, the end of a cut.
 *
 * What:    a heap of times and objects. When one is due, all who wait at the object are tried again; they find out
 *          themselves what is different, and ask for the next event.
 * Who:     whoever has entered the world.
 * Always:  an event holds its object's memory, and does not keep it open. Two of the same time come in the order in which
 *          they were asked for. */
#include <stdlib.h>
#include <string.h>

#include "io/sim_world.h"

static bool earlier(const struct sim_event *a, const struct sim_event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void push(struct magi_world *w, struct sim_event event)
{
	uint32_t i = w->event_count++;

	if (i == w->event_room) {
		uint32_t room = i ? 2 * i : 32;
		struct sim_event *events = magi_world_new(room * sizeof(*events));

		if (i)
			memcpy(events, w->events, i * sizeof(*events));
		free(w->events);
		w->events = events;
		w->event_room = room;
	}
	while (i && earlier(&event, &w->events[(i - 1) / 2])) {
		w->events[i] = w->events[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	w->events[i] = event;
}

static struct sim_event pop(struct magi_world *w)
{
	struct sim_event top = w->events[0], last = w->events[--w->event_count];
	uint32_t i = 0, n = w->event_count;

	while (2 * i + 1 < n) {
		uint32_t child = 2 * i + 1;

		if (child + 1 < n && earlier(&w->events[child + 1], &w->events[child]))
			child++;
		if (!earlier(&w->events[child], &last))
			break;
		w->events[i] = w->events[child];
		i = child;
	}
	if (n)
		w->events[i] = last;
	return top;
}

void magi_world_alarm(struct sim_object *object, uint64_t at)
{
	struct magi_world *w = object->world;

	if (at == MAGI_NEVER || object->alarm <= at)
		return;
	object->alarm = at;
	object->events++;
	push(w, (struct sim_event){ at, w->event_order++, object });
	for (struct sim_op *op = object->waiters.first; op; op = op->next) {
		if (op->io->until > at) /* it sleeps, and did not know of this */
			magi_world_stir(op->io);
	}
}

uint64_t magi_world_next_event(const struct magi_world *world)
{
	return world->event_count ? world->events[0].at : MAGI_NEVER;
}

void magi_world_fire(struct magi_world *world)
{
	while (magi_world_next_event(world) <= world->now) {
		struct sim_event event = pop(world);

		if (event.object->alarm == event.at)
			event.object->alarm = MAGI_NEVER;
		if (event.object->refs)
			magi_world_changed(event.object);
		event.object->events--;
		magi_world_object_free(event.object);
	}
}

void magi_world_events_drop(struct magi_world *world)
{
	while (world->event_count) {
		struct sim_object *object = pop(world).object;

		object->events--;
		magi_world_object_free(object);
	}
}
