/* SPDX-License-Identifier: MIT */
/* transfer.c - all of a buffer in one await; transfer.h has the rules. */
#include "task/transfer.h"

#include <errno.h>

#include "task/file.h"
#include "task/wait.h"

/* The frame's op words while a transfer is under way. */
enum { ADDR, LEFT, MOVED, EXTRA }; /* EXTRA: a file's offset, or a socket's flags */

static bool is_file(unsigned code)
{
	return code == MAGI_IO_READ || code == MAGI_IO_WRITE;
}

static uint32_t portion(uint64_t left)
{
	return (uint32_t)(left < MAGI_TRANSFER_MAX ? left : MAGI_TRANSFER_MAX);
}

void magi_transfer_begin(mag_frame *f, struct magi_req *req)
{
	uint64_t *word = f->op.word;

	word[ADDR] = (uintptr_t)req->addr;
	word[LEFT] = (uintptr_t)req->addr2;
	word[MOVED] = is_file(req->code) ? 0 : req->offset;
	word[EXTRA] = is_file(req->code) ? req->offset : req->op_flags;
	req->addr2 = NULL;
}

static void again(struct magi_worker *w, struct magi_slot *s, const struct magi_rec *rec, unsigned code)
{
	const uint64_t *word = s->frame->op.word;
	struct magi_req req = {
		.code = (uint8_t)code,
		.fd = s->file->raw,
		.addr = (void *)(uintptr_t)word[ADDR],
		.len = portion(word[LEFT]),
	};

	if (is_file(code))
		req.offset = word[EXTRA];
	else
		req.op_flags = (uint32_t)word[EXTRA];
	magi_io_again(w, rec, &req);
}

static int64_t go_on(struct magi_worker *w, size_t *count, const struct magi_rec *rec, unsigned code)
{
	struct magi_slot *s = magi_slot_find(&w->slots, rec->token);
	mag_frame *f = s->frame;
	uint64_t *word = f->op.word;

	if (rec->res < 0)
		return rec->res;
	if (rec->res == 0)
		return code == MAGI_IO_SEND || code == MAGI_IO_WRITE ? -EIO : MAG_EEOF;
	word[ADDR] += (uint32_t)rec->res;
	word[LEFT] -= (uint32_t)rec->res;
	word[MOVED] += (uint32_t)rec->res;
	if (is_file(code) && word[EXTRA] != UINT64_MAX)
		word[EXTRA] += (uint32_t)rec->res;
	if (count)
		*count = word[MOVED];
	if (!word[LEFT])
		return (int64_t)word[MOVED];
	if (magi_io_stopped(s))
		return MAG_ECANCELED;
	again(w, s, rec, code);
	return MAGI_IO_AGAIN;
}

static int64_t sent(struct magi_worker *w, void *count, const struct magi_rec *rec)
{
	return go_on(w, count, rec, MAGI_IO_SEND);
}

static int64_t received(struct magi_worker *w, void *count, const struct magi_rec *rec)
{
	return go_on(w, count, rec, MAGI_IO_RECV);
}

bool magi_transfer_sent(mag_frame *f, struct magi_req *req, size_t *count, int n)
{
	uint64_t total = (uintptr_t)req->addr2;

	if (n <= 0) {
		f->op.result = n ? n : -EIO;
		return true;
	}
	if (count)
		*count = (uint32_t)n;
	if ((uint32_t)n == total)
		return true;
	req->addr = (unsigned char *)req->addr + n;
	req->addr2 = (void *)(uintptr_t)(total - (uint32_t)n);
	req->len = portion(total - (uint32_t)n);
	req->offset = (uint32_t)n;
	return false;
}

static int64_t written(struct magi_worker *w, void *count, const struct magi_rec *rec)
{
	return go_on(w, count, rec, MAGI_IO_WRITE);
}

static int64_t was_read(struct magi_worker *w, void *count, const struct magi_rec *rec)
{
	return go_on(w, count, rec, MAGI_IO_READ);
}

static magi_io_done handler(unsigned code)
{
	switch (code) {
	case MAGI_IO_SEND:
		return sent;
	case MAGI_IO_RECV:
		return received;
	case MAGI_IO_WRITE:
		return written;
	default:
		return was_read;
	}
}

mag_frame *magi_transfer_await(mag_worker *w, mag_frame *f, mag_fd fd, uint32_t direction, struct magi_req *req,
			       size_t len, size_t *count)
{
	if (count)
		*count = 0;
	if (!req->addr && len)
		return magi_wait_done(w, f, -EINVAL);
	if (!len)
		return magi_wait_done(w, f, magi_cancelled(f) ? MAG_ECANCELED : 0);
	req->flags |= MAGI_REQ_ALL;
	req->addr2 = (void *)(uintptr_t)len;
	req->len = portion(len);
	return magi_file_await(w, f, fd, direction, req, handler(req->code), count);
}
