/* SPDX-License-Identifier: MIT */
/* test_bench_stats.c - for bench/stats.c, which no library contains: it is compiled in here. */
#include <criterion/criterion.h>

#include <string.h>

#include "../../bench/stats.c"

Test(bench_stats, median_of_an_odd_number_is_the_middle_one, .timeout = 10)
{
	double samples[] = { 5, 1, 4, 100, 3 };
	struct bench_stats s = bench_stats_of(samples, 5);

	cr_assert(s.median == 4 && s.min == 1 && s.max == 100 && s.n == 5);
}

Test(bench_stats, median_of_an_even_number_is_between_the_middle_two, .timeout = 10)
{
	double samples[] = { 8, 2, 1, 4 };
	struct bench_stats s = bench_stats_of(samples, 4);

	cr_assert(s.median == 3 && s.min == 1 && s.max == 8);
}

Test(bench_stats, no_samples_give_zeros, .timeout = 10)
{
	struct bench_stats s = bench_stats_of(NULL, 0);

	cr_assert(s.n == 0 && s.median == 0 && s.min == 0 && s.max == 0);
}

Test(bench_stats, json_string_escapes_quotes_backslashes_and_controls, .timeout = 10)
{
	char out[64];
	size_t n = bench_json_string(out, sizeof out, "a\"b\\c\n\x01");

	cr_assert(!strcmp(out, "\"a\\\"b\\\\c\\u000a\\u0001\""));
	cr_assert(n == strlen(out));
}

Test(bench_stats, json_string_that_does_not_fit_is_cut_at_a_whole_character, .timeout = 10)
{
	/* each length up to the full one gives a closed string without half an escape or half a letter */
	static const char *const whole[] = { "\"\"", "\"a\"", "\"a\xc3\xa4\"", "\"a\xc3\xa4\\\"\"",
					     "\"a\xc3\xa4\\\"z\"" };

	for (size_t len = 3; len < 16; len++) {
		char out[16];
		size_t n = bench_json_string(out, len, "a\xc3\xa4\"z");
		int known = 0;

		for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
			known |= !strcmp(out, whole[i]);
		cr_assert(known);
		cr_assert(n == strlen(out) && n < len);
	}
}

Test(bench_stats, json_string_without_room_for_its_quotes_is_empty, .timeout = 10)
{
	char out[3] = "xx";

	cr_assert(bench_json_string(out, 2, "a") == 0 && out[0] == 0);
	cr_assert(bench_json_string(out, 0, "a") == 0);
}

Test(bench_stats, numbers_for_people_have_four_digits_and_no_exponent, .timeout = 10)
{
	static const struct {
		double v;
		const char *text;
	} known[] = { { 0, "0.000" },      { 0.0834, "0.0834" }, { 1.5931, "1.593" },
		      { 23.456, "23.46" }, { 230.04, "230.0" },  { 4040000.4, "4040000" } };

	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		char out[32];

		bench_number(out, sizeof out, known[i].v);
		cr_assert(!strcmp(out, known[i].text));
	}
}

Test(bench_stats, units_compare_by_what_stands_before_the_slash, .timeout = 10)
{
	cr_assert(bench_units_compare("ns/call", "ns/task"));
	cr_assert(bench_units_compare("requests/s", "requests/s"));
	cr_assert(!bench_units_compare("s", "ns/call"));
	cr_assert(!bench_units_compare("ns", "nsx"));
}
