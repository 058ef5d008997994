/* SPDX-License-Identifier: MIT */
/* fd.h - the name of an open file or socket: an index and a generation, so that a stale one is noticed and never
 * reaches a file that reuses the number. Operations on it may be under way on any worker while it is closed. */
#ifndef MAGPIE_FD_H
#define MAGPIE_FD_H

#include <magpie/task.h>

MAGI_C_BEGIN

typedef struct mag_fd {
	uint32_t index;
	uint32_t generation; /* 0: no file */
} mag_fd;

#define MAG_FD_NONE ((mag_fd){ 0, 0 })

/* Takes over an open file descriptor; it is closed by mag_close, or at the end of the runtime.
 *
 * Threads:  any worker
 * Owns:     the descriptor, when it returns 0
 * Returns:  0 and *fd, or -ENOMEM, -EMFILE (the table is full), -EBADF, -EPERM (not on a worker)
 * Since:    0.1 */
MAG_API int mag_fd_adopt(int raw, mag_fd *fd);

/* Gives the descriptor back to the caller, who closes it.
 *
 * Threads:  any worker
 * Returns:  the descriptor, or MAG_ECLOSED, -EBUSY (an operation is under way)
 * Since:    0.1 */
MAG_API int mag_fd_release(mag_fd fd);

/* The descriptor itself, for getsockname, setsockopt and the like; never close it.
 *
 * Threads:  any worker
 * Returns:  the descriptor, or MAG_ECLOSED
 * Since:    0.1 */
MAG_API int mag_fd_raw(mag_fd fd);

/* Makes the kernel's table of this process's open files large enough for so many, as far as the limit on them allows. It
 * grows by itself, by doubling, but where there are several threads whatever opens a file then, an accept say, waits until
 * all CPUs have passed a point of rest: 8 to 16 ms were measured. A runtime does this for 1024 when it starts, while there
 * is perhaps only one thread; an HTTP server for as many connections as it may have.
 *
 * Threads:  any; it waits that long itself when there are several
 * Returns:  0, or -EMFILE (the limit is lower: as many as it allows; or all of those are open), or why no file can be opened
 * Since:    0.1 */
MAG_API int mag_fd_reserve(uint32_t files);

/* MAG_AWAIT(rc, mag_close, fd): operations under way on it end with MAG_ECANCELED, then it is closed.
 *
 * Await:    yes; never cut short by cancellation
 * Threads:  any worker
 * Returns:  0, MAG_ECLOSED (it was closed before), or what close(2) says; it is closed in each case
 * Since:    0.1 */
MAG_API MAG_OP mag_close(MAG_OP_ARGS, mag_fd fd);

MAGI_C_END

#endif
