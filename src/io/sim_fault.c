/* SPDX-License-Identifier: MIT */
/* sim_fault.c - what was planned to go wrong (base/fault.h) in a hosted world.
 *
 * Who:     the io's owner, in the world.
 * Always:  an operation whose result is lost has given nothing away: no descriptor, no buffer. */
#include "base/fault.h"

#include <errno.h>

#include "io/sim_world.h"

#define FAULT_LATE_NS (100 * MAGI_NS_PER_MS)

static const char *const names[MAGI_IO_CODES] = {
	[MAGI_IO_NOP] = "nop",         [MAGI_IO_ACCEPT] = "accept",     [MAGI_IO_CONNECT] = "connect",
	[MAGI_IO_RECV] = "recv",       [MAGI_IO_SEND] = "send",         [MAGI_IO_RECVMSG] = "recvmsg",
	[MAGI_IO_SENDMSG] = "sendmsg", [MAGI_IO_READ] = "read",         [MAGI_IO_WRITE] = "write",
	[MAGI_IO_READV] = "readv",     [MAGI_IO_WRITEV] = "writev",     [MAGI_IO_OPEN] = "open",
	[MAGI_IO_CLOSE] = "close",     [MAGI_IO_FSYNC] = "fsync",       [MAGI_IO_STAT] = "stat",
	[MAGI_IO_POLL] = "poll",       [MAGI_IO_SHUTDOWN] = "shutdown", [MAGI_IO_UNLINK] = "unlink",
	[MAGI_IO_MKDIR] = "mkdir",     [MAGI_IO_RENAME] = "rename",
};

static const char *name_of(const struct sim_op *op)
{
	if (op->req.flags & MAGI_REQ_MULTISHOT)
		return op->req.code == MAGI_IO_ACCEPT ? "accept multishot" : "recv multishot";
	return op->req.flags & MAGI_REQ_BUFFER ? "recv buffer" : names[op->req.code];
}

static bool gives_descriptor(const struct sim_op *op)
{
	return op->req.code == MAGI_IO_ACCEPT || op->req.code == MAGI_IO_OPEN;
}

static void lose(struct sim_op *op, struct magi_rec *rec, int error)
{
	struct sim_io *io = op->io;

	if (rec->res >= 0 && gives_descriptor(op))
		magi_world_fd_close(io->world, rec->res);
	if (rec->flags & MAGI_REC_BUFFER)
		io->buffers[io->buffer_count++] = rec->buffer;
	op->bounced = 0;
	*rec = (struct magi_rec){ .res = -error };
}

int magi_world_fault_begin(const struct sim_op *op)
{
	return sim_hosted(op->io->world) ? -magi_fault_at(MAGI_FAULT_BEGIN, name_of(op)) : 0;
}

bool magi_world_fault_record(struct sim_op *op, struct magi_rec *rec)
{
	int how = sim_hosted(op->io->world) ? magi_fault_at(MAGI_FAULT_RECORD, name_of(op)) : 0;

	if (how == MAGI_FAULT_LATE)
		op->later += FAULT_LATE_NS;
	else if (how && how != MAGI_FAULT_LAST)
		lose(op, rec, how);
	return how && how != MAGI_FAULT_LATE;
}

int magi_world_fault_cancel(const struct sim_op *op)
{
	return magi_fault_at(MAGI_FAULT_CANCEL, name_of(op));
}

bool magi_world_fault_transfer(const struct magi_world *world)
{
	return sim_hosted(world) && magi_fault_at(MAGI_FAULT_TRANSFER, NULL);
}
