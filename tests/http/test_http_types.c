/* SPDX-License-Identifier: MIT */
/* test_http_types.c - content types by extension. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "../../src/http_server/http_types.c"

static const char *type_of(const char *path)
{
	return magi_http_type(path, strlen(path));
}

Test(http_types, every_entry_is_found, .timeout = 10)
{
	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		char path[32];

		snprintf(path, sizeof path, "d.ir/a.b.%s", types[i].ext);
		cr_assert_str_eq(type_of(path), types[i].type, "%s: the table must be sorted", path);
		cr_assert_leq(strlen(types[i].ext), EXT_MAX, "%s", path);
		cr_assert(i == 0 || strcmp(types[i - 1].ext, types[i].ext) < 0, "%s", path);
	}
}

Test(http_types, case_does_not_matter, .timeout = 10)
{
	cr_assert_str_eq(type_of("A.HTML"), "text/html; charset=utf-8");
	cr_assert_str_eq(type_of("a.JpEg"), "image/jpeg");
}

static const char *const unknown[] = {
	"",
	"a",
	".",
	"..",
	"a.",
	"html",
	".html",
	"dir/.html",
	"dir.html/a",
	"a.htmlx",
	"a.tml",
	"a.webmanifests",
	"a.averylongextension",
	"/",
	"a/",
	"x.\xc3\xa9",
};

Test(http_types, an_unknown_name_is_bytes, .timeout = 10)
{
	for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
		cr_assert_str_eq(type_of(unknown[i]), "application/octet-stream", "%s", unknown[i]);
}

Test(http_types, only_the_given_length_is_read, .timeout = 10)
{
	cr_assert_str_eq(magi_http_type("a.html.gz", 6), "text/html; charset=utf-8");
	cr_assert_str_eq(magi_http_type("a.html", 2), "application/octet-stream");
}
