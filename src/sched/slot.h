/* SPDX-License-Identifier: MIT */
/* slot.h - a worker's table of operations under way: what a completion's token names.
 *
 * A slot outlives its operation as memory, so that mail for one that is over is recognised by its generation.
 *
 * Who:     take, give, find: the owner. mail: any thread.
 * Always:  a slot's generation changes when its operation is over; a token that names an older one is stale and dropped.
 * Pairs:   [slotchunk] a chunk is stored (release) before a token that names it exists -> loaded (acquire) by mail
 *          [mail] a slot is pushed (acquire, release) with its generation -> the owner takes the whole stack (acquire,
 *          release) and each slot's generation (acquire, release): a second mail meanwhile either is seen or pushes again
 * Not:     naming the frame: it may be gone by the time the mail is read. */
#ifndef MAGI_SCHED_SLOT_H
#define MAGI_SCHED_SLOT_H

#include <magpie/impl/frame.h>

#include "io/io.h"

struct magi_worker;
struct magi_fd;

enum {
	MAGI_SLOT_CHUNK = 512,
	MAGI_SLOT_CHUNKS = 4096 /* two million operations under way on a worker */
};

struct magi_slot {
	/* owner only */
	mag_frame *frame; /* who is resumed; NULL: nobody (a long-lived operation, or an internal one) */
	void (*done)(struct magi_worker *w, struct magi_slot *s, const struct magi_rec *rec);
	int64_t (*make)(struct magi_worker *w, void *object, const struct magi_rec *rec); /* makes the result, or NULL */
	void *object;
	struct magi_fd *file; /* the reference it holds, or NULL */
	uint32_t direction;   /* of that reference */
	bool sure;            /* is never cancelled: the task is not marked as parked */
	uint32_t generation;
	uint32_t index;
	uint32_t next_free; /* index + 1; UINT32_MAX: in use */
	struct magi_req req;  /* what the backend was given last */
	/* any thread */
	uint32_t mail;      /* atomic: generation to cancel, 0: none */
	uint32_t next_mail; /* index + 1; by whoever pushed it */
};

struct magi_slots {
	uint32_t free; /* index + 1 */
	uint32_t fresh;
	uint32_t used;   /* atomic [stat] */
	uint32_t mailed; /* atomic: index + 1 of the last mailed slot */
	struct magi_slot *chunk[MAGI_SLOT_CHUNKS]; /* atomic */
};

/* token: worker 8 bits, index 24 bits, generation 32 bits. */
static inline uint64_t magi_token(uint32_t worker, const struct magi_slot *s)
{
	return (uint64_t)worker << 56 | (uint64_t)s->index << 32 | s->generation;
}

static inline uint32_t magi_token_worker(uint64_t token)
{
	return (uint32_t)(token >> 56);
}

/* A slot with a generation of its own; NULL when memory is out. */
struct magi_slot *magi_slot_take(struct magi_slots *t);
void magi_slot_give(struct magi_slots *t, struct magi_slot *s);

/* The slot while its operation is under way, else NULL. */
struct magi_slot *magi_slot_find(struct magi_slots *t, uint64_t token);

/* Any thread: where the slot of this token is, to be looked at only; NULL: there is none. */
const struct magi_slot *magi_slot_look(struct magi_slots *t, uint64_t token);

/* Any thread: asks the owner to cancel the operation. The owner must then be woken. */
void magi_slot_mail(struct magi_slots *t, uint64_t token);

/* Owner: calls cancel for each operation that was mailed and is still under way. */
void magi_slot_read_mail(struct magi_slots *t, void (*cancel)(struct magi_slot *s, void *ctx), void *ctx);

/* Owner: calls it for each operation under way. */
void magi_slot_each(struct magi_slots *t, void (*call)(struct magi_slot *s, void *ctx), void *ctx);

void magi_slots_fini(struct magi_slots *t);

#endif
