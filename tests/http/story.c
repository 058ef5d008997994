/* SPDX-License-Identifier: MIT */
/* story.c - what a parser makes of a stream, as one line of text. */
#include "story.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http_request.h"

#define PAIRS_MAX 130 /* bytes of a stream that is cut at each two places: that is quadratic in parses */

struct teller {
	struct http_parser parser;
	const char *stream;
	char *out;
	size_t at, base; /* of the text; of the stream, where the piece begins */
	size_t head;     /* where in the stream the request's head begins */
};

static void say(struct teller *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct teller *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	t->at += (size_t)vsnprintf(t->out + t->at, STORY_MAX - t->at, format, args);
	va_end(args);
	cr_assert_lt(t->at, STORY_MAX);
}

/* A request is complete, of which the piece has had so many bytes. */
static void say_request(struct teller *t, size_t at)
{
	struct http_parser *p = &t->parser;

	say(t, "%s %.*s 1.%d @%zu%s ", llhttp_method_name((llhttp_method_t)p->method), (int)p->target_len,
	    t->stream + t->head + p->target_at, p->minor, t->base + at, p->keep_alive ? "" : " close");
	cr_assert_eq(magi_http_closing(p), !p->keep_alive);
	cr_assert(magi_http_idle(p));
}

/* The piece is a block of its own that ends with its last byte, so that a look behind it is caught by ASan. */
static void tell_piece(struct teller *t, const char *s, size_t len)
{
	struct http_parser *p = &t->parser;
	char *piece = malloc(len ? len : 1);
	size_t at = 0, used;
	int rc;

	memcpy(piece, s, len);
	while ((rc = magi_http_parse(p, piece + at, len - at, &used)) > HTTP_MORE) {
		at += used;
		cr_assert_leq(at, len);
		if (rc == HTTP_BEGUN)
			t->head = t->base + at - p->head_bytes;
		if (rc == HTTP_DATA)
			cr_assert(p->piece_len && p->piece >= piece && p->piece + p->piece_len <= piece + at);
		if (rc == HTTP_READY || (rc == HTTP_BEGUN && !magi_http_in_body(p)))
			say_request(t, at);
	}
	cr_assert_eq(at + used, len, "all is taken unless a request is complete");
	if (rc == HTTP_ERROR)
		say(t, "!%d ", p->status);
	t->base += len;
	memset(piece, 'x', len);
	free(piece);
}

void story_tell(char out[STORY_MAX], const char *stream, size_t len, const size_t *cuts, size_t n)
{
	struct teller *t = malloc(sizeof *t);
	size_t at = 0;

	t->out = out;
	t->stream = stream;
	t->at = t->base = 0;
	magi_http_parser_init(&t->parser, &magi_http_limits);
	for (size_t i = 0; i <= n; i++) {
		size_t end = i < n ? cuts[i] : len;

		tell_piece(t, stream + at, end - at);
		at = end;
	}
	say(t, "%s",
	    magi_http_closing(&t->parser)   ? "closed"
	    : magi_http_idle(&t->parser)    ? "idle"
	    : magi_http_in_body(&t->parser) ? "body"
				       : "head");
	free(t);
}

static void check_cuts(const char *name, const char *stream, size_t len, const char *story, const size_t *cuts,
		       size_t n)
{
	static char out[STORY_MAX];

	story_tell(out, stream, len, cuts, n);
	cr_assert_str_eq(out, story, "%s, %zu cuts, the first at %zu: got '%s', want '%s'", name, n, n ? cuts[0] : 0,
			 out, story);
}

void story_check(const char *name, const char *stream, size_t len, const char *story)
{
	size_t *all = calloc(len + 1, sizeof *all);

	check_cuts(name, stream, len, story, NULL, 0);
	for (size_t i = 0; i <= len; i++) {
		size_t cuts[2] = { i, 0 };

		all[i] = i;
		check_cuts(name, stream, len, story, cuts, 1);
		for (cuts[1] = i; len <= PAIRS_MAX && cuts[1] <= len; cuts[1]++)
			check_cuts(name, stream, len, story, cuts, 2);
	}
	check_cuts(name, stream, len, story, all, len + 1);
	free(all);
}

void story_check_all(const struct story_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++)
		story_check(cases[i].name, cases[i].stream, cases[i].len, cases[i].story);
}
