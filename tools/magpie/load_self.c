/* SPDX-License-Identifier: MIT */
/* load_self.c - CPU time from its clock, waiting for a CPU from the scheduler's statistics. */
#include "load_self.h"

#include <dirent.h>
#include <stdio.h>
#include <time.h>

/* "ran waited slices", in ns. */
static uint64_t waited(const char *thread)
{
	char path[300];
	unsigned long long ran, wait = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/self/task/%s/schedstat", thread);
	f = fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%llu %llu", &ran, &wait) != 2)
		wait = 0;
	fclose(f);
	return wait;
}

void load_self_read(struct load_self *self)
{
	struct timespec t = { 0, 0 };
	struct dirent *entry;
	DIR *dir = opendir("/proc/self/task");

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	self->cpu_ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	self->wait_ns = 0;
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			self->wait_ns += waited(entry->d_name);
	if (dir)
		closedir(dir);
}
