/* SPDX-License-Identifier: MIT */
/* serve_buffer.h - where answers are gathered that do not fit in the connection itself: lent for as long as there is
 * something to send, so that a connection that waits holds none.
 *
 * Who:     a shelf is one worker's. A buffer may be put on another shelf than it came from: it is plain memory. */
#ifndef MAGPIE_TOOLS_SERVE_BUFFER_H
#define MAGPIE_TOOLS_SERVE_BUFFER_H

#include <stdbool.h>
#include <stdint.h>

enum {
	SERVE_PATH_MAX = 4096,                     /* of a file below the root; longer is 414 */
	SERVE_SMALL = (32 << 10) - SERVE_PATH_MAX, /* for answers to pipelined requests, and small files */
	SERVE_LARGE = (128 << 10) + SERVE_PATH_MAX /* files stream best by 128 KiB; a head stands before the first */
};

struct serve_buffer {
	struct serve_buffer *next;
	uint32_t size; /* of data: SERVE_SMALL or SERVE_LARGE */
	char path[SERVE_PATH_MAX];
	char data[];
};

struct serve_shelf {
	struct serve_buffer *first[2];
	uint32_t count[2];
};

/* Returns: a buffer of SERVE_SMALL or SERVE_LARGE bytes, or NULL when memory is out. */
struct serve_buffer *serve_buffer_take(struct serve_shelf *shelf, bool large);
void serve_buffer_give(struct serve_shelf *shelf, struct serve_buffer *b); /* NULL is fine */
void serve_shelf_clear(struct serve_shelf *shelf);

#endif
