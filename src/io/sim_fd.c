/* SPDX-License-Identifier: MIT */
/* sim_fd.c - the sim backend's descriptors, and what makes them for tests.
 *
 * Who:     any thread; hosted, the simulation's.
 * Always:  a new descriptor is the lowest free number, as the system's is: stale ones are soon somebody else's. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/sim_world.h"

enum { TEXT = 256 };

int magi_world_fd_room(struct magi_world *w, uint32_t n)
{
	if (w->fd_count > w->fd_limit || w->fd_limit - w->fd_count < n)
		return -EMFILE;
	if (sim_chance(w, MAGI_CHANCE_FD))
		return magi_world_random(w, 2) ? -EMFILE : -ENFILE;
	return 0;
}

/* There is room. */
static int add(struct magi_world *w, struct sim_object *object)
{
	uint32_t i = 0;

	while (i < w->fd_slots && w->fds[i])
		i++;
	if (i == w->fd_slots) {
		uint32_t slots = i ? i * 2 : 64;
		struct sim_object **fds = magi_world_new(slots * sizeof(struct sim_object *));

		if (i)
			memcpy(fds, w->fds, i * sizeof(struct sim_object *));
		free(w->fds);
		w->fds = fds;
		w->fd_slots = slots;
	}
	w->fds[i] = object;
	w->fd_count++;
	object->refs++;
	return MAGI_SIM_FD + (int)i;
}

int magi_world_fd_add(struct magi_world *w, struct sim_object *object)
{
	int rc = 0;

	if (object->kind != SIM_FILE) /* a file's room was asked about before the file was made */
		rc = magi_world_fd_room(w, 1);
	return rc < 0 ? rc : add(w, object);
}

struct sim_object *magi_world_fd_find(struct magi_world *w, int fd)
{
	uint32_t i = (uint32_t)fd - MAGI_SIM_FD;

	return fd >= MAGI_SIM_FD && i < w->fd_slots ? w->fds[i] : NULL;
}

int magi_world_fd_close(struct magi_world *w, int fd)
{
	struct sim_object *object = magi_world_fd_find(w, fd);

	if (!object)
		return -EBADF;
	w->fds[(uint32_t)fd - MAGI_SIM_FD] = NULL;
	w->fd_count--;
	if (!sim_hosted(w))
		magi_world_unbind(object); /* magi_world_listener: its port is its descriptor's, which is free now */
	magi_world_object_drop(object);
	return 0;
}

/* Nothing refers to it: it is not to be. */
static void discard(struct sim_object *object)
{
	object->refs++;
	magi_world_object_drop(object);
}

int magi_world_fd_new(struct sim_object *object)
{
	int fd = magi_world_fd_add(object->world, object);

	if (fd < 0)
		discard(object);
	return fd;
}

int magi_world_fd_pair(struct sim_object *a, struct sim_object *b, int fds[2])
{
	int rc = magi_world_fd_room(a->world, 2);

	if (rc < 0) {
		discard(a);
		discard(b);
		return rc;
	}
	fds[0] = add(a->world, a);
	fds[1] = add(a->world, b);
	return 0;
}

static int pair_locked(struct magi_world *w, int fds[2], bool both)
{
	struct sim_object *a = magi_world_object(w, SIM_STREAM), *b = magi_world_object(w, SIM_STREAM);

	a->family = b->family = AF_UNIX;
	a->alone = b->alone = true;
	magi_world_channel(a, b);
	if (both)
		magi_world_channel(b, a);
	return magi_world_fd_pair(a, b, fds);
}

int magi_world_pair(struct magi_world *world, int fds[2])
{
	int rc;

	magi_world_enter(world);
	rc = pair_locked(world, fds, true);
	magi_world_leave(world);
	return rc;
}

int magi_world_pipe(struct magi_world *world, int fds[2])
{
	int rc;

	magi_world_enter(world);
	rc = pair_locked(world, fds, false);
	magi_world_leave(world);
	return rc;
}

static int make(struct magi_world *world, enum sim_kind kind, const void *bytes, size_t size)
{
	struct sim_object *object;
	struct sockaddr_storage address;
	int fd;

	magi_world_enter(world);
	object = magi_world_object(world, kind);
	object->family = AF_INET;
	object->flags = O_RDWR;
	if (kind == SIM_FILE) {
		object->node = magi_node_make(&world->tree, S_IFREG | 0600);
		magi_node_resize(object->node, size);
		if (size)
			memcpy(object->node->bytes, bytes, size);
		fd = magi_world_fd_room(world, 1);
		if (fd < 0)
			discard(object);
		else
			fd = add(world, object);
	} else {
		fd = magi_world_fd_new(object);
	}
	if (fd >= 0 && kind == SIM_LISTENER) {
		socklen_t len = magi_world_address(fd, &address);

		magi_world_bind(object, (struct sockaddr *)&address, len);
	}
	magi_world_leave(world);
	return fd;
}

int magi_world_listener(struct magi_world *world)
{
	return make(world, SIM_LISTENER, NULL, 0);
}

int magi_world_socket(struct magi_world *world)
{
	return make(world, SIM_SOCKET, NULL, 0);
}

int magi_world_file(struct magi_world *world, const void *bytes, size_t size)
{
	return make(world, SIM_FILE, bytes, size);
}

socklen_t magi_world_address(int listener, struct sockaddr_storage *address)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	in.sin_port = htons((uint16_t)(listener - MAGI_SIM_FD + 1));
	memset(address, 0, sizeof(*address));
	memcpy(address, &in, sizeof(in));
	return sizeof(in);
}

int magi_world_close(struct magi_world *world, int fd)
{
	int rc;

	magi_world_enter(world);
	rc = magi_world_fd_close(world, fd);
	magi_world_leave(world);
	return rc;
}

int magi_world_reset(struct magi_world *world, int fd)
{
	struct sim_object *object;
	int rc = -EBADF;

	magi_world_enter(world);
	object = magi_world_fd_find(world, fd);
	if (object && object->in && object->out) {
		magi_world_break(object);
		rc = 0;
	}
	magi_world_leave(world);
	return rc;
}

uint32_t magi_world_open_fds(struct magi_world *world)
{
	uint32_t n;

	magi_world_enter(world);
	n = world->fd_count;
	magi_world_leave(world);
	return n;
}

static void describe(const struct sim_object *o, char *text, size_t size)
{
	int n;

	if (o->kind == SIM_FILE) {
		magi_tree_text(&o->world->tree, o->node, text, size);
		return;
	}
	n = magi_world_addr_text(&o->local, text, size);
	if (o->peer.len && n >= 0 && (size_t)n + 4 < size) {
		memcpy(text + n, " to ", 4);
		magi_world_addr_text(&o->peer, text + n + 4, size - (size_t)n - 4);
	}
}

void magi_world_each_open(struct magi_world *world, void (*fn)(void *ctx, int fd, const char *kind, const char *text),
			  void *ctx)
{
	char text[TEXT];

	magi_world_enter(world);
	for (uint32_t i = 0; i < world->fd_slots; i++) {
		if (!world->fds[i])
			continue;
		describe(world->fds[i], text, sizeof(text));
		fn(ctx, MAGI_SIM_FD + (int)i, magi_world_kind(world->fds[i]), text);
	}
	magi_world_leave(world);
}

void magi_world_limit_fds(struct magi_world *world, uint32_t limit)
{
	magi_world_enter(world);
	world->fd_limit = limit;
	magi_world_leave(world);
}
