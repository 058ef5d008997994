/* SPDX-License-Identifier: MIT */
/* testio.c - the contract on the test backend (testio.h says what it is for).
 *
 * Who:     the owner; wake: any thread. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "io/testio_world.h"

enum { GARBAGE_GIVEN = 0xc3 };

static struct testio_io *io_of(const struct magi_io *io)
{
	return (struct testio_io *)(uintptr_t)io;
}

static int testio_open(struct magi_io **out, const struct magi_io_params *params)
{
	struct magi_testio_world *world = params->world;
	struct testio_io *io;
	pthread_condattr_t attr;

	if (!world) {
		if (params->why)
			snprintf(params->why, params->why_size, "the test backend needs a world");
		return -EINVAL;
	}
	io = magi_zalloc(sizeof(*io));
	if (!io)
		return -ENOMEM;
	io->world = world;
	io->outs_end = &io->outs;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&io->stir, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_lock(&world->lock);
	magi_random_seed(&io->random, magi_random_next(&world->random));
	io->next = world->ios;
	world->ios = io;
	pthread_mutex_unlock(&world->lock);
	*out = (struct magi_io *)io;
	return 0;
}

static void testio_submit(struct magi_io *base, const struct magi_req *req)
{
	struct testio_io *io = io_of(base);

	magi_assert(req->code < MAGI_IO_CODES && req->token <= MAGI_TOKEN_MAX);
	pthread_mutex_lock(&io->world->lock);
	magi_testio_submit(io, req);
	pthread_mutex_unlock(&io->world->lock);
}

static bool testio_cancel(struct magi_io *base, uint64_t token)
{
	struct testio_io *io = io_of(base);

	pthread_mutex_lock(&io->world->lock);
	magi_testio_cancel(io, token);
	pthread_mutex_unlock(&io->world->lock);
	return true;
}

static int poll_locked(struct testio_io *io, uint64_t deadline, struct magi_rec *recs, int max)
{
	for (;;) {
		int n;

		magi_testio_round(io);
		n = magi_testio_hand_out(io, recs, max);
		if (n || !deadline)
			return n;
		if (io->woken) {
			io->woken = false;
			return 0;
		}
		if (deadline <= io->world->now)
			return 0;
		if (!io->work.first && !io->outs)
			magi_testio_sleep(io, deadline);
	}
}

static int testio_poll(struct magi_io *base, uint64_t deadline, struct magi_rec *recs, int max)
{
	struct testio_io *io = io_of(base);
	int n;

	pthread_mutex_lock(&io->world->lock);
	n = poll_locked(io, deadline, recs, max);
	pthread_mutex_unlock(&io->world->lock);
	return n;
}

static void testio_wake(struct magi_io *base, struct magi_io *from)
{
	struct testio_io *io = io_of(base);

	(void)from;
	pthread_mutex_lock(&io->world->lock);
	io->woken = true;
	magi_testio_stir(io);
	pthread_mutex_unlock(&io->world->lock);
}

static bool testio_give(struct magi_io *base, void *buffer)
{
	struct testio_io *io = io_of(base);
	bool room = io->buffer_count < TESTIO_BUFFERS;

	if (room) {
		memset(buffer, GARBAGE_GIVEN, MAGI_BUFFER_BYTES);
		io->buffers[io->buffer_count++] = buffer;
	}
	return room;
}

static bool testio_hungry(const struct magi_io *base)
{
	return io_of(base)->wanted && io_of(base)->buffer_count < TESTIO_HUNGRY;
}

static bool testio_due(struct magi_io *base)
{
	struct testio_io *io = io_of(base);
	bool due;

	pthread_mutex_lock(&io->world->lock);
	due = io->work.first || io->outs;
	pthread_mutex_unlock(&io->world->lock);
	return due;
}

static uint64_t testio_now(struct magi_io *base)
{
	return magi_testio_now(io_of(base)->world);
}

static uint32_t testio_pending(const struct magi_io *base)
{
	return io_of(base)->pending;
}

static void testio_close(struct magi_io *base, void (*take)(void *buffer, void *ctx), void *ctx)
{
	struct testio_io *io = io_of(base), **link = &io->world->ios;

	magi_assert(io->pending == 0 && !io->work.first && !io->real.first);
	pthread_mutex_lock(&io->world->lock);
	while (*link != io)
		link = &(*link)->next;
	*link = io->next;
	magi_testio_rest(io->world); /* it may have been the only one that did not wait */
	pthread_mutex_unlock(&io->world->lock);
	for (uint32_t i = 0; i < io->buffer_count; i++)
		take(io->buffers[i], ctx);
	pthread_cond_destroy(&io->stir);
	magi_free(io);
}

const struct magi_io_ops magi_testio_ops = {
	.name = "test",
	.open = testio_open,
	.submit = testio_submit,
	.cancel = testio_cancel,
	.poll = testio_poll,
	.wake = testio_wake,
	.give = testio_give,
	.hungry = testio_hungry,
	.due = testio_due,
	.now = testio_now,
	.pending = testio_pending,
	.close = testio_close,
};
