/* SPDX-License-Identifier: MIT */
/* http_room.c - where a connection keeps what it has received and what it will send: in its own frame while that is little,
 * else in buffers. Does no I/O. */
#include <string.h>

#include "http_conn.h"

void magi_http_emptied(struct http_conn *c)
{
	c->out_at = c->out_len = 0;
	if (c->x.extra_len)
		return;
	if (c->out_buffer) {
		magi_http_buffer_give(&magi_http_here(c->server, magi_http_clock())->shelf, c->out_buffer);
		c->out_buffer = NULL;
	}
	c->out = c->gather;
	c->out_size = sizeof c->gather;
}

bool magi_http_room(struct http_conn *c, struct http_here *here, uint32_t bytes)
{
	const uint32_t tail = c->x.extra_len;
	uint64_t all = (uint64_t)c->out_len + bytes + tail;
	struct http_buffer *b;

	if (bytes <= magi_http_free(c))
		return true;
	if (all > HTTP_BUFFER_MAX)
		return false;
	b = magi_http_buffer_take(&here->shelf, (uint32_t)(all > HTTP_LARGE ? all + HTTP_SMALL : all));
	if (!b)
		return false;
	memcpy(b->data, c->out, c->out_len);
	memcpy(b->data + b->size - tail, c->out + c->out_size - tail, tail);
	magi_http_buffer_give(&here->shelf, c->out_buffer);
	c->out_buffer = b;
	c->out = b->data;
	c->out_size = b->size;
	return true;
}

static void input_own(struct http_conn *c)
{
	magi_http_buffer_give(&magi_http_conn_here(c)->shelf, c->in_buffer);
	c->in_buffer = NULL;
	c->in = c->input_own;
	c->in_size = sizeof c->input_own;
}

/* The longest head that may come, and room behind it. */
static uint32_t input_max(const struct http_conn *c)
{
	return c->server->limits.target + c->server->limits.head + 4096;
}

static bool input_larger(struct http_conn *c, const char *from, uint32_t keep)
{
	struct http_buffer *b = magi_http_buffer_take(&magi_http_conn_here(c)->shelf, input_max(c));

	if (!b)
		return false;
	memcpy(b->data, from, keep);
	c->in_buffer = b;
	c->in = b->data;
	c->in_size = b->size;
	return true;
}

bool magi_http_input_room(struct http_conn *c)
{
	const struct http_parser *p = &c->parser;
	bool in_head = p->phase == HTTP_PHASE_LINE || p->phase == HTTP_PHASE_FIELDS;
	uint32_t keep = c->x.open || in_head ? p->head_bytes : 0;
	const char *from = c->x.open ? c->x.head : c->in + c->in_at - keep;

	if (c->in_buffer && keep == 0) {
		input_own(c);
	} else if (!c->in_buffer && keep > c->in_size / 2) {
		if (!input_larger(c, from, keep))
			return false;
	} else if (keep && from != c->in) {
		memmove(c->in, from, keep);
	}
	if (c->x.open)
		c->x.head = c->in;
	c->in_at = c->in_len = keep;
	return true;
}

bool magi_http_body_room(struct http_conn *c)
{
	uint32_t head = c->parser.head_bytes;
	const char *from = c->x.head;
	uint32_t at = (uint32_t)(from - c->in), len = c->in_len - at;

	if (!c->parser.chunked || c->in_size - c->in_at >= c->in_size / 3)
		return true;
	if (c->in_buffer)
		memmove(c->in, from, len);
	else if (!input_larger(c, from, len))
		return false;
	c->x.head = c->in;
	c->in_at = head;
	c->in_len = len;
	return true;
}
