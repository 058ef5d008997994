/* SPDX-License-Identifier: MIT */
/* udp.h - datagrams, over IPv4, IPv6 and Unix sockets. On a connected socket mag_send and mag_recv do as well. */
#ifndef MAGPIE_UDP_H
#define MAGPIE_UDP_H

#include <magpie/addr.h>
#include <magpie/io.h>
#include <sys/uio.h>

MAGI_C_BEGIN

/* One datagram that is sent or received: it and its data are the operation's until the await returns. */
typedef struct mag_datagram {
	void *data;
	size_t len;     /* bytes to send; room for what is received */
	mag_addr addr;  /* whom it goes to (len 0: whom the socket is connected to); where it came from */
	bool truncated; /* received: it was longer than the room; the rest is lost */

	/* ours */
	struct iovec part;
	struct msghdr header;
} mag_datagram;

/* A UDP socket bound to an address; port 0: the system picks one.
 *
 * Threads:  any worker
 * Owns:     the caller owns *fd, when it returns 0: mag_close
 * Returns:  0, or -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, -EMFILE, -EINVAL (no IP address), -EPERM (not on a worker)
 * Since:    0.1 */
MAG_API int mag_udp_bind(const mag_addr *addr, mag_fd *fd);

/* A UDP socket that sends to, and receives from, that address only.
 *
 * Threads:  any worker
 * Owns:     the caller owns *fd, when it returns 0: mag_close
 * Returns:  0, or -ENETUNREACH, -EMFILE, -EINVAL (no IP address), -EPERM (not on a worker)
 * Since:    0.1 */
MAG_API int mag_udp_connect(const mag_addr *addr, mag_fd *fd);

/* MAG_AWAIT(n, mag_datagram_send, fd, &datagram): sends it whole.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  its length, or -EMSGSIZE, -EDESTADDRREQ, -ECONNREFUSED (an earlier one found nobody), …
 * Since:    0.1 */
MAG_API MAG_OP mag_datagram_send(MAG_OP_ARGS, mag_fd fd, mag_datagram *datagram);

/* MAG_AWAIT(n, mag_datagram_recv, fd, &datagram): receives the next one, and its sender's address.
 *
 * Await:    yes, a cancellation point: a datagram that came first is returned
 * Threads:  any worker
 * Returns:  its length (0: an empty one), or an error
 * Since:    0.1 */
MAG_API MAG_OP mag_datagram_recv(MAG_OP_ARGS, mag_fd fd, mag_datagram *datagram);

MAGI_C_END

#endif
