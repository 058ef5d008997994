/* SPDX-License-Identifier: MIT */
/* sim_world.c - the sim backend's clock, how its io sleep, and its descriptors.
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
#include "base/futex.h"
#include "io/sim_world.h"

#define LOOK_NS (200 * MAGI_NS_PER_US) /* how often operations of the system are tried again while blocked */
#define CALM 10                        /* after so many tries in vain they do not keep the clock from going */

struct magi_world *magi_world_create(uint64_t seed, enum magi_world_mode mode)
{
	struct magi_world *world = calloc(1, sizeof(*world));

	if (!world)
		return NULL;
	pthread_mutex_init(&world->lock, NULL);
	magi_random_seed(&world->random, seed);
	world->now = MAGI_NS_PER_S;
	world->mode = mode;
	world->fd_limit = UINT32_MAX;
	world->stream_bytes = MAGI_SIM_STREAM_BYTES;
	return world;
}

void magi_world_destroy(struct magi_world *world)
{
	if (!world)
		return;
	magi_assert(!world->ios);
	for (uint32_t i = 0; i < world->fd_slots; i++) {
		if (world->fds[i])
			magi_world_object_drop(world->fds[i]);
	}
	free(world->fds);
	pthread_mutex_destroy(&world->lock);
	free(world);
}

static void set_now_locked(struct magi_world *w, uint64_t now)
{
	if (now <= w->now)
		return;
	magi_store_rel(&w->now, now); /* [simnow] */
	for (struct sim_io *io = w->ios; io; io = io->next) {
		if (io->blocked && io->deadline <= now)
			magi_world_stir(io);
	}
}

void magi_world_set_now(struct magi_world *world, uint64_t now)
{
	pthread_mutex_lock(&world->lock);
	set_now_locked(world, now);
	pthread_mutex_unlock(&world->lock);
}

void magi_world_advance(struct magi_world *world, uint64_t ns)
{
	pthread_mutex_lock(&world->lock);
	set_now_locked(world, magi_saturate_add(world->now, ns));
	pthread_mutex_unlock(&world->lock);
}

uint64_t magi_world_now(struct magi_world *world)
{
	return magi_host() ? magi_clock_ns() : magi_load_acq(&world->now); /* [simnow] */
}

static bool at_rest(const struct sim_io *io)
{
	return io->blocked && !io->woken && !io->work.first && !io->outs && io->deadline > io->world->now &&
	       (!io->real.first || io->calm >= CALM);
}

void magi_world_rest(struct magi_world *w)
{
	uint64_t earliest = UINT64_MAX;

	if (!w->automatic || w->holds)
		return;
	for (struct sim_io *io = w->ios; io; io = io->next) {
		if (!at_rest(io))
			return;
		if (io->deadline < earliest)
			earliest = io->deadline;
	}
	if (earliest != UINT64_MAX)
		set_now_locked(w, earliest);
}

void magi_world_auto_advance(struct magi_world *world, bool on)
{
	pthread_mutex_lock(&world->lock);
	world->automatic = on;
	magi_world_rest(world);
	pthread_mutex_unlock(&world->lock);
}

void magi_world_hold(struct magi_world *world)
{
	pthread_mutex_lock(&world->lock);
	world->holds++;
	pthread_mutex_unlock(&world->lock);
}

void magi_world_unhold(struct magi_world *world)
{
	pthread_mutex_lock(&world->lock);
	magi_assert(world->holds > 0);
	if (--world->holds == 0)
		magi_world_rest(world);
	pthread_mutex_unlock(&world->lock);
}

void magi_world_stir(struct sim_io *io)
{
	if (magi_host()) {
		io->stirred++;
		magi_futex_wake(&io->stirred, 1);
	} else if (io->blocked) {
		pthread_cond_signal(&io->stir);
	}
}

/* On a coroutine; the lock must not be held when another goes on. */
static void sleep_simulated(struct sim_io *io, uint64_t deadline)
{
	uint32_t stirred = io->stirred;
	uint64_t now = magi_clock_ns(), left = deadline > now ? deadline - now : 0;

	pthread_mutex_unlock(&io->world->lock);
	magi_futex_wait(&io->stirred, stirred, deadline == MAGI_NEVER ? MAGI_NEVER : left);
	pthread_mutex_lock(&io->world->lock);
}

void magi_world_sleep(struct sim_io *io, uint64_t deadline)
{
	struct magi_world *w = io->world;

	if (magi_host()) {
		sleep_simulated(io, deadline);
		return;
	}
	io->blocked = true;
	io->deadline = deadline;
	magi_world_rest(w);
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
int magi_world_fd_add(struct magi_world *w, struct sim_object *object)
{
	uint32_t i = 0;

	if (w->fd_count >= w->fd_limit)
		return -EMFILE;
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
	if (object->kind == SIM_LISTENER && !object->port)
		object->port = i + 1;
	return MAGI_SIM_FD + (int)i;
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
	magi_world_object_drop(object);
	return 0;
}

struct sim_object *magi_world_find_port(struct magi_world *w, uint32_t port)
{
	struct sim_object *object = magi_world_fd_find(w, MAGI_SIM_FD + (int)port - 1);

	return object && object->kind == SIM_LISTENER ? object : NULL;
}

static int pair_locked(struct magi_world *w, int fds[2], bool both)
{
	struct sim_object *a, *b;

	if (w->fd_limit - w->fd_count < 2)
		return -EMFILE;
	a = magi_world_object(w, SIM_STREAM);
	b = magi_world_object(w, SIM_STREAM);
	magi_world_channel(a, b);
	if (both)
		magi_world_channel(b, a);
	fds[0] = magi_world_fd_add(w, a);
	fds[1] = magi_world_fd_add(w, b);
	return 0;
}

int magi_world_pair(struct magi_world *world, int fds[2])
{
	int rc;

	pthread_mutex_lock(&world->lock);
	rc = pair_locked(world, fds, true);
	pthread_mutex_unlock(&world->lock);
	return rc;
}

int magi_world_pipe(struct magi_world *world, int fds[2])
{
	int rc;

	pthread_mutex_lock(&world->lock);
	rc = pair_locked(world, fds, false);
	pthread_mutex_unlock(&world->lock);
	return rc;
}

static int make(struct magi_world *world, enum sim_kind kind, const void *bytes, size_t size)
{
	struct sim_object *object;
	int fd;

	pthread_mutex_lock(&world->lock);
	object = magi_world_object(world, kind);
	if (size) {
		object->bytes = magi_world_new(size);
		object->size = size;
		memcpy(object->bytes, bytes, size);
	}
	fd = magi_world_fd_add(world, object);
	if (fd < 0) {
		object->refs++;
		magi_world_object_drop(object);
	}
	pthread_mutex_unlock(&world->lock);
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

	pthread_mutex_lock(&world->lock);
	rc = magi_world_fd_close(world, fd);
	pthread_mutex_unlock(&world->lock);
	return rc;
}

int magi_world_reset(struct magi_world *world, int fd)
{
	struct sim_object *object;
	int rc = -EBADF;

	pthread_mutex_lock(&world->lock);
	object = magi_world_fd_find(world, fd);
	if (object && object->in && object->out) {
		object->in->reset = object->out->reset = true;
		magi_world_changed(object->in->writer);
		magi_world_changed(object->out->reader);
		magi_world_changed(object);
		rc = 0;
	}
	pthread_mutex_unlock(&world->lock);
	return rc;
}

uint32_t magi_world_open_fds(struct magi_world *world)
{
	uint32_t n;

	pthread_mutex_lock(&world->lock);
	n = world->fd_count;
	pthread_mutex_unlock(&world->lock);
	return n;
}

void magi_world_limit_fds(struct magi_world *world, uint32_t limit)
{
	pthread_mutex_lock(&world->lock);
	world->fd_limit = limit;
	pthread_mutex_unlock(&world->lock);
}

void magi_world_stream_bytes(struct magi_world *world, uint32_t bytes)
{
	pthread_mutex_lock(&world->lock);
	world->stream_bytes = bytes ? bytes : 1;
	pthread_mutex_unlock(&world->lock);
}
