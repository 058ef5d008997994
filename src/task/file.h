/* SPDX-License-Identifier: MIT */
/* file.h - operations of tasks on open files: references, turns, closing. */
#ifndef MAGI_SCHED_FILE_H
#define MAGI_SCHED_FILE_H

#include "task/iop.h"

/* An operation on a file in one call: takes the reference, waits for its turn in that direction, submits. req->fd is set
 * here. direction: 0, MAGI_FD_READING or MAGI_FD_WRITING. make, object: as magi_io_await. */
mag_frame *magi_file_await(mag_worker *w, mag_frame *f, mag_fd fd, uint32_t direction, struct magi_req *req,
			   magi_io_done make, void *object);

/* Drops a reference; lets the next one take its turn; closes the file when it was the last one. */
void magi_file_end(struct magi_worker *w, struct magi_fd *file, uint32_t direction);

/* A task that waited for its turn was cancelled: wait queue callback of the table of files. */
bool magi_file_gone(struct magi_waitq *q, mag_frame *f, mag_frame **granted);

/* The record with a reference taken, for a short look at it, or NULL; then magi_file_end. */
struct magi_fd *magi_file_hold(struct magi_worker *w, mag_fd fd);

#endif
