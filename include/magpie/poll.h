/* SPDX-License-Identifier: MIT */
/* poll.h - waiting until a file is ready, for libraries that do their own reading and writing. */
#ifndef MAGPIE_POLL_H
#define MAGPIE_POLL_H

#include <magpie/fd.h>
#include <poll.h>

MAGI_C_BEGIN

/* MAG_AWAIT(events, mag_poll, fd, POLLIN): waits, once, until one of the events holds. Any number of tasks may wait.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  the events that hold, POLLERR and POLLHUP among them; or MAG_ECANCELED, MAG_ECLOSED, -EINVAL (no events),
 *           -EPERM (a file that cannot be waited for)
 * Since:    0.1 */
MAG_API MAG_OP mag_poll(MAG_OP_ARGS, mag_fd fd, unsigned events);

MAGI_C_END

#endif
