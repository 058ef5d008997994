/* SPDX-License-Identifier: MIT */
/* unix.h - Unix sockets: streams and datagrams within this host. */
#ifndef MAGPIE_UNIX_H
#define MAGPIE_UNIX_H

#include <magpie/addr.h>
#include <magpie/io.h>

MAGI_C_BEGIN

enum { MAG_UNIX_PATH_MAX = 107 }; /* bytes of a path; of an abstract name, the @ included, one more */

/* The address of a path, or of an abstract name when it begins with '@'.
 *
 * Threads:  any
 * Returns:  0, or -EINVAL (NULL, or empty), MAG_ETOOLONG (a longer path would be cut by the system); then *addr is none
 * Since:    0.1 */
MAG_API int mag_addr_unix(mag_addr *addr, const char *path);

/* Listens for streams. backlog 0: 4096. A path that exists is in use: it is not removed; unlink it first.
 *
 * Threads:  any worker
 * Owns:     the caller owns *fd, when it returns 0: mag_close; the path is the caller's to unlink
 * Returns:  0, or -EADDRINUSE, -EACCES, -ENOENT, -EMFILE, -EINVAL (no Unix address), -EPERM (not on a worker)
 * Since:    0.1 */
MAG_API int mag_unix_listen(const mag_addr *addr, int backlog, mag_fd *fd);

/* A datagram socket bound to an address; addr NULL: to none.
 *
 * Threads:  any worker
 * Owns:     as mag_unix_listen
 * Returns:  as mag_unix_listen
 * Since:    0.1 */
MAG_API int mag_unix_datagram(const mag_addr *addr, mag_fd *fd);

/* MAG_CALL(rc, mag_unix_connect, .addr = &self->addr, .fd = &self->fd): connects a stream.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Owns:     the caller owns *fd, when it returns 0: mag_close
 * Returns:  0, or -ENOENT, -ECONNREFUSED, …, and *fd is MAG_FD_NONE
 * Since:    0.1 */
struct mag_unix_connect {
	mag_frame frame;
	MAG_ARGS(mag_unix_connect, const mag_addr *addr; mag_fd *fd;);
	mag_fd opened;
	int64_t rc, closed;
};
MAG_API MAG_DECLARE_TASK(mag_unix_connect);

MAGI_C_END

#endif
