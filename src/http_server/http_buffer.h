/* SPDX-License-Identifier: MIT */
/* http_buffer.h - room for what does not fit in the connection itself: heads that are long, answers that are. Lent for as
 * long as there is something in it, so that a connection that waits holds none.
 *
 * Who:     a shelf is one worker's. A buffer may be put on another shelf than it came from: it is plain memory. */
#ifndef MAGPIE_HTTP_SERVER_BUFFER_H
#define MAGPIE_HTTP_SERVER_BUFFER_H

#include <stdbool.h>
#include <stdint.h>

enum {
	HTTP_SMALL = 32 << 10,           /* for answers to pipelined requests, and small files */
	HTTP_LARGE = (128 + 4) << 10,    /* a large piece, and a head before it */
	HTTP_BUFFER_MAX = (64 << 20) + 2 * HTTP_LARGE
};

struct http_buffer {
	struct http_buffer *next;
	uint32_t size; /* of data: HTTP_SMALL, HTTP_LARGE, or more */
	char data[];
};

struct http_shelf {
	struct http_buffer *first[2];
	uint32_t count[2];
};

/* Returns: a buffer of so many bytes at least, or NULL when memory is out. */
struct http_buffer *magi_http_buffer_take(struct http_shelf *shelf, uint32_t bytes);
void magi_http_buffer_give(struct http_shelf *shelf, struct http_buffer *b); /* NULL is fine */
void magi_http_shelf_clear(struct http_shelf *shelf);

#endif
