/* SPDX-License-Identifier: MIT */
/* kernel_threads.h - how many threads there are to do operations that block: the kernel's own for this process, or where
 * io_uring is forbidden those of the blocking lane. */
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
		char path[300], name[16] = "";
		FILE *file;

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm", entry->d_name);
		file = fopen(path, "r");
		if (!file)
			continue; /* "..", or it has ended */
		n += fgets(name, sizeof(name), file) &&
		     (strncmp(name, "iou-wrk", 7) == 0 || strncmp(name, "mag-blocking", 12) == 0);
		fclose(file);
	}
	closedir(dir);
	return n;
}

#endif
