/* SPDX-License-Identifier: MIT */
/* uring_bufs.c - receive buffers that the kernel picks from when data has come.
 *
 * A buffer is plain memory of the caller. Given, it lies under a free id in a ring that the kernel reads; a completion
 * that used it gives the memory away, and the id is free again.
 *
 * Who:     the owner.
 * Always:  at[id] is the memory while the ring has it, else NULL and the id stands in `unused`.
 * Pairs:   [uring] the buffer ring's tail is stored (release); its other end is in the kernel
 * Not:     a fixed set of buffers that the ring owns: the reader may sit on another worker and keep one for long */
#include <errno.h>
#include <magpie/impl/atomic.h>

#include "base/alloc.h"
#include "base/tsan.h"
#include "io/uring.h"

#define RING_BYTES (MAGI_URING_BUFS * sizeof(struct io_uring_buf))

static void add_to_ring(struct magi_uring_bufs *b, uint16_t id)
{
	struct io_uring_buf *entry = &b->ring->bufs[b->tail++ & (MAGI_URING_BUFS - 1)];

	MAGI_TSAN_RELEASE(b->at[id]);
	entry->addr = (uintptr_t)b->at[id];
	entry->len = MAGI_BUFFER_BYTES;
	entry->bid = id; /* not the whole entry: the ring's tail lies in the first one's last bytes */
	magi_store_rel(&b->ring->tail, b->tail); /* [uring] */
}

static int provide(struct magi_uring *u, uint16_t id)
{
	struct magi_req req = { .code = MAGI_URING_PROVIDE, .addr = u->bufs.at[id], .len = id };

	return magi_uring_queue(u, &req);
}

static void ask_again(struct magi_uring_bufs *b, uint16_t id)
{
	b->again[id / 64] |= UINT64_C(1) << id % 64;
	b->again_count++;
}

static int register_ring(struct magi_uring *u)
{
	struct io_uring_buf_reg reg = { .ring_entries = MAGI_URING_BUFS };
	struct io_uring_buf_ring *ring = magi_pages_map(RING_BYTES);
	int rc;

	if (!ring)
		return -ENOMEM;
	reg.ring_addr = (uintptr_t)ring;
	rc = magi_fault() ? -ENOMEM : io_uring_register_buf_ring(&u->ring, &reg, 0);
	if (rc < 0) {
		magi_pages_unmap(ring, RING_BYTES);
		return rc;
	}
	u->bufs.ring = ring;
	return 0;
}

int magi_uring_bufs_init(struct magi_uring *u)
{
	struct magi_uring_bufs *b = &u->bufs;
	int rc;

	for (uint16_t id = 0; id < MAGI_URING_BUFS; id++)
		b->unused[b->unused_count++] = id;
	if (!(u->features & MAGI_URING_PBUF))
		return 0;
	rc = register_ring(u);
	if (rc == -ENOMEM)
		return rc;
	if (rc < 0)
		u->features &= ~(uint32_t)MAGI_URING_PBUF;
	return 0;
}

void magi_uring_bufs_fini(struct magi_uring *u)
{
	if (!u->bufs.ring)
		return;
	io_uring_unregister_buf_ring(&u->ring, 0);
	magi_pages_unmap(u->bufs.ring, RING_BYTES);
}

bool magi_uring_give(struct magi_uring *u, void *buffer)
{
	struct magi_uring_bufs *b = &u->bufs;
	uint16_t id;

	if (!b->unused_count)
		return false;
	id = b->unused[b->unused_count - 1];
	b->at[id] = buffer;
	if (b->ring) {
		add_to_ring(b, id);
	} else if (provide(u, id) < 0) {
		b->at[id] = NULL;
		return false;
	}
	b->unused_count--;
	return true;
}

void *magi_uring_buffer_take(struct magi_uring *u, uint16_t id)
{
	struct magi_uring_bufs *b = &u->bufs;
	void *buffer = b->at[id];

	b->at[id] = NULL;
	b->unused[b->unused_count++] = id;
	MAGI_TSAN_ACQUIRE(buffer);
	return buffer;
}

void magi_uring_buffer_keep(struct magi_uring *u, uint16_t id)
{
	if (u->bufs.ring)
		add_to_ring(&u->bufs, id);
	else
		ask_again(&u->bufs, id);
}

void magi_uring_buffer_refused(struct magi_uring *u, uint16_t id)
{
	ask_again(&u->bufs, id);
}

void magi_uring_provide_again(struct magi_uring *u)
{
	struct magi_uring_bufs *b = &u->bufs;

	for (uint16_t word = 0; b->again_count && word < MAGI_URING_BUFS / 64; word++) {
		uint64_t bits = b->again[word];

		while (bits) {
			uint16_t id = (uint16_t)(word * 64 + __builtin_ctzll(bits));

			bits &= bits - 1;
			if (provide(u, id) < 0)
				return;
			b->again[word] &= ~(UINT64_C(1) << id % 64);
			b->again_count--;
		}
	}
}
