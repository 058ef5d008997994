/* SPDX-License-Identifier: MIT */
/* sendfile.c - a file to a socket.
 *
 * What:    sendfile(2) in chunks, each after a look whether its pages are in memory. It copies nothing, but would wait
 *          for the disk in the middle of a step: chunks that are not there are read by the ring, and sent from what was
 *          read.
 * Who:     the task.
 * Always:  a chunk is at most MAG_SENDFILE_CHUNK bytes, and others may run after each.
 * Not:     the ring's splice: it is handed to a kernel thread and takes three times as long;
 *          asking for each page of a chunk: readahead brings in runs of pages, so a page every PROBE_STEP tells
 *          enough */
#include <errno.h>
#include <fcntl.h>
#include <magpie/file.h>
#include <magpie/io.h>
#include <magpie/poll.h>
#include <magpie/sendfile.h>

#include "base/alloc.h"
#include "base/sys.h"
#include "task/file.h"
#include "task/wait.h"

enum {
	PROBE_STEP = 32 * 1024, /* the least that readahead begins with, usually; picked, not measured */
	COLD = 1 << 30          /* no number of bytes: larger than any chunk */
};

/* Whether one byte at that place can be read without waiting. */
static bool warm_at(int raw, uint64_t at)
{
	char byte;
	struct iovec one = { &byte, 1 };

	return magi_sys_preadv2(raw, &one, 1, at, RWF_NOWAIT) >= 0; /* 0: the end of the file is known, too */
}

/* The end of each step tells as much as its beginning would, and the end of all is one of them. */
static bool is_warm(int raw, uint64_t offset, size_t n)
{
	for (uint64_t at = offset + PROBE_STEP - 1; at < offset + n - 1; at += PROBE_STEP) {
		if (!warm_at(raw, at))
			return false;
	}
	return warm_at(raw, offset + n - 1);
}

static int64_t send_chunk(int to, int file, uint64_t offset, size_t n)
{
	int64_t sent;

	if (!is_warm(file, offset, n))
		return COLD;
	do
		sent = magi_sys_sendfile(to, file, offset, n);
	while (sent == -EINTR);
	return sent;
}

/* Holds both files meanwhile. */
static int64_t step(mag_worker *pub, const struct mag_sendfile *self)
{
	struct magi_worker *w = magi_worker_of(pub);
	struct magi_fd *to = magi_file_hold(w, self->to);
	struct magi_fd *file = to ? magi_file_hold(w, self->file) : NULL;
	int64_t rc = MAG_ECLOSED;

	if (file)
		rc = send_chunk(to->raw, file->raw, self->offset + self->sent, self->want);
	if (file)
		magi_file_end(w, file, 0);
	if (to)
		magi_file_end(w, to, 0);
	return rc;
}

static int unblock(mag_worker *pub, mag_fd fd)
{
	struct magi_fd *r = magi_file_hold(magi_worker_of(pub), fd);
	int flags, rc = 0;

	if (!r)
		return MAG_ECLOSED;
	flags = magi_sys_fcntl(r->raw, F_GETFL, 0);
	if (flags < 0)
		rc = flags;
	else if (!(flags & O_NONBLOCK))
		rc = magi_sys_fcntl(r->raw, F_SETFL, flags | O_NONBLOCK);
	magi_file_end(magi_worker_of(pub), r, 0);
	return rc;
}

static int64_t begin(mag_worker *w, const struct mag_sendfile *self)
{
	if (self->offset > INT64_MAX || self->length > INT64_MAX - self->offset)
		return -EINVAL;
	/* the first step is no await: it would send */
	return magi_cancelled(&self->frame) ? MAG_ECANCELED : unblock(w, self->to);
}

static void want_next(struct mag_sendfile *self)
{
	uint64_t left = self->length - self->sent;

	self->want = left < MAG_SENDFILE_CHUNK ? (size_t)left : MAG_SENDFILE_CHUNK;
}

/* Memory for chunks that are read. */
static int64_t need_buf(struct mag_sendfile *self)
{
	if (!self->buf)
		self->buf = magi_alloc(MAG_SENDFILE_CHUNK);
	return self->buf ? 0 : -ENOMEM;
}

MAG_TASK(mag_sendfile)
{
	MAG_BEGIN(mag_sendfile);
	self->sent = 0;
	self->buf = NULL;
	self->rc = begin(w, self);
	while (self->rc >= 0 && self->sent < self->length) {
		want_next(self);
		self->rc = step(w, self);
		if (self->rc == -EAGAIN) {
			MAG_AWAIT(self->rc, mag_poll, self->to, POLLOUT);
			continue;
		}
		if (self->rc == COLD || self->rc == -EINVAL) { /* -EINVAL: a file that cannot be sent this way */
			self->rc = need_buf(self);
			if (self->rc == 0)
				MAG_AWAIT(self->rc, mag_read, self->file, self->buf, self->want,
					  self->offset + self->sent);
			if (self->rc > 0) {
				self->want = (size_t)self->rc;
				MAG_AWAIT(self->rc, mag_send_all_count, self->to, self->buf, self->want, &self->moved);
				self->sent += self->moved;
				continue;
			}
		}
		if (self->rc == 0)
			self->rc = MAG_EEOF;
		if (self->rc < 0)
			break;
		self->sent += (uint64_t)self->rc;
		if (self->sent < self->length)
			MAG_YIELD(self->rc);
	}
	magi_free(self->buf);
	if (self->count)
		*self->count = self->sent;
	MAG_RETURN(self->rc < 0 ? self->rc : (int64_t)self->sent);
	MAG_END;
}
