/* SPDX-License-Identifier: MIT */
/* jobs.c - the ring of waiting jobs; jobs.h has the rules. */
#include "offload/jobs.h"

enum { FIRST_CAPACITY = 256 };

static void name_place(const struct magi_job *job, uint64_t position, uint64_t bits)
{
	job->frame->op.wait.need = position << MAGI_JOB_BITS | bits;
}

void magi_jobs_write(struct magi_jobs *q, const struct magi_job *job, uint32_t bits)
{
	uint64_t tail = magi_load_rlx(&q->tail); /* [job] ours */

	name_place(job, tail, bits);
	*magi_jobs_place(q, tail) = *job;
}

bool magi_jobs_any(struct magi_jobs *q)
{
	uint64_t head = magi_load_rlx(&q->head); /* [room] ours */

	for (;;) {
		if (head == q->tail_seen) {
			q->tail_seen = magi_load_acq(&q->tail); /* [job] */
			if (head == q->tail_seen)
				return false;
		}
		if (MAGI_LIKELY(magi_jobs_place(q, head)->frame != NULL))
			return true;
		q->holes--;
		magi_store_rel(&q->head, ++head); /* [room] */
	}
}

void magi_jobs_pop(struct magi_jobs *q, struct magi_job *job)
{
	uint64_t head = magi_load_rlx(&q->head); /* [room] ours */

	*job = *magi_jobs_place(q, head);
	magi_store_rel(&q->head, ++head); /* [room] */
	if (head != q->tail_seen) {
		mag_frame *next = magi_jobs_place(q, head)->frame;

		/* its task parked on another CPU; by the time that this job has run it is here */
		__builtin_prefetch(next, 1);
		__builtin_prefetch((char *)next + MAGI_CACHE_LINE, 1);
	}
}

void magi_jobs_remove(struct magi_jobs *q, uint64_t position, struct magi_job *job)
{
	struct magi_job *place = magi_jobs_place(q, position);

	*job = *place;
	place->frame = NULL;
	q->holes++;
}

uint64_t magi_jobs_live(const struct magi_jobs *q)
{
	uint64_t tail = magi_load_acq(&q->tail); /* [job] */
	uint64_t used = tail - magi_load_rlx(&q->head); /* [room] ours */

	return used > q->holes ? used - q->holes : 0;
}

uint32_t magi_jobs_better(const struct magi_jobs *q)
{
	if (!q->capacity)
		return FIRST_CAPACITY;
	return q->capacity - q->holes > q->capacity / 2 ? q->capacity * 2 : q->capacity;
}

struct magi_job *magi_jobs_repack(struct magi_jobs *q, struct magi_job *at, uint32_t capacity)
{
	uint64_t head = magi_load_rlx(&q->head), tail = magi_load_rlx(&q->tail), to = head; /* [lock] both are held */
	struct magi_job *old = q->at;

	for (uint64_t from = head; from != tail; from++) {
		struct magi_job job = *magi_jobs_place(q, from);

		if (!job.frame)
			continue;
		name_place(&job, to, job.frame->op.wait.need & ((1u << MAGI_JOB_BITS) - 1));
		at[to & (capacity - 1)] = job;
		to++;
	}
	magi_store_rlx(&q->tail, to); /* [lock] */
	q->tail_seen = to;
	q->head_seen = head;
	q->holes = 0;
	q->at = at;
	q->capacity = capacity;
	return old == at ? NULL : old;
}
