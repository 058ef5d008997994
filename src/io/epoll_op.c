/* SPDX-License-Identifier: MIT */
/* epoll_op.c - operations under way: their memory, their tokens, the work queue.
 *
 * Who:     the owner.
 * Always:  each operation is in the table of tokens from its submission to its terminal record.
 * Not:     a list per token's low bits of fixed length: a cancelled group looks up each of its operations */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "io/epoll.h"

enum { FIRST_HASH = 256 };

struct magi_epoll_block {
	struct magi_epoll_block *next;
	struct magi_epoll_op op[MAGI_EPOLL_OPS];
};

static struct magi_epoll_op **place_of(const struct magi_epoll *u, uint64_t token)
{
	return &u->hash[token * UINT64_C(0x9e3779b97f4a7c15) >> 32 & (u->hash_size - 1)];
}

int magi_epoll_ops_init(struct magi_epoll *u)
{
	u->hash = magi_zalloc(FIRST_HASH * sizeof(struct magi_epoll_op *));
	u->hash_size = FIRST_HASH;
	u->work_end = &u->work_first;
	return u->hash ? 0 : -ENOMEM;
}

void magi_epoll_ops_fini(struct magi_epoll *u)
{
	struct magi_epoll_block *block;

	magi_assert(!u->op_count);
	while ((block = u->blocks)) {
		u->blocks = block->next;
		magi_free(block);
	}
	magi_free(u->hash);
}

static bool add_block(struct magi_epoll *u)
{
	struct magi_epoll_block *block = magi_alloc(sizeof(*block));

	if (!block)
		return false;
	block->next = u->blocks;
	u->blocks = block;
	for (int i = 0; i < MAGI_EPOLL_OPS; i++) {
		block->op[i].next = u->free_ops;
		u->free_ops = &block->op[i];
	}
	return true;
}

/* Without memory the chains grow instead. */
static void grow_hash(struct magi_epoll *u)
{
	uint32_t old_size = u->hash_size;
	struct magi_epoll_op **old = u->hash, **fresh = magi_zalloc(2 * old_size * sizeof(struct magi_epoll_op *));

	if (!fresh)
		return;
	u->hash = fresh;
	u->hash_size = 2 * old_size;
	for (uint32_t i = 0; i < old_size; i++) {
		struct magi_epoll_op *op = old[i], *next, **place;

		for (; op; op = next) {
			next = op->same;
			place = place_of(u, op->req.token);
			op->same = *place;
			*place = op;
		}
	}
	magi_free(old);
}

struct magi_epoll_op *magi_epoll_op_new(struct magi_epoll *u, const struct magi_req *req)
{
	struct magi_epoll_op *op, **place;

	if (MAGI_UNLIKELY(!u->free_ops) && !add_block(u))
		return NULL;
	op = u->free_ops;
	u->free_ops = op->next;
	if (MAGI_UNLIKELY(u->op_count >= u->hash_size))
		grow_hash(u);
	op->work = (struct magi_epoll_work){ 0 };
	op->state = MAGI_EPOLL_QUEUED;
	op->connecting = false;
	op->req = *req;
	op->io = u;
	op->moved = 0;
	op->cancelled = 0;
	place = place_of(u, req->token);
	op->same = *place;
	*place = op;
	u->op_count++;
	u->pending++;
	return op;
}

struct magi_epoll_op *magi_epoll_op_find(const struct magi_epoll *u, uint64_t token)
{
	struct magi_epoll_op *op = *place_of(u, token);

	while (op && op->req.token != token)
		op = op->same;
	return op;
}

void magi_epoll_op_free(struct magi_epoll *u, struct magi_epoll_op *op)
{
	struct magi_epoll_op **link = place_of(u, op->req.token);

	while (*link != op)
		link = &(*link)->same;
	*link = op->same;
	op->next = u->free_ops;
	u->free_ops = op;
	u->op_count--;
	u->pending--;
}

void magi_epoll_list_add(struct magi_epoll_list *list, struct magi_epoll_op *op)
{
	op->state = MAGI_EPOLL_WAITING;
	op->io->waiting++;
	op->in = list;
	op->prev = list->last;
	op->next = NULL;
	*(list->last ? &list->last->next : &list->first) = op;
	list->last = op;
}

void magi_epoll_list_remove(struct magi_epoll_op *op)
{
	struct magi_epoll_list *list = op->in;

	*(op->prev ? &op->prev->next : &list->first) = op->next;
	*(op->next ? &op->next->prev : &list->last) = op->prev;
	op->in = NULL;
	op->io->waiting--;
}

void magi_epoll_work_add(struct magi_epoll *u, struct magi_epoll_work *work)
{
	if (work->queued)
		return;
	work->queued = true;
	work->next = NULL;
	*u->work_end = work;
	u->work_end = &work->next;
}

struct magi_epoll_work *magi_epoll_work_take(struct magi_epoll *u)
{
	struct magi_epoll_work *work = u->work_first;

	if (work) {
		u->work_first = work->next;
		if (!u->work_first)
			u->work_end = &u->work_first;
		work->queued = false;
	}
	return work;
}

void magi_epoll_end(struct magi_epoll *u, struct magi_epoll_op *op, int res)
{
	op->state = MAGI_EPOLL_ENDED;
	op->res = res;
	magi_epoll_work_add(u, &op->work);
}
