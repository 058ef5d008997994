/* SPDX-License-Identifier: MIT */
/* iop.h - a task's I/O: from an await to a request on the worker's ring, and from its completion back. */
#ifndef MAGI_SCHED_IOP_H
#define MAGI_SCHED_IOP_H

#include "sched/types.h"

/* Submits and parks: the leaf of most I/O operations. file: a reference that was taken with magi_fd_begin, given back at
 * the end; or NULL. done: NULL for "the result is the completion's"; it runs on the ring's worker before the frame
 * resumes and returns the result. Returns the frame to run next (f: it did not start, the result says why). */
typedef int64_t (*magi_io_done)(struct magi_worker *w, void *object, const struct magi_rec *rec);
mag_frame *magi_io_await(mag_worker *w, mag_frame *f, const struct magi_req *req, struct magi_fd *file,
			 uint32_t direction, magi_io_done done, void *object);

/* A `done` returns this when it has submitted a request again, with magi_io_again: the operation goes on. */
#define MAGI_IO_AGAIN INT64_MIN
void magi_io_again(struct magi_worker *w, const struct magi_rec *rec, struct magi_req *req);

/* Whether the task was cancelled, or the file is being closed: a request must not be submitted again then. A mark that
 * comes after this sends mail to this ring, which finds the new request under the old token. */
bool magi_io_stopped(const struct magi_slot *s);

/* In magi_req.flags, besides those of the backends: a transfer (task/transfer.h). */
enum { MAGI_REQ_ALL = 128 };

/* Before that, for a send, where the backend can do it without waiting: whether f has its result; else f is to submit what
 * is left in req. count: as `object` of a transfer. */
bool magi_io_at_once(mag_worker *w, mag_frame *f, struct magi_req *req, size_t *count);

/* The part of it that submits: 0: f is parked; or why not, and `file` is still the caller's. magi_wait_begin was called. */
int magi_io_submit(mag_worker *w, mag_frame *f, const struct magi_req *req, struct magi_fd *file, uint32_t direction,
		   magi_io_done make, void *object);

/* The same for what is never cut short (close): no cancellation, before or during. */
mag_frame *magi_io_await_surely(mag_worker *w, mag_frame *f, const struct magi_req *req);

/* A long-lived operation without a frame. `deliver` gets each record; the slot is given back after the terminal one.
 * 0, or -ENOMEM. */
struct magi_slot *magi_io_start(struct magi_worker *w, struct magi_req *req, void *object, struct magi_fd *file,
				void (*deliver)(struct magi_worker *w, struct magi_slot *s, const struct magi_rec *rec));

/* Owner: takes records from the backend, resumes tasks; says whether there were any. */
bool magi_io_poll(struct magi_worker *w, uint64_t deadline);

/* Owner: asks for the end of the operation with this token, again and again while there is no memory to ask with. */
void magi_io_cancel(struct magi_worker *w, uint64_t token);

/* Owner: acts on cancel mail. */
void magi_io_read_mail(struct magi_worker *w);

/* Any worker: tells these workers (a set) that a file they use is being closed. */
void magi_io_mail_close(mag_runtime *rt, mag_worker *from, uint64_t workers);

/* Owner: cancels what is under way and waits for it. */
void magi_io_drain(struct magi_worker *w);

#endif
