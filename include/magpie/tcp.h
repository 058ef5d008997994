/* SPDX-License-Identifier: MIT */
/* tcp.h - TCP over IPv4 and IPv6. A connection is a mag_fd: magpie/io.h has what is done with it. */
#ifndef MAGPIE_TCP_H
#define MAGPIE_TCP_H

#include <magpie/addr.h>
#include <magpie/io.h>
#include <magpie/scope.h>

MAGI_C_BEGIN

enum { MAG_TCP_BACKLOG = 4096 }; /* connections that wait to be accepted; the system's somaxconn caps it */

typedef struct mag_tcp_options {
	size_t size;         /* sizeof(mag_tcp_options) */
	int backlog;         /* 0: MAG_TCP_BACKLOG */
	bool reuse_port;     /* listeners share the address, one a worker: the kernel spreads connections over them */
	bool delay;          /* connections gather small sends (Nagle); by default they do not */
	bool ipv6_only;      /* an IPv6 listener takes no IPv4 connections; by default [::] takes both */
	bool keepalive;      /* the system finds out that the other end is gone */
	uint8_t unused[4];
} mag_tcp_options;

/* Listens. options: NULL for the defaults. Port 0: mag_fd_local_addr says which one it got.
 *
 * Threads:  any worker
 * Owns:     the caller owns *fd, when it returns 0: mag_close
 * Returns:  0, or -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, -EAFNOSUPPORT, -EMFILE, -ENOMEM, -EINVAL (no IP address,
 *           unknown options), -EPERM (not on a worker)
 * Since:    0.1 */
MAG_API int mag_tcp_listen(const mag_addr *addr, const mag_tcp_options *options, mag_fd *fd);

/* MAG_CALL(rc, mag_tcp_connect, .addr = &self->addr, .fd = &self->fd): connects. .options may be given, or be NULL.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Owns:     the caller owns *fd, when it returns 0: mag_close
 * Returns:  0, or an error, and *fd is MAG_FD_NONE
 * Since:    0.1 */
struct mag_tcp_connect {
	mag_frame frame;
	MAG_ARGS(mag_tcp_connect, const mag_addr *addr; mag_fd *fd; const mag_tcp_options *options;);
	mag_fd opened;
	int64_t rc, closed;
};
MAG_API MAG_DECLARE_TASK(mag_tcp_connect);

/* MAG_CALL(rc, mag_tcp_dial, .host = "example.org", .service = "80", .fd = &self->fd): resolves a name
 * (magpie/resolve.h) and connects to its addresses in turn until one answers; each gets at most .each_ns (0: 5 s).
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Owns:     the caller owns *fd, when it returns 0: mag_close
 * Returns:  0, or MAG_ERESOLVE, or the last address's error; then *fd is MAG_FD_NONE
 * Since:    0.1 */
enum { MAG_TCP_DIAL_ADDRS = 8 };
struct mag_tcp_dial {
	mag_frame frame;
	MAG_ARGS(mag_tcp_dial, const char *host; const char *service; mag_fd *fd; const mag_tcp_options *options;
		 uint64_t each_ns;);
	mag_addr addrs[MAG_TCP_DIAL_ADDRS];
	mag_scope scope;
	int64_t count, i, rc, timed;
};
MAG_API MAG_DECLARE_TASK(mag_tcp_dial);

/* Whether small sends leave at once (the default on what mag_tcp_listen and mag_tcp_connect make).
 *
 * Threads:  any worker
 * Returns:  0, MAG_ECLOSED, -EOPNOTSUPP
 * Since:    0.1 */
MAG_API int mag_tcp_set_nodelay(mag_fd fd, bool on);

MAGI_C_END

#endif
