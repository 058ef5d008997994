/* SPDX-License-Identifier: MIT */
/* test_http_fields.c - the fields that matter are judged the same however they are cut. */
#include <criterion/criterion.h>
#include <string.h>

#include "../../src/http_server/http_fields.c"

/* Feeds "Name: value" lines in pieces of this size, as the parser does: at least one piece, also of an empty value. */
static void feed_fields(struct http_fields *f, const char *lines, size_t piece)
{
	magi_http_fields_reset(f);
	while (*lines) {
		size_t name = strcspn(lines, ":"), from = name + 1 + strspn(lines + name + 1, " ");
		size_t end = strcspn(lines, "\n"), at;

		for (at = 0; at < name; at += piece)
			magi_http_field_name(f, lines + at, name - at < piece ? name - at : piece);
		magi_http_field_name(f, lines + name, 0);
		magi_http_field_value(f, lines + from, 0);
		for (at = from; at < end; at += piece)
			magi_http_field_value(f, lines + at, end - at < piece ? end - at : piece);
		lines += end + 1;
	}
}

struct fields_case {
	const char *lines;
	bool host, coding, expects, nameless;
};

static const struct fields_case cases[] = {
	{ "Host: a\n", true, false, false, false },
	{ "hOsT: a:1\nX: y\n", true, false, false, false },
	{ "X: y\nHost: \n", true, false, false, false },
	{ "Hos: a\nHostt: a\n", false, false, false, false },
	{ "Host: a\nHost: a\n", false, false, false, false },
	{ "Host: [::1\n", false, false, false, false },
	{ "Host: [::1]:80 \t\n", true, false, false, false },
	{ "Host: a b\n", false, false, false, false },
	{ "Host: a\nTransfer-Encoding: chunked\n", true, true, false, false },
	{ "transfer-encoding: CHUNKED \nHost: a\n", true, true, false, false },
	{ "Transfer-Encoding: chunked\nTransfer-Encoding: chunked\n", false, false, false, false },
	{ "Transfer-Encoding: chunked\nTransfer-Encoding: \n", false, false, false, false },
	{ "Transfer-Encoding: chunked x\n", false, false, false, false },
	{ "Transfer-Encoding: chunke\n", false, false, false, false },
	{ "Transfer-Encoding: \n", false, false, false, false },
	{ "Transfer-Encodings: chunked\n", false, false, false, false },
	{ "Transfer-Encoding-Or-So: chunked\n", false, false, false, false },
	{ "Expect: x\nAccept: y\n", false, false, true, false },
	{ "Host: a\n: x\n", true, false, false, true },
};

Test(http_fields, the_pieces_do_not_matter, .timeout = 10)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct fields_case *c = &cases[i];

		for (size_t piece = 1; piece < 40; piece++) {
			struct http_fields f;

			feed_fields(&f, c->lines, piece);
			cr_assert_eq(magi_http_host_ok(&f, true), c->host, "%s in %zu", c->lines, piece);
			cr_assert_eq(magi_http_coding_ok(&f), c->coding, "%s in %zu", c->lines, piece);
			cr_assert_eq(f.expects, c->expects, "%s in %zu", c->lines, piece);
			cr_assert_eq(f.nameless, c->nameless, "%s in %zu", c->lines, piece);
		}
	}
}

Test(http_fields, host_may_be_missing_where_it_is_not_required, .timeout = 10)
{
	struct http_fields f;

	feed_fields(&f, "X: y\n", 9);
	cr_assert(magi_http_host_ok(&f, false));
	cr_assert_not(magi_http_host_ok(&f, true));
	feed_fields(&f, "Host: a b\n", 9);
	cr_assert_not(magi_http_host_ok(&f, false), "but not wrong");
}

Test(http_fields, an_expectation_is_one_that_is_known, .timeout = 10)
{
	static const struct {
		const char *lines;
		bool ok;
	} waits[] = {
		{ "X: y\n", true },
		{ "Expect: 100-continue\n", true },
		{ "Expect: 100-CONTINUE \t\n", true },
		{ "Expect: 100-continu\n", false },
		{ "Expect: 100-continue2\n", false },
		{ "Expect: 100-continue 2\n", false },
		{ "Expect: \x11" "00-continue\n", false },
		{ "Expect:\n", false },
	};

	for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
		for (size_t piece = 1; piece < 30; piece++) {
			struct http_fields f;

			feed_fields(&f, waits[i].lines, piece);
			cr_assert_eq(magi_http_expect_ok(&f), waits[i].ok, "%s in %zu", waits[i].lines, piece);
		}
	}
}
