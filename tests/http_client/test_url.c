/* SPDX-License-Identifier: MIT */
/* test_url.c - what becomes of a URL's text: one place has one name. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "http_client/exchange.h"

static const struct {
	const char *text, *full, *origin;
	bool literal;
} good[] = {
	{ "http://Example.org", "http://Example.org/", "http://example.org:80", false },
	{ "https://h:444/a?b", "https://h:444/a?b", "https://h:444", false },
	{ "http://127.1/", "http://127.0.0.1/", "http://127.0.0.1:80", true },
	{ "http://%31%32%37.1/", "http://127.0.0.1/", "http://127.0.0.1:80", true },
	{ "https://%30/%30?%2541", "https://0.0.0.0/%30?%2541", "https://0.0.0.0:443", true },
	{ "http://%65xample.org/", "http://example.org/", "http://example.org:80", false },
	{ "http://[::1]:81/%20", "http://[::1]:81/%20", "http://[::1]:81", true },
};

Test(url, one_place_has_one_name)
{
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct magi_client_url *url;

		cr_assert_eq(magi_client_url_parse(good[i].text, NULL, &url), 0, "%s", good[i].text);
		cr_assert_str_eq(url->text, good[i].full);
		cr_assert_str_eq(url->origin, good[i].origin);
		cr_assert_eq(url->literal, good[i].literal, "%s", good[i].text);
		magi_client_url_drop(url);
	}
}

Test(url, what_is_none_says_so)
{
	static const char *const bad[] = {
		"", "http://", "http://h:99999/", "http://a b/", "http://h/\r\n", "http://a%00/"
	};
	struct magi_client_url *url;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		cr_assert_eq(magi_client_url_parse(bad[i], NULL, &url), -EINVAL, "%s", bad[i]);
		cr_assert_null(url);
	}
	cr_assert_eq(magi_client_url_parse("ftp://h/", NULL, &url), -EPROTONOSUPPORT);
}
