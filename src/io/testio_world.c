/* SPDX-License-Identifier: MIT */
/* testio_world.c - the test backend's clock, how its io sleep, and its descriptors.
 *
 * Who:     any thread.
 * Always:  an io that is blocked has nothing to do: whatever gives it something stirs it, under the lock.
 *          The clock goes by itself only when every open io is blocked with its deadline ahead and nothing to do.
 * Pairs:   [simnow] now is stored (release) under the lock -> loaded (acquire) by anybody */
#include <arpa/inet.h>
#include <errno.h>
#include <magpie/impl/atomic.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/clock.h"
#include "io/testio_world.h"

#define LOOK_NS (200 * MAGI_NS_PER_US) /* how often operations of the system are tried again while blocked */
#define CALM 10                        /* after so many tries in vain they do not keep the clock from going */

struct magi_testio_world *magi_testio_world_create(uint64_t seed, enum magi_testio_mode mode)
{
	struct magi_testio_world *world = calloc(1, sizeof(*world));

	if (!world)
		return NULL;
	pthread_mutex_init(&world->lock, NULL);
	magi_random_seed(&world->random, seed);
	world->now = MAGI_NS_PER_S;
	world->mode = mode;
	world->fd_limit = UINT32_MAX;
	world->stream_bytes = MAGI_TESTIO_STREAM_BYTES;
	return world;
}

void magi_testio_world_destroy(struct magi_testio_world *world)
{
	if (!world)
		return;
	magi_assert(!world->ios);
	for (uint32_t i = 0; i < world->fd_slots; i++) {
		if (world->fds[i])
			magi_testio_object_drop(world->fds[i]);
	}
	free(world->fds);
	pthread_mutex_destroy(&world->lock);
	free(world);
}

static void set_now_locked(struct magi_testio_world *w, uint64_t now)
{
	if (now <= w->now)
		return;
	magi_store_rel(&w->now, now); /* [simnow] */
	for (struct testio_io *io = w->ios; io; io = io->next) {
		if (io->blocked && io->deadline <= now)
			magi_testio_stir(io);
	}
}

void magi_testio_set_now(struct magi_testio_world *world, uint64_t now)
{
	pthread_mutex_lock(&world->lock);
	set_now_locked(world, now);
	pthread_mutex_unlock(&world->lock);
}

void magi_testio_advance(struct magi_testio_world *world, uint64_t ns)
{
	pthread_mutex_lock(&world->lock);
	set_now_locked(world, magi_saturate_add(world->now, ns));
	pthread_mutex_unlock(&world->lock);
}

uint64_t magi_testio_now(struct magi_testio_world *world)
{
	return magi_load_acq(&world->now); /* [simnow] */
}

static bool at_rest(const struct testio_io *io)
{
	return io->blocked && !io->woken && !io->work.first && !io->outs && io->deadline > io->world->now &&
	       (!io->real.first || io->calm >= CALM);
}

void magi_testio_rest(struct magi_testio_world *w)
{
	uint64_t earliest = UINT64_MAX;

	if (!w->automatic || w->holds)
		return;
	for (struct testio_io *io = w->ios; io; io = io->next) {
		if (!at_rest(io))
			return;
		if (io->deadline < earliest)
			earliest = io->deadline;
	}
	if (earliest != UINT64_MAX)
		set_now_locked(w, earliest);
}

void magi_testio_auto_advance(struct magi_testio_world *world, bool on)
{
	pthread_mutex_lock(&world->lock);
	world->automatic = on;
	magi_testio_rest(world);
	pthread_mutex_unlock(&world->lock);
}

void magi_testio_hold(struct magi_testio_world *world)
{
	pthread_mutex_lock(&world->lock);
	world->holds++;
	pthread_mutex_unlock(&world->lock);
}

void magi_testio_unhold(struct magi_testio_world *world)
{
	pthread_mutex_lock(&world->lock);
	magi_assert(world->holds > 0);
	if (--world->holds == 0)
		magi_testio_rest(world);
	pthread_mutex_unlock(&world->lock);
}

void magi_testio_stir(struct testio_io *io)
{
	if (io->blocked)
		pthread_cond_signal(&io->stir);
}

void magi_testio_sleep(struct testio_io *io, uint64_t deadline)
{
	struct magi_testio_world *w = io->world;

	io->blocked = true;
	io->deadline = deadline;
	magi_testio_rest(w);
	if (io->deadline > w->now) {
		if (io->real.first) {
			uint64_t until = magi_clock_ns() + LOOK_NS;
			struct timespec ts = { .tv_sec = (time_t)(until / MAGI_NS_PER_S),
					       .tv_nsec = (long)(until % MAGI_NS_PER_S) };

			io->calm++;
			pthread_cond_timedwait(&io->stir, &w->lock, &ts);
		} else {
			pthread_cond_wait(&io->stir, &w->lock);
		}
	}
	io->blocked = false;
}

/* The lowest free number, as the system does: stale ones are soon somebody else's. */
int magi_testio_fd_add(struct magi_testio_world *w, struct testio_object *object)
{
	uint32_t i = 0;

	if (w->fd_count >= w->fd_limit)
		return -EMFILE;
	while (i < w->fd_slots && w->fds[i])
		i++;
	if (i == w->fd_slots) {
		uint32_t slots = i ? i * 2 : 64;
		struct testio_object **fds = magi_testio_new(slots * sizeof(struct testio_object *));

		if (i)
			memcpy(fds, w->fds, i * sizeof(struct testio_object *));
		free(w->fds);
		w->fds = fds;
		w->fd_slots = slots;
	}
	w->fds[i] = object;
	w->fd_count++;
	object->refs++;
	if (object->kind == TESTIO_LISTENER && !object->port)
		object->port = i + 1;
	return MAGI_TESTIO_FD + (int)i;
}

struct testio_object *magi_testio_fd_find(struct magi_testio_world *w, int fd)
{
	uint32_t i = (uint32_t)fd - MAGI_TESTIO_FD;

	return fd >= MAGI_TESTIO_FD && i < w->fd_slots ? w->fds[i] : NULL;
}

int magi_testio_fd_close(struct magi_testio_world *w, int fd)
{
	struct testio_object *object = magi_testio_fd_find(w, fd);

	if (!object)
		return -EBADF;
	w->fds[(uint32_t)fd - MAGI_TESTIO_FD] = NULL;
	w->fd_count--;
	magi_testio_object_drop(object);
	return 0;
}

struct testio_object *magi_testio_find_port(struct magi_testio_world *w, uint32_t port)
{
	struct testio_object *object = magi_testio_fd_find(w, MAGI_TESTIO_FD + (int)port - 1);

	return object && object->kind == TESTIO_LISTENER ? object : NULL;
}

static int pair_locked(struct magi_testio_world *w, int fds[2], bool both)
{
	struct testio_object *a, *b;

	if (w->fd_limit - w->fd_count < 2)
		return -EMFILE;
	a = magi_testio_object(w, TESTIO_STREAM);
	b = magi_testio_object(w, TESTIO_STREAM);
	magi_testio_channel(a, b);
	if (both)
		magi_testio_channel(b, a);
	fds[0] = magi_testio_fd_add(w, a);
	fds[1] = magi_testio_fd_add(w, b);
	return 0;
}

int magi_testio_pair(struct magi_testio_world *world, int fds[2])
{
	int rc;

	pthread_mutex_lock(&world->lock);
	rc = pair_locked(world, fds, true);
	pthread_mutex_unlock(&world->lock);
	return rc;
}

int magi_testio_pipe(struct magi_testio_world *world, int fds[2])
{
	int rc;

	pthread_mutex_lock(&world->lock);
	rc = pair_locked(world, fds, false);
	pthread_mutex_unlock(&world->lock);
	return rc;
}

static int make(struct magi_testio_world *world, enum testio_kind kind, const void *bytes, size_t size)
{
	struct testio_object *object;
	int fd;

	pthread_mutex_lock(&world->lock);
	object = magi_testio_object(world, kind);
	if (size) {
		object->bytes = magi_testio_new(size);
		object->size = size;
		memcpy(object->bytes, bytes, size);
	}
	fd = magi_testio_fd_add(world, object);
	if (fd < 0) {
		object->refs++;
		magi_testio_object_drop(object);
	}
	pthread_mutex_unlock(&world->lock);
	return fd;
}

int magi_testio_listener(struct magi_testio_world *world)
{
	return make(world, TESTIO_LISTENER, NULL, 0);
}

int magi_testio_socket(struct magi_testio_world *world)
{
	return make(world, TESTIO_SOCKET, NULL, 0);
}

int magi_testio_file(struct magi_testio_world *world, const void *bytes, size_t size)
{
	return make(world, TESTIO_FILE, bytes, size);
}

socklen_t magi_testio_address(int listener, struct sockaddr_storage *address)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	in.sin_port = htons((uint16_t)(listener - MAGI_TESTIO_FD + 1));
	memset(address, 0, sizeof(*address));
	memcpy(address, &in, sizeof(in));
	return sizeof(in);
}

int magi_testio_close(struct magi_testio_world *world, int fd)
{
	int rc;

	pthread_mutex_lock(&world->lock);
	rc = magi_testio_fd_close(world, fd);
	pthread_mutex_unlock(&world->lock);
	return rc;
}

int magi_testio_reset(struct magi_testio_world *world, int fd)
{
	struct testio_object *object;
	int rc = -EBADF;

	pthread_mutex_lock(&world->lock);
	object = magi_testio_fd_find(world, fd);
	if (object && object->in && object->out) {
		object->in->reset = object->out->reset = true;
		magi_testio_changed(object->in->writer);
		magi_testio_changed(object->out->reader);
		magi_testio_changed(object);
		rc = 0;
	}
	pthread_mutex_unlock(&world->lock);
	return rc;
}

uint32_t magi_testio_open_fds(struct magi_testio_world *world)
{
	uint32_t n;

	pthread_mutex_lock(&world->lock);
	n = world->fd_count;
	pthread_mutex_unlock(&world->lock);
	return n;
}

void magi_testio_limit_fds(struct magi_testio_world *world, uint32_t limit)
{
	pthread_mutex_lock(&world->lock);
	world->fd_limit = limit;
	pthread_mutex_unlock(&world->lock);
}

void magi_testio_stream_bytes(struct magi_testio_world *world, uint32_t bytes)
{
	pthread_mutex_lock(&world->lock);
	world->stream_bytes = bytes ? bytes : 1;
	pthread_mutex_unlock(&world->lock);
}
