/* SPDX-License-Identifier: MIT */
/* sim.c - the contract on the sim backend (sim.h says what it is for).
 *
 * Who:     the owner; wake: any thread. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "io/sim_world.h"

enum { GARBAGE_GIVEN = 0xc3 };

static struct sim_io *io_of(const struct magi_io *io)
{
	return (struct sim_io *)(uintptr_t)io;
}

static int sim_open(struct magi_io **out, const struct magi_io_params *params)
{
	struct magi_world *world = params->world;
	struct sim_io *io;
	pthread_condattr_t attr;

	if (!world) {
		if (params->why)
			snprintf(params->why, params->why_size, "the sim backend needs a world");
		return -EINVAL;
	}
	io = magi_zalloc(sizeof(*io));
	if (!io)
		return -ENOMEM;
	io->world = world;
	io->outs_end = &io->outs;
	io->next_at = MAGI_NEVER;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&io->stir, &attr);
	pthread_condattr_destroy(&attr);
	magi_world_enter(world);
	magi_random_seed(&io->random, magi_random_next(&world->random));
	io->next = world->ios;
	world->ios = io;
	magi_world_leave(world);
	*out = (struct magi_io *)io;
	return 0;
}

static void sim_submit(struct magi_io *base, const struct magi_req *req)
{
	struct sim_io *io = io_of(base);

	magi_assert(req->code < MAGI_IO_CODES && req->token <= MAGI_TOKEN_MAX);
	magi_world_enter(io->world);
	magi_world_submit(io, req);
	magi_world_leave(io->world);
}

static bool sim_cancel(struct magi_io *base, uint64_t token)
{
	struct sim_io *io = io_of(base);

	if (sim_hosted(io->world) && magi_fault())
		return false;
	magi_world_enter(io->world);
	magi_world_cancel(io, token);
	magi_world_leave(io->world);
	return true;
}

static int poll_locked(struct sim_io *io, uint64_t deadline, struct magi_rec *recs, int max)
{
	for (;;) {
		int n;

		magi_world_round(io);
		n = magi_world_hand_out(io, recs, max);
		if (n || !deadline)
			return n;
		if (io->woken) {
			io->woken = false;
			return 0;
		}
		if (deadline <= magi_world_now(io->world))
			return 0;
		if (sim_chance(io->world, MAGI_CHANCE_WAKE))
			return 0;
		if (sim_hosted(io->world) || (!io->work.first && !io->outs))
			magi_world_sleep(io, deadline);
	}
}

static int sim_poll(struct magi_io *base, uint64_t deadline, struct magi_rec *recs, int max)
{
	struct sim_io *io = io_of(base);
	int n;

	magi_world_enter(io->world);
	n = poll_locked(io, deadline, recs, max);
	magi_world_leave(io->world);
	return n;
}

static void sim_wake(struct magi_io *base, struct magi_io *from)
{
	struct sim_io *io = io_of(base);

	(void)from;
	magi_world_enter(io->world);
	io->woken = true;
	magi_world_stir(io);
	magi_world_leave(io->world);
}

static bool sim_give(struct magi_io *base, void *buffer)
{
	struct sim_io *io = io_of(base);
	bool room = io->buffer_count < SIM_BUFFERS;

	if (room) {
		memset(buffer, GARBAGE_GIVEN, MAGI_BUFFER_BYTES);
		io->buffers[io->buffer_count++] = buffer;
	}
	return room;
}

static bool sim_hungry(const struct magi_io *base)
{
	return io_of(base)->wanted && io_of(base)->buffer_count < SIM_HUNGRY;
}

static bool sim_due(struct magi_io *base)
{
	struct sim_io *io = io_of(base);
	bool due;

	magi_world_enter(io->world);
	if (sim_hosted(io->world))
		due = io->next_at <= io->world->now ||
		      (io->waits && magi_world_next_event(io->world) <= io->world->now);
	else
		due = io->work.first || io->outs;
	magi_world_leave(io->world);
	return due;
}

static uint64_t sim_now(struct magi_io *base)
{
	return magi_world_now(io_of(base)->world);
}

static uint32_t sim_pending(const struct magi_io *base)
{
	return io_of(base)->pending;
}

static void sim_close(struct magi_io *base, void (*take)(void *buffer, void *ctx), void *ctx)
{
	struct sim_io *io = io_of(base);

	magi_assert(io->pending == 0 && !io->work.first && !io->real.first);
	for (uint32_t i = 0; i < io->buffer_count; i++)
		take(io->buffers[i], ctx);
	magi_world_forget_io(io);
}

void magi_world_forget_io(struct sim_io *io)
{
	struct sim_io **link = &io->world->ios;

	magi_world_enter(io->world);
	while (*link != io)
		link = &(*link)->next;
	*link = io->next;
	magi_world_rest(io->world); /* it may have been the only one that did not wait */
	magi_world_leave(io->world);
	pthread_cond_destroy(&io->stir);
	magi_free(io);
}

const struct magi_io_ops magi_sim_ops = {
	.name = "sim",
	.open = sim_open,
	.submit = sim_submit,
	.cancel = sim_cancel,
	.poll = sim_poll,
	.wake = sim_wake,
	.give = sim_give,
	.hungry = sim_hungry,
	.due = sim_due,
	.now = sim_now,
	.pending = sim_pending,
	.close = sim_close,
};
