/* SPDX-License-Identifier: MIT */
/* test_cpus.c - how many CPUs this process may use. */
#include "sched/cpus.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

/* A folder, and in it cpu.max. */
static void cgroup(const char *root, const char *below, const char *cpu_max)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s%s", root, below);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s%s/cpu.max", root, below);
	f = fopen(path, "we");
	cr_assert_not_null(f);
	fputs(cpu_max, f);
	fclose(f);
}

Test(cpus, a_cgroup_whose_path_is_too_long_has_no_quota, .timeout = 5)
{
	char own[PATH_MAX];

	memset(own, 'x', sizeof(own));
	own[0] = '/';
	own[sizeof(own) - 1] = 0;
	cr_assert_eq(magi_cpus_quota("/tmp", own), 0);
}

/* A unit's CPUQuota is in its own cgroup, a container's may be above. Tried: only the root of the mount; only its own. */
Test(cpus, quotas_of_the_own_cgroup_and_of_those_above_are_obeyed, .timeout = 5)
{
	char root[] = "/tmp/magpie-cgroup-XXXXXX", own[100] = "/slice/unit", above[100] = "/slice", rest[300];

	cr_assert_not_null(mkdtemp(root));
	cgroup(root, "", "max 100000\n");
	cgroup(root, "/slice", "350000 100000\n");
	cgroup(root, "/slice/unit", "max 100000\n");
	cr_assert_eq(magi_cpus_quota(root, own), 4, "rounded up");
	cgroup(root, "/slice/unit", "150000 100000\n");
	strcpy(own, "/slice/unit");
	cr_assert_eq(magi_cpus_quota(root, own), 2, "the smaller one");
	cr_assert_eq(magi_cpus_quota(root, above), 4);
	own[0] = 0;
	cr_assert_eq(magi_cpus_quota(root, own), 0, "none");
	cgroup(root, "/slice", "100000 100000\n");
	strcpy(own, "/slice/unit");
	cr_assert_eq(magi_cpus_quota(root, own), 1, "the one above is smaller");
	cgroup(root, "/slice", "100000 0\n");
	cgroup(root, "/slice/unit", "what\n");
	strcpy(own, "/slice/unit");
	cr_assert_eq(magi_cpus_quota(root, own), 0, "what makes no sense is none");
	snprintf(rest, sizeof(rest), "rm -r %s", root);
	cr_assert_eq(system(rest), 0);
}
