/* SPDX-License-Identifier: MIT */
/* test_http_guard.c - which byte of a head is at fault, and with which status. The parser's tests under tests/http feed
 * far more heads through the guard. */
#include <criterion/criterion.h>
#include <string.h>

#include "../../src/http_server/http_guard.c"

static const struct http_limits limits = { .target = 100, .head = 16384, .fields = 100 };

struct walk_case {
	const char *head;
	int good, status; /* good bytes, then the fault; -1: all, up to the empty line's end */
};

static const struct walk_case walks[] = {
	{ "GET / HTTP/1.1\r\nHost: a\r\n\r\n", -1, 0 },
	{ "GET / HTTP/1.0\r\n\r\n", -1, 0 },
	{ "anything else HTTP/1.1\r\n\x01\r\n\r\n", -1, 0 },
	{ "GET / HTTP/1.1\n", 14, 400 },
	{ "GET / HTTP/1.1\r\nA: b\n", 20, 400 },
	{ "GET / HTTP/1.1\r\n\n", 16, 400 },
	{ "GET / HTTP/1.1\r\n A: b\r\n", 16, 400 },
	{ "GET / HTTP/1.1\r\nA: b\r\n\tc\r\n", 22, 400 },
	{ "GET /  HTTP/1.1\r\n", 16, 400 },
	{ "GET /\r\n", 6, 400 },
	{ " HTTP/1.1\r\n", 10, 400 },
	{ "GET / HTTP/2.0\r\n", 15, 505 },
	{ "GET / HTTP/1.2\r\n", 15, 505 },
	{ "GET / HTTP/0.1\r\n", 15, 505 },
	{ "\n", 0, 400 },
};

/* Walks the head in pieces of this size: how many bytes are good. */
static int walk(struct http_guard *g, const char *head, size_t piece, int *status)
{
	size_t len = strlen(head), at = 0;

	magi_http_guard_reset(g, &limits);
	*status = 0;
	while (at < len && !g->done) {
		size_t n = piece < len - at ? piece : len - at, good = magi_http_guard_walk(g, head + at, n, status);

		at += good;
		if (good < n)
			break;
	}
	return (int)at;
}

Test(http_guard, a_fault_belongs_to_one_byte, .timeout = 10)
{
	for (size_t i = 0; i < sizeof walks / sizeof walks[0]; i++) {
		const struct walk_case *c = &walks[i];
		int want = c->good < 0 ? (int)strlen(c->head) : c->good;

		for (size_t piece = 1; piece <= strlen(c->head); piece++) {
			struct http_guard g;
			int status, good = walk(&g, c->head, piece, &status);

			cr_assert(good == want && status == c->status && g.done == (c->good < 0),
				  "case %zu in pieces of %zu: %d good bytes, status %d", i, piece, good, status);
		}
	}
}

Test(http_guard, what_follows_the_empty_line_is_not_looked_at, .timeout = 10)
{
	struct http_guard g;
	int status;

	cr_assert_eq(walk(&g, "GET / HTTP/1.1\r\n\r\n\n\n", 20, &status), 18);
	cr_assert_eq(status, 0);
	cr_assert_eq(magi_http_guard_walk(&g, "\n", 1, &status), 0);
	cr_assert_eq(status, 0);
}

Test(http_guard, the_trailer_goes_on_counting, .timeout = 10)
{
	struct http_guard g;
	int status;

	walk(&g, "GET / HTTP/1.1\r\nA: b\r\n\r\n", 24, &status);
	cr_assert_eq(g.fields, 1);
	magi_http_guard_trailer(&g);
	cr_assert_not(g.done);
	cr_assert_eq(magi_http_guard_walk(&g, "C: d\r\n\r\n", 8, &status), 8);
	cr_assert(g.done && status == 0 && g.fields == 2);
	cr_assert_eq(g.room, limits.head - strlen("A: b\r\n\r\n") - strlen("C: d\r\n\r\n"));
}
