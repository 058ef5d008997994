/* SPDX-License-Identifier: MIT */
/* reserve.c - the kernel's table of the process's open files, made large at once.
 *
 * Always:  a table does not become smaller again: opening the highest number once is enough
 * Not:     for as many as the limit allows, unasked: that may be a million, of 8 bytes each */
#include <errno.h>
#include <fcntl.h>
#include <magpie/fd.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/host.h"

/* Opens the number once, or the next one that is free. */
static int touch(int number)
{
	int fd = eventfd(0, EFD_CLOEXEC), rc = 0;

	if (fd < 0)
		return -errno;
	if (fd < number) {
		int high = fcntl(fd, F_DUPFD_CLOEXEC, number);

		if (high >= 0)
			close(high);
		else if (errno != EMFILE) /* it is open: the table is as large as that */
			rc = -errno;
	}
	close(fd);
	return rc;
}

int mag_fd_reserve(uint32_t files)
{
	struct rlimit limit;
	uint32_t most = files;
	int rc;

	if (magi_host() || files == 0) /* a simulation has no such table */
		return 0;
	if (getrlimit(RLIMIT_NOFILE, &limit))
		return -errno;
	if (most > limit.rlim_cur)
		most = (uint32_t)limit.rlim_cur;
	if (most > INT32_MAX)
		most = INT32_MAX;
	rc = most > 0 ? touch((int)(most - 1)) : 0;
	if (rc < 0)
		return rc;
	return most < files ? -EMFILE : 0;
}
