/* SPDX-License-Identifier: MIT */
/* test_error.c - codes in words. */
#include <criterion/criterion.h>

#include <errno.h>
#include <limits.h>
#include <magpie/error.h>
#include <string.h>

static const int own[] = { MAG_ECANCELED, MAG_ETIMEDOUT, MAG_ECLOSED, MAG_EDEADLK, MAG_ESHUTDOWN, MAG_EDEPTH,
			   MAG_EEOF, MAG_EBACKEND, MAG_EABI, MAG_ERESOLVE, MAG_ETOOLONG, MAG_ESIM,
			   MAG_EREFUSED };

enum { OWN = sizeof(own) / sizeof(own[0]) };

/* Tried: a code of magpie/error.h left out of the table in error.c. */
Test(error, each_code_of_ours_has_a_name_and_words_of_its_own, .timeout = 5)
{
	for (int i = 0; i < OWN; i++) {
		cr_assert_eq(strncmp(mag_errname(own[i]), "MAG_E", 5), 0, "%d", own[i]);
		cr_assert_str_neq(mag_strerror(own[i]), "unknown error", "%d", own[i]);
		for (int k = 0; k < i; k++) {
			cr_assert_str_neq(mag_errname(own[i]), mag_errname(own[k]));
			cr_assert_str_neq(mag_strerror(own[i]), mag_strerror(own[k]));
		}
	}
}

Test(error, codes_of_ours_follow_one_another_below_the_systems, .timeout = 5)
{
	for (int i = 0; i < OWN; i++)
		cr_assert_eq(own[i], -4096 - i);
	cr_assert_str_eq(mag_errname(-4096 - OWN), "EUNKNOWN", "a new code wants a line here");
}

Test(error, systems_codes_are_known, .timeout = 5)
{
	cr_assert_str_eq(mag_errname(-ECONNRESET), "ECONNRESET");
	cr_assert_str_eq(mag_errname(-ENOMEM), "ENOMEM");
	cr_assert_str_eq(mag_strerror(-ENOENT), "No such file or directory");
}

Test(error, results_that_are_no_errors_say_so, .timeout = 5)
{
	cr_assert_str_eq(mag_errname(0), "OK");
	cr_assert_str_eq(mag_errname(INT64_MAX), "OK");
	cr_assert_str_eq(mag_strerror(7), "success");
}

Test(error, unknown_codes_have_words_too, .timeout = 5)
{
	const int64_t unknown[] = { -4000, -4095, -5000, INT32_MIN, (int64_t)INT32_MIN - 1, INT64_MIN,
				    -(INT64_C(1) << 32) - ENOMEM };

	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		cr_assert_str_eq(mag_errname(unknown[i]), "EUNKNOWN");
		cr_assert_str_eq(mag_strerror(unknown[i]), "unknown error");
	}
}
