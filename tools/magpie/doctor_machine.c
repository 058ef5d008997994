/* SPDX-License-Identifier: MIT */
/* doctor_machine.c - kernel, CPUs and limits of this process. */
#include "doctor.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

/* CPUs' worth of time that one control group's cpu.max allows; 0: no limit. */
static double quota_of(const char *group)
{
	char path[4200];
	double max = 0, period = 0;
	FILE *f;

	snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", group);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%lf %lf", &max, &period) != 2 || period <= 0)
		max = 0;
	fclose(f);
	return period > 0 ? max / period : 0;
}

/* The tightest one of this process's control group and those around it. */
static double quota(void)
{
	char group[4096] = "";
	double least = quota_of(""), q;
	FILE *f = fopen("/proc/self/cgroup", "re");

	if (f) {
		while (fgets(group, sizeof group, f))
			if (!strncmp(group, "0::", 3))
				break;
		fclose(f);
	}
	if (strncmp(group, "0::/", 4))
		return least;
	memmove(group, group + 3, strlen(group + 3) + 1);
	group[strcspn(group, "\n")] = 0;
	for (char *slash; (slash = strrchr(group, '/')); *slash = 0) {
		q = quota_of(group);
		if (q > 0 && (least <= 0 || q < least))
			least = q;
	}
	return least;
}

static void limit(struct doctor *d, const char *key, const char *label, int which, const char *unit, double scale)
{
	struct rlimit lim;
	char soft[32] = "unlimited", hard[32] = "unlimited";

	if (getrlimit((__rlimit_resource_t)which, &lim))
		return;
	if (lim.rlim_cur != RLIM_INFINITY)
		snprintf(soft, sizeof soft, "%.10g", (double)lim.rlim_cur / scale);
	if (lim.rlim_max != RLIM_INFINITY)
		snprintf(hard, sizeof hard, "%.10g", (double)lim.rlim_max / scale);
	if (!strcmp(soft, hard))
		doctor_text(d, key, label, "%s%s", soft, lim.rlim_cur == RLIM_INFINITY ? "" : unit);
	else
		doctor_text(d, key, label, "%s%s, can be raised to %s", soft, unit, hard);
}

void doctor_machine(struct doctor *d)
{
	struct utsname u;
	cpu_set_t set;
	double q = quota();

	if (uname(&u) == 0)
		doctor_text(d, "kernel", "kernel", "%s %s %s", u.sysname, u.release, u.machine);
	doctor_number(d, "cpus_online", "CPUs", (double)sysconf(_SC_NPROCESSORS_ONLN), "online");
	if (sched_getaffinity(0, sizeof set, &set) == 0)
		doctor_number(d, "cpus_allowed", "", CPU_COUNT(&set), "allowed by the affinity mask");
	if (q > 0)
		doctor_number(d, "cpu_quota", "", q, "allowed by the control group's quota");
	limit(d, "open_files", "open files", RLIMIT_NOFILE, "", 1);
	limit(d, "locked_memory", "locked memory", RLIMIT_MEMLOCK, " KiB", 1024);
}
