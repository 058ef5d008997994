/* SPDX-License-Identifier: MIT */
/* jobs.c - the ring of waiting jobs; jobs.h has the rules. */
#include "offload/jobs.h"

enum { FIRST_CAPACITY = 256 };

static void name_place(const struct magi_job *job, uint64_t position, uint64_t bits)
{
	job->frame->op.wait.need = position << MAGI_JOB_BITS | bits;
}

void magi_jobs_push(struct magi_jobs *q, const struct magi_job *job, uint32_t bits)
{
	name_place(job, q->tail, bits);
	*magi_jobs_place(q, q->tail) = *job;
	q->tail++;
	q->live++;
}

/* No hole stays at either end, so that a job added and taken back over and over uses up nothing. */
static void trim(struct magi_jobs *q)
{
	while (q->head != q->tail && !magi_jobs_place(q, q->head)->frame)
		q->head++;
	while (q->head != q->tail && !magi_jobs_place(q, q->tail - 1)->frame)
		q->tail--;
}

void magi_jobs_pop(struct magi_jobs *q, struct magi_job *job)
{
	*job = *magi_jobs_place(q, q->head);
	q->head++;
	q->live--;
	while (q->head != q->tail && !magi_jobs_place(q, q->head)->frame)
		q->head++;
}

void magi_jobs_remove(struct magi_jobs *q, uint64_t position, struct magi_job *job)
{
	struct magi_job *place = magi_jobs_place(q, position);

	*job = *place;
	place->frame = NULL;
	q->live--;
	trim(q);
}

uint32_t magi_jobs_better(const struct magi_jobs *q)
{
	if (!q->capacity)
		return FIRST_CAPACITY;
	return q->live > q->capacity / 2 ? q->capacity * 2 : q->capacity;
}

struct magi_job *magi_jobs_repack(struct magi_jobs *q, struct magi_job *at, uint32_t capacity)
{
	struct magi_job *old = q->at;
	uint64_t to = q->head;

	for (uint64_t from = q->head; from != q->tail; from++) {
		struct magi_job job = *magi_jobs_place(q, from);

		if (!job.frame)
			continue;
		name_place(&job, to, job.frame->op.wait.need & ((1u << MAGI_JOB_BITS) - 1));
		at[to & (capacity - 1)] = job;
		to++;
	}
	q->tail = to;
	q->at = at;
	q->capacity = capacity;
	return old == at ? NULL : old;
}
