/* SPDX-License-Identifier: MIT */
/* test_fetch_range.c - for tools/magpie/fetch_range.c, which no library contains: it is compiled in here. */
#include <criterion/criterion.h>

#include "../../tools/magpie/fetch_range.c"

Test(fetch_range, counts_up)
{
	static const struct {
		const char *text, *first, *last;
		uint64_t n;
	} good[] = {
		{ "http://h/[1-100].png", "http://h/1.png", "http://h/100.png", 100 },
		{ "http://h/[001-100]", "http://h/001", "http://h/100", 100 },
		{ "http://h/[0-9]", "http://h/0", "http://h/9", 10 },
		{ "http://h/[7-7]x", "http://h/7x", "http://h/7x", 1 },
		{ "http://[::1]/[8-10]", "http://[::1]/8", "http://[::1]/10", 3 },
		{ "[[1-2]]", "[1]", "[2]", 2 },
		{ "[9-1][1-2]", "[9-1]1", "[9-1]2", 2 },
		{ "[1-18446744073709551615]", "1", "18446744073709551615", UINT64_MAX },
	};

	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct fetch_range r;
		char *first, *last;

		cr_assert(fetch_range_find(&r, good[i].text), "%s", good[i].text);
		cr_assert_eq(r.last - r.first + 1, good[i].n, "%s", good[i].text);
		first = fetch_range_fill(good[i].text, r.first);
		last = fetch_range_fill(good[i].text, r.last);
		cr_assert_str_eq(first, good[i].first);
		cr_assert_str_eq(last, good[i].last);
		free(first);
		free(last);
	}
}

/* Of these some were read as numbers beyond 2^63, and counted for ever. */
Test(fetch_range, what_is_no_range_stays_as_it_is)
{
	static const char *const others[] = {
		"http://h/",
		"[",
		"[]",
		"[1]",
		"[1-]",
		"[-1]",
		"[1-2",
		"[1--1]",
		"[-5--1]",
		"[+1-2]",
		"[1-+2]",
		"[ 1-2]",
		"[1- 2]",
		"[1-2 ]",
		"[2-1]",
		"[::1]",
		"[a-z]",
		"[0-18446744073709551615]",
		"[1-18446744073709551616]",
		"[99999999999999999999-99999999999999999999]",
	};

	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		struct fetch_range r;
		char *same = fetch_range_fill(others[i], 1);

		cr_assert_not(fetch_range_find(&r, others[i]), "%s", others[i]);
		cr_assert_str_eq(same, others[i]);
		free(same);
	}
}
