/* SPDX-License-Identifier: MIT */
/* sim_world.c - the sim backend's clock, and how its io sleep.
 *
 * Who:     any thread.
 * Always:  an io that is blocked has nothing to do: whatever gives it something stirs it, under the lock.
 *          The clock goes by itself only when every open io is blocked with its deadline ahead and nothing to do.
 * Pairs:   [simnow] now is stored (release) under the lock -> loaded (acquire) by anybody */
#include <magpie/impl/atomic.h>
#include <stdlib.h>

#include "base/assert.h"
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
	world->stream_bytes = mode == MAGI_SIM_HOSTED ? 0 : MAGI_SIM_STREAM_BYTES;
	return world;
}

static void close_all(struct magi_world *world)
{
	magi_assert(!world->ios || sim_hosted(world));
	while (world->ios)
		magi_world_abandon(world->ios);
	for (uint32_t i = 0; i < world->fd_slots; i++) {
		if (world->fds[i])
			magi_world_object_drop(world->fds[i]);
	}
	magi_world_events_drop(world);
}

static void release(struct magi_world *world)
{
	free(world->events);
	free(world->fds);
	pthread_mutex_destroy(&world->lock);
	free(world);
}

void magi_world_destroy(struct magi_world *world)
{
	if (!world)
		return;
	close_all(world);
	magi_tree_destroy(&world->tree);
	release(world);
}

struct mag_sim_disk {
	struct sim_tree tree;
};

struct mag_sim_disk *magi_world_disk_create(void)
{
	return calloc(1, sizeof(struct mag_sim_disk));
}

void magi_world_disk_destroy(struct mag_sim_disk *disk)
{
	if (disk)
		magi_tree_destroy(&disk->tree);
	free(disk);
}

void magi_world_insert(struct magi_world *world, struct mag_sim_disk *disk)
{
	world->tree = disk->tree;
	disk->tree = (struct sim_tree){ 0 };
}

void magi_world_remove(struct magi_world *world, struct mag_sim_disk *disk, bool cut)
{
	close_all(world);
	if (cut)
		magi_tree_power_cut(&world->tree, &world->random);
	disk->tree = world->tree;
	release(world);
}

/* One thread at a time; hosted, there is but one, and it switches to another coroutine in magi_world_sleep alone. */
void magi_world_enter(struct magi_world *world)
{
	if (sim_hosted(world))
		world->now = magi_clock_ns();
	else
		pthread_mutex_lock(&world->lock);
}

void magi_world_leave(struct magi_world *world)
{
	if (!sim_hosted(world))
		pthread_mutex_unlock(&world->lock);
}

uint32_t magi_world_random(struct magi_world *world, uint32_t n)
{
	struct magi_host *h = sim_hosted(world) ? magi_host() : NULL;

	return h ? h->ops->random(h, n) : magi_random_below(&world->random, n);
}

uint64_t magi_world_between(struct magi_world *world, uint64_t from, uint64_t to)
{
	return from + magi_world_random(world, (uint32_t)(to - from + 1));
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
	magi_world_enter(world);
	set_now_locked(world, now);
	magi_world_leave(world);
}

void magi_world_advance(struct magi_world *world, uint64_t ns)
{
	magi_world_enter(world);
	set_now_locked(world, magi_saturate_add(world->now, ns));
	magi_world_leave(world);
}

uint64_t magi_world_now(struct magi_world *world)
{
	return sim_hosted(world) ? magi_clock_ns() : magi_load_acq(&world->now); /* [simnow] */
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
	magi_world_enter(world);
	world->automatic = on;
	magi_world_rest(world);
	magi_world_leave(world);
}

void magi_world_hold(struct magi_world *world)
{
	magi_world_enter(world);
	world->holds++;
	magi_world_leave(world);
}

void magi_world_unhold(struct magi_world *world)
{
	magi_world_enter(world);
	magi_assert(world->holds > 0);
	if (--world->holds == 0)
		magi_world_rest(world);
	magi_world_leave(world);
}

void magi_world_stir(struct sim_io *io)
{
	struct magi_host *h;

	if (!io->blocked)
		return;
	h = sim_hosted(io->world) ? magi_host() : NULL;
	if (h) {
		io->stirred = 1;
		h->ops->wake(h, &io->stirred, 1);
	} else {
		pthread_cond_signal(&io->stir);
	}
}

/* Until its own next operation or record, or until what its operations wait for may be there. */
static void sleep_hosted(struct sim_io *io, uint64_t deadline)
{
	struct magi_world *w = io->world;
	struct magi_host *h = magi_host();
	uint64_t until = deadline < io->next_at ? deadline : io->next_at;

	if (io->waits && magi_world_next_event(w) < until)
		until = magi_world_next_event(w);
	if (until <= w->now)
		return;
	io->until = until;
	io->blocked = true;
	io->stirred = 0;
	h->ops->wait(h, &io->stirred, 0, until == MAGI_NEVER ? MAGI_NEVER : until - w->now);
	io->blocked = false;
	w->now = magi_clock_ns();
}

void magi_world_sleep(struct sim_io *io, uint64_t deadline)
{
	struct magi_world *w = io->world;

	if (sim_hosted(w)) {
		sleep_hosted(io, deadline);
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

uint32_t magi_world_ops_pending(struct magi_world *world)
{
	uint32_t n = 0;

	magi_world_enter(world);
	for (struct sim_io *io = world->ios; io; io = io->next)
		n += io->pending;
	magi_world_leave(world);
	return n;
}

void magi_world_power_cut(struct magi_world *world)
{
	magi_world_enter(world);
	magi_assert(!world->ios && !world->fd_count);
	magi_tree_power_cut(&world->tree, NULL);
	magi_world_leave(world);
}

void magi_world_stream_bytes(struct magi_world *world, uint32_t bytes)
{
	magi_world_enter(world);
	world->stream_bytes = bytes ? bytes : 1;
	magi_world_leave(world);
}
