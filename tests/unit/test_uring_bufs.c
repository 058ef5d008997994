/* SPDX-License-Identifier: MIT */
/* test_uring_bufs.c - receive buffers that no kernel at hand treats badly enough. */
#include "unit/ring.h"

/* Some kernels pick a buffer and then find the stream at its end. Completions are made up here. */
Test(uring_buffers, a_buffer_without_data_stays, .timeout = 5)
{
	const uint32_t features[] = { MAGI_URING_ALL, MAGI_URING_ALL & ~(uint32_t)MAGI_URING_PBUF };
	const int results[] = { 0, -ECONNRESET };

	for (int i = 0; i < 4; i++) {
		struct magi_uring *u = open_ring(0, features[i / 2]);
		struct io_uring_cq real = u->ring.cq;
		void *buffer = malloc(MAGI_BUFFER_BYTES);
		unsigned head = 0, tail = 1;
		uint32_t id = MAGI_URING_BUFS - 1;
		struct io_uring_cqe cqe[1] = { { .user_data = 1, .res = results[i % 2] } };
		struct magi_rec rec;
		uint16_t ring_tail;

		cr_assert(ops->give((struct magi_io *)u, buffer));
		cr_assert(u->bufs.at[id] == buffer);
		cr_assert(poll_ring(u, 0, &rec, 1) == 0);
		ring_tail = u->bufs.tail;
		cqe[0].flags = IORING_CQE_F_BUFFER | id << IORING_CQE_BUFFER_SHIFT;
		u->ring.cq.khead = &head;
		u->ring.cq.ktail = &tail;
		u->ring.cq.ring_mask = 0;
		u->ring.cq.cqes = cqe;
		u->pending = 1;
		cr_assert(poll_ring(u, 0, &rec, 1) == 1);
		u->ring.cq = real;
		cr_assert(rec.flags == 0 && rec.buffer == NULL && rec.res == results[i % 2]);
		cr_assert(u->bufs.at[id] == buffer);
		cr_assert(u->bufs.ring ? u->bufs.tail == ring_tail + 1 : u->bufs.again_count == 1);
		cr_assert(poll_ring(u, 0, &rec, 1) == 0);
		cr_assert(u->bufs.again_count == 0);
		close_ring(u);
	}
}

/* Who is turned by a loop polls only what is due. Tried: a doze that waits for a poll to provide it. */
Test(uring_buffers, a_buffer_that_is_to_be_provided_again_keeps_nobody_awake, .timeout = 5)
{
	struct magi_uring *u = open_ring(0, MAGI_URING_ALL & ~(uint32_t)(MAGI_URING_PBUF | MAGI_URING_DEFER | MAGI_URING_COOP));
	struct magi_io *io = (struct magi_io *)u;
	struct magi_rec rec;
	int fd = -EAGAIN;

	cr_assert(ops->give(io, malloc(MAGI_BUFFER_BYTES)));
	cr_assert(poll_ring(u, 0, &rec, 1) == 0);
	magi_uring_buffer_keep(u, MAGI_URING_BUFS - 1);
	for (int i = 0; i < 100 && fd < 0; i++) {
		uint64_t until = UINT64_MAX;

		if (ops->due(io))
			cr_assert(poll_ring(u, 0, &rec, 1) == 0);
		fd = ops->doze(io, &until);
	}
	cr_assert_eq(fd, u->ring_fd);
	cr_assert(u->bufs.again_count == 0);
	cr_assert(poll_ring(u, 0, &rec, 1) == 0);
	close_ring(u);
}
