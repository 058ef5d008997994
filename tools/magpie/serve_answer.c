/* SPDX-License-Identifier: MIT */
/* serve_answer.c - from what was received to what is to be sent. Does no I/O. */
#include "serve_conn.h"

#include <stdlib.h>
#include <string.h>

/* Room for the longest head, an error's text included, with a location of the longest path. */
#define ROOM_FOR_FILE (HTTP_RESPONSE_MAX + SERVE_PATH_MAX)

void serve_emptied(struct serve_conn *c)
{
	c->out_at = c->out_len = 0;
	if (c->buffer) {
		serve_buffer_give(&serve_here(c->site, serve_clock())->shelf, c->buffer);
		c->buffer = NULL;
	}
	c->out = c->gather;
	c->out_size = sizeof c->gather;
}

bool serve_room(struct serve_conn *c, struct serve_here *here, uint32_t bytes)
{
	struct serve_buffer *b;

	if (bytes <= c->out_size - c->out_len)
		return true;
	if (c->out_len + bytes > SERVE_LARGE || (c->buffer && c->buffer->size == SERVE_LARGE))
		return false;
	b = serve_buffer_take(&here->shelf, c->out_len + bytes > SERVE_SMALL);
	if (!b)
		return false;
	memcpy(b->data, c->out, c->out_len);
	serve_buffer_give(&here->shelf, c->buffer);
	c->buffer = b;
	c->out = b->data;
	c->out_size = b->size;
	return true;
}

bool serve_keeps(const struct serve_conn *c)
{
	return c->parser.keep_alive && (!c->stopping || serve_has_more(c));
}

void serve_say(struct serve_conn *c, struct serve_here *here, int status, const char *location)
{
	struct http_answer a = {
		.status = (uint16_t)status, .minor = c->parser.minor, .keep_alive = serve_keeps(c), .location = location
	};
	int n = http_response_error(c->out + c->out_len, c->out_size - c->out_len, &a, c->head_only, &here->date);

	if (n > 0)
		c->out_len += (uint32_t)n;
	c->closing |= !a.keep_alive;
}

static void hello(struct serve_conn *c, struct serve_here *here)
{
	struct http_answer a = { .status = 200,
				 .minor = c->parser.minor,
				 .keep_alive = serve_keeps(c),
				 .type = "text/plain",
				 .length = sizeof SERVE_HELLO - 1 };
	int n;

	if (c->parser.method == HTTP_GET && a.keep_alive && a.minor) {
		memcpy(c->out + c->out_len, here->hello, here->hello_len);
		c->out_len += here->hello_len;
		return;
	}
	n = http_response_head(c->out + c->out_len, c->out_size - c->out_len, &a, &here->date);
	if (n > 0)
		c->out_len += (uint32_t)n;
	if (c->parser.method == HTTP_GET) {
		memcpy(c->out + c->out_len, SERVE_HELLO, sizeof SERVE_HELLO - 1);
		c->out_len += sizeof SERVE_HELLO - 1;
	}
	c->closing |= !a.keep_alive;
}

static void request(struct serve_conn *c, struct serve_here *here)
{
	if (c->parser.method != HTTP_GET && c->parser.method != HTTP_HEAD)
		serve_say(c, here, 405, NULL);
	else if (c->site->root)
		serve_file(c, here);
	else
		hello(c, here);
}

/* The worker's spill was lent for a call only: a target that lies in it moves. False: memory is out. */
static bool keep_spill(struct serve_conn *c, const struct serve_here *here)
{
	if (c->parser.target && c->parser.target == here->spill) {
		c->spill = malloc(sizeof here->spill);
		if (!c->spill)
			return false;
		memcpy(c->spill, here->spill, sizeof here->spill);
		c->parser.target = c->parser.spill = c->spill;
	} else if (c->spill && http_idle(&c->parser)) {
		free(c->spill);
		c->spill = NULL;
	}
	return true;
}

/* What the client is given time for from now on. fresh: requests were answered since it was asked last. */
static void begin_wait(struct serve_conn *c, bool fresh, uint32_t bytes, uint64_t now)
{
	unsigned wait = http_idle(&c->parser)      ? SERVE_WAIT_IDLE
			: http_in_body(&c->parser) ? SERVE_WAIT_BODY
						   : SERVE_WAIT_HEAD;

	if (wait == SERVE_WAIT_IDLE || fresh || wait != c->input) {
		c->input_since = now;
		c->input_bytes = 0;
		if (wait != SERVE_WAIT_IDLE)
			c->scoped = SERVE_WAIT_NONE;
	} else {
		c->input_bytes += bytes;
	}
	c->input = (uint8_t)wait;
}

void serve_answer(struct serve_conn *c)
{
	uint64_t now = serve_clock();
	struct serve_here *here = serve_here(c->site, now);
	const uint32_t room = c->site->root ? ROOM_FOR_FILE : HTTP_RESPONSE_MAX, from = c->in_at;
	bool fresh = false;
	size_t used;
	int rc;

	c->parser.spill = c->spill ? c->spill : here->spill;
	c->now = now;
	while (c->in_at < c->in_len && !c->closing) {
		/* without a buffer memory is out: whoever wants a file is told, which needs less room */
		if (!serve_room(c, here, room) && (c->buffer || !serve_room(c, here, HTTP_RESPONSE_MAX)))
			break;
		rc = http_parse(&c->parser, c->in + c->in_at, c->in_len - c->in_at, &used);
		c->in_at += (uint32_t)used;
		if (rc == HTTP_MORE)
			break;
		fresh = true;
		c->step = SERVE_SEND;
		c->head_only = rc == HTTP_READY && c->parser.method == HTTP_HEAD;
		if (rc == HTTP_READY)
			request(c, here);
		else
			serve_say(c, here, c->parser.status, NULL);
		if (c->step == SERVE_OPEN)
			return;
	}
	c->closing |= http_closing(&c->parser) || !keep_spill(c, here);
	begin_wait(c, fresh, c->in_at - from, now);
	if (c->out_len)
		c->step = SERVE_SEND;
	else if (c->closing || (c->stopping && c->input == SERVE_WAIT_IDLE && !serve_has_more(c)))
		c->step = SERVE_FINISH;
	else
		c->step = SERVE_RECV;
}
