/* SPDX-License-Identifier: MIT */
/* receiver.h - receiving into the runtime's own buffers: a connection that is silent holds none.
 *
 * mag_recv_buffer takes a buffer when data has come. A receiver does so for a busy connection, with one long-lived
 * request and a bounded queue; when that is full the sender is slowed down, by TCP. */
#ifndef MAGPIE_RECEIVER_H
#define MAGPIE_RECEIVER_H

#include <magpie/fd.h>

MAGI_C_BEGIN

enum {
	MAG_BUFFER_BYTES = 8192,  /* what a buffer holds at most */
	MAG_RECEIVER_QUEUE = 16   /* buffers */
};

/* A piece of a stream. Who has one gives it back, on any worker. */
typedef struct mag_buffer {
	void *data; /* may be written to; NULL: none */
	size_t len;
} mag_buffer;

/* MAG_AWAIT(n, mag_recv_buffer, fd, &buffer): receives what there is, waiting for the first byte.
 *
 * Await:    yes, a cancellation point: data that has come first is returned
 * Threads:  any worker
 * Owns:     the caller owns the buffer, when it returns > 0: mag_buffer_give
 * Returns:  1 … MAG_BUFFER_BYTES bytes; 0 at the end of the stream; an error as mag_recv's, -ENOMEM; then there is none
 * Since:    0.1 */
MAG_API MAG_OP mag_recv_buffer(MAG_OP_ARGS, mag_fd fd, mag_buffer *buffer);

/* Gives a buffer back; one that has no data is fine. It has none afterwards.
 *
 * Threads:  any; on a worker its ring takes it
 * Since:    0.1 */
MAG_API void mag_buffer_give(mag_buffer *buffer);

typedef struct mag_receiver {
	struct magi_receiver *core; /* NULL: not started */
} mag_receiver;

typedef struct mag_receiver_options {
	size_t size;    /* sizeof(mag_receiver_options) */
	uint32_t queue; /* buffers that may wait to be asked for; 0: MAG_RECEIVER_QUEUE */
	uint32_t unused;
} mag_receiver_options;

/* Begins to receive from a connected stream, on the ring of the calling worker; later on that of a worker that keeps
 * asking. Nothing else may receive from it meanwhile. The file may be closed at any time: the receiver then ends, but
 * is still to be closed.
 *
 * Threads:  any worker
 * Owns:     the caller owns the receiver, when it returns 0: mag_receiver_close
 * Returns:  0, or MAG_ECLOSED, -EBUSY (somebody receives from it), -ENOMEM, -EINVAL, -EPERM (not on a worker); then
 *           there is nothing to close
 * Since:    0.1 */
MAG_API int mag_receiver_start(mag_receiver *receiver, mag_fd fd, const mag_receiver_options *options);

/* MAG_AWAIT(n, mag_receiver_next, &receiver, &buffer): the next piece of the stream, in its order.
 *
 * Await:    yes, a cancellation point: a piece that was given is returned, others stay in the queue
 * Threads:  any worker; when several tasks wait, each piece goes to one of them, in turn
 * Owns:     the caller owns the buffer, when it returns > 0: mag_buffer_give
 * Returns:  1 … MAG_BUFFER_BYTES bytes; 0 at the end of the stream; an error of recv(2) once the bytes before it are
 *           taken; MAG_ECANCELED, MAG_ECLOSED (the file or the receiver was closed), -EINVAL (not started; a NULL)
 * Since:    0.1 */
MAG_API MAG_OP mag_receiver_next(MAG_OP_ARGS, mag_receiver *receiver, mag_buffer *buffer);

/* MAG_AWAIT(rc, mag_receiver_close, &receiver): stops; what is in the queue is lost. The file stays open. Nobody may
 * call mag_receiver_next from here on, other than those that wait already: they get MAG_ECLOSED.
 *
 * Await:    yes; never cut short by cancellation
 * Threads:  any worker
 * Returns:  0; also when it was closed before, or never started
 * Since:    0.1 */
MAG_API MAG_OP mag_receiver_close(MAG_OP_ARGS, mag_receiver *receiver);

MAGI_C_END

#endif
