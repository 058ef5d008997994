/* SPDX-License-Identifier: MIT */
/* cpus.c - how many CPUs this process may use. */
#include "sched/cpus.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/host.h"

/* One cgroup's own. Source: kernel Documentation/admin-guide/cgroup-v2.rst, cpu.max. */
static uint32_t quota_of(const char *mount, const char *cgroup)
{
	char path[PATH_MAX];
	unsigned long long max, period;
	uint32_t n = 0;
	FILE *f;

	if (snprintf(path, sizeof(path), "%s%s/cpu.max", mount, cgroup) >= (int)sizeof(path))
		return 0;
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%llu %llu", &max, &period) == 2 && period)
		n = (uint32_t)((max + period - 1) / period);
	fclose(f);
	return n;
}

uint32_t magi_cpus_quota(const char *mount, char *cgroup)
{
	uint32_t least = 0;

	for (;;) {
		uint32_t n = quota_of(mount, cgroup);
		char *slash = strrchr(cgroup, '/');

		if (n && (!least || n < least))
			least = n;
		if (!slash)
			return least;
		*slash = 0;
	}
}

/* Where this process is; "": at the root of what it sees, or unknown. Source: cgroup-v2.rst, /proc/PID/cgroup. */
static void own_cgroup(char path[PATH_MAX])
{
	char line[PATH_MAX];
	FILE *f = fopen("/proc/self/cgroup", "re");

	path[0] = 0;
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (!strncmp(line, "0::/", 4) && line[4])
			memcpy(path, line + 3, strlen(line + 3) + 1);
	}
	if (f)
		fclose(f);
}

enum { SIMULATED = 4 }; /* of a simulation, whatever the machine has */

uint32_t magi_cpus_allowed(void)
{
	cpu_set_t set;
	bool simulated = magi_host() && magi_host()->alone;
	long online = simulated ? SIMULATED : sysconf(_SC_NPROCESSORS_ONLN);
	uint32_t n = online > 0 ? (uint32_t)online : 1, q;
	char cgroup[PATH_MAX];

	if (simulated)
		return n;
	if (sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 0)
		n = (uint32_t)CPU_COUNT(&set);
	own_cgroup(cgroup);
	q = magi_cpus_quota("/sys/fs/cgroup", cgroup);
	if (q && q < n)
		n = q;
	return n;
}
