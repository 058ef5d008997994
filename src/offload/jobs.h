/* SPDX-License-Identifier: MIT */
/* jobs.h - a queue of jobs that wait for a thread: first in first out, and any can be taken back.
 *
 * What:    a ring of plain entries with two ends that do not meet: those who add share a lock (the door), those who
 *          take share another (the lane's), and each side looks at the other's index only when it has used up what
 *          it saw last. So a job costs half a cache line between two CPUs, and its frame is not touched for it. An
 *          entry that is taken back leaves a hole, which is skipped.
 * Who:     write, publish, full: under the door. any, pop, remove, live: under the lane's lock. repack: under both.
 * Always:  the entry of a waiting frame is at position op.wait.need >> MAGI_JOB_BITS; a position before `head` says
 *          that the job has been taken.
 * Pairs:   [job] tail is stored (release) after the entry -> loaded (acquire) by those who take
 *          [room] head is stored (release) after the entry was copied -> loaded (acquire) by those who add
 * Not:     one lock for both ends: the lines that it guards went back and forth with each job, 550 ns against 350.
 *          A list through the frames: a job's function and argument have no place there. A limit on the length: each
 *          entry is a task that waits, so their number is bounded already, and costs four times as much a piece. */
#ifndef MAGI_OFFLOAD_JOBS_H
#define MAGI_OFFLOAD_JOBS_H

#include <magpie/impl/atomic.h>
#include <magpie/impl/frame.h>

struct magi_job {
	int64_t (*fn)(void *arg);
	void *arg;
	void (*destroy)(void *arg); /* NULL: the argument is lent */
	mag_frame *frame;           /* NULL: a hole */
};

/* Positions only grow, but for a repack; the place of one is that modulo the capacity, a power of two. */
struct magi_jobs {
	/* under both locks; readable under either */
	struct magi_job *at;
	uint32_t capacity;
	/* under the door */
	uint64_t tail MAGI_ALIGNED(MAGI_CACHE_LINE); /* atomic */
	uint64_t head_seen;
	/* under the lane's lock */
	uint64_t head MAGI_ALIGNED(MAGI_CACHE_LINE); /* atomic */
	uint64_t tail_seen;
	uint64_t holes; /* from head on */
};

enum { MAGI_JOB_BITS = 3 }; /* of op.wait.need, the user's own */

static inline struct magi_job *magi_jobs_place(const struct magi_jobs *q, uint64_t position)
{
	return &q->at[position & (q->capacity - 1)];
}

static inline bool magi_jobs_full(struct magi_jobs *q)
{
	uint64_t tail = magi_load_rlx(&q->tail); /* [job] ours */

	if (MAGI_UNLIKELY(tail - q->head_seen == q->capacity))
		q->head_seen = magi_load_acq(&q->head); /* [room] */
	return tail - q->head_seen == q->capacity;
}

/* There is room. Gives the job's frame its position; nobody sees it before it is published. bits: the low bits of
 * op.wait.need. */
void magi_jobs_write(struct magi_jobs *q, const struct magi_job *job, uint32_t bits);

static inline void magi_jobs_publish(struct magi_jobs *q)
{
	magi_store_rel(&q->tail, magi_load_rlx(&q->tail) + 1); /* [job] */
}

/* Whether there is one to take. */
bool magi_jobs_any(struct magi_jobs *q);

/* There is one: takes the oldest. */
void magi_jobs_pop(struct magi_jobs *q, struct magi_job *job);

/* Takes back the one at this position, which may be about to be published. */
void magi_jobs_remove(struct magi_jobs *q, uint64_t position, struct magi_job *job);

/* How many wait. */
uint64_t magi_jobs_live(const struct magi_jobs *q);

/* The capacity to repack with, when it is full; the present one says: in place. */
uint32_t magi_jobs_better(const struct magi_jobs *q);

/* Closes the holes, and moves to `at` of that capacity unless that is the queue's own. Returns what it no longer
 * uses. */
struct magi_job *magi_jobs_repack(struct magi_jobs *q, struct magi_job *at, uint32_t capacity);

#endif
