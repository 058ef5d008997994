/* SPDX-License-Identifier: MIT */
/* sim_fake.c - operations of the sim backend on what it made up, by kind; and those that all kinds know.
 *
 * Who:     the io's owner, in the world.
 * Always:  either there is a result and its effect; or SIM_WAIT, and the object whose change to await. */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "io/sim_world.h"

static uint32_t stream_events(struct sim_object *o)
{
	struct sim_channel *in = o->in, *out = o->out;
	uint32_t events = 0;

	if (in && magi_world_channel_look(in))
		events |= POLLIN;
	if (in && (magi_world_channel_ended(in) || in->stopped))
		events |= POLLRDHUP;
	if (in && magi_world_channel_ended(in) && (!out || out->ended || out->stopped))
		events |= POLLHUP;
	if (out && (out->count < out->capacity || out->stopped || out->reset))
		events |= POLLOUT;
	if ((out && out->stopped && !in) || (in && in->reset))
		events |= POLLERR;
	return events;
}

uint32_t magi_world_events(struct sim_object *o)
{
	switch (o->kind) {
	case SIM_SOCKET:
		return POLLOUT | POLLHUP;
	case SIM_LISTENER:
		return o->queue ? POLLIN : 0;
	case SIM_DATAGRAM:
		return POLLOUT | (magi_world_datagram_ready(o) ? POLLIN : 0) | (o->error ? POLLIN | POLLERR : 0);
	case SIM_STREAM:
		return stream_events(o);
	default:
		return POLLIN | POLLOUT;
	}
}

static int fake_poll(struct sim_op *op)
{
	uint32_t events = magi_world_events(op->object) & (op->req.op_flags | POLLERR | POLLHUP);

	return events ? (int)events : SIM_WAIT;
}

void magi_world_status(const struct sim_object *o, struct statx *st)
{
	const struct sim_node *node = o->kind == SIM_FILE ? o->node : NULL;

	memset(st, 0, sizeof(*st));
	st->stx_mask = STATX_BASIC_STATS;
	st->stx_blksize = 4096;
	st->stx_nlink = 1;
	st->stx_mode = S_IFSOCK | 0600;
	if (!node)
		return;
	st->stx_nlink = node->links;
	st->stx_mode = (uint16_t)node->mode;
	st->stx_ino = node->number;
	st->stx_size = node->size;
	st->stx_blocks = (node->size + 511) / 512;
	st->stx_mtime.tv_sec = (int64_t)(node->changed / MAGI_NS_PER_S);
	st->stx_mtime.tv_nsec = (uint32_t)(node->changed % MAGI_NS_PER_S);
	st->stx_ctime = st->stx_atime = st->stx_mtime;
}

static int fake_stat(struct sim_op *op)
{
	op->bounced = sizeof(struct statx);
	magi_world_status(op->object, (struct statx *)(void *)magi_world_bounce(op, sizeof(struct statx)));
	return 0;
}

bool magi_world_is_path(const struct magi_req *req)
{
	switch (req->code) {
	case MAGI_IO_OPEN:
	case MAGI_IO_UNLINK:
	case MAGI_IO_MKDIR:
	case MAGI_IO_RENAME:
		return true;
	case MAGI_IO_STAT:
		return *(const char *)req->addr;
	default:
		return false;
	}
}

/* What every kind of file knows; 1: it is another. */
static int common(struct sim_op *op)
{
	switch (op->req.code) {
	case MAGI_IO_NOP:
		return 0;
	case MAGI_IO_POLL:
		return fake_poll(op);
	case MAGI_IO_STAT:
		return fake_stat(op);
	case MAGI_IO_CLOSE:
		return magi_world_fd_close(op->io->world, op->req.fd);
	default:
		return 1;
	}
}

int magi_world_fake(struct sim_op *op, struct sim_object **where, struct magi_rec *rec)
{
	int rc;

	*where = op->object;
	if (magi_world_is_path(&op->req))
		return magi_world_path_op(op);
	rc = common(op);
	if (rc != 1 || op->req.code == MAGI_IO_POLL)
		return rc;
	switch (op->object->kind) {
	case SIM_FILE:
		return magi_world_file_op(op);
	case SIM_DATAGRAM:
		return magi_world_datagram(op, where, rec);
	default:
		return magi_world_stream(op, where, rec);
	}
}
