/* SPDX-License-Identifier: MIT */
/* addr.h - where a socket is, or goes to: IPv4, IPv6 and Unix addresses. */
#ifndef MAGPIE_ADDR_H
#define MAGPIE_ADDR_H

#include <magpie/fd.h>
#include <sys/socket.h>

MAGI_C_BEGIN

enum { MAG_ADDR_TEXT_MAX = 128 }; /* room for any address in text, the final 0 included */

typedef struct mag_addr {
	struct sockaddr_storage storage;
	socklen_t len; /* bytes of storage that count; 0: no address */
} mag_addr;

/* Reads "127.0.0.1:80", "[::1]:80", "[fe80::1%eth0]:80", "unix:/path" or "unix:@abstract". Numbers only: names are
 * mag_resolve's. The port may be 0.
 *
 * Threads:  any
 * Returns:  0, or -EINVAL (*addr has no address then), MAG_ETOOLONG for a path that does not fit
 * Since:    0.1 */
MAG_API int mag_addr_parse(mag_addr *addr, const char *text);

/* Writes the text that mag_addr_parse reads; at most `size` bytes, the final 0 included.
 *
 * Threads:  any
 * Returns:  the length of the text, or -EINVAL (no such address), -ENOSPC (MAG_ADDR_TEXT_MAX is always enough)
 * Since:    0.1 */
MAG_API int mag_addr_format(const mag_addr *addr, char *text, size_t size);

/* The port of an IPv4 or IPv6 address.
 *
 * Threads:  any
 * Returns:  0 … 65535, or -EINVAL for others
 * Since:    0.1 */
MAG_API int mag_addr_port(const mag_addr *addr);

/* Sets it.  Returns: 0, -EINVAL */
MAG_API int mag_addr_set_port(mag_addr *addr, uint16_t port);

/* Whether two addresses are the same, port or path included.  Threads: any */
MAG_API bool mag_addr_equal(const mag_addr *a, const mag_addr *b);

/* The address a socket is bound to: after listening on port 0, the port it got.
 *
 * Threads:  any worker
 * Returns:  0, or MAG_ECLOSED, -ENOTSOCK
 * Since:    0.1 */
MAG_API int mag_fd_local_addr(mag_fd fd, mag_addr *addr);

/* The address of the other end.
 *
 * Threads:  any worker
 * Returns:  0, or MAG_ECLOSED, -ENOTSOCK, -ENOTCONN
 * Since:    0.1 */
MAG_API int mag_fd_peer_addr(mag_fd fd, mag_addr *addr);

MAGI_C_END

#endif
