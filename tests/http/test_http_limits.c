/* SPDX-License-Identifier: MIT */
/* test_http_limits.c - each limit is reached without harm, and one more is refused, wherever the reads end. */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_request.h"
#include "story.h"

#define POST "POST / HTTP/1.1\r\nHost: a\r\n"
#define CHUNKS POST "Transfer-Encoding: chunked\r\n\r\n"

/* A stream put together piece by piece, too long for a literal. */
static char stream[8 * 1024 * 1024];
static size_t len;
static char story[STORY_MAX];

static void add(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void add(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	len += (size_t)vsnprintf(stream + len, sizeof stream - len, format, args);
	va_end(args);
	cr_assert_lt(len, sizeof stream);
}

static void add_run(char c, size_t n)
{
	memset(stream + len, c, n);
	len += n;
	stream[len] = '\0';
}

/* Long streams are cut at places around the limit and in equal pieces: all places would take minutes. */
static void check(const char *name, size_t limit_at, const char *want)
{
	size_t cuts[256];

	story_tell(story, stream, len, NULL, 0);
	cr_assert_str_eq(story, want, "%s, in one piece: %s", name, story);
	for (size_t cut = limit_at > 8 ? limit_at - 8 : 0; cut <= limit_at + 8 && cut <= len; cut++) {
		story_tell(story, stream, len, &cut, 1);
		cr_assert_str_eq(story, want, "%s, cut at %zu: %s", name, cut, story);
	}
	for (size_t n = 1; n < 256; n = n * 3 + 1) {
		for (size_t i = 0; i < n; i++)
			cuts[i] = len * (i + 1) / (n + 1);
		story_tell(story, stream, len, cuts, n);
		cr_assert_str_eq(story, want, "%s, in %zu pieces: %s", name, n + 1, story);
	}
	len = 0;
}

/* Also byte by byte. */
static void check_all(const char *name, const char *want)
{
	size_t *cuts = malloc(len * sizeof *cuts), n = len;

	for (size_t i = 0; i < n; i++)
		cuts[i] = i + 1;
	story_tell(story, stream, n, cuts, n - 1);
	cr_assert_str_eq(story, want, "%s, byte by byte: %s", name, story);
	free(cuts);
	check(name, n, want);
}

static void target(size_t n, const char *method, const char *status)
{
	static char want[STORY_MAX];

	add("%s /", method);
	add_run('a', n - 1);
	if (status)
		snprintf(want, sizeof want, "%s", status);
	else
		snprintf(want, sizeof want, "%s %.*s 1.1 @%zu idle", method, (int)n, stream + strlen(method) + 1,
			 len + strlen(" HTTP/1.1\r\nHost: a\r\n\r\n"));
	add(" HTTP/1.1\r\nHost: a\r\n\r\n");
	check_all("target", want);
}

Test(http_limits, target_has_8_KiB, .timeout = 60)
{
	target(HTTP_TARGET_MAX, "GET", NULL);
	target(HTTP_TARGET_MAX, "UNSUBSCRIBE", NULL);
	for (size_t over = 1; over < 40; over += 3) {
		target(HTTP_TARGET_MAX + over, "GET", "!414 closed");
		target(HTTP_TARGET_MAX + over, "UNSUBSCRIBE", "!414 closed");
	}
	add("GET /");
	add_run('a', 100000);
	check_all("endless request line", "!414 closed");
}

Test(http_limits, limits_are_those_that_were_given, .timeout = 10)
{
	const struct http_limits limits = { .target = 4, .head = 100, .fields = 2, .body = 10 };
	static const struct {
		const char *request;
		int status;
	} cases[] = {
		{ "GET /234 HTTP/1.1\r\nHost: a\r\n\r\n", 0 },
		{ "GET /2345 HTTP/1.1\r\nHost: a\r\n\r\n", 414 },
		{ "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n", 0 },
		{ "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nY: 2\r\n\r\n", 431 },
		{ "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n", 0 },
		{ "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n", 413 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct http_parser p;
		size_t used;
		int rc;

		magi_http_parser_init(&p, &limits);
		rc = magi_http_parse(&p, cases[i].request, strlen(cases[i].request), &used);
		if (rc == HTTP_BEGUN)
			rc = magi_http_parse(&p, "", 0, &used);
		cr_assert_eq(rc == HTTP_ERROR ? p.status : 0, cases[i].status, "%s", cases[i].request);
	}
}

static void fields(size_t n, const char *end, const char *want)
{
	add(POST);
	for (size_t i = 1; i < n; i++)
		add("X-%zu: y\r\n", i);
	add("%s", end);
	check_all("fields", want);
}

Test(http_limits, a_request_has_100_fields, .timeout = 60)
{
	fields(100, "\r\n", "POST / 1.1 @910 idle");
	fields(101, "\r\n", "!431 closed");
	fields(99, "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "POST / 1.1 @934 idle");
	fields(99, "Transfer-Encoding: chunked\r\n\r\n0\r\nT: r\r\n\r\n", "!431 closed");
}

/* One field fills the section up to n bytes; the line ends count. */
static void header_bytes(size_t n, const char *end, const char *want)
{
	size_t from;

	add("GET / HTTP/1.1\r\n");
	from = len;
	add("Host: a\r\nX: ");
	add_run('y', n - (len - from) - strlen("\r\n") - strlen(end));
	add("\r\n%s", end);
	check_all("bytes", want);
}

Test(http_limits, header_fields_have_16_KiB, .timeout = 60)
{
	header_bytes(HTTP_HEADERS_MAX, "\r\n", "GET / 1.1 @16400 idle");
	for (size_t over = 1; over < 5; over++)
		header_bytes(HTTP_HEADERS_MAX + over, "\r\n", "!431 closed");
	header_bytes(HTTP_HEADERS_MAX, "Content-Length: 1\r\n\r\n", "body");
	add("GET / HTTP/1.1\r\n");
	add_run('x', 100000);
	check_all("endless name", "!431 closed");
	add("GET / HTTP/1.1\r\nX: ");
	add_run('x', 100000);
	check_all("endless value", "!431 closed");
}

Test(http_limits, trailer_shares_the_limit_of_the_header, .timeout = 60)
{
	for (size_t over = 0; over < 2; over++) {
		size_t from = len + strlen("POST / HTTP/1.1\r\n"), size_line = strlen("0\r\n");

		add(POST "Transfer-Encoding: chunked\r\nX: ");
		add_run('y', 10000);
		add("\r\n\r\n0\r\nX: ");
		add_run('y', HTTP_HEADERS_MAX + over + size_line - (len - from) - strlen("\r\n\r\n"));
		add("\r\n\r\n");
		check_all("trailer", over ? "!431 closed" : "POST / 1.1 @16404 idle");
	}
}

Test(http_limits, a_body_has_1_MiB, .timeout = 60)
{
	size_t head;

	add(POST "Content-Length: %u\r\n\r\n", HTTP_BODY_MAX);
	head = len;
	add_run('b', HTTP_BODY_MAX);
	add("GET");
	check("length", head, "POST / 1.1 @1048629 head");
	add(POST "Content-Length: %u\r\n\r\n", HTTP_BODY_MAX + 1);
	check_all("length, one more", "!413 closed");
	add(POST "Content-Length: 18446744073709551615\r\n\r\n");
	check_all("length, the most", "!413 closed");
}

static void chunked(size_t n, size_t last, const char *want)
{
	add(CHUNKS);
	for (size_t i = 0; i < n; i++) {
		add("10000\r\n");
		add_run('b', 0x10000);
		add("\r\n");
	}
	add("%zx\r\n", last);
	add_run('b', last);
	if (last)
		add("\r\n0\r\n");
	add("\r\n");
	check("chunked", 62, want);
}

Test(http_limits, chunks_have_1_MiB_together, .timeout = 60)
{
	chunked(16, 0, "POST / 1.1 @1048781 idle");
	chunked(16, 1, "!413 closed");
	chunked(15, 0x10000, "POST / 1.1 @1048781 idle");
	chunked(15, 0x10001, "!413 closed");
}

static void chunk_line(size_t n, const char *want)
{
	add(CHUNKS "1;");
	add_run('e', n - strlen("1;\r\n"));
	add("\r\na\r\n0\r\n\r\n");
	check_all("chunk line", want);
}

Test(http_limits, a_chunk_line_has_256_bytes, .timeout = 60)
{
	chunk_line(HTTP_CHUNK_LINE_MAX, "POST / 1.1 @320 idle");
	chunk_line(HTTP_CHUNK_LINE_MAX + 1, "!400 closed");
	chunk_line(HTTP_CHUNK_LINE_MAX + 2, "!400 closed");
	add(CHUNKS);
	add_run('0', 100000);
	check_all("endless size", "!400 closed");
}

Test(http_limits, chunk_lines_have_1_MiB_together, .timeout = 60)
{
	add(CHUNKS);
	for (int i = 0; i < 5000; i++) {
		add("1;");
		add_run('e', 250);
		add("\r\na\r\n");
	}
	check("extensions", len, "!413 closed");
}
