/* SPDX-License-Identifier: MIT */
/* serve_file.c - answers that are files. The task opens and reads; here it is decided what comes of it. */
#include "serve_conn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "http_path.h"
#include "http_types.h"

static int status_of(int64_t rc)
{
	switch (rc) {
	case -ENOENT:
	case -ENOTDIR:
	case -ELOOP:
	case -EXDEV: /* it leads out of the root: for the client there is nothing */
	case -ENXIO:
	case -ENODEV:
		return 404;
	case -EACCES:
	case -EPERM:
		return 403;
	case -ENAMETOOLONG:
		return 414;
	case -EMFILE:
	case -ENFILE:
	case -ENOMEM:
		return 503;
	default:
		return 500;
	}
}

void serve_file(struct serve_conn *c, struct serve_here *here)
{
	const struct http_parser *p = &c->parser;
	int rc;

	/* the buffer's path is kept until the file is open; there is one, or memory is out */
	if (!c->buffer) {
		serve_say(c, here, 503, NULL);
		return;
	}
	rc = http_path(p->target, p->target_len, c->buffer->path, sizeof c->buffer->path, &c->directory);
	if (rc < 0) {
		serve_say(c, here, rc == -ENAMETOOLONG ? 414 : 400, NULL);
		return;
	}
	c->input = SERVE_WAIT_IDLE;
	c->input_since = c->now;
	c->step = SERVE_OPEN;
}

static void redirect(struct serve_conn *c, struct serve_here *here)
{
	char to[SERVE_PATH_MAX];
	int rc = http_path_location(c->buffer->path, c->parser.target, c->parser.target_len, to, sizeof to);

	if (rc < 0)
		serve_say(c, here, 414, NULL);
	else
		serve_say(c, here, 301, to);
}

/* The head, and how much of the file is to come; the small file's whole answer gets room at once. */
static void say_file(struct serve_conn *c, struct serve_here *here, const struct statx *st)
{
	const char *path = c->buffer->path;
	char date[HTTP_DATE_LEN + 1];
	struct http_answer a = { .status = 200,
				 .minor = c->parser.minor,
				 .keep_alive = serve_keeps(c),
				 .type = http_type(path, strlen(path)),
				 .length = st->stx_size,
				 .modified = st->stx_mtime.tv_sec };
	int n;

	http_date_format(date, a.modified);
	if (a.modified > 0 && http_since_is(&c->parser, date)) {
		a.status = 304;
		a.type = NULL;
	}
	n = http_response_head(c->out + c->out_len, c->out_size - c->out_len, &a, &here->date);
	if (n > 0)
		c->out_len += (uint32_t)n;
	c->closing |= !a.keep_alive;
	if (a.status != 200 || c->head_only)
		return;
	c->file_at = 0;
	c->file_left = a.length;
	if (a.length > c->out_size - c->out_len) {
		uint64_t rest = SERVE_LARGE - c->out_len;

		/* without memory for it, it is sent in smaller pieces */
		serve_room(c, here, (uint32_t)(a.length < rest ? a.length : rest));
	}
}

void serve_file_opened(struct serve_conn *c)
{
	struct serve_here *here = serve_here(c->site, serve_clock());
	struct statx st;

	if (c->n < 0) {
		serve_say(c, here, status_of(c->n), NULL);
		serve_answer(c);
		return;
	}
	c->step = SERVE_SHUT;
	/* O_NONBLOCK was for FIFOs. Where the kernel thinks that the disk cannot do without waiting, the ring would end
	 * each read of what is not in memory with EAGAIN. */
	fcntl(mag_fd_raw(c->file), F_SETFL, 0);
	/* The file has just been opened: what is asked is in memory, on network file systems too with DONT_SYNC. The ring
	 * would give this to a thread. */
	if (statx(mag_fd_raw(c->file), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_SIZE | STATX_MTIME,
		  &st) < 0)
		serve_say(c, here, status_of(-errno), NULL);
	else if (S_ISDIR(st.stx_mode) && !c->directory)
		redirect(c, here);
	else if (!S_ISREG(st.stx_mode))
		serve_say(c, here, 404, NULL);
	else
		say_file(c, here, &st);
	if (c->file_left)
		c->step = SERVE_READ;
}

void serve_file_read(struct serve_conn *c)
{
	if (c->n <= 0) { /* it cannot be read, or has become shorter than the head says */
		c->broken = true;
		c->step = SERVE_OVER;
		return;
	}
	c->out_len += (uint32_t)c->n;
	c->file_at += (uint64_t)c->n;
	c->file_left -= (uint64_t)c->n;
	if (c->file_left == 0)
		c->step = SERVE_SHUT;
	else if (c->out_len == c->out_size)
		c->step = SERVE_SEND;
}
