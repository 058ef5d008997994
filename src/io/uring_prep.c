/* SPDX-License-Identifier: MIT */
/* uring_prep.c - requests of the contract as entries of the submission queue.
 *
 * Who:     the owner.
 * Always:  an entry is cleared first: what an operation does not use must be 0 for the kernel to take it. */
#include <errno.h>
#include <linux/openat2.h>
#include <string.h>
#include <unistd.h>

#include "base/tsan.h"
#include "io/uring.h"

static void prep_recv(struct magi_uring *u, struct io_uring_sqe *sqe, const struct magi_req *req)
{
	sqe->opcode = IORING_OP_RECV;
	sqe->msg_flags = req->op_flags;
	if (!(req->flags & MAGI_REQ_BUFFER)) {
		sqe->addr = (uintptr_t)req->addr;
		sqe->len = req->len;
		return;
	}
	u->bufs.wanted = true;
	sqe->flags = IOSQE_BUFFER_SELECT; /* of group 0; length 0: as long as the buffer */
	/* A multishot is one of a single record: the kernel's own may miss the end of file, docs/decisions/0008. */
}

static void prep_socket(struct magi_uring *u, struct io_uring_sqe *sqe, const struct magi_req *req)
{
	switch (req->code) {
	case MAGI_IO_ACCEPT:
		sqe->opcode = IORING_OP_ACCEPT;
		sqe->addr = (uintptr_t)req->addr;
		sqe->addr2 = (uintptr_t)req->addr2;
		sqe->accept_flags = req->op_flags;
		if ((req->flags & MAGI_REQ_MULTISHOT) && (u->features & MAGI_URING_ACCEPTS))
			sqe->ioprio = IORING_ACCEPT_MULTISHOT;
		break;
	case MAGI_IO_CONNECT:
		sqe->opcode = IORING_OP_CONNECT;
		sqe->addr = (uintptr_t)req->addr;
		sqe->off = req->len;
		break;
	case MAGI_IO_RECV:
		prep_recv(u, sqe, req);
		break;
	case MAGI_IO_SEND:
		sqe->opcode = IORING_OP_SEND;
		sqe->addr = (uintptr_t)req->addr;
		sqe->len = req->len;
		sqe->msg_flags = req->op_flags | MSG_NOSIGNAL;
		break;
	case MAGI_IO_RECVMSG:
	case MAGI_IO_SENDMSG:
		sqe->opcode = req->code == MAGI_IO_RECVMSG ? IORING_OP_RECVMSG : IORING_OP_SENDMSG;
		sqe->addr = (uintptr_t)req->addr;
		sqe->len = 1;
		sqe->msg_flags = req->op_flags | (req->code == MAGI_IO_SENDMSG ? (uint32_t)MSG_NOSIGNAL : 0);
		break;
	case MAGI_IO_POLL:
		sqe->opcode = IORING_OP_POLL_ADD;
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		sqe->poll32_events = req->op_flags << 16 | req->op_flags >> 16; /* the halves are swapped there */
#else
		sqe->poll32_events = req->op_flags;
#endif
		break;
	case MAGI_IO_SHUTDOWN:
		sqe->opcode = IORING_OP_SHUTDOWN;
		sqe->len = req->op_flags;
		break;
	}
}

static void prep_transfer(struct io_uring_sqe *sqe, const struct magi_req *req)
{
	static const uint8_t opcode[MAGI_IO_CODES] = {
		[MAGI_IO_READ] = IORING_OP_READ,
		[MAGI_IO_WRITE] = IORING_OP_WRITE,
		[MAGI_IO_READV] = IORING_OP_READV,
		[MAGI_IO_WRITEV] = IORING_OP_WRITEV,
	};

	sqe->opcode = opcode[req->code];
	sqe->addr = (uintptr_t)req->addr;
	sqe->len = req->len;
	sqe->off = req->offset;
}

static void prep_file(struct io_uring_sqe *sqe, const struct magi_req *req)
{
	sqe->addr = (uintptr_t)req->addr;
	switch (req->code) {
	case MAGI_IO_OPEN:
		sqe->opcode = IORING_OP_OPENAT2;
		sqe->len = sizeof(struct open_how);
		sqe->off = (uintptr_t)req->addr2;
		break;
	case MAGI_IO_CLOSE:
		sqe->opcode = IORING_OP_CLOSE;
		sqe->addr = 0;
#if defined(MAGI_TSAN)
		/* it follows descriptors, and would take the next file of this number for the same one */
		if (close(req->fd) == 0 || errno != EBADF)
			sqe->opcode = IORING_OP_NOP;
		sqe->fd = -1; /* for CLOSE: no such descriptor */
#endif
		break;
	case MAGI_IO_FSYNC:
		sqe->opcode = IORING_OP_FSYNC;
		sqe->addr = 0;
		sqe->fsync_flags = req->op_flags ? IORING_FSYNC_DATASYNC : 0;
		break;
	case MAGI_IO_STAT:
		sqe->opcode = IORING_OP_STATX;
		sqe->len = req->len;
		sqe->off = (uintptr_t)req->addr2;
		sqe->statx_flags = req->op_flags;
		break;
	case MAGI_IO_UNLINK:
		sqe->opcode = IORING_OP_UNLINKAT;
		sqe->unlink_flags = req->op_flags;
		break;
	case MAGI_IO_MKDIR:
		sqe->opcode = IORING_OP_MKDIRAT;
		sqe->len = req->op_flags;
		break;
	case MAGI_IO_RENAME:
		sqe->opcode = IORING_OP_RENAMEAT;
		sqe->len = req->len;
		sqe->off = (uintptr_t)req->addr2;
		break;
	}
}

/* Successes of these are of no interest; without the feature they come all the same and are dropped. */
static void prep_own(struct magi_uring *u, struct io_uring_sqe *sqe, const struct magi_req *req)
{
	if (u->ring.features & IORING_FEAT_CQE_SKIP) /* [cov kernel] before 5.17 */
		sqe->flags = IOSQE_CQE_SKIP_SUCCESS;
	sqe->fd = -1;
	if (req->code == MAGI_URING_CANCEL) {
		sqe->opcode = IORING_OP_ASYNC_CANCEL;
		sqe->addr = req->offset;
		sqe->user_data = MAGI_OWN(MAGI_OWN_CANCEL);
	} else {
		sqe->opcode = IORING_OP_PROVIDE_BUFFERS;
		sqe->fd = 1; /* their number */
		sqe->addr = (uintptr_t)req->addr;
		sqe->len = MAGI_BUFFER_BYTES;
		sqe->off = req->len;
		sqe->user_data = MAGI_OWN(MAGI_OWN_BUFFER + req->len);
	}
}

void magi_uring_prep(struct magi_uring *u, struct io_uring_sqe *sqe, const struct magi_req *req)
{
	memset(sqe, 0, sizeof(*sqe));
	sqe->fd = req->fd;
	sqe->user_data = req->token;
	switch (req->code) {
	case MAGI_IO_NOP:
		sqe->opcode = IORING_OP_NOP;
		break;
	case MAGI_IO_READ:
	case MAGI_IO_WRITE:
	case MAGI_IO_READV:
	case MAGI_IO_WRITEV:
		prep_transfer(sqe, req);
		break;
	case MAGI_IO_ACCEPT:
	case MAGI_IO_CONNECT:
	case MAGI_IO_RECV:
	case MAGI_IO_SEND:
	case MAGI_IO_RECVMSG:
	case MAGI_IO_SENDMSG:
	case MAGI_IO_POLL:
	case MAGI_IO_SHUTDOWN:
		prep_socket(u, sqe, req);
		break;
	case MAGI_URING_CANCEL:
	case MAGI_URING_PROVIDE:
		prep_own(u, sqe, req);
		break;
	default:
		prep_file(sqe, req);
	}
}
