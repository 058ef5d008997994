/* SPDX-License-Identifier: MIT */
/* io.h - bytes to and from sockets and pipes.
 *
 * For each operation here:
 *   Memory that is passed by pointer (buffers, addresses, results) is the operation's until the await returns: keep it
 *   in the frame, or longer; never in a plain local.
 *   Errors in common: MAG_ECANCELED (the scope was cancelled, or the file was closed while it was under way),
 *   MAG_ECLOSED (no such file any more), -EINVAL (a NULL that must not be one), -ENOMEM.
 *   One receive and one send are under way on a file at a time; more of them are done in the order in which they
 *   came. */
#ifndef MAGPIE_IO_H
#define MAGPIE_IO_H

#include <magpie/addr.h>
#include <magpie/fd.h>

MAGI_C_BEGIN

struct msghdr;

/* MAG_AWAIT(n, mag_recv, fd, buf, len): receives what there is, waiting for the first byte.
 *
 * Await:    yes, a cancellation point: data that has come first is returned
 * Threads:  any worker
 * Owns:     the buffer is the operation's until it returns
 * Returns:  1 … len bytes; 0 at the end of the stream (or for an empty datagram); -EINVAL (buf NULL, or len 0);
 *           -ECONNRESET and others of recv(2)
 * Since:    0.1 */
MAG_API MAG_OP mag_recv(MAG_OP_ARGS, mag_fd fd, void *buf, size_t len);

/* MAG_AWAIT(n, mag_recv_all, fd, buf, len, &count): receives exactly len bytes.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Owns:     the buffer and *count are the operation's until it returns
 * Returns:  len; MAG_EEOF (the stream ended before); or an error. In each case *count says how many bytes have come;
 *           count may be NULL. -EINVAL: buf NULL; len 0 is fine and does nothing
 * Since:    0.1 */
MAG_API MAG_OP mag_recv_all(MAG_OP_ARGS, mag_fd fd, void *buf, size_t len, size_t *count);

/* MAG_AWAIT(n, mag_send, fd, buf, len): sends some of it, waiting for room. Never raises SIGPIPE.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Owns:     the buffer is the operation's until it returns
 * Returns:  bytes sent, at most len; -EPIPE, -ECONNRESET and others of send(2); -EINVAL
 * Since:    0.1 */
MAG_API MAG_OP mag_send(MAG_OP_ARGS, mag_fd fd, const void *buf, size_t len);

/* MAG_AWAIT(n, mag_send_all, fd, buf, len): sends all of it; nobody else's bytes come between.
 *
 * Await:    yes, a cancellation point. Cut short by an error or cancellation, some of the bytes may be sent: the stream
 *           is of no use then, unless mag_send_all_count says how many
 * Threads:  any worker
 * Owns:     the buffer is the operation's until it returns
 * Returns:  len, or an error; len 0 is fine and does nothing
 * Since:    0.1 */
MAG_API MAG_OP mag_send_all(MAG_OP_ARGS, mag_fd fd, const void *buf, size_t len);

/* MAG_AWAIT(n, mag_send_all_count, fd, buf, len, &count): the same; in each case *count says how many bytes are
 * sent. */
MAG_API MAG_OP mag_send_all_count(MAG_OP_ARGS, mag_fd fd, const void *buf, size_t len, size_t *count);

/* MAG_AWAIT(n, mag_sendmsg, fd, &msg, flags), MAG_AWAIT(n, mag_recvmsg, fd, &msg, flags): as sendmsg(2) and recvmsg(2).
 *
 * Await:    yes, cancellation points
 * Threads:  any worker
 * Owns:     the header and all it points to are the operation's until it returns. Descriptors that come in by
 *           SCM_RIGHTS are the caller's: mag_fd_adopt takes them
 * Returns:  bytes, or an error
 * Since:    0.1 */
MAG_API MAG_OP mag_sendmsg(MAG_OP_ARGS, mag_fd fd, const struct msghdr *msg, int flags);
MAG_API MAG_OP mag_recvmsg(MAG_OP_ARGS, mag_fd fd, struct msghdr *msg, int flags);

/* MAG_AWAIT(rc, mag_accept, listener, &fd, &peer): takes the next connection. For many: magpie/acceptor.h.
 *
 * Await:    yes, a cancellation point: a connection that was taken first is returned
 * Threads:  any worker
 * Owns:     the caller owns *fd, when it returns 0: mag_close
 * Returns:  0 and *fd, and the address of the other end in *peer (which may be NULL); or an error, and *fd is
 *           MAG_FD_NONE: -EMFILE, -ENFILE (wait before trying again), -ECONNABORTED (try again), -EINVAL (it does not
 *           listen)
 * Since:    0.1 */
MAG_API MAG_OP mag_accept(MAG_OP_ARGS, mag_fd listener, mag_fd *fd, mag_addr *peer);

/* MAG_AWAIT(rc, mag_connect, fd, &addr): connects a socket. For the whole way from an address: magpie/tcp.h, unix.h.
 *
 * Await:    yes, a cancellation point; after an error or cancellation only mag_close is of use
 * Threads:  any worker
 * Returns:  0, or -ECONNREFUSED, -EHOSTUNREACH and others of connect(2)
 * Since:    0.1 */
MAG_API MAG_OP mag_connect(MAG_OP_ARGS, mag_fd fd, const mag_addr *addr);

/* MAG_AWAIT(rc, mag_shutdown, fd, how): SHUT_RD, SHUT_WR or SHUT_RDWR.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  0, or -ENOTCONN, -EINVAL
 * Since:    0.1 */
MAG_API MAG_OP mag_shutdown(MAG_OP_ARGS, mag_fd fd, int how);

/* A socket of a family (AF_INET, AF_INET6, AF_UNIX) and type (SOCK_STREAM, …); close-on-exec.
 *
 * Threads:  any worker
 * Owns:     the caller owns *fd, when it returns 0: mag_close
 * Returns:  0, or -EAFNOSUPPORT, -EMFILE, -ENFILE, -ENOMEM, -EPERM (not on a worker), -EINVAL
 * Since:    0.1 */
MAG_API int mag_socket(int family, int type, int protocol, mag_fd *fd);

/* Binds a socket to an address of this host.
 *
 * Threads:  any worker
 * Returns:  0, or -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, MAG_ECLOSED, -EINVAL
 * Since:    0.1 */
MAG_API int mag_bind(mag_fd fd, const mag_addr *addr);

/* Sets a socket option, as setsockopt(2).  Threads: any worker.  Returns: 0, MAG_ECLOSED, or what setsockopt says */
MAG_API int mag_socket_option(mag_fd fd, int level, int option, const void *value, size_t size);

/* Two sockets that are connected to each other (AF_UNIX), for tests and for talking to threads.
 *
 * Threads:  any worker
 * Owns:     the caller owns both, when it returns 0
 * Returns:  0, or as mag_socket
 * Since:    0.1 */
MAG_API int mag_socket_pair(int type, mag_fd pair[2]);

MAGI_C_END

#endif
