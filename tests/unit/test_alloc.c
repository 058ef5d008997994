/* SPDX-License-Identifier: MIT */
/* test_alloc.c - memory, and the plan that refuses it. */
#include "base/alloc.h"

#include <criterion/criterion.h>
#include <string.h>

static unsigned faults(unsigned sites)
{
	unsigned map = 0;

	for (unsigned i = 0; i < sites; i++)
		map |= (unsigned)magi_fault() << i;
	return map;
}

Test(alloc, nothing_fails_without_a_plan, .timeout = 5)
{
	cr_assert_eq(faults(10), 0);
	cr_assert_eq(magi_fault_reached(), 0);
}

Test(alloc, plan_fails_the_nth_site_and_no_other, .timeout = 5)
{
	magi_fault_plan(3, 0);
	cr_assert_eq(faults(10), 1u << 2);
	cr_assert_eq(magi_fault_reached(), 10);
	magi_fault_plan(1, 0);
	cr_assert_eq(faults(10), 1u);
}

Test(alloc, plan_fails_each_mth_site_after_the_nth, .timeout = 5)
{
	magi_fault_plan(2, 3);
	cr_assert_eq(faults(10), 1u << 1 | 1u << 4 | 1u << 7);
	magi_fault_plan(1, 1);
	cr_assert_eq(faults(5), 31u);
}

Test(alloc, plan_can_be_ended, .timeout = 5)
{
	magi_fault_plan(1, 1);
	cr_assert_eq(faults(3), 7u);
	magi_fault_plan(0, 0);
	cr_assert_eq(faults(3), 0);
	cr_assert_eq(magi_fault_reached(), 0);
}

Test(alloc, each_kind_of_memory_can_be_refused, .timeout = 5)
{
	void *p;

	magi_fault_plan(1, 1);
	cr_assert_null(magi_alloc(1));
	cr_assert_null(magi_zalloc(1));
	cr_assert_null(magi_realloc(NULL, 1));
	cr_assert_null(magi_alloc_aligned(64, 64));
	cr_assert_null(magi_pages_map(4096));
	cr_assert_eq(magi_fault_reached(), 5);
	magi_fault_plan(0, 0);
	p = magi_alloc(1);
	magi_fault_plan(1, 0);
	cr_assert_null(magi_realloc(p, 2)); /* p stays the caller's */
	magi_fault_plan(0, 0);
	magi_free(p);
	magi_free(NULL);
}

Test(alloc, memory_is_clean_where_that_was_asked_for, .timeout = 5)
{
	static const char zeros[4096];
	char *a = magi_zalloc(4096), *b = magi_alloc_aligned(256, 4096), *c = magi_pages_map(4096);

	cr_assert(a && b && c);
	cr_assert_eq((uintptr_t)b % 256, 0);
	cr_assert_arr_eq(a, zeros, 4096);
	cr_assert_arr_eq(b, zeros, 4096);
	cr_assert_arr_eq(c, zeros, 4096);
	magi_free(a);
	magi_free(b);
	magi_pages_unmap(c, 4096);
}

Test(alloc, what_takes_a_huge_page_begins_at_one, .timeout = 5)
{
	enum { HUGE_PAGE = 2 << 20, N = 4, SIZE = HUGE_PAGE + 4096 };
	char *p[N];

	for (int i = 0; i < N; i++) {
		p[i] = magi_pages_map(SIZE);
		cr_assert_not_null(p[i]);
		cr_assert_eq((uintptr_t)p[i] % HUGE_PAGE, 0);
		p[i][0] = p[i][SIZE - 1] = 'x';
	}
	for (int i = 0; i < N; i++)
		magi_pages_unmap(p[i], SIZE);
	cr_assert_null(magi_pages_map((size_t)1 << 62), "there is not that much");
}
