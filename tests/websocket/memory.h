/* SPDX-License-Identifier: MIT */
/* memory.h - a stream that is memory: what comes in pieces, and what was sent. And frames made by hand. */
#ifndef MAGPIE_TESTS_WEBSOCKET_MEMORY_H
#define MAGPIE_TESTS_WEBSOCKET_MEMORY_H

#include <magpie/websocket.h>

#include "unit/net_run.h"

enum { BYTES_MAX = 80000 };

struct bytes {
	size_t n;
	unsigned char b[BYTES_MAX];
};

struct memory {
	const struct bytes *in;
	size_t at, split; /* what comes ends there once; 0: nowhere */
	size_t piece;     /* so many bytes come at a time; 0: any number */
	struct bytes out;
};

static mag_frame *memory_recv(mag_worker *w, mag_frame *f, void *stream, void *buf, size_t len)
{
	struct memory *m = stream;
	size_t n = m->in->n - m->at;

	(void)w;
	if (m->split > m->at && n > m->split - m->at)
		n = m->split - m->at;
	if (m->piece && n > m->piece)
		n = m->piece;
	n = n < len ? n : len;
	memcpy(buf, m->in->b + m->at, n);
	m->at += n;
	MAG_OP_DONE((int64_t)n);
}

static mag_frame *memory_send(mag_worker *w, mag_frame *f, void *stream, const void *buf, size_t len, size_t *count)
{
	struct memory *m = stream;

	(void)w;
	cr_assert_leq(m->out.n + len, sizeof(m->out.b));
	memcpy(m->out.b + m->out.n, buf, len);
	m->out.n += len;
	*count = len;
	MAG_OP_DONE((int64_t)len);
}

static const mag_websocket_stream over_memory = { memory_recv, memory_send };

static inline void add(struct bytes *to, const void *data, size_t n)
{
	memcpy(to->b + to->n, data, n);
	to->n += n;
}

enum { FIN = 0x80, MASKED = 1, PLAIN = 0, LONG = 2, LONGEST = 4 }; /* the length in 2, or in 8 bytes whatever it is */

/* A frame: its first byte is given; the mask is always the same. */
static inline void add_frame(struct bytes *to, unsigned first, unsigned how, const void *payload, size_t n)
{
	static const unsigned char key[4] = { 0x37, 0xfa, 0x21, 0x3d };
	const unsigned char *p = payload;
	unsigned mask = how & MASKED ? 0x80 : 0;

	to->b[to->n++] = (unsigned char)first;
	if (n > 65535 || how & LONGEST) {
		to->b[to->n++] = (unsigned char)(mask | 127);
		for (int i = 7; i >= 0; i--)
			to->b[to->n++] = (unsigned char)((uint64_t)n >> (8 * i));
	} else if (n > 125 || how & LONG) {
		to->b[to->n++] = (unsigned char)(mask | 126);
		to->b[to->n++] = (unsigned char)(n >> 8);
		to->b[to->n++] = (unsigned char)n;
	} else {
		to->b[to->n++] = (unsigned char)(mask | n);
	}
	if (mask)
		add(to, key, 4);
	for (size_t i = 0; i < n; i++)
		to->b[to->n++] = (unsigned char)(p[i] ^ (mask ? key[i % 4] : 0));
}

#endif
