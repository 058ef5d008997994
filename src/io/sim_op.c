/* SPDX-License-Identifier: MIT */
/* sim_op.c - the life of an operation on the sim backend: tried until it has a result, then told.
 *
 * Who:     the io's owner, under the world's lock.
 * Always:  each operation is told of with one terminal record; its records are handed out in order.
 *          Bytes reach the caller's memory at the terminal record, never before. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "io/sim_world.h"

enum { GARBAGE_SUBMIT = 0xa5, GARBAGE_END = 0x5a };

void magi_world_list_add(struct sim_list *list, struct sim_op *op)
{
	op->list = list;
	op->prev = list->last;
	op->next = NULL;
	*(list->last ? &list->last->next : &list->first) = op;
	list->last = op;
}

void magi_world_list_remove(struct sim_op *op)
{
	struct sim_list *list = op->list;

	*(op->prev ? &op->prev->next : &list->first) = op->next;
	*(op->next ? &op->next->prev : &list->last) = op->prev;
	op->list = NULL;
}

/* Half of the time none, else up to three polls. */
uint64_t magi_world_delay(struct sim_io *io)
{
	uint32_t n;

	if (io->world->mode == MAGI_SIM_READINESS)
		return 0;
	n = magi_random_below(&io->random, 6);
	return n < 3 ? 0 : n - 2;
}

uint32_t magi_world_shorten(struct sim_io *io, uint32_t n)
{
	if (io->world->mode == MAGI_SIM_READINESS || n < 2 || magi_random_below(&io->random, 4))
		return n;
	return 1 + magi_random_below(&io->random, n - 1);
}

/* The pieces of memory that a request names. */
static uint32_t pieces(const struct magi_req *req, struct iovec *one, const struct iovec **iov)
{
	const struct msghdr *msg = req->addr;

	switch (req->code) {
	case MAGI_IO_READV:
	case MAGI_IO_WRITEV:
		*iov = req->addr;
		return req->len;
	case MAGI_IO_RECVMSG:
	case MAGI_IO_SENDMSG:
		*iov = msg->msg_iov;
		return (uint32_t)msg->msg_iovlen;
	case MAGI_IO_STAT:
		*one = (struct iovec){ req->addr2, sizeof(struct statx) };
		break;
	default:
		*one = (struct iovec){ req->addr, req->len };
	}
	*iov = one;
	return 1;
}

uint32_t magi_world_length(const struct magi_req *req)
{
	const struct iovec *iov;
	struct iovec one;
	uint32_t n = pieces(req, &one, &iov);
	size_t total = 0;

	for (uint32_t i = 0; i < n; i++)
		total += iov[i].iov_len;
	return total < SIM_BOUNCE_MAX ? (uint32_t)total : SIM_BOUNCE_MAX;
}

uint32_t magi_world_gather(const struct magi_req *req, uint32_t offset, void *to, uint32_t n)
{
	const struct iovec *iov;
	struct iovec one;
	uint32_t count = pieces(req, &one, &iov), done = 0;

	for (uint32_t i = 0; i < count && done < n; i++) {
		size_t part = iov[i].iov_len;

		if (offset >= part) {
			offset -= (uint32_t)part;
			continue;
		}
		part = part - offset < n - done ? part - offset : n - done;
		memcpy((char *)to + done, (const char *)iov[i].iov_base + offset, part);
		done += (uint32_t)part;
		offset = 0;
	}
	return done;
}

static bool writes_memory(const struct magi_req *req)
{
	switch (req->code) {
	case MAGI_IO_RECV:
		return !(req->flags & MAGI_REQ_BUFFER);
	case MAGI_IO_READ:
	case MAGI_IO_READV:
	case MAGI_IO_RECVMSG:
	case MAGI_IO_STAT:
		return true;
	default:
		return false;
	}
}

static void garble(const struct magi_req *req, int byte)
{
	const struct iovec *iov;
	struct iovec one;
	uint32_t n;

	if (!writes_memory(req))
		return;
	n = pieces(req, &one, &iov);
	for (uint32_t i = 0; i < n; i++) {
		if (iov[i].iov_len)
			memset(iov[i].iov_base, byte, iov[i].iov_len);
	}
}

/* The terminal record is about to be handed out: the caller's memory gets what was read. */
static void scatter(const struct sim_op *op, int res)
{
	const struct magi_req *req = &op->req;
	const struct iovec *iov;
	struct iovec one;
	uint32_t n, done = 0, bytes = op->bounced;

	garble(req, GARBAGE_END);
	if (res < 0 || !op->bounce)
		return;
	n = pieces(req, &one, &iov);
	for (uint32_t i = 0; i < n && done < bytes; i++) {
		size_t part = iov[i].iov_len < bytes - done ? iov[i].iov_len : bytes - done;

		memcpy(iov[i].iov_base, op->bounce + done, part);
		done += (uint32_t)part;
	}
	if (req->code == MAGI_IO_RECVMSG) {
		struct msghdr *msg = req->addr;

		msg->msg_namelen = op->msg.msg_namelen;
		msg->msg_controllen = op->msg.msg_controllen;
		msg->msg_flags = op->msg.msg_flags;
	}
}

char *magi_world_bounce(struct sim_op *op, uint32_t n)
{
	if (!op->bounce)
		op->bounce = magi_world_new(n ? n : 1);
	return op->bounce;
}

static void tell(struct sim_op *op, struct magi_rec rec)
{
	struct sim_io *io = op->io;
	struct sim_out *out = magi_world_new(sizeof(*out));

	rec.token = op->req.token;
	out->rec = rec;
	out->op = op;
	out->round = io->round + magi_world_delay(io);
	if (out->round < op->told)
		out->round = op->told;
	op->told = out->round;
	*io->outs_end = out;
	io->outs_end = &out->next;
	if (rec.flags & MAGI_REC_MORE)
		return;
	op->over = true;
	if (op->object)
		magi_world_object_drop(op->object);
	op->object = NULL;
}

static void end(struct sim_op *op, int res)
{
	tell(op, (struct magi_rec){ .res = res });
}

/* Takes hold of the file, as the system does when an operation begins. */
static bool begin(struct sim_op *op)
{
	op->begun = true;
	if (magi_world_is_real(&op->req))
		return true;
	op->object = magi_world_fd_find(op->io->world, op->req.fd);
	if (!op->object) {
		end(op, -EBADF);
		return false;
	}
	op->object->refs++;
	return true;
}

static bool survives(struct sim_op *op, int res)
{
	if (!(op->req.flags & MAGI_REQ_MULTISHOT) || op->io->world->mode == MAGI_SIM_READINESS)
		return false;
	if (op->req.code == MAGI_IO_ACCEPT ? res < 0 : res <= 0)
		return false;
	return magi_random_below(&op->io->random, 8) != 0; /* one in eight ends for no reason */
}

static void wait_for(struct sim_op *op, struct sim_object *where)
{
	if (op->cancelled)
		end(op, -ECANCELED);
	else
		magi_world_list_add(where ? &where->waiters : &op->io->real, op);
}

static void try(struct sim_op *op)
{
	struct sim_io *io = op->io;

	if (!op->begun && !begin(op))
		return;
	/* a cancel that comes late enough loses: the operation is tried once more */
	if (op->cancelled && magi_random_below(&io->random, 2)) {
		end(op, -ECANCELED);
		return;
	}
	for (;;) {
		struct sim_object *where = NULL;
		struct magi_rec rec = { 0 };
		bool more;

		rec.res = magi_world_is_real(&op->req) ? magi_world_real(op, &rec) :
							  magi_world_fake(op, &where, &rec);
		if (rec.res == SIM_WAIT) {
			wait_for(op, where);
			return;
		}
		io->calm = 0;
		more = survives(op, rec.res);
		rec.flags |= more ? (uint32_t)MAGI_REC_MORE : 0;
		tell(op, rec);
		if (!more)
			return;
		if (magi_random_below(&io->random, 2)) {
			op->round = io->round + 1 + magi_world_delay(io);
			magi_world_list_add(&io->work, op);
			return;
		}
	}
}

void magi_world_submit(struct sim_io *io, const struct magi_req *req)
{
	struct sim_op *op = magi_world_new(sizeof(*op)), **slot = &io->hash[req->token % SIM_HASH];

	op->req = *req;
	op->io = io;
	op->hash_next = *slot;
	*slot = op;
	io->pending++;
	if (req->flags & MAGI_REQ_BUFFER)
		io->wanted = true;
	garble(req, GARBAGE_SUBMIT);
	if (io->world->mode == MAGI_SIM_READINESS && !magi_world_is_real(req)) {
		try(op);
		return;
	}
	op->round = io->round + 1 + magi_world_delay(io);
	magi_world_list_add(&io->work, op);
}

void magi_world_cancel(struct sim_io *io, uint64_t token)
{
	struct sim_op *op = io->hash[token % SIM_HASH];

	while (op && op->req.token != token)
		op = op->hash_next;
	if (!op || op->over)
		return;
	magi_world_list_remove(op);
	if (io->world->mode == MAGI_SIM_READINESS) {
		end(op, -ECANCELED);
		return;
	}
	op->cancelled = true;
	op->round = io->round + 1 + magi_world_delay(io);
	magi_world_list_add(&io->work, op);
}

static void try_all(struct sim_io *io, struct sim_list *from)
{
	struct sim_list todo = *from;

	*from = (struct sim_list){ 0 };
	for (struct sim_op *op = todo.first; op; op = op->next)
		op->list = &todo;
	while (todo.first) {
		struct sim_op *op = todo.first;

		magi_world_list_remove(op);
		if (op->round > io->round)
			magi_world_list_add(from, op);
		else
			try(op);
	}
}

void magi_world_round(struct sim_io *io)
{
	io->round++;
	try_all(io, &io->work);
	try_all(io, &io->real);
}

static void forget(struct sim_op *op)
{
	struct sim_op **link = &op->io->hash[op->req.token % SIM_HASH];

	while (*link != op)
		link = &(*link)->hash_next;
	*link = op->hash_next;
	op->io->pending--;
	free(op->bounce);
	free(op);
}

int magi_world_hand_out(struct sim_io *io, struct magi_rec *recs, int max)
{
	struct sim_out **link = &io->outs, *out;
	int n = 0;

	if (io->world->mode == MAGI_SIM_COMPLETION && magi_random_below(&io->random, 2)) {
		int few = 1 + (int)magi_random_below(&io->random, 4);

		max = max < few ? max : few;
	}
	while ((out = *link) && n < max) {
		if (out->round > io->round) {
			link = &out->next;
			continue;
		}
		recs[n++] = out->rec;
		*link = out->next;
		if (!(out->rec.flags & MAGI_REC_MORE)) {
			scatter(out->op, out->rec.res);
			forget(out->op);
		}
		free(out);
	}
	while (*link)
		link = &(*link)->next;
	io->outs_end = link;
	return n;
}
