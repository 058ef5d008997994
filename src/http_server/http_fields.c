/* SPDX-License-Identifier: MIT */
/* http_fields.c - the few header fields that the server minds: Host, Transfer-Encoding, Expect. */
#include "http_fields.h"

/* What the last character of a Host value left us in. uri-host [ ":" port ], blanks after it. */
enum host_state {
	HOST_EMPTY, /* nothing yet; RFC 9110, 7.2 allows an empty value */
	HOST_NAME,  /* in a registered name or an IPv4 address */
	HOST_IPV6,  /* inside the brackets; "]" leaves it */
	HOST_IPV6_END,
	HOST_PORT,  /* after the colon, which may be the end */
	HOST_BLANK, /* only blanks may follow */
	HOST_BAD,   /* nothing leaves it */
};

enum coding_state {
	CODING_WHOLE = 7, /* all of "chunked" matched; below it, so many characters of it */
	CODING_BLANK,     /* only blanks may follow */
	CODING_OTHER,     /* some other coding, or a list; nothing leaves it */
};

enum expect_state {
	EXPECT_WHOLE = 12, /* all of "100-continue" matched; below it, so many characters of it */
	EXPECT_BLANK,      /* only blanks may follow */
	EXPECT_OTHER,      /* something else; nothing leaves it */
};

static bool is_alnum(unsigned char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static bool is_blank(unsigned char c)
{
	return c == ' ' || c == '\t';
}

/* A comma is legal in a registered name, but two hosts in one field look like that and no real host does. */
static const bool host_char[256] = {
	['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['-'] = true, ['.'] = true, ['_'] = true,
	['~'] = true, ['%'] = true, ['!'] = true, ['$'] = true, ['&'] = true, ['\''] = true, ['('] = true, [')'] = true,
	['*'] = true, ['+'] = true, [';'] = true, ['='] = true,
};

static uint8_t host_step(uint8_t state, unsigned char c)
{
	if (is_blank(c) && state != HOST_IPV6 && state != HOST_BAD)
		return HOST_BLANK;
	switch (state) {
	case HOST_EMPTY:
		if (c == '[')
			return HOST_IPV6;
		return host_char[c] ? HOST_NAME : HOST_BAD;
	case HOST_NAME:
		if (c == ':')
			return HOST_PORT;
		return host_char[c] ? HOST_NAME : HOST_BAD;
	case HOST_IPV6:
		if (c == ']')
			return HOST_IPV6_END;
		return is_alnum(c) || c == ':' || c == '.' ? HOST_IPV6 : HOST_BAD;
	case HOST_IPV6_END:
		return c == ':' ? HOST_PORT : HOST_BAD;
	case HOST_PORT:
		return c >= '0' && c <= '9' ? HOST_PORT : HOST_BAD;
	default:
		return HOST_BAD;
	}
}

static uint8_t take_host(uint8_t state, const unsigned char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		while (state == HOST_NAME && host_char[s[i]])
			if (++i == len)
				return state;
		state = host_step(state, s[i]);
	}
	return state;
}

static uint8_t coding_step(uint8_t state, unsigned char c)
{
	static const char word[] = "chunked";

	if (state < CODING_WHOLE)
		return (c | 0x20) == (unsigned char)word[state] ? (uint8_t)(state + 1) : CODING_OTHER;
	return state != CODING_OTHER && is_blank(c) ? CODING_BLANK : CODING_OTHER;
}

static uint8_t expect_step(uint8_t state, unsigned char c)
{
	static const char word[] = "100-continue";

	if (state < EXPECT_WHOLE)
		return (c >= 'A' && c <= 'Z' ? c | 0x20 : c) == (unsigned char)word[state] ? (uint8_t)(state + 1)
											   : EXPECT_OTHER;
	return state != EXPECT_OTHER && is_blank(c) ? EXPECT_BLANK : EXPECT_OTHER;
}

static bool name_is(const struct http_fields *f, const char *lower)
{
	for (size_t i = 0; i < f->name_len; i++) {
		unsigned char c = (unsigned char)f->name[i];

		if (c >= 'A' && c <= 'Z')
			c |= 0x20;
		if (c != (unsigned char)lower[i])
			return false;
	}
	return true;
}

/* The length alone dismisses nearly every field that does not matter. */
static uint8_t kind_of(const struct http_fields *f)
{
	switch (f->name_len) {
	case 4:
		return name_is(f, "host") ? HTTP_FIELD_HOST : HTTP_FIELD_OTHER;
	case 6:
		return name_is(f, "expect") ? HTTP_FIELD_EXPECT : HTTP_FIELD_OTHER;
	case 17:
		return name_is(f, "transfer-encoding") ? HTTP_FIELD_CODING : HTTP_FIELD_OTHER;
	default:
		return HTTP_FIELD_OTHER;
	}
}

void magi_http_field_begin(struct http_fields *f)
{
	f->kind = kind_of(f);
	switch (f->kind) {
	case HTTP_FIELD_HOST:
		f->hosts = f->hosts ? 2 : 1;
		break;
	case HTTP_FIELD_CODING:
		f->codings = f->codings ? 2 : 1;
		break;
	case HTTP_FIELD_EXPECT:
		f->expects = true;
		break;
	case HTTP_FIELD_OTHER:
		if (f->name_len == 0)
			f->nameless = true;
		break;
	default:
		break;
	}
}

void magi_http_field_take(struct http_fields *f, const char *at, size_t len)
{
	const unsigned char *s = (const unsigned char *)at;

	switch (f->kind) {
	case HTTP_FIELD_HOST:
		f->host = take_host(f->host, s, len);
		break;
	case HTTP_FIELD_CODING:
		for (size_t i = 0; i < len; i++)
			f->coding = coding_step(f->coding, s[i]);
		break;
	case HTTP_FIELD_EXPECT:
		for (size_t i = 0; i < len; i++)
			f->expect = expect_step(f->expect, s[i]);
		break;
	default:
		break;
	}
}

bool magi_http_host_ok(const struct http_fields *f, bool required)
{
	if (f->hosts == 0)
		return !required;
	return f->hosts == 1 && f->host != HOST_IPV6 && f->host != HOST_BAD;
}

bool magi_http_coding_ok(const struct http_fields *f)
{
	return f->codings == 1 && (f->coding == CODING_WHOLE || f->coding == CODING_BLANK);
}

bool magi_http_expect_ok(const struct http_fields *f)
{
	return !f->expects || f->expect == EXPECT_WHOLE || f->expect == EXPECT_BLANK;
}
