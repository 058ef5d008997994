/* SPDX-License-Identifier: MIT */
/* sim_op.c - the life of an operation on the sim backend: tried until it has a result, then told.
 *
 * Who:     the io's owner, in the world.
 * Always:  each operation is told of with one terminal record; its records are handed out in order.
 *          Hosted, only what waits, or has not begun, can be cancelled, as it is with the kernel. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "io/sim_world.h"

#define LATE_NS (50 * MAGI_NS_PER_MS)       /* at most, of a late completion */
#define CANCEL_LATE_NS (10 * MAGI_NS_PER_MS)
#define KEPT_NS MAGI_NS_PER_MS              /* of a request for which the queue had no room */
#define DISK_MIN_NS (20 * MAGI_NS_PER_US)
#define DISK_MAX_NS (200 * MAGI_NS_PER_US)

void magi_world_list_add(struct sim_list *list, struct sim_op *op)
{
	op->list = list;
	op->prev = list->last;
	op->next = NULL;
	*(list->last ? &list->last->next : &list->first) = op;
	list->last = op;
	if (list == &op->io->work && op->at < op->io->next_at)
		op->io->next_at = op->at;
}

void magi_world_list_remove(struct sim_op *op)
{
	struct sim_list *list = op->list;

	*(op->prev ? &op->prev->next : &list->first) = op->next;
	*(op->next ? &op->next->prev : &list->last) = op->prev;
	op->list = NULL;
	op->io->waits -= op->waiting;
	op->waiting = false;
}

/* Half of the time none, else up to three polls. */
uint64_t magi_world_delay(struct sim_io *io)
{
	uint32_t n;

	if (io->world->mode != MAGI_SIM_COMPLETION)
		return 0;
	n = magi_random_below(&io->random, 6);
	return n < 3 ? 0 : n - 2;
}

uint32_t magi_world_shorten(struct sim_io *io, uint32_t n)
{
	if (io->world->mode == MAGI_SIM_READINESS || n < 2)
		return n;
	if (magi_world_fault_transfer(io->world))
		return 1;
	if (sim_hosted(io->world) ? !magi_chance(MAGI_CHANCE_SHORT) : magi_random_below(&io->random, 4) != 0)
		return n;
	if (sim_hosted(io->world))
		return 1 + magi_world_random(io->world, n - 1);
	return 1 + magi_random_below(&io->random, n - 1);
}

char *magi_world_bounce(struct sim_op *op, uint32_t n)
{
	if (!op->bounce)
		op->bounce = magi_world_new(n ? n : 1);
	return op->bounce;
}

/* Hosted, completions are in no order, but for those of one operation. */
static void add_out(struct sim_io *io, struct sim_out *out, bool first)
{
	if (sim_hosted(io->world)) {
		if (out->at < io->next_at)
			io->next_at = out->at;
		if (first && io->outs && !magi_world_random(io->world, 3)) {
			out->next = io->outs;
			io->outs = out;
			return;
		}
	}
	*io->outs_end = out;
	io->outs_end = &out->next;
}

static void tell(struct sim_op *op, struct magi_rec rec)
{
	struct sim_io *io = op->io;
	struct sim_out *out = magi_world_new(sizeof(*out));

	rec.token = op->req.token;
	out->rec = rec;
	out->op = op;
	out->at = io->at + magi_world_delay(io) + op->later;
	op->later = 0;
	if (sim_chance(io->world, MAGI_CHANCE_DELAY))
		out->at += magi_world_random(io->world, LATE_NS);
	if (out->at < op->told)
		out->at = op->told;
	add_out(io, out, !op->told);
	op->told = out->at;
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

/* A cancel has won; what was moved before is told. */
static void end_cancelled(struct sim_op *op)
{
	struct magi_rec rec = { .res = -ECANCELED };

	if (op->done)
		rec.res = (int)op->done;
	magi_world_fault_record(op, &rec);
	tell(op, rec);
}

/* Takes hold of the file, as the system does when an operation begins. */
static bool begin(struct sim_op *op)
{
	int fault = magi_world_fault_begin(op);

	op->begun = true;
	op->real = magi_world_is_real(op);
	if (fault < 0) {
		end(op, fault);
		return false;
	}
	if (op->real || op->req.code == MAGI_IO_NOP)
		return true;
	if (magi_world_is_path(&op->req) && op->req.fd == AT_FDCWD)
		return true;
	op->object = magi_world_fd_find(op->io->world, op->req.fd);
	if (!op->object) {
		end(op, -EBADF);
		return false;
	}
	op->object->refs++;
	return true;
}

/* Whether the disk must turn first; then it is tried again. */
static bool spin(struct sim_op *op)
{
	struct magi_world *w = op->io->world;

	if (op->spun || !sim_hosted(w) || op->req.code == MAGI_IO_CLOSE || op->req.code == MAGI_IO_POLL)
		return false;
	if (!magi_world_is_path(&op->req) && (!op->object || op->object->kind != SIM_FILE))
		return false;
	op->spun = true;
	op->at = w->now + magi_world_between(w, DISK_MIN_NS, DISK_MAX_NS);
	magi_world_list_add(&op->io->work, op);
	return true;
}

/* A multishot's result is not its last one: no error, not the end of the stream. */
static bool goes_on(const struct sim_op *op, int res)
{
	if (!(op->req.flags & MAGI_REQ_MULTISHOT) || op->io->world->mode == MAGI_SIM_READINESS)
		return false;
	return op->req.code == MAGI_IO_ACCEPT ? res >= 0 : res > 0;
}

static bool survives(struct sim_op *op, int res)
{
	if (!goes_on(op, res))
		return false;
	if (sim_hosted(op->io->world))
		return !magi_chance(MAGI_CHANCE_MULTISHOT);
	return magi_random_below(&op->io->random, 8) != 0; /* one in eight ends for no reason */
}

/* A thread of the kernel was at it and got a signal. */
static bool is_interrupted(const struct sim_op *op)
{
	if (op->done || op->req.code == MAGI_IO_CONNECT || (op->req.flags & MAGI_REQ_MULTISHOT))
		return false;
	return sim_chance(op->io->world, MAGI_CHANCE_WAKE);
}

static void wait_for(struct sim_op *op, struct sim_object *where)
{
	if (op->cancelled) {
		end_cancelled(op);
	} else if (sim_hosted(op->io->world) && !where) {
		magi_world_list_add(&op->io->work, op);
	} else if (is_interrupted(op)) {
		end(op, -EINTR);
	} else {
		magi_world_list_add(where ? &where->waiters : &op->io->real, op);
		op->waiting = where != NULL;
		op->io->waits += op->waiting;
	}
}

/* Once: false when it waits, or is over. */
static bool try_once(struct sim_op *op)
{
	struct sim_object *where = NULL;
	struct magi_rec rec = { 0 };
	bool last, more;

	rec.res = op->real ? magi_world_real(op, &rec) : magi_world_fake(op, &where, &rec);
	if (rec.res == SIM_WAIT) {
		wait_for(op, where);
		return false;
	}
	op->io->calm = 0;
	last = magi_world_fault_record(op, &rec);
	more = !last && survives(op, rec.res);
	if (!more && !last && goes_on(op, rec.res) && sim_hosted(op->io->world) && magi_world_random(op->io->world, 2)) {
		rec.flags |= MAGI_REC_MORE; /* it ends with an error of its own */
		tell(op, rec);
		end(op, op->req.code == MAGI_IO_ACCEPT ? -ECONNABORTED : -ENOBUFS);
		return false;
	}
	rec.flags |= more ? (uint32_t)MAGI_REC_MORE : 0;
	tell(op, rec);
	return more;
}

static void try(struct sim_op *op)
{
	struct sim_io *io = op->io;

	if (!op->begun && !begin(op))
		return;
	if (spin(op))
		return;
	/* a cancel that comes late enough loses: the operation is tried once more */
	if (op->cancelled && !sim_hosted(io->world) && magi_random_below(&io->random, 2)) {
		end(op, -ECANCELED);
		return;
	}
	while (try_once(op)) {
		op->bounced = op->done = 0;
		if (!sim_hosted(io->world) && magi_random_below(&io->random, 2)) {
			op->at = io->at + 1 + magi_world_delay(io);
			magi_world_list_add(&io->work, op);
			return;
		}
	}
}

void magi_world_submit(struct sim_io *io, const struct magi_req *req)
{
	struct sim_op *op = magi_world_new(sizeof(*op)), **slot = &io->hash[req->token % SIM_HASH];
	bool hosted = sim_hosted(io->world);

	op->req = *req;
	op->io = io;
	op->hash_next = *slot;
	*slot = op;
	io->pending++;
	if (req->flags & MAGI_REQ_BUFFER)
		io->wanted = true;
	magi_world_garble(req);
	if (io->world->mode == MAGI_SIM_READINESS && !magi_world_is_real(op)) {
		try(op);
		return;
	}
	if (hosted) {
		io->at = io->world->now;
		magi_note(MAGI_NOTE_SUBMIT, (int64_t)req->token, req->code, req->fd);
		if (magi_chance(MAGI_CHANCE_RING))
			io->kept = io->at + magi_world_random(io->world, KEPT_NS);
		op->at = io->at > io->kept ? io->at : io->kept;
	} else {
		op->at = io->at + 1 + magi_world_delay(io);
	}
	if (hosted && magi_fault())
		end(op, -ENOMEM); /* it has not come to the kernel */
	else
		magi_world_list_add(&io->work, op);
}

/* What waits for somebody, or has not come to the kernel. */
static bool can_cancel(const struct sim_op *op)
{
	switch (op->req.code) {
	case MAGI_IO_NOP:
	case MAGI_IO_CLOSE:
	case MAGI_IO_SHUTDOWN:
		return false;
	default:
		return !op->spun;
	}
}

static int how_cancelled(struct magi_world *world)
{
	static const int how[] = { ENOENT, EALREADY, 0 };

	return how[magi_world_random(world, 3)];
}

static void cancel_hosted(struct sim_op *op)
{
	struct sim_io *io = op->io;
	struct sim_object *where;
	struct magi_rec rec;
	int fault;

	magi_note(MAGI_NOTE_CANCEL, (int64_t)op->req.token, op->req.code, op->begun);
	if (!can_cancel(op) || op->cancelled)
		return;
	magi_world_list_remove(op);
	fault = magi_world_fault_cancel(op);
	if (!fault && !magi_chance(MAGI_CHANCE_CANCEL)) {
		end_cancelled(op);
		return;
	}
	op->cancelled = true;
	op->at = io->at;
	switch (fault ? fault : how_cancelled(io->world)) {
	case ENOENT: /* the completion comes before the cancel */
		break;
	case EALREADY: /* the cancel comes too late */
		op->at += magi_world_random(io->world, CANCEL_LATE_NS);
		break;
	default: /* it has won, and nobody hears of it for a while */
		op->later = magi_world_random(io->world, LATE_NS);
		if (op->connecting) /* the other side may have heard of it */
			(void)magi_world_fake(op, &where, &rec);
		end_cancelled(op);
		return;
	}
	magi_world_list_add(&io->work, op);
}

void magi_world_cancel(struct sim_io *io, uint64_t token)
{
	struct sim_op *op = io->hash[token % SIM_HASH];

	while (op && op->req.token != token)
		op = op->hash_next;
	if (!op || op->over)
		return;
	if (sim_hosted(io->world)) {
		io->at = io->world->now;
		cancel_hosted(op);
		return;
	}
	magi_world_list_remove(op);
	if (io->world->mode == MAGI_SIM_READINESS) {
		end(op, -ECANCELED);
		return;
	}
	op->cancelled = true;
	op->at = io->at + 1 + magi_world_delay(io);
	magi_world_list_add(&io->work, op);
}

static void try_all(struct sim_io *io, struct sim_list *from)
{
	struct sim_list mine = *from;

	*from = (struct sim_list){ 0 };
	for (struct sim_op *op = mine.first; op; op = op->next)
		op->list = &mine;
	while (mine.first) {
		struct sim_op *op = mine.first;

		magi_world_list_remove(op);
		if (op->at > io->at)
			magi_world_list_add(from, op);
		else
			try(op);
	}
}

void magi_world_round(struct sim_io *io)
{
	if (sim_hosted(io->world)) {
		io->at = io->world->now;
		magi_world_fire(io->world);
	} else {
		io->at++;
	}
	io->next_at = MAGI_NEVER;
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

void magi_world_abandon(struct sim_io *io)
{
	struct sim_out *out;

	while ((out = io->outs)) {
		io->outs = out->next;
		free(out);
	}
	for (int i = 0; i < SIM_HASH; i++) {
		while (io->hash[i]) {
			struct sim_op *op = io->hash[i];

			if (op->list)
				magi_world_list_remove(op);
			if (op->object)
				magi_world_object_drop(op->object);
			forget(op);
		}
	}
	magi_world_forget_io(io);
}

static int at_most(struct sim_io *io, int max)
{
	int few;

	if (!io->outs)
		return max;
	if (sim_hosted(io->world) ? !magi_chance(MAGI_CHANCE_RING) :
				    io->world->mode != MAGI_SIM_COMPLETION || !magi_random_below(&io->random, 2))
		return max;
	few = 1 + (int)(sim_hosted(io->world) ? magi_world_random(io->world, 4) : magi_random_below(&io->random, 4));
	return max < few ? max : few;
}

int magi_world_hand_out(struct sim_io *io, struct magi_rec *recs, int max)
{
	struct sim_out **link = &io->outs, *out;
	int n = 0;

	max = at_most(io, max);
	while ((out = *link) && n < max) {
		if (out->at > io->at) {
			if (out->at < io->next_at)
				io->next_at = out->at;
			link = &out->next;
			continue;
		}
		recs[n++] = out->rec;
		*link = out->next;
		if (sim_hosted(io->world))
			magi_note(MAGI_NOTE_RECORD, (int64_t)out->rec.token, out->rec.res, out->rec.flags);
		if (!(out->rec.flags & MAGI_REC_MORE)) {
			magi_world_scatter(out->op, out->rec.res);
			forget(out->op);
		}
		free(out);
	}
	for (; *link; link = &(*link)->next) {
		if ((*link)->at < io->next_at)
			io->next_at = (*link)->at;
	}
	io->outs_end = link;
	return n;
}
