/* SPDX-License-Identifier: MIT */
/* http_head.c - what llhttp tells about a request, and what is asked of the whole head. */
#include "http_head.h"

#include <string.h>

int magi_http_fail(struct http_parser *p, int status)
{
	p->status = (uint16_t)status;
	p->phase = HTTP_PHASE_CLOSED;
	return -1;
}

/* A method that is well formed but unknown is 501, anything else that llhttp dislikes 400. */
static int fault_status(const struct http_parser *p, const char *s, size_t n)
{
	const char *at = llhttp_get_error_pos(&p->ll);
	unsigned char c;

	if (llhttp_get_errno(&p->ll) != HPE_INVALID_METHOD || at < s || at >= s + n)
		return 400;
	c = (unsigned char)*at;
	if (c == ' ')
		return p->head_bytes + (size_t)(at - s) > 0 ? 501 : 400;
	return c > ' ' && c < 0x7f && !strchr("\"(),/:;<=>?@[\\]{}", c) ? 501 : 400;
}

/* Gives llhttp bytes that passed our own rules. */
int magi_http_feed(struct http_parser *p, const char *s, size_t n)
{
	if (n == 0)
		return 0;
	p->fed = s;
	if (llhttp_execute(&p->ll, s, n) != HPE_OK)
		return magi_http_fail(p, p->status ? p->status : fault_status(p, s, n));
	return 0;
}

static int on_url(llhttp_t *ll, const char *at, size_t len)
{
	struct http_parser *p = (struct http_parser *)ll;

	if (!p->target_len)
		p->target_at = p->head_bytes + (uint32_t)(at - p->fed);
	p->target_len += (uint32_t)len;
	return 0;
}

static int on_field(llhttp_t *ll, const char *at, size_t len)
{
	struct http_parser *p = (struct http_parser *)ll;

	magi_http_field_name(&p->seen, at, len);
	return 0;
}

static int on_value(llhttp_t *ll, const char *at, size_t len)
{
	struct http_parser *p = (struct http_parser *)ll;

	if (!p->head_done) /* a trailer's fields do not matter */
		magi_http_field_value(&p->seen, at, len);
	return 0;
}

/* The rules that need the whole head: 0 or a status. */
static int judge(const struct http_parser *p)
{
	const llhttp_t *ll = &p->ll;
	const struct http_fields *f = &p->seen;

	if (p->target_len > p->limits->target)
		return 414;
	if (p->target_at != strlen(llhttp_method_name((llhttp_method_t)ll->method)) + 1)
		return 400;
	if (f->nameless || !magi_http_host_ok(f, ll->http_minor > 0))
		return 400;
	if (f->codings) {
		if (ll->http_minor == 0 || !(ll->flags & F_CHUNKED))
			return 400;
		if (!magi_http_coding_ok(f))
			return 501;
	}
	return magi_http_expect_ok(f) || ll->http_minor == 0 ? 0 : 417;
}

static int on_head(llhttp_t *ll)
{
	struct http_parser *p = (struct http_parser *)ll;

	p->status = (uint16_t)judge(p);
	if (p->status)
		return -1;
	p->head_done = true;
	p->method = ll->method;
	p->minor = ll->http_minor;
	p->keep_alive = !(ll->flags & F_CONNECTION_CLOSE) && (p->minor > 0 || (ll->flags & F_CONNECTION_KEEP_ALIVE));
	p->chunked = ll->flags & F_CHUNKED;
	p->left = p->chunked ? 0 : ll->content_length;
	ll->upgrade = 0; /* we offer no other protocol, and the request is an ordinary one */
	p->expects = p->seen.expects && p->minor > 0 && (p->chunked || p->left);
	return !p->chunked; /* 1: llhttp need not look for a body */
}

static int on_chunk(llhttp_t *ll)
{
	struct http_parser *p = (struct http_parser *)ll;

	p->chunk_done = true;
	p->left = ll->content_length;
	return 0;
}

static int on_end(llhttp_t *ll)
{
	struct http_parser *p = (struct http_parser *)ll;

	p->ended = true;
	return 0;
}

static const llhttp_settings_t callbacks = {
	.on_url = on_url,
	.on_header_field = on_field,
	.on_header_value = on_value,
	.on_headers_complete = on_head,
	.on_chunk_header = on_chunk,
	.on_message_complete = on_end,
};

void magi_http_head_begin(struct http_parser *p)
{
	llhttp_init(&p->ll, HTTP_REQUEST, &callbacks);
	/* llhttp would call an unknown version malformed; the guard tells them apart */
	p->ll.lenient_flags = LENIENT_VERSION;
	p->target_len = p->head_bytes = p->fields_at = p->line = 0;
	p->body = p->framing = 0;
	p->body_max = p->limits->body;
	p->phase = HTTP_PHASE_START;
	p->blank = p->head_done = p->ended = p->judged = p->body_began = false;
	magi_http_guard_reset(&p->guard, p->limits);
	magi_http_fields_reset(&p->seen);
}
