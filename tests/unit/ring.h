/* SPDX-License-Identifier: MIT */
/* ring.h - a ring of io_uring for the tests of its parts (test_uring*.c), seen from inside. */
#ifndef MAGPIE_TESTS_UNIT_RING_H
#define MAGPIE_TESTS_UNIT_RING_H

#include <criterion/criterion.h>
#include <errno.h>
#include <magpie/error.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "io/uring.h"

static const struct magi_io_ops *const ops = &magi_uring_ops;

static inline struct magi_uring *open_ring(uint32_t entries, uint32_t features)
{
	struct magi_io_params params = { .entries = entries };
	struct magi_io *io = NULL;
	int rc = magi_uring_open(&io, &params, features);

	if (rc == MAG_EBACKEND)
		cr_skip_test("io_uring cannot be used here");
	cr_assert(rc == 0, "%d", rc);
	return (struct magi_uring *)io;
}

static inline void take(void *buffer, void *ctx)
{
	(void)ctx;
	free(buffer);
}

static inline void close_ring(struct magi_uring *u)
{
	ops->close((struct magi_io *)u, take, NULL);
}

static inline void submit(struct magi_uring *u, uint8_t code, uint64_t token)
{
	struct magi_req req = { .code = code, .token = token };

	ops->submit((struct magi_io *)u, &req);
}

static inline int poll_ring(struct magi_uring *u, uint64_t wait_ns, struct magi_rec *recs, int max)
{
	struct magi_io *io = (struct magi_io *)u;

	return ops->poll(io, wait_ns ? ops->now(io) + wait_ns : 0, recs, max);
}

#endif
