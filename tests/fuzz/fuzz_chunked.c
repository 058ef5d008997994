/* SPDX-License-Identifier: MIT */
/* fuzz_chunked.c - a body in chunks, in one piece and cut anywhere, beside a decoder that is written as RFC 9112, section 7.1
 * reads. The first byte says where the cuts are.
 *
 * What the parser takes has this one meaning: same body, same end. What is plain, without extensions and trailers, it takes. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_request.h"

#define HEAD "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
enum { BODY = 1000, INPUT = 4096 };

static const struct http_limits limits = { .target = 100, .head = 300, .fields = 8, .body = BODY };

enum verdict { MORE, WHOLE, WRONG };

struct decoded {
	enum verdict verdict;
	unsigned status; /* of what is wrong; the reference has none */
	bool plain;      /* the reference: nothing but sizes, data and an empty line */
	size_t end;      /* of what is whole */
	size_t n;
	char body[INPUT];
};

static void piece(struct decoded *d, const char *data, size_t n)
{
	if (d->n + n > BODY)
		abort();
	memcpy(d->body + d->n, data, n);
	d->n += n;
}

static void feed(struct http_parser *p, struct decoded *d, const char *s, size_t n, size_t base)
{
	char *copy = malloc(n ? n : 1); /* of its own, so that a look behind it is seen */
	size_t at = 0, used;
	int rc;

	memcpy(copy, s, n);
	while (d->verdict == MORE && (rc = magi_http_parse(p, copy + at, n - at, &used)) != HTTP_MORE) {
		at += used;
		if (at > n)
			abort();
		if (rc == HTTP_DATA) {
			piece(d, p->piece, p->piece_len);
		} else if (rc == HTTP_READY) {
			d->verdict = WHOLE;
			d->end = base + at;
		} else if (rc == HTTP_ERROR) {
			d->verdict = WRONG;
			d->status = p->status;
		}
	}
	free(copy);
}

static void parse(struct decoded *d, const char *s, size_t n, uint32_t cuts)
{
	struct http_parser p;
	uint32_t random = cuts;
	size_t used;

	memset(d, 0, offsetof(struct decoded, body));
	magi_http_parser_init(&p, &limits);
	if (magi_http_parse(&p, HEAD, sizeof HEAD - 1, &used) != HTTP_BEGUN || used != sizeof HEAD - 1 || !p.chunked)
		abort();
	for (size_t at = 0; at < n;) {
		size_t take = cuts ? 1 + (random = random * 1664525 + 1013904223) % 97 % (1 + cuts % 31) : n;

		take = take < n - at ? take : n - at;
		feed(&p, d, s + at, take, at);
		at += take;
	}
}

/* A line and its CRLF: its length without that, or -1. */
static long line(const char *s, size_t n)
{
	const char *lf = memchr(s, '\n', n);

	return lf && lf > s && lf[-1] == '\r' ? lf - 1 - s : -1;
}

static int digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* Trailers: lines up to an empty one. */
static void trailer(struct decoded *d, const char *s, size_t n, size_t at)
{
	long length;

	while ((length = line(s + at, n - at)) > 0) {
		d->plain = false;
		at += (size_t)length + 2;
	}
	if (length < 0)
		return;
	d->verdict = WHOLE;
	d->end = at + 2;
}

/* Stays at MORE where the bytes end, and where it cannot be sure: the parser knows better what an extension may be. */
static void decode(struct decoded *d, const char *s, size_t n)
{
	size_t at = 0, framing = 0;

	memset(d, 0, offsetof(struct decoded, body));
	d->plain = true;
	for (;;) {
		long length = line(s + at, n - at), i;
		uint64_t size = 0;

		if (length < 0)
			return;
		framing += (size_t)length + 2;
		for (i = 0; i < length && digit(s[at + (size_t)i]) >= 0; i++)
			size = size > BODY ? size : size * 16 + (uint64_t)digit(s[at + (size_t)i]);
		d->plain = d->plain && i == length && i <= 16;
		if (i == 0 || size > BODY - d->n || framing > BODY || length + 2 > (long)HTTP_CHUNK_LINE_MAX) {
			d->verdict = WRONG;
			return;
		}
		at += (size_t)length + 2;
		if (size == 0) {
			trailer(d, s, n, at);
			return;
		}
		piece(d, s + at, size < n - at ? size : n - at);
		if (n - at < size + 2)
			return;
		if (memcmp(s + at + size, "\r\n", 2)) {
			d->verdict = WRONG;
			return;
		}
		at += size + 2;
	}
}

/* Of what turns out to be wrong, less of the body may have been told before, when all came at once. */
static void compare(const struct decoded *got, const struct decoded *want, const char *who)
{
	size_t n = got->n < want->n ? got->n : want->n;

	if (got->verdict == want->verdict && got->end == want->end && (got->n == want->n || got->verdict == WRONG) &&
	    !memcmp(got->body, want->body, n))
		return;
	fprintf(stderr, "%s: got %d at %zu, %zu bytes; want %d at %zu, %zu bytes\n", who, got->verdict, got->end,
		got->n, want->verdict, want->end, want->n);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct decoded whole, cut, reference;
	const char *s = (const char *)data + 1;

	if (!size || size > INPUT)
		return 0;
	parse(&whole, s, size - 1, 0);
	parse(&cut, s, size - 1, data[0] | 1u);
	compare(&cut, &whole, "the same, cut");
	if (cut.status != whole.status)
		abort();
	decode(&reference, s, size - 1);
	if (whole.verdict == WHOLE || (reference.plain && reference.verdict != MORE))
		compare(&whole, &reference, "the reference");
	if (reference.verdict == WRONG && whole.verdict != WRONG)
		abort();
	return 0;
}
