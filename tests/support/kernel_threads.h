/* SPDX-License-Identifier: MIT */
/* kernel_threads.h - how many threads the kernel has made for this process, to do operations that block. */
#ifndef MAGPIE_TESTS_KERNEL_THREADS_H
#define MAGPIE_TESTS_KERNEL_THREADS_H

#include <dirent.h>
#include <stdio.h>
#include <string.h>

static inline int kernel_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	int n = 0;

	while ((entry = readdir(dir))) {
		char path[300], name[8] = "";
		FILE *file;

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm", entry->d_name);
		file = fopen(path, "r");
		if (!file)
			continue; /* "..", or it has ended */
		n += fgets(name, sizeof(name), file) && strcmp(name, "iou-wrk") == 0;
		fclose(file);
	}
	closedir(dir);
	return n;
}

#endif
