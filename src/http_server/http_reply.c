/* SPDX-License-Identifier: MIT */
/* http_reply.c - answers at once, and the head of those that come in pieces. Does no I/O. */
#include <magpie/http_reply.h>

#include "http_put.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http_zip.h"

int magi_http_may_reply(const mag_http_exchange *x, int status)
{
	if (x->reply != HTTP_REPLY_NONE)
		return -EALREADY;
	return status < 200 || status > 599 ? -EINVAL : 0;
}

bool magi_http_is_value(const char *text)
{
	for (; *text; text++)
		if (((unsigned char)*text < ' ' && *text != '\t') || *text == 0x7f)
			return false;
	return true;
}

static bool is_name(const char *name)
{
	static const char *const ours[] = { "Content-Length", "Transfer-Encoding", "Connection", "Date" };

	for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
		if (!strcasecmp(name, ours[i]))
			return false;
	for (const char *s = name; *s; s++)
		if ((unsigned char)*s <= ' ' || (unsigned char)*s >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", *s))
			return false;
	return *name != '\0';
}

int mag_http_reply_header(mag_http_exchange *x, const char *name, const char *value)
{
	struct http_conn *c = magi_http_conn_of(x);
	size_t name_len = strlen(name), value_len = strlen(value), n = name_len + value_len + 4;
	char *at;

	if (x->reply != HTTP_REPLY_NONE)
		return -EALREADY;
	if (!is_name(name) || !magi_http_is_value(value))
		return -EINVAL;
	if (n > HTTP_EXTRA_MAX || x->extra_len + n > HTTP_EXTRA_MAX)
		return MAG_ETOOLONG;
	if (!magi_http_room(c, magi_http_conn_here(c), (uint32_t)n))
		return -ENOMEM;
	at = c->out + c->out_size - x->extra_len;
	memmove(at - n, at, x->extra_len);
	at = c->out + c->out_size - n;
	memcpy(at, name, name_len);
	memcpy(at + name_len, ": ", 2);
	memcpy(at + name_len + 2, value, value_len);
	memcpy(at + n - 2, "\r\n", 2);
	x->extra_len += (uint32_t)n;
	return 0;
}

/* The value of a field that the handler has added; NULL: there is none. */
static char *added(const struct http_conn *c, const char *name)
{
	const size_t length = strlen(name);
	char *end = c->out + c->out_size, *s = end - c->x.extra_len;

	for (; s < end; s = (char *)memchr(s, '\n', (size_t)(end - s)) + 1)
		if ((size_t)(end - s) > length + 2 && s[length] == ':' && strncasecmp(s, name, length) == 0)
			return s + length + 2;
	return NULL;
}

/* The handler has added a coding of its own, or sends a part. */
static bool is_coded(const struct http_conn *c)
{
	return added(c, "Content-Encoding") || added(c, "Content-Range");
}

/* What is compressed is another representation: its tag may only say that it means the same (RFC 9110, 8.8.3.3). */
static void weaken_tag(struct http_conn *c)
{
	char *tag = added(c, "ETag"), *first;

	if (!tag || *tag != '"' || !magi_http_room(c, magi_http_conn_here(c), 2))
		return;
	tag = added(c, "ETag"); /* it may have moved */
	first = c->out + c->out_size - c->x.extra_len;
	memmove(first - 2, first, (size_t)(tag - first));
	memcpy(tag - 2, "W/", 2);
	c->x.extra_len += 2;
}

/* The type of the last answer was looked at then. */
static bool is_type(const struct http_here *here, const char *type)
{
	return (here->last.bytes && strcmp(here->last.type, type) == 0) || magi_http_is_value(type);
}

int mag_http_reply(mag_http_exchange *x, int status, const char *type, const void *data, size_t length)
{
	struct http_conn *c = magi_http_conn_of(x);
	struct http_here *here = magi_http_conn_here(c);
	struct http_answer a = { .status = (uint16_t)status, .type = type, .length = length };
	char *zipped = NULL;
	int rc = magi_http_may_reply(x, status);

	if (rc < 0)
		return rc;
	if (length > HTTP_REPLY_MAX)
		return MAG_ETOOLONG;
	if (type && !is_type(here, type))
		return -EINVAL;
	if (length >= HTTP_ZIP_MIN && length <= HTTP_ZIP_MAX && magi_http_zip_fits(c, type) && !is_coded(c)) {
		size_t n = magi_http_zip_liked(x) ? magi_http_zip_whole(data, length, &zipped) : 0;

		a.varies = true;
		a.coding = n ? "gzip" : NULL;
		if (n)
			weaken_tag(c);
		a.length = n ? n : length;
		data = n ? zipped : data;
	}
	rc = magi_http_compose(c, here, &a);
	if (rc == 0 && !x->no_body) {
		if (magi_http_room(c, here, (uint32_t)a.length)) {
			if (a.length)
				memcpy(c->out + c->out_len, data, a.length);
			c->out_len += (uint32_t)a.length;
		} else {
			c->broken = true;
			rc = -ENOMEM;
		}
		x->sent = a.length;
	}
	x->reply = rc < 0 && !c->broken ? HTTP_REPLY_NONE : HTTP_REPLY_DONE;
	free(zipped);
	return rc;
}

int mag_http_reply_text(mag_http_exchange *x, int status, const char *text)
{
	return mag_http_reply(x, status, "text/plain; charset=utf-8", text, strlen(text));
}

int mag_http_reply_json(mag_http_exchange *x, int status, const char *text)
{
	return mag_http_reply(x, status, "application/json", text, strlen(text));
}

int mag_http_reply_status(mag_http_exchange *x, int status)
{
	const char *reason = magi_http_reason(status);
	char text[64] = { (char)('0' + status / 100), (char)('0' + status / 10 % 10), (char)('0' + status % 10), ' ' };
	size_t n = strlen(reason);

	if (status < 200 || status > 599)
		return -EINVAL;
	memcpy(text + 4, reason, n);
	text[4 + n] = '\n';
	return mag_http_reply(x, status, "text/plain; charset=utf-8", text, n + 5);
}

int mag_http_reply_redirect(mag_http_exchange *x, int status, const char *location)
{
	int rc = magi_http_may_reply(x, status);

	if (rc == 0)
		rc = mag_http_reply_header(x, "Location", location);
	return rc < 0 ? rc : mag_http_reply_status(x, status);
}

int mag_http_reply_begin(mag_http_exchange *x, int status, const char *type, uint64_t length)
{
	struct http_conn *c = magi_http_conn_of(x);
	bool unknown = length == MAG_HTTP_UNKNOWN, chunks = unknown && c->parser.minor > 0;
	struct http_answer a = { .status = (uint16_t)status,
				 .type = type,
				 .length = length,
				 .chunked = chunks,
				 .endless = unknown && !chunks };
	int rc = magi_http_may_reply(x, status);

	if (rc == 0 && type && !magi_http_is_value(type))
		rc = -EINVAL;
	if (rc < 0)
		return rc;
	if (chunks && magi_http_zip_fits(c, type) && !is_coded(c)) {
		a.varies = true;
		if (magi_http_zip_liked(x) && !x->head_only)
			x->zip = magi_http_zip_new();
		a.coding = x->zip ? "gzip" : NULL;
		if (x->zip)
			weaken_tag(c);
	}
	rc = magi_http_compose(c, magi_http_conn_here(c), &a);
	if (rc < 0) {
		magi_http_zip_drop(x);
		return rc;
	}
	x->reply = chunks ? HTTP_REPLY_CHUNKS : unknown ? HTTP_REPLY_CLOSE : HTTP_REPLY_LENGTH;
	x->left = unknown ? 0 : length;
	return 0;
}
