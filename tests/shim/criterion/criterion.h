/* SPDX-License-Identifier: MIT */
/* criterion.h - the names of Criterion 2.4 that the tests use, for builds where Criterion itself does not start.
 *
 * Under ThreadSanitizer Criterion's shared arena cannot be mapped. Tests include <criterion/criterion.h>; such builds
 * find this file first. shim.c has main: each test runs in a child process of its own, one after the other. */
#ifndef MAGPIE_SHIM_CRITERION_H
#define MAGPIE_SHIM_CRITERION_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <wchar.h>

struct shim_options {
	int sentinel_; /* as in Criterion: so that a Test without options still initialises something */
	void (*init)(void);
	void (*fini)(void);
	int signal;    /* expected */
	int exit_code; /* expected */
	bool disabled;
	const char *description;
	double timeout; /* seconds; 0: the shim's own limit */
	void *data;
};

struct shim_test {
	const char *suite, *name;
	void (*run)(void);
	const struct shim_options *options;
	struct shim_test *next;
};

struct shim_suite {
	const char *name;
	const struct shim_options *options;
	struct shim_suite *next;
};

void shim_add_test(struct shim_test *test);
void shim_add_suite(struct shim_suite *suite);
/* A failed check, on any thread: the test fails, and when fatal its process ends here. */
void shim_fail(bool fatal, const char *file, int line, const char *what, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
void shim_skip(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
void shim_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define SHIM_TEST_(Suite, Name, ...)                                                         \
	static void Suite##_##Name##_impl(void);                                             \
	__attribute__((constructor)) static void Suite##_##Name##_add(void)                  \
	{                                                                                    \
		static const struct shim_options options = { __VA_ARGS__ };                  \
		static struct shim_test test = { #Suite, #Name, Suite##_##Name##_impl, &options, NULL }; \
		shim_add_test(&test);                                                        \
	}                                                                                    \
	static void Suite##_##Name##_impl(void)
#define Test(...) SHIM_TEST_(__VA_ARGS__, .sentinel_ = 0)

#define SHIM_SUITE_(Name, ...)                                                   \
	__attribute__((constructor)) static void suite_##Name##_add(void)        \
	{                                                                        \
		static const struct shim_options options = { __VA_ARGS__ };      \
		static struct shim_suite suite = { #Name, &options, NULL };      \
		shim_add_suite(&suite);                                          \
	}                                                                        \
	struct shim_suite
#define TestSuite(...) SHIM_SUITE_(__VA_ARGS__, .sentinel_ = 0)

/* The message is optional, a format literal and its arguments. Each operand is evaluated once. */
#define SHIM_TRUE_(fatal, condition, text, ...)                                                \
	do {                                                                                   \
		if (!(condition))                                                              \
			shim_fail((fatal), __FILE__, __LINE__, (text), " " __VA_ARGS__);       \
	} while (0)
#define SHIM_NOT_(fatal, condition, ...) SHIM_TRUE_(fatal, !(condition), "!(" #condition ")", ##__VA_ARGS__)
#define SHIM_IS_(fatal, condition, ...) SHIM_TRUE_(fatal, condition, #condition, ##__VA_ARGS__)
#define SHIM_OP_(fatal, op, a, b, ...) SHIM_TRUE_(fatal, (a)op(b), #a " " #op " " #b, ##__VA_ARGS__)
#define SHIM_NULL_(fatal, op, a, ...) SHIM_TRUE_(fatal, (a)op NULL, #a " " #op " NULL", ##__VA_ARGS__)
#define SHIM_STR_(fatal, op, a, b, ...) SHIM_TRUE_(fatal, strcmp((a), (b)) op 0, #a " " #op " " #b, ##__VA_ARGS__)
#define SHIM_EMPTY_(fatal, op, a, ...) SHIM_TRUE_(fatal, (a)[0] op '\0', #a " " #op " \"\"", ##__VA_ARGS__)
#define SHIM_WCS_(fatal, op, a, b, ...) SHIM_TRUE_(fatal, wcscmp((a), (b)) op 0, #a " " #op " " #b, ##__VA_ARGS__)
#define SHIM_ARR_(fatal, op, a, b, size, ...) \
	SHIM_TRUE_(fatal, memcmp((a), (b), (size)) op 0, #a " " #op " " #b ", " #size " bytes", ##__VA_ARGS__)
#define SHIM_NEAR_(fatal, op, a, b, epsilon, ...)                                                        \
	SHIM_TRUE_(fatal, ((a) - (b) <= (epsilon) && (b) - (a) <= (epsilon)) op 1, #a " near " #b " " #op, \
		   ##__VA_ARGS__)
#define SHIM_FAIL_(fatal, ...) shim_fail((fatal), __FILE__, __LINE__, "fail", " " __VA_ARGS__)

#define cr_assert(...) SHIM_IS_(true, __VA_ARGS__)
#define cr_assert_not(...) SHIM_NOT_(true, __VA_ARGS__)
#define cr_assert_eq(...) SHIM_OP_(true, ==, __VA_ARGS__)
#define cr_assert_neq(...) SHIM_OP_(true, !=, __VA_ARGS__)
#define cr_assert_lt(...) SHIM_OP_(true, <, __VA_ARGS__)
#define cr_assert_leq(...) SHIM_OP_(true, <=, __VA_ARGS__)
#define cr_assert_gt(...) SHIM_OP_(true, >, __VA_ARGS__)
#define cr_assert_geq(...) SHIM_OP_(true, >=, __VA_ARGS__)
#define cr_assert_null(...) SHIM_NULL_(true, ==, __VA_ARGS__)
#define cr_assert_not_null(...) SHIM_NULL_(true, !=, __VA_ARGS__)
#define cr_assert_str_eq(...) SHIM_STR_(true, ==, __VA_ARGS__)
#define cr_assert_str_neq(...) SHIM_STR_(true, !=, __VA_ARGS__)
#define cr_assert_str_lt(...) SHIM_STR_(true, <, __VA_ARGS__)
#define cr_assert_str_leq(...) SHIM_STR_(true, <=, __VA_ARGS__)
#define cr_assert_str_gt(...) SHIM_STR_(true, >, __VA_ARGS__)
#define cr_assert_str_geq(...) SHIM_STR_(true, >=, __VA_ARGS__)
#define cr_assert_str_empty(...) SHIM_EMPTY_(true, ==, __VA_ARGS__)
#define cr_assert_str_not_empty(...) SHIM_EMPTY_(true, !=, __VA_ARGS__)
#define cr_assert_wcs_eq(...) SHIM_WCS_(true, ==, __VA_ARGS__)
#define cr_assert_wcs_neq(...) SHIM_WCS_(true, !=, __VA_ARGS__)
#define cr_assert_arr_eq(...) SHIM_ARR_(true, ==, __VA_ARGS__)
#define cr_assert_arr_neq(...) SHIM_ARR_(true, !=, __VA_ARGS__)
#define cr_assert_float_eq(...) SHIM_NEAR_(true, ==, __VA_ARGS__)
#define cr_assert_float_neq(...) SHIM_NEAR_(true, !=, __VA_ARGS__)
#define cr_assert_fail(...) SHIM_FAIL_(true, __VA_ARGS__)

#define cr_expect(...) SHIM_IS_(false, __VA_ARGS__)
#define cr_expect_not(...) SHIM_NOT_(false, __VA_ARGS__)
#define cr_expect_eq(...) SHIM_OP_(false, ==, __VA_ARGS__)
#define cr_expect_neq(...) SHIM_OP_(false, !=, __VA_ARGS__)
#define cr_expect_lt(...) SHIM_OP_(false, <, __VA_ARGS__)
#define cr_expect_leq(...) SHIM_OP_(false, <=, __VA_ARGS__)
#define cr_expect_gt(...) SHIM_OP_(false, >, __VA_ARGS__)
#define cr_expect_geq(...) SHIM_OP_(false, >=, __VA_ARGS__)
#define cr_expect_null(...) SHIM_NULL_(false, ==, __VA_ARGS__)
#define cr_expect_not_null(...) SHIM_NULL_(false, !=, __VA_ARGS__)
#define cr_expect_str_eq(...) SHIM_STR_(false, ==, __VA_ARGS__)
#define cr_expect_str_neq(...) SHIM_STR_(false, !=, __VA_ARGS__)
#define cr_expect_str_empty(...) SHIM_EMPTY_(false, ==, __VA_ARGS__)
#define cr_expect_str_not_empty(...) SHIM_EMPTY_(false, !=, __VA_ARGS__)
#define cr_expect_arr_eq(...) SHIM_ARR_(false, ==, __VA_ARGS__)
#define cr_expect_arr_neq(...) SHIM_ARR_(false, !=, __VA_ARGS__)
#define cr_expect_float_eq(...) SHIM_NEAR_(false, ==, __VA_ARGS__)
#define cr_expect_float_neq(...) SHIM_NEAR_(false, !=, __VA_ARGS__)
#define cr_expect_fail(...) SHIM_FAIL_(false, __VA_ARGS__)

#define cr_skip(...) shim_skip(" " __VA_ARGS__)
#define cr_skip_test(...) shim_skip(" " __VA_ARGS__)

#endif
