/* SPDX-License-Identifier: MIT */
/* test_cpus.c - how many CPUs this process may use. */
#include "sched/cpus.h"

#include <criterion/criterion.h>
#include <sched.h>
#include <unistd.h>

Test(cpus, there_is_at_least_one_and_no_more_than_the_machine_has, .timeout = 5)
{
	uint32_t n = magi_cpus_allowed();

	cr_assert(n >= 1);
	cr_assert(n <= (uint32_t)sysconf(_SC_NPROCESSORS_ONLN));
}

/* Tried: the count of CPUs that are online, whatever affinity says. */
Test(cpus, affinity_is_obeyed, .timeout = 5)
{
	cpu_set_t set, one;

	cr_assert_eq(sched_getaffinity(0, sizeof(set), &set), 0);
	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE && !CPU_COUNT(&one); i++) {
		if (CPU_ISSET(i, &set))
			CPU_SET(i, &one);
	}
	cr_assert_eq(sched_setaffinity(0, sizeof(one), &one), 0);
	cr_assert_eq(magi_cpus_allowed(), 1);
}
