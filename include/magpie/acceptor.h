/* SPDX-License-Identifier: MIT */
/* acceptor.h - all connections of a listener, from one long-lived request: for servers.
 *
 *	self->rc = mag_acceptor_start(&self->acceptor, self->listener, NULL);
 *	while (self->rc >= 0) {
 *		MAG_AWAIT(self->rc, mag_acceptor_next, &self->acceptor, &self->fd);
 *		...
 *	}
 *	MAG_AWAIT(self->rc, mag_acceptor_close, &self->acceptor);
 *
 * Connections that come faster than they are asked for wait in a bounded queue, then in the system's backlog. When the
 * process is out of descriptors it waits 10 … 100 ms and tries again; while that does not help it accepts and closes at
 * once, up to 128 connections a turn, by means of a descriptor kept in reserve: clients learn that they are not served
 * instead of waiting, and those that are connected go on. */
#ifndef MAGPIE_ACCEPTOR_H
#define MAGPIE_ACCEPTOR_H

#include <magpie/fd.h>

MAGI_C_BEGIN

enum { MAG_ACCEPTOR_QUEUE = 128 };

typedef struct mag_acceptor {
	struct magi_acceptor *core; /* NULL: not started */
} mag_acceptor;

typedef struct mag_acceptor_options {
	size_t size;    /* sizeof(mag_acceptor_options) */
	uint32_t queue; /* connections that may wait to be asked for; 0: MAG_ACCEPTOR_QUEUE */
	uint32_t unused;
} mag_acceptor_options;

/* Begins to accept, on the ring of the calling worker; later on that of a worker that keeps asking. Several acceptors
 * may share a listener. The listener may be closed at any time: the acceptor then ends, but is still to be closed.
 *
 * Threads:  any worker
 * Owns:     the caller owns the acceptor, when it returns 0: mag_acceptor_close
 * Returns:  0, or MAG_ECLOSED (no such listener), -ENOMEM, -EMFILE (none left for the reserve), -EINVAL, -EPERM (not on
 *           a worker); then there is nothing to close
 * Since:    0.1 */
MAG_API int mag_acceptor_start(mag_acceptor *acceptor, mag_fd listener, const mag_acceptor_options *options);

/* MAG_AWAIT(rc, mag_acceptor_next, &acceptor, &fd): the next connection; several tasks may wait.
 *
 * Await:    yes, a cancellation point: a connection that was given is returned, others stay in the queue
 * Threads:  any worker
 * Owns:     the caller owns *fd, when it returns 0: mag_close
 * Returns:  0 and *fd, or an error, and *fd is MAG_FD_NONE: MAG_ECANCELED, MAG_ECLOSED (the listener or the acceptor
 *           was closed), -EINVAL (the file does not listen; not started; a NULL)
 * Since:    0.1 */
MAG_API MAG_OP mag_acceptor_next(MAG_OP_ARGS, mag_acceptor *acceptor, mag_fd *fd);

/* MAG_AWAIT(rc, mag_acceptor_close, &acceptor): stops, closes what is in the queue, ends waits with MAG_ECLOSED. The
 * listener stays open. Nobody may call mag_acceptor_next from here on, other than those that wait already.
 *
 * Await:    yes; never cut short by cancellation
 * Threads:  any worker
 * Returns:  0; also when it was closed before, or never started
 * Since:    0.1 */
MAG_API MAG_OP mag_acceptor_close(MAG_OP_ARGS, mag_acceptor *acceptor);

/* How many connections were accepted and closed at once, for want of descriptors or memory.  Threads: any worker */
MAG_API uint64_t mag_acceptor_dropped(const mag_acceptor *acceptor);

MAGI_C_END

#endif
