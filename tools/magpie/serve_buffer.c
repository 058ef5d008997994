/* SPDX-License-Identifier: MIT */
/* serve_buffer.c - buffers for answers, kept on a worker's shelf. */
#include "serve_buffer.h"

#include <stdlib.h>

/* What a shelf keeps: 8 and 4 MiB. Picked, not measured: a burst of pipelined requests on a few hundred connections
 * should not go to malloc and back. */
static const uint32_t kept[2] = { 256, 32 };

struct serve_buffer *serve_buffer_take(struct serve_shelf *shelf, bool large)
{
	struct serve_buffer *b = shelf->first[large];

	if (b) {
		shelf->first[large] = b->next;
		shelf->count[large]--;
		return b;
	}
	b = malloc(sizeof *b + (large ? SERVE_LARGE : SERVE_SMALL));
	if (b)
		b->size = large ? SERVE_LARGE : SERVE_SMALL;
	return b;
}

void serve_buffer_give(struct serve_shelf *shelf, struct serve_buffer *b)
{
	bool large;

	if (!b)
		return;
	large = b->size == SERVE_LARGE;
	if (shelf->count[large] == kept[large]) {
		free(b);
		return;
	}
	b->next = shelf->first[large];
	shelf->first[large] = b;
	shelf->count[large]++;
}

void serve_shelf_clear(struct serve_shelf *shelf)
{
	for (int large = 0; large < 2; large++)
		while (shelf->first[large]) {
			struct serve_buffer *b = shelf->first[large];

			shelf->first[large] = b->next;
			free(b);
		}
	shelf->count[0] = shelf->count[1] = 0;
}
