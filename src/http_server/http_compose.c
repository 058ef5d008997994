/* SPDX-License-Identifier: MIT */
/* http_compose.c - an answer's head, where it goes. Does no I/O. */
#include <errno.h>
#include <string.h>

#include "http_conn.h"

bool magi_http_keeps(const struct http_conn *c)
{
	if (!c->parser.keep_alive)
		return false;
	/* nobody has asked for the body, and who knows whether it comes */
	if (c->parser.expects && !c->x.continued && c->x.open && !c->x.body_over)
		return false;
	return !(c->stopping || mag_event_is_set(&c->server->stopping)) || magi_http_has_more(c);
}

static size_t length_of(const char *text)
{
	return text ? strlen(text) : 0;
}

/* Whether the head has nothing but a status, a type, and a length. */
static bool is_usual(const struct http_answer *a, size_t type_len)
{
	const struct http_last_head *last;

	return a->keep_alive && a->minor && !a->extra_len && !a->chunked && !a->endless && !a->ranges && !a->varies &&
	       !a->location && !a->coding && !a->etag && !a->range && !a->allow && !a->modified &&
	       type_len < sizeof last->type && (type_len || !a->type);
}

/* The head that was made last, if this one is the same. */
static bool is_last(const struct http_here *here, const struct http_answer *a)
{
	const struct http_last_head *last = &here->last;

	return last->bytes && last->turn == here->turn && last->length == a->length && last->status == a->status &&
	       strcmp(last->type, a->type ? a->type : "") == 0;
}

static void keep_last(struct http_here *here, const struct http_answer *a, size_t type_len, const char *head, size_t n)
{
	struct http_last_head *last = &here->last;

	last->bytes = 0;
	if (n > sizeof last->head)
		return;
	last->turn = here->turn;
	last->length = a->length;
	last->status = a->status;
	last->bytes = (uint16_t)n;
	memcpy(last->type, type_len ? a->type : "", type_len + 1);
	memcpy(last->head, head, n);
}

/* Where there is room. Returns: its length, or below 0 */
static int put_head(struct http_conn *c, struct http_here *here, const struct http_answer *a, size_t type_len)
{
	char *out = c->out + c->out_len;
	bool usual = is_usual(a, type_len);
	int n;

	if (usual && is_last(here, a)) {
		memcpy(out, here->last.head, here->last.bytes);
		return here->last.bytes;
	}
	n = magi_http_response_head(out, magi_http_free(c), a, &here->date);
	if (usual && n > 0)
		keep_last(here, a, type_len, out, (size_t)n);
	return n;
}

int magi_http_compose(struct http_conn *c, struct http_here *here, struct http_answer *a)
{
	size_t type_len = length_of(a->type);
	size_t texts = type_len + length_of(a->location) + length_of(a->server = c->server->options.name);
	int n;

	a->minor = c->parser.minor;
	a->keep_alive = magi_http_keeps(c) && !(a->endless && !magi_http_bodiless(a->status) && !c->x.head_only);
	a->extra_len = c->x.extra_len;
	if (!magi_http_room(c, here,
			    (uint32_t)(HTTP_RESPONSE_MAX + texts + a->extra_len + (a->allow ? HTTP_METHODS_MAX : 0))))
		return -ENOMEM;
	a->extra = c->out + c->out_size - a->extra_len;
	n = put_head(c, here, a, type_len);
	if (n < 0)
		return -ENOMEM;
	c->out_len += (uint32_t)n;
	c->x.extra_len = 0;
	c->x.status = a->status;
	c->x.no_body = c->x.head_only || magi_http_bodiless(a->status);
	if (a->status != 101)
		c->closing |= !a->keep_alive;
	return 0;
}
