/* SPDX-License-Identifier: MIT */
/* jobs.h - a queue of jobs that wait for a thread: first in first out, and any can be taken back.
 *
 * What:    a ring of plain entries: whoever adds writes, and whoever takes reads, memory in order, and neither touches the
 *          frame of the job. An entry that is taken back leaves a hole, which is skipped.
 * Who:     whoever holds the lane's lock.
 * Always:  the entry of a waiting frame is at position op.wait.need >> MAGI_JOB_BITS; a position before `head` says that
 *          the job has been taken.
 * Not:     a list through the frames: a job's function and argument have no place there. A limit on the length: each
 *          entry is a task that waits, so their number is bounded already, and costs four times as much a piece. */
#ifndef MAGI_OFFLOAD_JOBS_H
#define MAGI_OFFLOAD_JOBS_H

#include <magpie/impl/frame.h>

struct magi_job {
	int64_t (*fn)(void *arg);
	void *arg;
	void (*destroy)(void *arg); /* NULL: the argument is lent */
	mag_frame *frame;           /* NULL: a hole */
};

struct magi_jobs {
	struct magi_job *at;
	uint64_t head, tail; /* positions; the place is that modulo the capacity, a power of two */
	uint32_t capacity;
	uint32_t live; /* entries that are no holes */
};

enum { MAGI_JOB_BITS = 3 }; /* of op.wait.need, the user's own */

static inline struct magi_job *magi_jobs_place(const struct magi_jobs *q, uint64_t position)
{
	return &q->at[position & (q->capacity - 1)];
}

static inline bool magi_jobs_full(const struct magi_jobs *q)
{
	return q->tail - q->head == q->capacity;
}

/* There is room. Gives the job's frame its position; bits: the low bits of op.wait.need. */
void magi_jobs_push(struct magi_jobs *q, const struct magi_job *job, uint32_t bits);

/* There is a live one: takes the oldest. */
void magi_jobs_pop(struct magi_jobs *q, struct magi_job *job);

/* Takes back the one at this position. */
void magi_jobs_remove(struct magi_jobs *q, uint64_t position, struct magi_job *job);

/* The capacity to repack with, when it is full; the present one says: in place. */
uint32_t magi_jobs_better(const struct magi_jobs *q);

/* Closes the holes, and moves to `at` of that capacity unless that is the queue's own. Returns what it no longer uses. */
struct magi_job *magi_jobs_repack(struct magi_jobs *q, struct magi_job *at, uint32_t capacity);

#endif
