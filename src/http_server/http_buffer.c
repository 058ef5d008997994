/* SPDX-License-Identifier: MIT */
/* http_buffer.c - buffers of two sizes, kept on a worker's shelf; larger ones come and go. */
#include "http_buffer.h"

#include <stdlib.h>

/* What a shelf keeps: 8 and 4 MiB. Picked, not measured: a burst of pipelined requests on a few hundred connections
 * should not go to malloc and back. */
static const uint32_t kept[2] = { 256, 32 };

struct http_buffer *magi_http_buffer_take(struct http_shelf *shelf, uint32_t bytes)
{
	bool large = bytes > HTTP_SMALL;
	uint32_t size = bytes > HTTP_LARGE ? bytes : large ? HTTP_LARGE : HTTP_SMALL;
	struct http_buffer *b = bytes > HTTP_LARGE ? NULL : shelf->first[large];

	if (b) {
		shelf->first[large] = b->next;
		shelf->count[large]--;
		return b;
	}
	b = malloc(sizeof *b + size);
	if (b)
		b->size = size;
	return b;
}

void magi_http_buffer_give(struct http_shelf *shelf, struct http_buffer *b)
{
	bool large;

	if (!b)
		return;
	large = b->size != HTTP_SMALL;
	if (b->size > HTTP_LARGE || shelf->count[large] == kept[large]) {
		free(b);
		return;
	}
	b->next = shelf->first[large];
	shelf->first[large] = b;
	shelf->count[large]++;
}

void magi_http_shelf_clear(struct http_shelf *shelf)
{
	for (int large = 0; large < 2; large++)
		while (shelf->first[large]) {
			struct http_buffer *b = shelf->first[large];

			shelf->first[large] = b->next;
			free(b);
		}
	shelf->count[0] = shelf->count[1] = 0;
}
