/* SPDX-License-Identifier: MIT */
/* sim_memory.c - the caller's memory, as operations of the sim backend find and leave it.
 *
 * Who:     the io's owner, in the world.
 * Always:  bytes reach the caller's memory at the terminal record, never before; until then it holds garbage. */
#include <string.h>

#include "io/sim_world.h"

enum { GARBAGE_SUBMIT = 0xa5, GARBAGE_END = 0x5a };

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

static void fill_pieces(const struct magi_req *req, int byte)
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

/* Where it will say with whom it was; NULL: nowhere. */
static void *name_room(const struct magi_req *req, socklen_t *room)
{
	const struct msghdr *msg = req->addr;

	*room = 0;
	if (req->code == MAGI_IO_ACCEPT && req->addr && req->addr2) {
		*room = *(const socklen_t *)req->addr2;
		return req->addr;
	}
	if (req->code != MAGI_IO_RECVMSG)
		return NULL;
	*room = msg->msg_name ? msg->msg_namelen : 0;
	return msg->msg_name;
}

static void fill(const struct magi_req *req, int byte)
{
	socklen_t room;
	void *name = name_room(req, &room);

	if (name)
		memset(name, byte, room);
	fill_pieces(req, byte);
}

void magi_world_garble(const struct magi_req *req)
{
	fill(req, GARBAGE_SUBMIT);
}

static void tell_name(const struct sim_op *op)
{
	socklen_t room;
	void *name = name_room(&op->req, &room);

	if (name)
		memcpy(name, &op->name.s, op->name.len < room ? op->name.len : room);
	if (name && op->req.code == MAGI_IO_ACCEPT)
		*(socklen_t *)op->req.addr2 = op->name.len;
}

void magi_world_scatter(const struct sim_op *op, int res)
{
	const struct magi_req *req = &op->req;
	const struct iovec *iov;
	struct iovec one;
	uint32_t n, done = 0, bytes = op->bounced;

	if (op->real)
		fill_pieces(req, GARBAGE_END); /* the system has written the name already */
	else
		fill(req, GARBAGE_END);
	if (res >= 0 && !op->real)
		tell_name(op);
	if (res < 0)
		return;
	if (req->code == MAGI_IO_RECVMSG) {
		struct msghdr *msg = req->addr;

		msg->msg_namelen = op->msg.msg_namelen;
		msg->msg_controllen = op->msg.msg_controllen;
		msg->msg_flags = op->msg.msg_flags;
	}
	if (!op->bounce)
		return;
	n = pieces(req, &one, &iov);
	for (uint32_t i = 0; i < n && done < bytes; i++) {
		size_t part = iov[i].iov_len < bytes - done ? iov[i].iov_len : bytes - done;

		if (part) /* one without bytes may be nowhere */
			memcpy(iov[i].iov_base, op->bounce + done, part);
		done += (uint32_t)part;
	}
}
