/* SPDX-License-Identifier: MIT */
/* lines.h - a file, pipe or stream line by line.
 *
 *	self->rc = mag_lines_init(&self->lines, self->fd, NULL);
 *	while (self->rc >= 0) {
 *		MAG_AWAIT(self->rc, mag_lines_next, &self->lines, &self->line);
 *		if (self->rc <= 0)
 *			break;
 *		...
 *	}
 *	mag_lines_fini(&self->lines);
 */
#ifndef MAGPIE_LINES_H
#define MAGPIE_LINES_H

#include <magpie/fd.h>

MAGI_C_BEGIN

enum {
	MAG_LINES_CHUNK = 128 * 1024, /* bytes read at a time */
	MAG_LINES_LIMIT = 64 * 1024   /* of a line, unless the options say otherwise */
};

typedef struct mag_lines_options {
	size_t size;     /* sizeof(mag_lines_options) */
	size_t limit;    /* bytes of the longest line, without its end; 0: MAG_LINES_LIMIT; at most 1 GiB */
	uint64_t offset; /* where in the file to begin; of no matter for pipes and sockets */
	bool crlf;       /* a line may end with \r\n, too: neither is part of it */
	char unused[7];
} mag_lines_options;

/* A line without its end. Not a string: there is no 0 behind it. */
typedef struct mag_line {
	char *data; /* may be written to */
	size_t len;
} mag_line;

typedef struct mag_lines {
	mag_fd fd;
	char *buf;
	size_t start, end; /* what was read and not given yet */
	size_t seen;       /* bytes of it that hold no line end */
	size_t limit;
	uint64_t offset;
	mag_line *to; /* where the line goes that is being read for */
	bool crlf;
	bool finished; /* the file's end was seen */
	bool skipping; /* the rest of a line that was too long */
} mag_lines;

/* Makes a reader. options: NULL for the defaults. The file stays the caller's.
 *
 * Threads:  any
 * Owns:     the caller owns the reader, when it returns 0: mag_lines_fini
 * Returns:  0, or -ENOMEM, -EINVAL
 * Since:    0.1 */
MAG_API int mag_lines_init(mag_lines *lines, mag_fd fd, const mag_lines_options *options);

/* Frees it; nobody waits in it. A reader that was not made, all zero, is fine.  Threads: any */
MAG_API void mag_lines_fini(mag_lines *lines);

/* MAG_AWAIT(rc, mag_lines_next, &lines, &line): the next line; also the last one, when it has no end.
 *
 * Await:    yes, a cancellation point, at which no bytes are lost; returns at once when the line has been read already
 * Threads:  any worker, one task at a time
 * Owns:     the line is the reader's memory, until the next call or mag_lines_fini
 * Returns:  1 and *line; 0 at the end; MAG_ETOOLONG (the next call goes on behind that line); or an error of reading,
 *           MAG_ECLOSED, -EINVAL (a NULL; not made)
 * Since:    0.1 */
MAG_API MAG_OP mag_lines_next(MAG_OP_ARGS, mag_lines *lines, mag_line *line);

/* The same without waiting: the next line of what has been read already.
 *
 * Threads:  any, one at a time
 * Owns:     as mag_lines_next
 * Returns:  1 and *line; 0 at the end; MAG_ETOOLONG; -EAGAIN when more must be read; -EINVAL
 * Since:    0.2 */
MAG_API int mag_lines_try_next(mag_lines *lines, mag_line *line);

MAGI_C_END

#endif
