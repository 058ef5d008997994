/* SPDX-License-Identifier: MIT */
/* load_head.c - reading simple heads. What is the least unusual is left to llhttp. */
#include "load_head.h"

#include <string.h>
#include <strings.h>

/* What may stand in a name (RFC 9110, 5.6.2). */
static const bool is_token[256] = {
	['!'] = 1,         ['#' ... '\''] = 1, ['*'] = 1,         ['+'] = 1, ['-'] = 1, ['.'] = 1,
	['0' ... '9'] = 1, ['A' ... 'Z'] = 1,  ['^' ... 'z'] = 1, ['|'] = 1, ['~'] = 1,
};

struct cursor {
	const char *at, *end;
	bool length, connection; /* were seen */
};

/* The status line, up to the first field. */
static bool read_status(struct load_head *h, struct cursor *c)
{
	static const char version[] = "HTTP/1.1 ";
	const unsigned char *digit;

	if (c->end - c->at < 15 || memcmp(c->at, version, sizeof version - 1))
		return false;
	digit = (const unsigned char *)c->at + sizeof version - 1;
	for (int i = 0; i < 3; i++)
		if (digit[i] < '0' || digit[i] > '9')
			return false;
	h->status = (uint16_t)((digit[0] - '0') * 100 + (digit[1] - '0') * 10 + (digit[2] - '0'));
	if (h->status < 200 || h->status == 204 || h->status == 304 || digit[3] != ' ')
		return false;
	for (c->at = (const char *)digit + 4; c->at < c->end && (unsigned char)*c->at >= ' ' && *c->at < 0x7f; c->at++)
		;
	if (c->end - c->at < 2 || c->at[0] != '\r' || c->at[1] != '\n')
		return false;
	c->at += 2;
	return true;
}

static bool is(const char *at, size_t len, const char *name)
{
	return strlen(name) == len && !strncasecmp(at, name, len);
}

static bool read_length(struct load_head *h, const char *at, size_t len)
{
	if (len == 0 || len > 18)
		return false;
	h->content_length = 0;
	for (size_t i = 0; i < len; i++) {
		if (at[i] < '0' || at[i] > '9')
			return false;
		h->content_length = h->content_length * 10 + (uint64_t)(at[i] - '0');
	}
	return true;
}

/* A field that says how the answer ends; false: not simple. */
static bool judge(struct load_head *h, struct cursor *c, const char *name, size_t name_len, const char *value,
		  size_t len)
{
	switch (*name | 0x20) {
	case 'c':
		if (is(name, name_len, "content-length")) {
			if (c->length || !read_length(h, value, len))
				return false;
			c->length = true;
		} else if (is(name, name_len, "connection")) {
			h->close = is(value, len, "close");
			if (c->connection || (!h->close && !is(value, len, "keep-alive")))
				return false;
			c->connection = true;
		}
		return true;
	case 'p':
		return !is(name, name_len, "proxy-connection");
	case 't':
		return !is(name, name_len, "transfer-encoding");
	case 'u':
		return !is(name, name_len, "upgrade");
	default:
		return true;
	}
}

static bool read_field(struct load_head *h, struct cursor *c)
{
	const char *name = c->at, *value, *end;
	size_t name_len;

	while (c->at < c->end && is_token[(unsigned char)*c->at])
		c->at++;
	name_len = (size_t)(c->at - name);
	if (name_len == 0 || c->end - c->at < 3 || *c->at != ':')
		return false;
	c->at++;
	while (c->at < c->end && *c->at == ' ')
		c->at++;
	/* visible ASCII and blanks */
	for (value = c->at; c->at < c->end && (unsigned char)(*c->at - ' ') < 0x7f - ' '; c->at++)
		;
	if (c->end - c->at < 2 || c->at[0] != '\r' || c->at[1] != '\n')
		return false;
	for (end = c->at; end > value && end[-1] == ' '; end--)
		;
	c->at += 2;
	return judge(h, c, name, name_len, value, (size_t)(end - value));
}

bool load_head_read(struct load_head *h, const char *buf, size_t len)
{
	struct cursor c = { .at = buf, .end = buf + len };

	h->close = false;
	if (!read_status(h, &c))
		return false;
	while (c.end - c.at >= 2 && *c.at != '\r')
		if (!read_field(h, &c))
			return false;
	if (c.end - c.at < 2 || c.at[1] != '\n' || !c.length)
		return false;
	h->len = (size_t)(c.at + 2 - buf);
	return true;
}
