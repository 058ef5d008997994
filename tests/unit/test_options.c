/* SPDX-License-Identifier: MIT */
/* test_options.c - include/magpie/options.h: options of programs that are older or newer than the library. */
#include <criterion/criterion.h>

#include <errno.h>
#include <magpie/magpie.h>
#include <magpie/options.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>


static int64_t background(const void *o)
{
	struct mag_background b;
	mag_runtime *rt;
	int64_t rc = mag_runtime_create(NULL, &rt);

	cr_assert_eq(rc, 0);
	rc = mag_background_init(&b, rt, o);
	cr_assert_eq(mag_runtime_destroy(rt, MAG_NEVER), 0);
	return rc;
}

static int64_t breaker(const void *o)
{
	mag_breaker b;

	return mag_breaker_init(&b, o);
}

static int64_t limiter(const void *o)
{
	mag_limiter l;

	return mag_limiter_init(&l, o);
}

static int64_t lines(const void *o)
{
	mag_lines l;
	int rc = mag_lines_init(&l, MAG_FD_NONE, o);

	mag_lines_fini(&l);
	return rc;
}

static int64_t queue(const void *o)
{
	mag_queue q;
	int rc = mag_queue_init_as(&q, o);

	return rc < 0 ? rc : mag_queue_fini(&q);
}

static int64_t retry(const void *o)
{
	return mag_retry_policy_check(o);
}

static int64_t runtime(const void *o)
{
	mag_runtime *rt;
	int rc = mag_runtime_create(o, &rt);

	if (rc == 0)
		cr_assert_eq(mag_runtime_destroy(rt, MAG_NEVER), 0);
	return rc;
}

static int64_t shut_down(const void *o)
{
	struct mag_shutdown s;

	return mag_shutdown_init(&s, o);
}

/* Each with the size of its struct, what a program of its first version gave, and how much of it that was. */
static const struct {
	const char *name;
	int64_t (*take)(const void *options);
	size_t size, least;
	union {
		size_t size;
		mag_queue_options queue;
		mag_limiter_options limiter;
	} first;
} rooms[] = {
	{ "background", background, sizeof(struct mag_background_options), sizeof(size_t), { 0 } },
	{ "breaker", breaker, sizeof(mag_breaker_options), sizeof(size_t), { 0 } },
	{ "limiter", limiter, sizeof(mag_limiter_options), offsetof(mag_limiter_options, burst), { .limiter = { .rate = 1 } } },
	{ "lines", lines, sizeof(mag_lines_options), sizeof(size_t), { 0 } },
	{ "queue", queue, sizeof(mag_queue_options), offsetof(mag_queue_options, order),
	  { .queue = { .capacity = 2, .element_size = 8 } } },
	{ "retry", retry, sizeof(mag_retry_policy), sizeof(size_t), { 0 } },
	{ "runtime", runtime, sizeof(mag_runtime_options), sizeof(size_t), { 0 } },
	{ "shutdown", shut_down, sizeof(struct mag_shutdown_options), sizeof(size_t), { 0 } },
};

/* What taking them gives when they say `says`; there are `there` bytes of them, and not one more. */
static int64_t given(size_t i, size_t there, size_t says)
{
	char *o = calloc(1, there);
	int64_t rc;

	cr_assert_not_null(o);
	memcpy(o, &rooms[i].first, there < sizeof(rooms[i].first) ? there : sizeof(rooms[i].first));
	memcpy(o, &says, sizeof(says));
	rc = rooms[i].take(o);
	free(o);
	return rc;
}

/* Tried: without the memset() of mag_options_take; with `>=` for `>` in it. */
Test(options, of_an_older_program_are_taken_and_those_of_a_newer_refused, .timeout = 30)
{
	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
		cr_assert_eq(given(i, rooms[i].least, rooms[i].least), 0, "%s: older", rooms[i].name);
		cr_assert_eq(given(i, rooms[i].size, rooms[i].size), 0, "%s: as old", rooms[i].name);
		cr_assert_eq(given(i, rooms[i].size + 8, rooms[i].size + 8), -EINVAL, "%s: newer", rooms[i].name);
		cr_assert_eq(given(i, rooms[i].size, 0), -EINVAL, "%s: no size", rooms[i].name);
		cr_assert_eq(given(i, rooms[i].size, 3), -EINVAL, "%s: less than its size", rooms[i].name);
	}
}

Test(options, figures_are_given_as_far_as_the_program_knows_them, .timeout = 30)
{
	struct {
		size_t size, a, b;
	} out = { 2 * sizeof(size_t), 1, 2 }, figures = { 7, 8, 9 };

	cr_assert_eq(mag_options_give(&out, &figures, sizeof(figures)), 0);
	cr_assert(out.size == 2 * sizeof(size_t) && out.a == 8 && out.b == 2);
	out.size = sizeof(figures);
	cr_assert_eq(mag_options_give(&out, &figures, sizeof(figures)), 0);
	cr_assert(out.size == sizeof(figures) && out.a == 8 && out.b == 9);
	out.size = sizeof(figures) + 1;
	cr_assert_eq(mag_options_give(&out, &figures, sizeof(figures)), -EINVAL);
	out.size = 0;
	cr_assert_eq(mag_options_give(&out, &figures, sizeof(figures)), -EINVAL);
}
