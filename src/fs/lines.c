/* SPDX-License-Identifier: MIT */
/* lines.c - line by line.
 *
 * What:    one buffer, of a chunk and the longest line. The unfinished line is moved to its front, a chunk is read
 *          behind it; a read that brings no line end is followed by the next in the same slot, without the task.
 * Who:     one task; while it waits, the ring's worker.
 * Always:  every byte of buf[start … end) is still to be given; the first `seen` of them hold no line end.
 * Not:     a line end searched twice; a copy of each line. */
#include <errno.h>
#include <magpie/lines.h>
#include <magpie/options.h>
#include <string.h>

#include "base/alloc.h"
#include "task/file.h"
#include "task/wait.h"

#define LIMIT_MAX ((size_t)1 << 30)

int mag_lines_init(mag_lines *l, mag_fd fd, const mag_lines_options *given)
{
	mag_lines_options o;

	if (!l)
		return -EINVAL;
	*l = (mag_lines){ .fd = fd };
	if (mag_options_take(&o, sizeof(o), given) < 0 || o.limit > LIMIT_MAX)
		return -EINVAL;
	l->limit = o.limit ? o.limit : MAG_LINES_LIMIT;
	l->offset = o.offset;
	l->crlf = o.crlf;
	/* a line of the greatest length, its end, and a chunk */
	l->buf = magi_alloc(l->limit + 2 + MAG_LINES_CHUNK);
	return l->buf ? 0 : -ENOMEM;
}

void mag_lines_fini(mag_lines *l)
{
	if (!l)
		return;
	magi_free(l->buf);
	l->buf = NULL;
}

/* What `n` bytes at `start` are as a line; its end, of `past` bytes, is dropped with it. */
static int64_t give(mag_lines *l, mag_line *line, size_t n, size_t past)
{
	char *data = l->buf + l->start;

	l->start += n + past;
	l->seen = 0;
	if (l->skipping) {
		l->skipping = false;
		return -EAGAIN;
	}
	if (l->crlf && past && n && data[n - 1] == '\r')
		n--;
	if (n > l->limit)
		return MAG_ETOOLONG;
	*line = (mag_line){ data, n };
	return 1;
}

/* 1 and a line, 0 at the end, MAG_ETOOLONG, or -EAGAIN: more must be read. */
static int64_t find(mag_lines *l, mag_line *line)
{
	int64_t rc;

	do {
		size_t have = l->end - l->start;
		char *nl = memchr(l->buf + l->start + l->seen, '\n', have - l->seen);

		if (nl) {
			rc = give(l, line, (size_t)(nl - (l->buf + l->start)), 1);
			continue;
		}
		l->seen = have;
		if (l->finished)
			return have && (rc = give(l, line, have, 0)) != -EAGAIN ? rc : 0;
		if (l->skipping || have > l->limit + 1) {
			l->start = l->end;
			l->seen = 0;
			rc = l->skipping ? -EAGAIN : MAG_ETOOLONG;
			l->skipping = true;
			return rc;
		}
		return -EAGAIN;
	} while (rc == -EAGAIN);
	return rc;
}

/* The next chunk, behind what is unfinished. */
static struct magi_req next_read(mag_lines *l)
{
	size_t have = l->end - l->start;

	memmove(l->buf, l->buf + l->start, have);
	l->start = 0;
	l->end = have;
	return (struct magi_req){
		.code = MAGI_IO_READ, .addr = l->buf + have, .len = MAG_LINES_CHUNK, .offset = l->offset
	};
}

static int64_t was_read(struct magi_worker *w, void *object, const struct magi_rec *rec)
{
	struct magi_slot *s = magi_slot_find(&w->slots, rec->token);
	mag_lines *l = object;
	struct magi_req req;
	int64_t rc;

	if (rec->res < 0)
		return rec->res;
	l->end += (size_t)rec->res;
	l->offset += (uint64_t)rec->res;
	if (rec->res == 0)
		l->finished = true;
	rc = find(l, l->to);
	if (rc != -EAGAIN)
		return rc;
	if (magi_io_stopped(s))
		return MAG_ECANCELED;
	req = next_read(l);
	req.fd = s->file->raw;
	magi_io_again(w, rec, &req);
	return MAGI_IO_AGAIN;
}

int mag_lines_try_next(mag_lines *l, mag_line *line)
{
	if (!l || !l->buf || !line)
		return -EINVAL;
	*line = (mag_line){ NULL, 0 };
	return (int)find(l, line);
}

mag_frame *mag_lines_next(mag_worker *w, mag_frame *f, mag_lines *l, mag_line *line)
{
	struct magi_req req;
	int64_t rc;

	if (!l || !l->buf || !line)
		return magi_wait_done(w, f, -EINVAL);
	*line = (mag_line){ NULL, 0 };
	if (magi_cancelled(f))
		return magi_wait_done(w, f, MAG_ECANCELED);
	rc = find(l, line);
	if (rc != -EAGAIN)
		return magi_wait_done(w, f, rc);
	l->to = line;
	req = next_read(l);
	return magi_file_await(w, f, l->fd, 0, &req, was_read, l);
}
