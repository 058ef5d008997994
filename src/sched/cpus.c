/* SPDX-License-Identifier: MIT */
/* cpus.c - how many CPUs this process may use. */
#include "sched/cpus.h"

#include <sched.h>
#include <stdio.h>
#include <unistd.h>

/* CPUs of the cgroup's quota, rounded up; 0: no quota. Source: kernel Documentation/admin-guide/cgroup-v2.rst, cpu.max. */
static uint32_t quota(void)
{
	FILE *f = fopen("/sys/fs/cgroup/cpu.max", "re");
	unsigned long long max, period;
	uint32_t n = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%llu %llu", &max, &period) == 2 && period)
		n = (uint32_t)((max + period - 1) / period);
	fclose(f);
	return n;
}

uint32_t magi_cpus_allowed(void)
{
	cpu_set_t set;
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	uint32_t n = online > 0 ? (uint32_t)online : 1, q = quota();

	if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
		n = (uint32_t)CPU_COUNT(&set);
	if (q && q < n)
		n = q;
	return n;
}
