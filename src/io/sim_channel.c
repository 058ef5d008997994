/* SPDX-License-Identifier: MIT */
/* sim_channel.c - one direction of a stream on the sim backend.
 *
 * What:    a ring of bytes. In hosted mode they take their time: those of one write are a segment, or several on a slow
 *          line, that is there from a certain time on, unless the network is cut just then.
 * Who:     whoever has entered the world.
 * Always:  bytes come in order, and all before the end. A channel lives until its reader and its writer are gone.
 *          There is an event at the reader when the next segment comes, or the end, if somebody waits for it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/sim_world.h"

enum {
	LATENCY_MIN_US = 10, /* of a line, as on loopback and up to a fast net */
	LATENCY_MAX_US = 500,
	LOCAL_NS = 2000,     /* between processes of one machine */
	SLOW_MAX = 100,      /* bytes a ms */
	PIECES = 8           /* a write on a slow line comes in no more than that */
};

static uint32_t capacity(struct magi_world *w)
{
	return w->stream_bytes ? w->stream_bytes : (uint32_t)MAGI_SIM_STREAM_BYTES << 2 * magi_world_random(w, 3);
}

void magi_world_channel(struct sim_object *reader, struct sim_object *writer)
{
	struct magi_world *w = reader->world;
	struct sim_channel *c = magi_world_new(sizeof(*c));

	c->capacity = capacity(w);
	c->data = malloc(c->capacity);
	c->reader = reader;
	c->writer = writer;
	c->remote = sim_hosted(w) && (reader->family == AF_INET || reader->family == AF_INET6);
	if (sim_hosted(w))
		c->latency = LOCAL_NS;
	if (c->remote)
		c->latency = magi_world_between(w, LATENCY_MIN_US, LATENCY_MAX_US) * MAGI_NS_PER_US;
	if (c->remote && sim_chance(w, MAGI_CHANCE_SLOW))
		c->rate = 1 + magi_world_random(w, SLOW_MAX);
	reader->in = c;
	writer->out = c;
}

static void channel_drop(struct sim_channel *c)
{
	struct sim_segment *s;

	if (c->reader || c->writer)
		return;
	while ((s = c->first)) {
		c->first = s->next;
		free(s);
	}
	free(c->data);
	free(c);
}

/* When what left to be there at `at` is there, or MAGI_NEVER: after a cut whose end nobody knows. */
static uint64_t arrives(const struct sim_channel *c, uint64_t at)
{
	const struct sim_object *o = c->reader;
	uint64_t until = at;

	if (c->remote && magi_world_cut(o->world, &o->local, &o->peer, at, &until))
		return until;
	return at;
}

bool magi_world_channel_look(struct sim_channel *c)
{
	uint64_t now = c->reader->world->now, next = MAGI_NEVER;

	while (c->first) {
		struct sim_segment *s = c->first;

		next = arrives(c, s->at);
		if (next > now)
			break;
		c->there += s->bytes;
		c->first = s->next;
		if (!c->first)
			c->last = NULL;
		free(s);
	}
	if (!c->first && c->ended)
		next = arrives(c, c->ended_at);
	if (c->there || c->reset || c->stopped || magi_world_channel_ended(c))
		return true;
	magi_world_alarm(c->reader, next);
	return false;
}

bool magi_world_channel_ended(const struct sim_channel *c)
{
	return c->ended && !c->first && arrives(c, c->ended_at) <= c->reader->world->now;
}

uint32_t magi_world_channel_read(struct sim_channel *c, void *to, uint32_t n, bool peek)
{
	uint32_t first;

	if (n > c->there)
		n = c->there;
	first = c->capacity - c->head < n ? c->capacity - c->head : n;
	memcpy(to, c->data + c->head, first);
	memcpy((char *)to + first, c->data, n - first);
	if (!peek && n) {
		c->head = (c->head + n) % c->capacity;
		c->count -= n;
		c->there -= n;
		magi_world_changed(c->writer);
	}
	return n;
}

static void send_segment(struct sim_channel *c, uint32_t n, uint64_t at)
{
	struct sim_segment *s = magi_world_new(sizeof(*s));

	s->at = at > c->last_at ? at : c->last_at;
	s->bytes = n;
	c->last_at = s->at;
	if (c->last)
		c->last->next = s;
	else
		c->first = s;
	c->last = s;
}

/* On their way: at once, or piece by piece. */
static void send_bytes(struct sim_channel *c, uint32_t n)
{
	struct magi_world *w = c->writer->world;
	uint32_t piece = n;

	if (!sim_hosted(w)) {
		c->there += n;
		magi_world_changed(c->reader);
		return;
	}
	if (c->rate)
		piece = n / PIECES > c->rate ? n / PIECES : c->rate;
	for (uint64_t at = w->now + c->latency; n; n -= piece) {
		if (piece > n)
			piece = n;
		if (c->rate)
			at = (at > c->last_at ? at : c->last_at) + piece * MAGI_NS_PER_MS / c->rate;
		send_segment(c, piece, at);
	}
	magi_world_alarm(c->reader, arrives(c, c->first->at));
}

uint32_t magi_world_channel_write(struct sim_channel *c, const void *from, uint32_t n)
{
	uint32_t tail = (c->head + c->count) % c->capacity, first;

	if (n > c->capacity - c->count)
		n = c->capacity - c->count;
	first = c->capacity - tail < n ? c->capacity - tail : n;
	memcpy(c->data + tail, from, first);
	memcpy(c->data, (const char *)from + first, n - first);
	c->count += n;
	send_bytes(c, n);
	return n;
}

void magi_world_channel_end(struct sim_channel *c)
{
	if (c->ended)
		return;
	c->ended = true;
	if (!c->reader)
		return;
	if (sim_hosted(c->reader->world)) {
		c->ended_at = c->reader->world->now + c->latency;
		if (c->ended_at < c->last_at)
			c->ended_at = c->last_at;
		magi_world_alarm(c->reader, c->first ? arrives(c, c->first->at) : arrives(c, c->ended_at));
	} else {
		magi_world_changed(c->reader);
	}
}

static void lose(struct sim_channel *c)
{
	struct sim_segment *s;

	while ((s = c->first)) {
		c->first = s->next;
		free(s);
	}
	c->last = NULL;
	c->count = c->there = 0;
	c->reset = true;
	if (c->reader)
		c->reader->error = ECONNRESET;
	if (c->writer)
		c->writer->error = ECONNRESET;
}

void magi_world_break(struct sim_object *stream)
{
	struct sim_channel *in = stream->in, *out = stream->out;

	lose(in);
	lose(out);
	magi_world_changed(in->writer);
	magi_world_changed(out->reader);
	magi_world_changed(stream);
}

/* Data that nobody has read is an error for who sent it, as it is with TCP. */
static bool leaves_rudely(const struct sim_object *o)
{
	return sim_hosted(o->world) && o->in && o->out && o->in->count && !o->in->reset && o->in->writer;
}

void magi_world_channel_leave(struct sim_object *object)
{
	struct sim_channel *in = object->in, *out = object->out;

	if (leaves_rudely(object))
		magi_world_break(object);
	object->in = object->out = NULL;
	if (in) {
		in->stopped = true;
		in->reader = NULL;
		magi_world_changed(in->writer);
		channel_drop(in);
	}
	if (out) {
		magi_world_channel_end(out);
		out->writer = NULL;
		channel_drop(out);
	}
}
