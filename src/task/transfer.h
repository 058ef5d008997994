/* SPDX-License-Identifier: MIT */
/* transfer.h - one await that moves all of a buffer: what a short transfer leaves is submitted again, in the same slot
 * and in the same turn, without the frame being resumed between.
 *
 * Who:     start: the task. go on: the ring's worker.
 * Always:  the frame's op words hold what is left, from the submission on; the turn is kept until the end.
 *          A request is submitted again only while the task is not cancelled and the file not being closed: a mark that
 *          comes later sends mail to this ring, which finds the new request under the old token.
 * Pairs:   [state] task/wait.h */
#ifndef MAGI_TASK_TRANSFER_H
#define MAGI_TASK_TRANSFER_H

#include "task/iop.h"

enum { MAGI_TRANSFER_MAX = 1 << 30 }; /* bytes of one request; the kernel takes no more than 2 GiB */

/* As magi_file_await, for a request with addr, offset and op_flags set. count: NULL or where the bytes moved are told,
 * whatever the result. Result: len, MAG_EEOF (fewer came) or an error. */
mag_frame *magi_transfer_await(mag_worker *w, mag_frame *f, mag_fd fd, uint32_t direction, struct magi_req *req,
			       size_t len, size_t *count);

/* The ring's worker is about to submit the first request. */
void magi_transfer_begin(mag_frame *f, struct magi_req *req);

/* So many bytes of a send have gone, or why none has, before it was submitted: whether f has its result; else req has what
 * is left, and in `offset` what has gone. */
bool magi_transfer_sent(mag_frame *f, struct magi_req *req, size_t *count, int n);

#endif
