/* SPDX-License-Identifier: MIT */
/* load_reader.c - answers in general, by llhttp; load_head.c has the simple ones. */
#include "load_reader.h"

#include <string.h>

#include "load_head.h"

static int too_large(struct load_reader *r)
{
	r->large = true;
	return HPE_USER;
}

static int count_head(llhttp_t *ll, const char *at, size_t len)
{
	struct load_reader *r = (struct load_reader *)ll;

	(void)at;
	r->head_bytes += (uint32_t)len;
	return r->head_bytes > LOAD_HEAD_MAX ? too_large(r) : 0;
}

/* An empty field counts, too. */
static int count_field(llhttp_t *ll)
{
	return count_head(ll, NULL, 4);
}

static int on_head(llhttp_t *ll)
{
	struct load_reader *r = (struct load_reader *)ll;

	r->status = ll->status_code;
	r->keep_alive = !(ll->flags & F_CONNECTION_CLOSE) &&
			(ll->http_minor > 0 || (ll->flags & F_CONNECTION_KEEP_ALIVE));
	ll->upgrade = 0; /* we offer no other protocol */
	if (r->status == 101 || r->status < 100) {
		r->why = r->status < 100 ? "no such status" : "another protocol that was not asked for";
		return -1;
	}
	if ((ll->flags & F_CONTENT_LENGTH) && !r->head && ll->content_length > LOAD_ANSWER_MAX) {
		r->large = true;
		return -1;
	}
	return r->head || r->status < 200 || r->status == 204 || r->status == 304;
}

static int on_end(llhttp_t *ll)
{
	struct load_reader *r = (struct load_reader *)ll;

	if (r->status < 200) {
		r->status = 0; /* the real one follows */
		return 0;
	}
	r->done = true;
	return HPE_PAUSED;
}

static const llhttp_settings_t callbacks = {
	.on_status = count_head,
	.on_header_field = count_head,
	.on_header_value = count_head,
	.on_header_value_complete = count_field,
	.on_headers_complete = on_head,
	.on_message_complete = on_end,
};

void load_reader_init(struct load_reader *r, bool head)
{
	memset(r, 0, sizeof *r);
	r->head = head;
}

static int malformed(struct load_reader *r, const char *why)
{
	r->why = why;
	return LOAD_READ_MALFORMED;
}

static int fault(struct load_reader *r)
{
	const char *why;

	if (r->large)
		return LOAD_READ_TOO_LARGE;
	why = llhttp_get_error_reason(&r->ll);
	return malformed(r, r->why ? r->why : why && *why ? why : "not HTTP/1.1");
}

static int feed_general(struct load_reader *r, const char *buf, size_t len)
{
	llhttp_errno_t rc;

	if (!r->general) {
		llhttp_init(&r->ll, HTTP_RESPONSE, &callbacks);
		r->general = true;
	}
	rc = llhttp_execute(&r->ll, buf, len);
	if (r->done && rc == HPE_PAUSED)
		return llhttp_get_error_pos(&r->ll) == buf + len ? LOAD_READ_DONE
								 : malformed(r, "more bytes than the answer has");
	return rc == HPE_OK ? LOAD_READ_MORE : fault(r);
}

static int feed_body(struct load_reader *r, size_t len)
{
	if (len > r->left)
		return malformed(r, "more bytes than the answer has");
	r->left -= len;
	r->done = r->left == 0;
	return r->done ? LOAD_READ_DONE : LOAD_READ_MORE;
}

static void begin(struct load_reader *r)
{
	r->begun = true;
	r->done = r->general = r->large = false;
	r->status = 0;
	r->head_bytes = 0;
	r->bytes = 0;
	r->why = NULL;
}

int load_reader_feed(struct load_reader *r, const char *buf, size_t len)
{
	bool first = !r->begun || r->done;
	struct load_head h;

	if (first)
		begin(r);
	r->bytes += len;
	if (r->bytes > LOAD_ANSWER_MAX)
		return LOAD_READ_TOO_LARGE;
	if (first && load_head_read(&h, buf, len) && h.content_length <= LOAD_ANSWER_MAX) {
		r->status = h.status;
		r->keep_alive = !h.close;
		r->left = r->head ? 0 : h.content_length;
		return feed_body(r, len - h.len);
	}
	return first || r->general ? feed_general(r, buf, len) : feed_body(r, len);
}

int load_reader_end(struct load_reader *r)
{
	if (!r->begun || r->done || !r->general)
		return LOAD_READ_MORE;
	llhttp_finish(&r->ll);
	return r->done ? LOAD_READ_DONE : LOAD_READ_MORE;
}
