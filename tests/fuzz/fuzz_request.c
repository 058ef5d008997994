/* SPDX-License-Identifier: MIT */
/* fuzz_request.c - any bytes, in one piece and cut at places that they choose themselves: what the parser tells is the same.
 * The first byte says where the cuts are; with its lowest bit the rest is a body in chunks, behind a head that is right. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_request.h"

enum { TOLD = 4096 };

/* What was told: requests with their places and their bodies, and the end. */
struct told {
	char text[TOLD];
	size_t n;
	uint64_t body, sum;
};

static void say(struct told *t, const char *what, size_t at, unsigned long long detail)
{
	int n = snprintf(t->text + t->n, TOLD - t->n, "%s@%zu:%llx ", what, at, detail);

	if (n > 0 && t->n + (size_t)n < TOLD)
		t->n += (size_t)n;
}

static void feed(struct http_parser *p, struct told *t, const char *s, size_t len, size_t base)
{
	char *piece = malloc(len ? len : 1); /* of its own, so that a look behind it is seen */
	size_t at = 0, used;
	int rc;

	memcpy(piece, s, len);
	while ((rc = magi_http_parse(p, piece + at, len - at, &used)) > HTTP_MORE) {
		if (used > len - at)
			abort();
		at += used;
		if (rc == HTTP_BEGUN) {
			if (p->target_at + p->target_len > p->head_bytes || p->fields_at > p->head_bytes)
				abort();
			say(t, "head", base + at,
			    (unsigned long long)p->method << 32 | p->target_at << 16 | p->target_len);
		} else if (rc == HTTP_READY) {
			say(t, "body", base + at, t->body << 32 | (t->sum & 0xffffffff));
			t->body = t->sum = 0;
		} else {
			t->body += p->piece_len;
			for (size_t i = 0; i < p->piece_len; i++)
				t->sum = t->sum * 31 + (unsigned char)p->piece[i];
		}
	}
	if (rc == HTTP_ERROR)
		say(t, "error", 0, p->status);
	free(piece);
}

static void tell(struct told *t, const char *s, size_t len, uint32_t cuts)
{
	struct http_parser p;
	uint32_t random = cuts;

	memset(t, 0, sizeof *t);
	magi_http_parser_init(&p, &magi_http_limits);
	for (size_t at = 0; at < len;) {
		size_t n = cuts ? 1 + (random = random * 1664525 + 1013904223) % 97 % (1 + cuts % 31) : len;

		n = n < len - at ? n : len - at;
		feed(&p, t, s + at, n, at);
		at += n;
	}
	say(t, "end", 0, (unsigned long long)p.phase);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char head[] = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
	struct told whole, cut;
	size_t skip = size && data[0] & 1 ? sizeof head - 1 : 0;
	char *s;

	if (!size)
		return 0;
	s = malloc(skip + size);
	memcpy(s, head, skip);
	memcpy(s + skip, data + 1, size - 1);
	tell(&whole, s, skip + size - 1, 0);
	tell(&cut, s, skip + size - 1, data[0] | 1u);
	free(s);
	if (strcmp(whole.text, cut.text)) {
		fprintf(stderr, "whole: %s\ncut:   %s\n", whole.text, cut.text);
		abort();
	}
	return 0;
}
